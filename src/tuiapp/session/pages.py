"""Memory for columns that grow with a run, straight from the kernel.

Large columns come and go as they grow. From the allocator they would leave holes behind, and what
it hands out again it clears, used or not. Here a column that is left behind is gone at once, and
what was never written takes nothing.

Where a folder is given, the memory is that of a file without a name in it: pages that nobody looks
at can be put to rest, and come back by themselves when somebody does.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

PAGE = mmap.PAGESIZE
LARGE_BYTES = 64 << 10
"""Columns smaller than this come from the allocator."""


class Pages:
    """Zeroed columns of ``rows`` cells each.

    Args:
        dtypes: numpy's, by name of the column.
        folder: where the file may be made; None for plain memory, which is taken as well when the
            file cannot be made.
    """

    def __init__(self, dtypes: Mapping[str, np.dtype], rows: int, folder: Path | None = None):
        sizes = [-(-dtype.itemsize * rows // PAGE) * PAGE for dtype in dtypes.values()]
        self._map, self.can_rest = _mapping(sum(sizes), folder)
        starts = np.cumsum([0, *sizes[:-1]]).tolist()
        self._starts: Sequence[tuple[int, int]] = [
            (start, dtype.itemsize) for start, dtype in zip(starts, dtypes.values(), strict=True)
        ]
        self.columns = {
            name: np.frombuffer(self._map, dtype, rows, start)
            for (name, dtype), start in zip(dtypes.items(), starts, strict=True)
        }

    def rest(self, first: int, end: int) -> None:
        """Nobody is expected to look at the rows [first, end) soon; nothing for plain memory."""
        if not self.can_rest:
            return
        for start, size in self._starts:
            begin = -(-(start + first * size) // PAGE) * PAGE
            length = (start + end * size) // PAGE * PAGE - begin
            if length > 0:
                self._map.madvise(mmap.MADV_DONTNEED, begin, length)


def _mapping(size: int, folder: Path | None) -> tuple[mmap.mmap, bool]:
    """(``size`` zeroed bytes, whether they are a file's)."""
    if folder is not None:
        # Without room for it promised, writing to a full disk would end the process.
        with suppress(OSError), tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, size)
            return mmap.mmap(file.fileno(), size, mmap.MAP_SHARED), True
    return mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS), False
