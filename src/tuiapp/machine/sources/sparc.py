"""SPARC: sun4v machines always run under their own hypervisor."""

from __future__ import annotations

import re

from tuiapp.machine.report import CERTAIN, LIKELY
from tuiapp.machine.sources.base import Notes

MDESC = "/dev/mdesc"


def look(notes: Notes) -> None:
    """The machine description is a device that the hypervisor serves."""
    if notes.tree.exists(MDESC):
        proves = "sun4v's hypervisor describes a logical domain"
        notes.add(MDESC, "exists", proves, "platform=ldoms", LIKELY)
    cpuinfo = notes.text("/proc/cpuinfo", quiet=True) or ""
    if re.search(r"^type\s*:\s*sun4v$", cpuinfo, re.MULTILINE):
        proves = "the machine type that only runs under a hypervisor"
        notes.add("/proc/cpuinfo type", "sun4v", proves, "platform=ldoms", CERTAIN)
