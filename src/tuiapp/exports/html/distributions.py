"""Latency distributions as plain data: thin bars on a logarithmic and on a linear axis."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tuiapp.exports.html.series import rounded
from tuiapp.session.view import View
from tuiapp.stats.axis import Axis, axis_for, linear_axis_for
from tuiapp.stats.bins import BINS, bin_edges_ns

_LEAST_BARS, _MOST_BARS = 48, 160
_FASTEST_LEFT_OUT = 0.001
_BODY = 0.995
_MS = 1e6
_TITLES = {
    "ttft": ("Time to first token", "requests"),
    "tpot": ("Time per output token", "requests"),
    "itl": ("Inter-token latency", "gaps"),
}


def distributions(view: View) -> list[dict[str, Any]]:
    """TTFT, TPOT and ITL of the run up to the cursor."""
    return [_distribution(view, metric) for metric in _TITLES]


def _distribution(view: View, metric: str) -> dict[str, Any]:
    found = view.final(metric)
    title, what = _TITLES[metric]
    counts = found.fine_counts
    limit = view.limit_ns(metric)
    told: dict[str, Any] = {
        "metric": metric.upper(),
        "title": title,
        "what": what,
        "n": found.n,
        "failed": found.failed,
        "limit": None if limit is None else limit / _MS,
        "marks": [],
        "log": None,
        "linear": None,
    }
    used = np.flatnonzero(counts)
    if not len(used):
        return told
    names = ("p50", "p90", "p99")
    values = rounded([(getattr(found.summary, name) or np.nan) / _MS for name in names], 6)
    told["marks"] = [[name, value] for name, value in zip(names, values, strict=True) if value]
    so_far = np.cumsum(counts)
    # The slowest are what matters and are always on the axis; one in a thousand fastest need not.
    first = int(np.searchsorted(so_far, so_far[-1] * _FASTEST_LEFT_OUT, side="right"))
    lo, hi = (float(bin_edges_ns()[at]) for at in (max(first, 1), min(used[-1] + 1, BINS - 2)))
    # Few values in many bars would be a comb of ones.
    bars = min(max(int(4 * math.sqrt(int(counts.sum()))), _LEAST_BARS), _MOST_BARS)
    told["log"] = _bars(axis_for(lo, hi, bars), counts)
    told["linear"] = _bars(linear_axis_for(0.0, _body_ns(counts, hi), bars), counts)
    return told


def _body_ns(counts: np.ndarray, hi_ns: float) -> float:
    """Where a linear axis may end: a few values far out would press all others into one bar."""
    body = int(np.searchsorted(np.cumsum(counts), counts.sum() * _BODY))
    return min(hi_ns, 1.5 * float(bin_edges_ns()[min(body + 1, BINS - 2)]))


def _bars(axis: Axis, counts: np.ndarray) -> dict[str, Any]:
    """Edges in ms, counts between them, and how many lie beyond either end."""
    inside = axis.counts_of_bins(counts)
    used = np.flatnonzero(inside > 0)
    first, last = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, axis.columns)
    first = max(first - 2, 0)
    last = min(last + 2, axis.columns)
    below, above = axis.outside(counts)
    return {
        "edges": rounded(axis.edges_ns()[first : last + 1] / _MS, 6),
        "counts": rounded(inside[first:last], 6),
        "below": below,
        "above": above,
    }
