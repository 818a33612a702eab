"""The host probes' view of a tree: a recorded machine, or the live one while it is captured."""

from __future__ import annotations

import errno

from tuiapp.collectors.base import Host
from tuiapp.errors import Unavailable
from tuiapp.machine.tree import ERRORS, MOST_BYTES, Tree

_CLOCK_HZ, _PAGE_BYTES = 100, 4096
"""Of nearly every Linux: a recorded machine's own are not known."""


class TreeHost(Host):
    """Reads through a ``Tree``, so that nothing outside it can be reached, no library either."""

    files_only = True

    def __init__(self, tree: Tree) -> None:
        super().__init__(str(tree.root), _CLOCK_HZ, _PAGE_BYTES)
        self._tree = tree

    def read(self, path: str) -> bytes:
        return self._bytes(path, MOST_BYTES)

    def head(self, path: str, most_bytes: int = 1 << 13) -> bytes:
        return self._bytes(path, max(most_bytes, MOST_BYTES))[:most_bytes]

    def _bytes(self, path: str, most: int) -> bytes:
        if self._tree.live and ".." in path.split("/"):
            # A capture holds plain names; what lies above a link would be another folder there.
            raise OSError(errno.ENOENT, "leads through a folder's parent", path)
        try:
            return self._tree.bytes(path, most)
        except Unavailable as reason:
            raise self._error(reason.message, path) from reason

    def names(self, path: str) -> list[str]:
        try:
            return self._tree.names(path)
        except Unavailable as reason:
            raise self._error(reason.message, path) from reason

    def link(self, path: str) -> str:
        try:
            return self._tree.link(path)
        except Unavailable as reason:
            raise self._error(reason.message, path) from reason

    def _error(self, reason: str, path: str) -> OSError:
        """As the system would have raised it; absence alone is ``FileNotFoundError``."""
        number = ERRORS.get(reason, errno.EIO)
        if number == errno.ENOENT and not self._tree.live and self._tree.is_link(path):
            return OSError(errno.EIO, "is a link to what is not in this tree", path)
        return OSError(number, reason, path)
