"""Machines written down as text: files by path, CPUID leaves by number."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tuiapp.machine.cpuid_record import RecordedCpuid
from tuiapp.machine.inspection import inspect
from tuiapp.machine.report import Machine
from tuiapp.machine.tree import Tree

Files = Mapping[str, str | bytes]

DMI = "/sys/class/dmi/id/"
INTEL = "vendor_id : GenuineIntel\nmodel name : Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz\n"
PLAIN = {"/proc/cpuinfo": INTEL + "flags : fpu vmx sse2\n"}
FLAGGED = {"/proc/cpuinfo": INTEL + "flags : fpu hypervisor sse2\n"}

OFF, ON = (0, 0, 0, 0), (0, 0, 1 << 31, 0)


def dmi(**fields: str) -> dict[str, str]:
    """DMI files: ``dmi(sys_vendor="QEMU")``."""
    return {DMI + name: text + "\n" for name, text in fields.items()}


def pci(*functions: str) -> dict[str, str]:
    """PCI functions in sysfs, each ``"0000:00:00.0 8086:1237 060000"``."""
    files = {}
    for function in functions:
        slot, ident, kind = function.split()
        folder = f"/sys/bus/pci/devices/{slot}/"
        vendor, _, device = ident.partition(":")
        files[folder + "vendor"] = f"0x{vendor}\n"
        files[folder + "device"] = f"0x{device}\n"
        files[folder + "class"] = f"0x{kind}\n"
    return files


def leaves(**values: tuple[int, int, int, int]) -> dict[str, tuple[int, int, int, int]]:
    """CPUID leaves by hexadecimal number: ``leaves(x1=ON)``."""
    return {f"{name[1:]}.0": registers for name, registers in values.items()}


def signed(text: str, most: int = 0x40000001) -> tuple[int, int, int, int]:
    """The registers that hold a hypervisor's signature."""
    raw = text.encode("latin-1").ljust(12, b"\0")
    ebx, ecx, edx = (int.from_bytes(raw[at : at + 4], "little") for at in (0, 4, 8))
    return most, ebx, ecx, edx


def processor(found: Mapping[str, tuple[int, int, int, int]]) -> RecordedCpuid:
    """A recorded processor with these leaves."""
    record = {name: [f"{number:08x}" for number in numbers] for name, numbers in found.items()}
    return RecordedCpuid({"leaves": record})


def build(root: Path, files: Files) -> Tree:
    """The files below ``root``, as a recorded tree."""
    root.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    return Tree(root)


def machine(
    root: Path,
    files: Files,
    cpuid: Mapping[str, tuple[int, int, int, int]] | None = None,
) -> Machine:
    """What is found out about a machine with these files and leaves."""
    return inspect(build(root, files), None if cpuid is None else processor(cpuid))
