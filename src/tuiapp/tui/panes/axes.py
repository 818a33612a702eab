"""The axis that a metric's distribution and its heatmap share, and the labels of time."""

from __future__ import annotations

import math

import numpy as np

from tuiapp.session.latency import Distribution
from tuiapp.stats.axis import Axis, axis_for, linear_axis_for
from tuiapp.stats.bins import bin_edges_ns
from tuiapp.tui.panes.base import Scene
from tuiapp.tui.renderables.axis import Tick
from tuiapp.tui.renderables.numbers import format_clock

_LEAST_SHARE = 0.6
"""A limit is left off the axis where the data would keep less than this share of it."""
_SPREADS, _LEAST_SPREAD = 4.0, 1.5
"""How far the axis reaches beyond the bulk: so many times its own width, at least this factor."""
_LINEAR_REACH = 4.0
"""A linear axis ends at most this many times beyond p90."""
_EMPTY_SPAN_NS = (1e6, 1e9)
_S = 1_000_000_000
_STEPS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_LABEL_CELLS = 10


def latency_axis(metric: str, scene: Scene, columns: int) -> Axis:
    """An axis over the bulk of what the run has shown, and over its limit where that is near.

    A few values may lie outside; they would squeeze the rest. Whoever draws says how many.
    """
    low, high = span_ns(scene.view.run(metric), log_axis=scene.log_axis)
    limit = scene.view.limit_ns(metric)
    if limit is not None and _is_near(limit, low, high, log_axis=scene.log_axis):
        high = max(high, limit * 1.1)
    return axis_for(low, high, columns) if scene.log_axis else linear_axis_for(low, high, columns)


def _is_near(limit: float, low: float, high: float, *, log_axis: bool) -> bool:
    if log_axis:
        return math.log(high / low) >= _LEAST_SHARE * math.log(max(limit, high) / low)
    return high - low >= _LEAST_SHARE * (limit - low)


def span_ns(found: Distribution, *, log_axis: bool = True) -> tuple[float, float]:
    """Where an axis over the finite values begins and ends, nanoseconds.

    It holds everything from the smallest value to the largest, but reaches only so far beyond the
    bulk, p10 to p90, and always to p99.
    """
    counts = found.fine_counts
    used = np.flatnonzero(counts)
    if not len(used):
        return _EMPTY_SPAN_NS
    edges = bin_edges_ns()
    below = np.cumsum(counts)
    at = [int(np.searchsorted(below, q * below[-1])) for q in (0.1, 0.9, 0.99)]
    p10, p90, p99 = float(max(edges[at[0]], 1.0)), *(float(edges[bin_ + 1]) for bin_ in at[1:])
    spread = max((p90 / p10) ** _SPREADS, _LEAST_SPREAD)
    low = max(float(edges[used[0]]), p10 / spread)
    high = min(float(edges[used[-1] + 1]), max(p90 * spread, p99 * 1.1))
    if not log_axis:
        high = min(high, max(p90 * 2, min(p99 * 1.1, p90 * _LINEAR_REACH)))
    return low, min(high, float(edges[-2]))


def time_ticks(start_ns: int, each_ns: float, count: int, cells: int = 1) -> tuple[Tick, ...]:
    """Round moments on a time axis, far enough apart to be read.

    Args:
        start_ns, each_ns: where its first place begins, and how long each is.
        count: of places.
        cells: places that share a cell.
    """
    least_s = _LABEL_CELLS * cells * each_ns / _S
    step = next((step for step in _STEPS_S if step >= least_s), _STEPS_S[-1]) * _S
    first = -(-max(start_ns, 0) // step) * step
    moments = range(first, start_ns + round(count * each_ns), step)
    return tuple((int((t_ns - start_ns) // each_ns), format_clock(t_ns / _S)) for t_ns in moments)
