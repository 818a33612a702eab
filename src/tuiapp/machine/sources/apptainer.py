"""Apptainer, once Singularity: it shares the host's processes, so no namespace tells of it."""

from __future__ import annotations

from contextlib import suppress

from tuiapp.errors import Unavailable
from tuiapp.machine.report import CERTAIN, WEAK
from tuiapp.machine.sources.base import Notes

FOLDER, ENVIRONMENT = "/.singularity.d", "/proc/self/environ"
VARIABLES = ("APPTAINER_CONTAINER", "SINGULARITY_CONTAINER")


def look(notes: Notes) -> None:
    """The image's own folder and the variable together; each alone may be left over."""
    signs = [FOLDER] if notes.tree.exists(FOLDER) else []
    with suppress(Unavailable):  # the source of variables says why
        own = b"\0" + notes.tree.bytes(ENVIRONMENT)
        signs += [name for name in VARIABLES if f"\0{name}=".encode() in own][:1]
    if len(signs) == 2:
        proves = "Apptainer runs an image of its own here"
        notes.add(FOLDER, " ".join(signs), proves, "container=apptainer", CERTAIN)
    for sign in signs if len(signs) == 1 else ():
        where = sign if sign == FOLDER else ENVIRONMENT
        proves = "Apptainer leaves it; so does an image that was made from one of its"
        notes.add(where, sign, proves, "container-mark=apptainer", WEAK)
