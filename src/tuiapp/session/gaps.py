"""ITL gaps, counted: how many fell into which fine bin in which tick of time.

A row for each bin that a tick used, in order of ticks. What has just come waits, unsorted, until
there is enough of it: sorting every batch of a tenth of a second would cost more than all the
counting. The counts do not depend on the order or the size of the batches.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np

from tuiapp.events import INT64, UINT8, UINT16, UINT32
from tuiapp.session.table import Table
from tuiapp.stats.bins import BINS, bin_index

_WAITING_ROWS = 16_384
_MOST = 255
_AT_A_TIME = 1 << 16
"""Rows counted in one go: numpy makes 16 bytes of the 3 of each while it counts."""
_STRIDE = 1 << 18
"""Rows between two checkpoints, at which the counts of everything before are kept (64 KiB each)."""
_UNSETTLED_TICKS = 8
"""Rows of the newest ticks still grow; checkpoints are kept of older ones only."""
_REMEMBERED = 8

T = TypeVar("T")


class GapCounts:
    """Counts by tick and bin; 3 bytes for each pair that occurred.

    A count that does not fit its byte is spread over several rows of the same bin.

    Args:
        folder: as for ``Table``.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._ticks = Table({"tick": UINT32, "start": INT64})
        self._rows = Table({"bin": UINT16, "count": UINT8}, folder=folder)
        self._waiting: list[tuple[np.ndarray, np.ndarray]] = []
        self._waiting_rows = 0
        self._keys = np.empty(0, np.int64)
        self._sums: list[np.ndarray] = []
        self._remembered: dict[tuple[int, int], object] = {}

    @property
    def nbytes(self) -> int:
        """Size of the counts."""
        return self._ticks.nbytes + self._rows.nbytes + 8 * BINS * len(self._sums)

    def append(self, tick: np.ndarray, gap_ns: np.ndarray) -> None:
        """Count gaps that ended in ``tick``; late ones are welcome."""
        if self._remembered:
            first = int(tick.min())
            for key in [key for key in self._remembered if key[1] > first]:
                del self._remembered[key]
        self._waiting.append((tick, gap_ns))
        self._waiting_rows += len(tick)
        if self._waiting_rows >= _WAITING_ROWS:
            self._settle()

    def between(self, first_tick: int, end_tick: int) -> np.ndarray:
        """Counts by bin over ticks [first, end)."""
        start, stop = self._row(first_tick), self._row(end_tick)
        counts = self._between_rows(start, max(start, stop))
        keys = self._unsettled()
        recent = keys[(keys >= first_tick * BINS) & (keys < end_tick * BINS)]
        counts += np.bincount(recent % BINS, None, BINS)
        return counts

    def blocks(self, first_tick: int, end_tick: int, ticks_per_block: int) -> np.ndarray:
        """Counts (blocks, BINS) of consecutive blocks of ticks; int32, to be small."""
        blocks = max(1, -(-(end_tick - first_tick) // ticks_per_block))
        counts = np.zeros((blocks, BINS), np.int32)
        rows = [
            self._row(tick) for tick in (*range(first_tick, end_tick, ticks_per_block), end_tick)
        ]
        if rows[-1] - rows[0] > blocks * _STRIDE:  # neighbours share a sum
            before = self._from_start(rows[0])
            for block, row in enumerate(rows[1:]):
                until = self._from_start(row)
                counts[block] = until - before
                before = until
        else:
            for block, (start, stop) in enumerate(pairwise(rows)):
                counts[block] = self._count(start, stop)
        keys = self._unsettled()
        recent = keys[(keys >= first_tick * BINS) & (keys < end_tick * BINS)]
        np.add.at(counts, ((recent // BINS - first_tick) // ticks_per_block, recent % BINS), 1)
        return counts

    def remembered(self, first_tick: int, end_tick: int, compute: Callable[[], T]) -> T:
        """What ``compute`` says of ticks [first, end); asked again only after one has changed.

        It is kept by those two numbers alone, so there is one thing to compute of a range.
        """
        key = (first_tick, end_tick)
        if key not in self._remembered:
            if len(self._remembered) >= _REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[key] = compute()
        return self._remembered[key]  # type: ignore[return-value]

    def _row(self, tick: int) -> int:
        """The first row of ``tick`` or later."""
        at = int(np.searchsorted(self._ticks["tick"], max(tick, 0)))
        return int(self._ticks["start"][at]) if at < len(self._ticks) else len(self._rows)

    def _count(self, start: int, stop: int) -> np.ndarray:
        counts = np.zeros(BINS, np.int64)
        for at in range(start, stop, _AT_A_TIME):
            part = slice(at, min(at + _AT_A_TIME, stop))
            bins, weights = self._rows["bin"][part], self._rows["count"][part]
            counts += np.bincount(bins, weights, BINS).astype(np.int64)
        return counts

    def _between_rows(self, start: int, stop: int) -> np.ndarray:
        """Counts of rows [start, stop): a difference of sums where that is less to count."""
        if stop - start <= _STRIDE:
            return self._count(start, stop)
        return np.asarray(self._from_start(stop) - self._from_start(start))

    def _from_start(self, stop: int) -> np.ndarray:
        """Counts of all rows before ``stop``: from the last checkpoint on."""
        settled = 0
        if len(self._ticks) > _UNSETTLED_TICKS:
            settled = int(self._ticks["start"][-_UNSETTLED_TICKS])
        while (row := len(self._sums) * _STRIDE) <= min(settled, stop):
            before = self._sums[-1] if self._sums else np.zeros(BINS, np.int64)
            self._sums.append(before + self._count(max(row - _STRIDE, 0), row))
        at = min(stop // _STRIDE, len(self._sums) - 1)
        if at < 0:
            return self._count(0, stop)
        return np.asarray(self._sums[at] + self._count(at * _STRIDE, stop))

    def _unsettled(self) -> np.ndarray:
        """``tick * BINS + bin`` of all that waits."""
        if self._waiting:
            ticks, gaps_ns = zip(*self._waiting, strict=True)
            keys = np.concatenate(ticks) * BINS + bin_index(np.concatenate(gaps_ns))
            self._keys = np.concatenate((self._keys, keys))
            self._waiting = []
        return self._keys

    def _settle(self) -> None:
        """Sort what waits into the rows."""
        keys, counts = np.unique(self._unsettled(), return_counts=True)
        self._keys, self._waiting_rows = np.empty(0, np.int64), 0
        first_tick = int(keys[0]) // BINS
        if len(self._ticks) and first_tick <= int(self._ticks["tick"][-1]):
            keys, counts = self._with_rows_from(first_tick, keys, counts)
        keys, counts = _spread(keys, counts)
        tick = keys // BINS
        begins = np.flatnonzero(np.diff(tick, prepend=-1))
        start = len(self._rows) + begins
        self._ticks.append({"tick": tick[begins], "start": start}, len(begins))
        self._rows.append({"bin": keys % BINS, "count": counts}, len(keys))

    def _with_rows_from(
        self, tick: int, keys: np.ndarray, counts: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Take the rows from ``tick`` on out again and add them up with ``keys``."""
        at, row = int(np.searchsorted(self._ticks["tick"], tick)), self._row(tick)
        sizes = np.diff(self._ticks["start"][at:], append=len(self._rows))
        old = np.repeat(self._ticks["tick"][at:].astype(np.int64) * BINS, sizes)
        keys = np.concatenate((old + self._rows["bin"][row:], keys))
        counts = np.concatenate((self._rows["count"][row:], counts))
        self._ticks.truncate(at)
        self._rows.truncate(row)
        del self._sums[row // _STRIDE + 1 :]
        order = np.argsort(keys, kind="stable")
        keys, counts = keys[order], counts[order]
        begins = np.flatnonzero(np.diff(keys, prepend=-1))
        return keys[begins], np.add.reduceat(counts, begins)


def _spread(keys: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same counts in rows that each fit a byte."""
    rows = -(-counts // _MOST)
    spread = np.full(int(rows.sum()), _MOST)
    spread[np.cumsum(rows) - 1] = counts - (rows - 1) * _MOST
    return np.repeat(keys, rows), spread
