"""The SMBIOS bit by which firmware says that it belongs to a virtual machine."""

from __future__ import annotations

from tuiapp.errors import Unavailable
from tuiapp.machine.report import LIKELY, WEAK
from tuiapp.machine.sources.base import Notes

ENTRY = "/sys/firmware/dmi/entries/0-0/raw"
TABLE = "/sys/firmware/dmi/tables/DMI"
EXTENSION_BYTE, VIRTUAL_MACHINE = 0x13, 1 << 4
MOST_STRUCTURES = 1000


def look(notes: Notes) -> None:
    """Look for structure 0 where root may read it, then in the output of dmidecode."""
    for path in (ENTRY, TABLE):
        try:
            entry = bios_entry(notes.tree.bytes(path))
        except Unavailable as reason:
            notes.miss(path, reason.message)
            continue
        if entry is not None:
            _note_bit(notes, f"{path} byte {EXTENSION_BYTE:#x} bit 4", entry)
            return
        notes.miss(path, "holds no BIOS information")
    _look_at_dmidecode(notes)


def bios_entry(data: bytes) -> bytes | None:
    """The formatted part of the first structure of type 0 in an SMBIOS table."""
    at = 0
    for _ in range(MOST_STRUCTURES):
        if at + 4 > len(data) or (length := data[at + 1]) < 4:
            return None
        if data[at] == 0:
            return data[at : at + length]
        end = data.find(b"\0\0", at + length)
        if end < 0:
            return None
        at = end + 2
    return None


def _note_bit(notes: Notes, where: str, entry: bytes) -> None:
    if len(entry) <= EXTENSION_BYTE:
        notes.miss(where, "the structure is older than the bit")
        return
    _note(notes, where, bool(entry[EXTENSION_BYTE] & VIRTUAL_MACHINE))


def _look_at_dmidecode(notes: Notes) -> None:
    try:
        text = notes.tree.output("dmidecode.txt")
    except Unavailable:
        return
    bios = text.partition("BIOS Information")[2].partition("\n\n")[0]
    if "Characteristics:" in bios:
        where = "dmidecode, BIOS characteristics"
        _note(notes, where, "System is a virtual machine" in bios)


def _note(notes: Notes, where: str, on: bool) -> None:
    if on:
        proves = "the firmware calls itself a virtual machine's; hardly any PC's does"
        notes.add(where, "1", proves, "smbios=on", WEAK)
    else:
        notes.add(where, "0", "nothing: most virtual machines leave it off", "smbios=off", LIKELY)
