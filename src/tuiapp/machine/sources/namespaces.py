"""Namespaces: the kernel's own have fixed numbers."""

from __future__ import annotations

import re

from tuiapp.errors import Unavailable
from tuiapp.machine.report import CERTAIN, WEAK
from tuiapp.machine.sources.base import Notes

FOLDER = "/proc/self/ns"
FIRST = {
    "ipc": 0xEFFFFFFF,
    "uts": 0xEFFFFFFE,
    "user": 0xEFFFFFFD,
    "pid": 0xEFFFFFFC,
    "cgroup": 0xEFFFFFFB,
}
"""Numbers of the first namespaces; those of mnt and net depend on the kernel."""


def look(notes: Notes) -> None:
    """A process namespace shuts in; the others are taken by services and browsers as well."""
    for kind, first in FIRST.items():
        path = f"{FOLDER}/{kind}"
        try:
            link = notes.tree.link(path)
        except Unavailable as reason:
            if reason.message != "does not exist":
                notes.miss(path, reason.message)
            continue
        found = re.fullmatch(rf"{kind}:\[(\d{{1,20}})\]", link)
        if found is None:
            notes.miss(path, "is no namespace")
        elif int(found[1]) == first:
            notes.add(path, link, "the kernel's own", f"namespace-first={kind}", CERTAIN)
        else:
            strength = CERTAIN if kind == "pid" else WEAK
            notes.add(path, link, "a namespace of its own", f"namespace={kind}", strength)
