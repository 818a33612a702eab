"""Opens a machine, live or recorded, and looks at it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tuiapp.errors import Unavailable, UsageError
from tuiapp.machine.archive import unpack
from tuiapp.machine.capture import RecordingCpuid, RecordingTree
from tuiapp.machine.cpuid import Cpuid
from tuiapp.machine.cpuid_native import execute
from tuiapp.machine.cpuid_record import open_record
from tuiapp.machine.inspection import inspect
from tuiapp.machine.report import Machine
from tuiapp.machine.tree import CLOSED

CPUID_FILE = "cpuid.json"
_NOT_RECORDED = "it was not recorded"
_BESIDE = {CPUID_FILE, CLOSED, "lscpu.txt", "dmidecode.txt"}
"""What may lie in a recorded machine's folder beside its tree."""
_OWN_TREE = {"proc", "sys", "etc"}
"""A tree that has one of these is one itself; its ``root`` is the home of a user."""


@dataclass(frozen=True, slots=True)
class Look:
    """A machine, and everything that was read to know it.

    Attributes:
        no_cpuid: why CPUID could not be had; empty when it could.
    """

    machine: Machine
    tree: RecordingTree
    cpuid: RecordingCpuid | None
    no_cpuid: str = ""


def look(root: str | Path = "/") -> Look:
    """Look at this machine, or at a recorded one.

    Args:
        root: ``/``, a tree, or a folder with a tree called ``root`` and perhaps ``cpuid.json``.

    Raises:
        UsageError: there is no such folder, it is empty, or its ``root`` is a link.
        PermissionError: it, or its ``root``, may not be looked into.
    """
    place = Path(root)
    if not place.is_dir():
        what = "is no folder" if place.exists() else "does not exist"
        raise UsageError(f"{place} {what}.", "Name a folder that holds a machine's files.")
    if os.path.realpath(place) == "/":
        return _look(RecordingTree("/"), *execute())
    found = set(os.listdir(place))  # noqa: PTH208 - PermissionError belongs to who asked
    inner = place / "root"
    if inner.is_symlink():
        # It could lead to the files of this machine, or of another.
        raise UsageError(f"{inner} is a link.", "Put the recorded files themselves there.")
    if found & _BESIDE or ("root" in found and not found & _OWN_TREE):
        if inner.is_dir():
            os.listdir(inner)  # noqa: PTH208 - the same
        # Of some machines only a program's output was recorded: their files are all missing then.
        return _look(RecordingTree(inner), *_record(place / CPUID_FILE))
    if not found:
        raise UsageError(f"{place} is empty.", "Name a folder that holds a machine's files.")
    return _look(RecordingTree(place), None, _NOT_RECORDED)


def _record(path: Path) -> tuple[Cpuid | None, str]:
    """The recorded processor, or why there is none: a bad record must not cost the whole answer."""
    try:
        return open_record(path), _NOT_RECORDED
    except Unavailable as reason:
        return None, reason.message


def _look(tree: RecordingTree, cpuid: Cpuid | None, why: str) -> Look:
    if cpuid is None:
        return Look(inspect(tree, None, why), tree, None, why)
    recording = RecordingCpuid(cpuid)
    return Look(inspect(tree, recording), tree, recording)


@contextmanager
def opened(place: Path) -> Iterator[Path]:
    """A folder to look at: ``place``, or what is packed in it, for as long as it is needed.

    Raises:
        UsageError: it is neither a folder nor a capture.
    """
    if not place.is_file():
        yield place
        return
    with TemporaryDirectory(prefix="tuiapp-host-") as folder:
        try:
            unpack(place, Path(folder))
        except Unavailable as reason:
            raise UsageError(
                f"{reason.message}.", "Name a folder, or what `tuiapp host --capture` wrote."
            ) from reason
        tree = _unwrapped(Path(folder))
        if not any(tree.iterdir()):
            raise UsageError(f"{place} holds no files.", "Name what `tuiapp host --capture` wrote.")
        yield tree


def _unwrapped(folder: Path) -> Path:
    """Archives made by hand often hold one folder that holds everything."""
    inside = list(folder.iterdir())
    single = len(inside) == 1 and inside[0].is_dir() and inside[0].name not in ("root", *_OWN_TREE)
    return inside[0] if single else folder
