"""``/proc/cpuinfo``: the hypervisor flag, User Mode Linux, Lx86, and invented processor names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tuiapp.machine.report import CERTAIN, LIKELY
from tuiapp.machine.sources.base import Notes
from tuiapp.machine.sources.brands import note_brand

PATH = "/proc/cpuinfo"
MOST_FIELDS = 200

HARDWARE_ONLY = frozenset({"tsc_deadline_timer", "ibrs", "ibpb", "stibp", "ssbd", "spec_ctrl"})
"""Flags that QEMU's emulator (TCG) does not implement: with one of them the processor is real."""

LOONGARCH_ONLY = frozenset({"lbt_x86", "lbt_arm", "lbt_mips"})
"""LoongArch's help for translating other instruction sets; TCG does not implement it either."""

_X86_VENDORS = re.compile(r"Intel|AMD|Centaur|Hygon|Zhaoxin|Shanghai|Cyrix|Transmeta|Vortex|NSC")


def look(notes: Notes) -> None:
    """Read the first processor's entry."""
    text = notes.text(PATH)
    if text is None:
        return
    found = fields(text)
    if not found:
        notes.miss(PATH, "is empty")
        return
    vendor, brand = found.get("vendor_id", ""), found.get("model name", "")
    if vendor == "User Mode Linux" or brand == "UML":
        proves = "this kernel is a program of another Linux"
        notes.add(PATH, f"vendor_id {vendor}", proves, "emulated=uml", CERTAIN)
    if "PowerVM Lx86" in (vendor, brand):
        proves = "x86 is translated on a POWER machine"
        notes.add(PATH, f"vendor_id {vendor}", proves, "emulated=powervm-lx86", CERTAIN)
    _note_flags(notes, found)
    if real := LOONGARCH_ONLY.intersection(found.get("Features", "").split()):
        proves = "the processor is no emulated one"
        shown = " ".join(sorted(real))
        notes.add(f"{PATH} Features", shown, proves, "accelerated=yes", LIKELY)
    if re.match(r"(?!riscv$)[\w-]+,[\w-]+$", core := found.get("uarch", "")):
        proves = "the firmware names the core; hypervisors write riscv"
        notes.add(f"{PATH} uarch", core, proves, "physical=core", LIKELY)
    if brand:
        note_brand(notes, f"{PATH} model name", brand)


def fields(text: str) -> dict[str, str]:
    """The first entry's fields; those of a whole-machine trailer are left out."""
    found: dict[str, str] = {}
    for line in text.split("\n", MOST_FIELDS)[:MOST_FIELDS]:
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip(), value.strip())
        elif found and "flags" in found:
            break
    return found


def x86_flags(found: Mapping[str, str]) -> frozenset[str]:
    """The flags of an entry; none where its maker makes no x86 processors, or is not told: other
    processors' have no hypervisor among them, whatever runs below."""
    known = _X86_VENDORS.search(found.get("vendor_id", ""))
    return frozenset(found.get("flags", "").split()) if known else frozenset()


def _note_flags(notes: Notes, found: dict[str, str]) -> None:
    flags, where = x86_flags(found), f"{PATH} flags"
    if not flags:
        if found.get("flags"):
            maker = found.get("vendor_id", "")
            value = f"of {maker}" if maker else "without vendor_id beside them"
            notes.add(where, f"{value}: not known to be an x86 processor's", fact="flags=strange")
        return
    if "hypervisor" in flags:
        notes.add(where, "hypervisor", "a hypervisor runs below this kernel", "flag=on", CERTAIN)
        if flags & HARDWARE_ONLY:
            shown = " ".join(sorted(flags & HARDWARE_ONLY))
            proves = "the processor is no emulated one"
            notes.add(where, shown, proves, "accelerated=yes", LIKELY)
    else:
        proves = "no hypervisor shows itself to the kernel; one could hide"
        notes.add(where, "no hypervisor", proves, "flag=off", LIKELY)
    if "vmx" in flags or "svm" in flags:
        shown = "vmx" if "vmx" in flags else "svm"
        notes.add(where, f"{shown}: virtual machines can be run here, in a guest as well")
    if "tdx_guest" in flags:
        notes.add(where, "tdx_guest", "this is a trust domain", "confidential=tdx", CERTAIN)
