"""``/proc/cpuinfo``: the hypervisor flag, User Mode Linux, Lx86, and invented processor names."""

from __future__ import annotations

import re

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
    _note_flags(notes, found, vendor)
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


def _note_flags(notes: Notes, found: dict[str, str], vendor: str) -> None:
    flags = frozenset(found.get("flags", "").split())
    if not flags or not _X86_VENDORS.search(vendor):
        return
    where = f"{PATH} flags"
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
