"""Counts over the fine bins of ``stats.bins``, and what can be read from them.

This module is the way in: it also names the bins and the axes (``stats.axis``) that draw them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from tuiapp.stats.axis import Axis, LinearAxis, LogAxis, axis_for, linear_axis_for
from tuiapp.stats.bins import BINS, bin_edges_ns, bin_index, bin_mid_ns
from tuiapp.stats.order import interpolate, type7_ranks

__all__ = [
    "BINS",
    "Axis",
    "LinearAxis",
    "LogAxis",
    "axis_for",
    "bin_edges_ns",
    "bin_index",
    "bin_mid_ns",
    "coarsen",
    "counts_of",
    "linear_axis_for",
    "quantile_from_counts",
    "quantiles_from_counts",
]


def counts_of(values_ns: ArrayLike) -> np.ndarray:
    """How many finite values fall into each bin: int64 of shape (BINS,)."""
    return np.bincount(bin_index(values_ns).ravel(), minlength=BINS)


def coarsen(counts: np.ndarray, factor: int) -> np.ndarray:
    """Merge every ``factor`` neighbouring bins along the last axis; the last group may be short.

    The edges that belong to the result are ``bin_edges_ns()[::factor]`` and +inf.
    """
    if factor < 1:
        raise ValueError(f"bins merge in groups of 1 or more, not {factor}")
    starts = np.arange(0, counts.shape[-1], factor)
    return np.asarray(np.add.reduceat(counts, starts, axis=-1))


def quantile_from_counts(counts: np.ndarray, q: float) -> float:
    """The ``q`` quantile of binned values, nanoseconds; see ``quantiles_from_counts``."""
    return float(quantiles_from_counts(counts, (q,))[0])


def quantiles_from_counts(counts: np.ndarray, qs: Sequence[float], infinite: int = 0) -> np.ndarray:
    """Quantiles of binned values, each within one bin's width (0.27 %) of the exact one.

    The values of a bin are taken to be spread evenly over it; ranks and interpolation are those
    of ``quantile.quantiles``. A value above the range counts as its lower end, 4113 s.

    Args:
        counts: shape (BINS,).
        qs: each 0 … 1.
        infinite: values above all bins, such as failed requests; +inf where they decide.

    Returns:
        Nanoseconds, shape (len(qs),), rising with q.

    Raises:
        ValueError: nothing was counted.
    """
    cumulative = np.cumsum(counts)
    finite = int(cumulative[-1])
    lower, upper, weight = type7_ranks(finite + infinite, qs)
    low = _order_values(counts, cumulative, lower)
    high = _order_values(counts, cumulative, upper)
    return interpolate(low, high, weight)


def _order_values(counts: np.ndarray, cumulative: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """The 0-based ``ranks``-th smallest values; +inf beyond what was counted."""
    edges = bin_edges_ns()
    bins = np.minimum(np.searchsorted(cumulative, ranks, side="right"), BINS - 1)
    before = cumulative[bins] - counts[bins]
    share = (ranks - before + 0.5) / np.maximum(counts[bins], 1)
    width = np.where(bins < BINS - 1, edges[bins + 1] - edges[bins], 0.0)
    values = edges[bins] + np.minimum(share, 1) * width
    return np.where(ranks < cumulative[-1], values, np.inf)
