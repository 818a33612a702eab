"""The axis that a metric's distribution and its heatmap share."""

from __future__ import annotations

import math

import numpy as np

from tuiapp.session.latency import Distribution
from tuiapp.stats.axis import Axis, axis_for, linear_axis_for
from tuiapp.stats.bins import bin_edges_ns
from tuiapp.tui.panes.base import Scene

_LEAST_SHARE = 0.6
"""A limit is left off the axis where the data would keep less than this share of it."""
_LINEAR_REACH = 4.0
"""A linear axis ends at most this many times beyond p90."""
_EMPTY_SPAN_NS = (1e6, 1e9)


def latency_axis(metric: str, scene: Scene, columns: int) -> Axis:
    """An axis over what the run has shown, and over its limit where that is near.

    A few values may lie outside: far below the bulk on a logarithmic axis, far above it on a
    linear one. They would squeeze the rest; whoever draws says how many they are.
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
    """Where the bulk of the finite values begins and ends, nanoseconds."""
    counts = found.fine_counts
    used = np.flatnonzero(counts)
    if not len(used):
        return _EMPTY_SPAN_NS
    edges = bin_edges_ns()
    below = np.cumsum(counts)
    tenth, most, last = (int(np.searchsorted(below, q * below[-1])) for q in (0.1, 0.9, 0.99))
    first, end = used[0], used[-1] + 1
    if log_axis:  # two octaves below the first tenth, in whole octaves so that it stands still
        floor = 2.0 ** math.floor(math.log2(max(edges[tenth], 1.0)) - 2)
        return max(float(edges[first]), floor), float(min(edges[end], edges[-2]))
    reach = max(edges[most + 1] * 2, min(edges[last + 1] * 1.1, edges[most + 1] * _LINEAR_REACH))
    return float(edges[first]), float(min(edges[end], edges[-2], reach))
