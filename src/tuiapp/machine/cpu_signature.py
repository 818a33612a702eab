"""Which processor it is, by its maker's numbers, and how many cores the machine has."""

from __future__ import annotations

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
_MOST_CPUS = 4096
_LONGEST = 40


def cpu_facts(tree: Tree) -> dict[str, Any]:
    """``cpu_signature`` (``AuthenticAMD 25 17 1 0xa101148``) and ``cores``, those that are online
    and not only those we may run on; None for what is unknown."""
    try:
        blocks = _blocks(tree.text(PATH))
    except Unavailable:
        return {"cpu_signature": None, "cores": None}
    numbers = (next((v for key in keys if (v := _first(blocks, key))), "") for keys in _NUMBERS)
    cpus = [block for block in blocks if "processor" in block]
    return {"cpu_signature": " ".join(filter(None, numbers)) or None, "cores": _cores(tree, cpus)}


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
