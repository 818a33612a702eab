"""The axis that a metric's distribution and its heatmap share."""

from __future__ import annotations

import numpy as np

from tuiapp.session.latency import Distribution
from tuiapp.stats.axis import Axis, axis_for, linear_axis_for
from tuiapp.stats.bins import bin_edges_ns
from tuiapp.tui.panes.base import Scene

_SLO_REACH = 3.0
"""A limit this many times beyond the data is left off the axis: it would squeeze the data."""
_EMPTY_SPAN_NS = (1e6, 1e9)


def latency_axis(metric: str, scene: Scene, columns: int) -> Axis:
    """An axis over everything the run has shown, and over its limit where that is near."""
    low, high = span_ns(scene.view.run(metric))
    limit = scene.view.limit_ns(metric)
    if limit is not None and limit <= high * _SLO_REACH:
        high = max(high, limit * 1.1)
    return axis_for(low, high, columns) if scene.log_axis else linear_axis_for(low, high, columns)


def span_ns(found: Distribution) -> tuple[float, float]:
    """Smallest and largest finite value, nanoseconds."""
    if found.values_ns is not None:
        if not len(found.values_ns):
            return _EMPTY_SPAN_NS
        return float(found.values_ns.min()), float(found.values_ns.max())
    assert found.counts is not None
    used = np.flatnonzero(found.counts)
    if not len(used):
        return _EMPTY_SPAN_NS
    edges = bin_edges_ns()
    return float(max(edges[used[0]], 1.0)), float(min(edges[used[-1] + 1], edges[-2]))
