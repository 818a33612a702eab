"""The files of one machine: the live system's, or those of a recorded tree."""

from __future__ import annotations

import errno
import json
import os
import stat
from itertools import islice
from pathlib import Path

from tuiapp.errors import Unavailable

MOST_BYTES = 1 << 20
MOST_NAMES = 10_000
MOST_LINKS = 40
"""Symlinks followed on the way to one file, as many as the kernel follows."""

MOST_PARTS = 256
LINK_TEXT = ".readlink"
"""A recorded symlink may stand in a text file of its name with this ending."""

CLOSED = "unread.json"
"""Beside a recorded tree: paths that were there and could not be read, and why."""
DENIED = "permission denied"

_REASONS = {
    errno.ENOENT: "does not exist",
    errno.ENOTDIR: "does not exist",
    errno.EACCES: DENIED,
    errno.EPERM: DENIED,
    errno.EISDIR: "is a directory",
    errno.ELOOP: "links in a loop",
    errno.ENAMETOOLONG: "has too long a name",
}
ERRORS = {text: number for number, text in reversed(_REASONS.items())}
"""The system's number of an error, by the reason that stands for it."""


class Tree:
    """Reads files below a root; nothing outside it, nothing without end.

    A recorded tree may come from anybody: symlinks in it are followed inside the tree only, and
    what is no regular file is not opened there.

    Args:
        root: ``/`` for the live system.

    Attributes:
        live: this is the running system, whose links may lead anywhere.
        beside: the folder of the record, where the output of programs may lie beside a tree that
            is called ``root``; None for the live system and for a bare tree.
    """

    def __init__(self, root: str | Path = "/") -> None:
        self.root = Path(root)
        self.live = os.path.realpath(root) == "/"
        named_root = Path(os.path.abspath(root)).name == "root"  # noqa: PTH100 - resolves no link
        self.beside = None if self.live or not named_root else self.root.parent
        self._closed = _closed_paths(self.beside)

    def bytes(self, path: str, most: int = MOST_BYTES) -> bytes:
        """At most ``most`` bytes of the file at an absolute ``path``, and of a recorded one at
        most ``MOST_BYTES``; Unavailable, and why."""
        most = most if self.live else min(most, MOST_BYTES)
        self._check_closed(path)
        try:
            return _read_file(self._place(path), follow=self.live, most=most)
        except (OSError, ValueError) as error:
            raise Unavailable(_reason(error)) from None

    def text(self, path: str) -> str:
        """The file as text without the white space and NULs around it; Unavailable, and why."""
        return self.bytes(path).decode("utf-8", "replace").strip(" \t\r\n\v\f\0")

    def names(self, path: str) -> list[str]:
        """Sorted names in a directory, at most ``MOST_NAMES``; Unavailable, and why."""
        self._check_closed(path)
        try:
            with os.scandir(self._place(path)) as entries:
                return sorted(entry.name for entry in islice(entries, MOST_NAMES))
        except (OSError, ValueError) as error:
            raise Unavailable(_reason(error)) from None

    def link(self, path: str) -> str:
        """Where a symlink points, as written; a recorded one may stand in ``path.readlink``."""
        if not self.live:
            try:
                return self.text(path + LINK_TEXT)
            except Unavailable:
                pass
        try:
            parent, _, name = path.rpartition("/")
            return str((self._place(parent or "/") / _plain(name)).readlink())
        except (OSError, ValueError) as error:
            raise Unavailable(_reason(error)) from None

    def is_link(self, path: str) -> bool:
        """A symlink is there, wherever it may lead."""
        parent, _, name = path.rpartition("/")
        try:
            return (self._place(parent or "/") / _plain(name)).is_symlink()
        except (OSError, ValueError):
            return False

    def exists(self, path: str) -> bool:
        """Something is there, readable or not."""
        try:
            os.lstat(self._place(path))
        except (OSError, ValueError):
            return False
        return True

    def output(self, name: str) -> str:
        """What a program printed, from a text file beside a recorded tree; Unavailable, and why."""
        if self.beside is None:
            raise Unavailable("no output of the program was recorded")
        try:
            return _read_file(self.beside / _plain(name)).decode("utf-8", "replace")
        except (OSError, ValueError) as error:
            raise Unavailable(_reason(error)) from None

    def _check_closed(self, path: str) -> None:
        if path in self._closed:
            raise Unavailable(DENIED)

    def _place(self, path: str) -> Path:
        """The real path of ``path``, no symlink left in it unless this is the live system."""
        if self.live:
            return Path(path)
        done: list[str] = []
        todo = _parts(path)
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":  # above the root is the root, as for the kernel
                del done[-1:]
                continue
            place = self.root.joinpath(*done, part)
            if not place.is_symlink():
                done.append(part)
            elif (links := links + 1) > MOST_LINKS:
                raise OSError(errno.ELOOP, "too many links")
            else:
                target = str(place.readlink())
                done = [] if target.startswith("/") else done
                todo += _parts(target)
            if len(todo) + len(done) > MOST_PARTS:
                raise OSError(errno.ENAMETOOLONG, "too deep")
        return self.root.joinpath(*done)


def _closed_paths(beside: Path | None) -> frozenset[str]:
    """What a capture says could not be read; nothing where it says nothing sensible."""
    if beside is None:
        return frozenset()
    try:
        told = json.loads(_read_file(beside / CLOSED))
    except (OSError, ValueError, RecursionError):
        return frozenset()
    return frozenset(told) if isinstance(told, dict) else frozenset()


def _parts(path: str) -> list[str]:
    """The names in ``path``, the first one last."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _plain(name: str) -> str:
    if name in ("", ".", "..") or "/" in name:
        raise ValueError("is no file name")
    return name


def _read_file(place: Path, follow: bool = False, most: int = MOST_BYTES) -> bytes:
    # Opening a device alone may do something, so it is looked at before.
    _check_regular(place.stat(follow_symlinks=follow).st_mode)
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    handle = os.open(place, flags if follow else flags | os.O_NOFOLLOW)
    try:
        _check_regular(os.fstat(handle).st_mode)
        return _read_up_to(handle, most)
    finally:
        os.close(handle)


def _check_regular(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, "is a directory")
    if not stat.S_ISREG(mode):
        raise ValueError("is no regular file")


def _read_up_to(handle: int, most: int) -> bytes:
    pieces = []
    while most > 0 and (piece := os.read(handle, min(most, 1 << 16))):
        pieces.append(piece)
        most -= len(piece)
    return b"".join(pieces)


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return _REASONS.get(error.errno or 0, f"cannot be read ({error.strerror})")
    return str(error) if str(error) == "is no regular file" else "has an impossible name"


__all__ = ["MOST_BYTES", "MOST_NAMES", "Tree", "Unavailable"]
