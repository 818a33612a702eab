"""The files of one machine: the live system's, or those of a recorded tree."""

from __future__ import annotations

import os
from pathlib import Path

from tuiapp.errors import Unavailable

MOST_BYTES = 1 << 20
MOST_NAMES = 10_000


class Tree:
    """Reads files below a root; nothing outside it, nothing without end.

    A recorded tree may come from anybody: symlinks in it are followed inside the tree only, and
    what is no regular file is not opened there.

    Args:
        root: ``/`` for the live system.
    """

    def __init__(self, root: str | Path = "/") -> None:
        self.root = Path(root)
        self.live = os.path.realpath(root) == "/"

    def bytes(self, path: str) -> bytes:
        """At most ``MOST_BYTES`` of the file at an absolute ``path``; Unavailable, and why."""
        raise NotImplementedError

    def text(self, path: str) -> str:
        """The file as text without the white space and NULs around it; Unavailable, and why."""
        raise NotImplementedError

    def names(self, path: str) -> list[str]:
        """Sorted names in a directory, at most ``MOST_NAMES``; Unavailable, and why."""
        raise NotImplementedError

    def link(self, path: str) -> str:
        """Where a symlink points, as written; a recorded one may stand in ``path.readlink``."""
        raise NotImplementedError

    def exists(self, path: str) -> bool:
        """Something is there, readable or not."""
        raise NotImplementedError


__all__ = ["MOST_BYTES", "MOST_NAMES", "Tree", "Unavailable"]
