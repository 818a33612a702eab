"""A whole session at a glance: throughput and latency in equal stretches of time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tuiapp.session.columns import TICK_NS
from tuiapp.session.moments import errors
from tuiapp.session.view import View

_S = 1_000_000_000


@dataclass(frozen=True)
class Overview:
    """Columns of equal duration from the origin to the end of a session.

    Attributes:
        end_ns: the session's last moment.
        tokens_per_s: output tokens delivered a second.
        p99_ns: p99 of TTFT; NaN where nothing is known, +inf where too many failed.
        failed: requests that failed or were given up.
        limit_ns: the objective on TTFT.
    """

    end_ns: int
    tokens_per_s: np.ndarray
    p99_ns: np.ndarray
    failed: np.ndarray
    limit_ns: float | None = None

    @property
    def columns(self) -> int:
        """How many there are."""
        return len(self.p99_ns)

    def column(self, t_ns: int) -> int:
        """The column of a moment."""
        return min(max(t_ns * self.columns // (self.end_ns + 1), 0), self.columns - 1)

    def last_ns(self, column: int) -> int:
        """The last moment of a column."""
        return -(-(column + 1) * (self.end_ns + 1) // self.columns) - 1


def overview(view: View, end_ns: int, columns: int) -> Overview:
    """``columns`` stretches of the session from its origin to ``end_ns``, as far as it is read."""
    columns = max(columns, 1)
    t_ns, values = view.points("ttft", -1)

    def of(moments: np.ndarray) -> np.ndarray:
        return np.minimum((moments / (end_ns + 1) * columns).astype(np.int64), columns - 1)

    return Overview(
        end_ns=end_ns,
        tokens_per_s=_tokens_per_s(view, end_ns, columns),
        p99_ns=_p99(of(t_ns), values, columns),
        failed=np.bincount(of(errors(view)), minlength=columns),
        limit_ns=view.limit_ns("ttft"),
    )


def _tokens_per_s(view: View, end_ns: int, columns: int) -> np.ndarray:
    """Ticks that two columns share count for both in proportion."""
    ticks = view.session.ticks["output_tokens"]
    edges = np.linspace(0, end_ns + 1, columns + 1)
    so_far = np.concatenate(([0], np.cumsum(ticks, dtype=np.int64)))
    given = np.interp(edges, np.arange(len(so_far)) * float(TICK_NS), so_far)
    return np.asarray(np.diff(given) / ((end_ns + 1) / columns / _S))


def _p99(column: np.ndarray, values: np.ndarray, columns: int) -> np.ndarray:
    """Nearest-rank p99 of each column.

    Requests come in order of time, nearly: they are put in order of columns once, and each column
    is only partitioned, which is ten times as fast as sorting all values.
    """
    out = np.full(columns, np.nan)
    if len(column) and (np.diff(column) < 0).any():
        order = np.argsort(column, kind="stable")
        column, values = column[order], values[order]
    ends = np.searchsorted(column, np.arange(columns), side="right")
    start = 0
    for at, end in enumerate(ends.tolist()):
        if end > start:
            rank = math.ceil((end - start) * 0.99) - 1
            out[at] = np.partition(values[start:end], rank)[rank]
        start = end
    return out
