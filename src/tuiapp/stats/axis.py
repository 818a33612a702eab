"""The axis under a histogram: which fine bins, or which nanoseconds, share a terminal column.

Both axes answer the same questions: ``edges_ns``, ``column_of``, ``counts_of_values``,
``counts_of_bins``, ``outside``, ``ticks``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tuiapp.stats.bins import BINS, LOWEST_NS, bin_edges_ns, bin_index, bin_place
from tuiapp.stats.ticks import LABEL, Ticks, linear_ticks, log_ticks, round_step

_SNAP = 64
_PARTS = 8


@dataclass(frozen=True, slots=True)
class LogAxis:
    """``columns`` columns of ``factor`` whole fine bins each, from ``first_bin`` on."""

    first_bin: int
    factor: int
    columns: int

    @property
    def end_bin(self) -> int:
        """The first bin behind the axis."""
        return self.first_bin + self.factor * self.columns

    def edges_ns(self) -> np.ndarray:
        """Edges of the columns, nanoseconds: shape (columns + 1,)."""
        return bin_edges_ns()[self.first_bin : self.end_bin + 1 : self.factor]

    def column_of(self, value_ns: float) -> float:
        """Where a value stands, in columns from the left edge; may lie outside."""
        return (float(bin_place(value_ns)) - self.first_bin) / self.factor

    def counts_of_values(self, values_ns: ArrayLike) -> np.ndarray:
        """Finite values in each column: int64, shape (columns,); those outside count nowhere."""
        return self.counts_of_bins(np.bincount(bin_index(values_ns).ravel(), minlength=BINS))

    def counts_of_bins(self, fine_counts: np.ndarray) -> np.ndarray:
        """The same from counts of shape (…, BINS), exactly: shape (…, columns)."""
        inside = fine_counts[..., self.first_bin : self.end_bin]
        grouped = inside.reshape(*inside.shape[:-1], self.columns, self.factor)
        return np.asarray(grouped.sum(axis=-1))

    def outside(self, fine_counts: np.ndarray) -> tuple[int, int]:
        """(below, above): how many of shape (BINS,) the axis does not show."""
        below, above = fine_counts[: self.first_bin], fine_counts[self.end_bin :]
        return int(below.sum()), int(above.sum())

    def ticks(self, width: int, label: int = LABEL) -> Ticks:
        """Round values to write under a picture ``width`` cells wide.

        Args:
            width: cells the columns are drawn in.
            label: cells a label takes, its gap included.

        Returns:
            (cell, nanoseconds) of each, from left to right.
        """
        edges = self.edges_ns()
        return log_ticks(float(edges[0]), float(edges[-1]), width, label)


@dataclass(frozen=True, slots=True)
class LinearAxis:
    """``columns`` columns of equal width in nanoseconds, from ``lo_ns`` to ``hi_ns``."""

    lo_ns: float
    hi_ns: float
    columns: int

    def edges_ns(self) -> np.ndarray:
        """Edges of the columns, nanoseconds: shape (columns + 1,)."""
        return np.linspace(self.lo_ns, self.hi_ns, self.columns + 1)

    def column_of(self, value_ns: float) -> float:
        """Where a value stands, in columns from the left edge; may lie outside."""
        return (value_ns - self.lo_ns) / (self.hi_ns - self.lo_ns) * self.columns

    def counts_of_values(self, values_ns: ArrayLike) -> np.ndarray:
        """Finite values in each column: int64, shape (columns,); those outside count nowhere."""
        return np.histogram(values_ns, self.columns, (self.lo_ns, self.hi_ns))[0]

    def counts_of_bins(self, fine_counts: np.ndarray) -> np.ndarray:
        """From counts of shape (…, BINS): float64, shape (…, columns).

        A fine bin that lies across columns is shared out by width, so that no comb of empty and
        double columns appears where bins and columns are of like size.
        """
        edges = self.edges_ns()
        # Bin 0 is linear from 0 to 1 µs; behind the last regular bin nothing is known.
        places = np.where(edges < LOWEST_NS, edges / LOWEST_NS, bin_place(edges))
        places = np.clip(places, 0, BINS - 1)
        cumulative = np.zeros((*fine_counts.shape[:-1], BINS + 1))
        np.cumsum(fine_counts, axis=-1, out=cumulative[..., 1:])
        whole = places.astype(np.int64)
        at = cumulative[..., whole]
        share = places - whole
        return np.diff(at + share * fine_counts[..., whole], axis=-1)

    def outside(self, fine_counts: np.ndarray) -> tuple[int, int]:
        """(below, above): how many of shape (BINS,) the axis does not show, to the nearest bin."""
        first, last = (int(place) for place in bin_index([self.lo_ns, self.hi_ns]))
        return int(fine_counts[:first].sum()), int(fine_counts[last + 1 :].sum())

    def ticks(self, width: int, label: int = LABEL) -> Ticks:
        """As ``LogAxis.ticks``: multiples of 1, 2 or 5 times a power of ten."""
        return linear_ticks(self.lo_ns, self.hi_ns, width, label)


Axis = LogAxis | LinearAxis


def axis_for(lo_ns: float, hi_ns: float, columns: int, keep: LogAxis | None = None) -> LogAxis:
    """The narrowest logarithmic axis over [lo, hi] whose columns are whole fine bins.

    Both ends snap outwards to a quarter of an octave (19 %), so that the picture stands still
    while its data move a little. An axis over the whole range of the bins may end up to
    ``columns`` bins before it does: whole bins do not always come out even.

    Args:
        lo_ns, hi_ns: what has to be on it; cut to the range of the bins.
        columns: at most ``BINS - 2``.
        keep: the axis drawn before. It is returned again while it still holds both ends and is
            less than twice as wide as needed, so that nothing jumps to and fro at a snap.
    """
    low, high = (int(place) for place in bin_index([lo_ns, max(lo_ns, hi_ns)]))
    first = low // _SNAP * _SNAP
    needed = -((first - high - 1) // _SNAP) * _SNAP
    factor = max(-(-needed // columns), 1)
    if keep is not None and keep.columns == columns and keep.factor < 2 * factor:
        low, high = max(low, 1), min(high, BINS - 2)
        if keep.first_bin <= low and high < keep.end_bin:
            return keep
    factor = min(factor, (BINS - 2) // columns)
    first = max(min(first, BINS - 1 - factor * columns), 1)
    return LogAxis(first, factor, columns)


def linear_axis_for(lo_ns: float, hi_ns: float, columns: int) -> LinearAxis:
    """A linear axis over [lo, hi], both ends on a round value about an eighth of it apart."""
    step = round_step(max(hi_ns - lo_ns, hi_ns * 1e-3, 1.0), _PARTS)
    lo, hi = math.floor(lo_ns / step), math.ceil(hi_ns / step)
    return LinearAxis(lo * step, max(hi, lo + 1) * step, columns)
