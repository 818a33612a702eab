"""Names of processors that only device models give."""

from __future__ import annotations

import re

from tuiapp.machine.report import LIKELY, WEAK
from tuiapp.machine.sources.base import Notes

QEMU_NAMES = (
    re.compile(r"QEMU Virtual CPU\b"),
    re.compile(r"QEMU TCG CPU\b"),
    # Models that QEMU names by generation: "Intel Xeon Processor (Skylake, IBRS)".
    re.compile(r"Intel (?:Xeon|Core) Processor \([\w ,]+\)"),
    re.compile(r"Intel (?:Xeon|Core|Atom|Celeron)[\w ]* \([\w /]+, [\w /]+\)"),
    re.compile(r"Intel Celeron_4x0 \(|Intel Core 2 Duo P9xxx \(|Intel Core i7 9xx \("),
    re.compile(r"Westmere E56xx/L56xx/X56xx|Intel Xeon E312xx \("),
    re.compile(r"AMD Opteron \d+ \(Gen \d|AMD Opteron 2[34]xx |AMD Opteron 6[23]xx class"),
    re.compile(r"AMD EPYC-\w+(?:-v\d)? Processor|AMD EPYC Processor(?: \(with IBPB\))?$"),
    re.compile(r"(?:Common KVM|Common 32-bit KVM) processor"),
)
FIRECRACKER_NAMES = re.compile(r"AMD EPYC|Intel\(R\) Xeon\(R\) Processor @ \d[\d.]*GHz")
"""What Firecracker writes over the processor's own name, so that fleets look alike."""


def note_brand(notes: Notes, where: str, brand: str) -> None:
    """Note a processor's name, and whose invention it is when it is no maker's."""
    if any(pattern.match(brand) for pattern in QEMU_NAMES):
        proves = "the processor's name is one of QEMU's models"
        notes.add(where, brand, proves, "brand=qemu", LIKELY)
    elif FIRECRACKER_NAMES.fullmatch(brand):
        proves = "the processor's name is the one Firecracker gives; others shorten it too"
        notes.add(where, brand, proves, "brand=firecracker", WEAK)
    elif brand:
        notes.add(where, brand)
