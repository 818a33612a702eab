"""Which processor it is, by its maker's numbers, how many cores there are, and the GPUs' driver."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from tuiapp.errors import Unavailable
from tuiapp.machine.tree import Tree

PATH = "/proc/cpuinfo"
_CPU = "/sys/devices/system/cpu"
_NUMBERS = (
    ("vendor_id", "CPU implementer", "mvendorid"),
    ("cpu family", "CPU architecture"),
    ("model", "CPU part", "marchid"),
    ("stepping", "CPU revision"),
    ("microcode",),
)
"""Maker, family, model, stepping and microcode by the names they have on x86, ARM and RISC-V."""
_DRIVERS = ("nvidia", "amdgpu", "xe", "i915")
_MOST_CPUS = 4096
_LONGEST = 40


def hardware_facts(tree: Tree) -> dict[str, Any]:
    """``cpu_signature`` (``AuthenticAMD 25 17 1 0xa101148``), ``cores``, those that are online and
    not only those we may run on, and ``gpu_driver``; None for what is unknown."""
    driver = {"gpu_driver": _gpu_driver(tree)}
    try:
        blocks = _blocks(tree.text(PATH))
    except Unavailable:
        return {"cpu_signature": None, "cores": None, **driver}
    numbers = (next((v for key in keys if (v := _first(blocks, key))), "") for keys in _NUMBERS)
    cpus = [block for block in blocks if "processor" in block]
    signature = " ".join(filter(None, numbers)) or None
    return {"cpu_signature": signature, "cores": _cores(tree, cpus), **driver}


def _gpu_driver(tree: Tree) -> str | None:
    """Name and version of the kernel's driver; those that come with the kernel tell none."""
    for module in _DRIVERS:
        with suppress(Unavailable):
            return f"{module} {tree.text(f'/sys/module/{module}/version')[:_LONGEST]}"
    return next((name for name in _DRIVERS if tree.exists(f"/sys/module/{name}")), None)


def _blocks(cpuinfo: str) -> list[dict[str, str]]:
    """One mapping a paragraph: a CPU each, and on some machines one on the board."""
    blocks = []
    for paragraph in cpuinfo.split("\n\n")[: _MOST_CPUS + 2]:
        pairs = (line.partition(":") for line in paragraph.splitlines()[:200])
        blocks.append({name.strip(): value.strip()[:_LONGEST] for name, _, value in pairs})
    return blocks


def _first(blocks: list[dict[str, str]], key: str) -> str:
    """The first value under ``key``, printable."""
    value = next((block[key] for block in blocks if block.get(key)), "")
    return "".join(sign for sign in value if sign.isprintable())


def _cores(tree: Tree, cpus: list[dict[str, str]]) -> int | None:
    places = [(cpu.get("physical id"), cpu.get("core id")) for cpu in cpus]
    if (None, None) in places:
        places = [_place(tree, cpu["processor"]) for cpu in cpus]
    known = bool(places) and all(None not in place for place in places)
    return len(set(places)) if known else None


def _place(tree: Tree, cpu: str) -> tuple[str | None, str | None]:
    """(socket, core) as sysfs has them."""
    if not cpu.isdecimal():
        return None, None
    folder = f"{_CPU}/cpu{cpu}/topology"
    try:
        return tree.text(f"{folder}/physical_package_id"), tree.text(f"{folder}/core_id")
    except Unavailable:
        return None, None
