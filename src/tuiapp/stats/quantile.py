"""Quantiles of exact values, and the exact interval of a quantile.

Values may be +inf: a request that failed or never finished has waited longer than any that was
served. They may not be NaN.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tuiapp.stats.order import interpolate, interval_ranks, samples_needed, type7_ranks

__all__ = ["interval", "interval_ranks", "quantiles", "samples_needed"]


def quantiles(values: np.ndarray, qs: Sequence[float]) -> np.ndarray:
    """Quantiles by linear interpolation between order statistics (type 7, numpy's default).

    Args:
        values: any order, +inf allowed.
        qs: each 0 … 1.

    Returns:
        Shape (len(qs),), in the unit of ``values``; +inf where an infinite value has weight.

    Raises:
        ValueError: no values.
    """
    lower, upper, weight = type7_ranks(len(values), qs)
    places = np.unique(np.concatenate((lower, upper)))
    ordered = np.partition(np.asarray(values, np.float64), places)
    return interpolate(ordered[lower], ordered[upper], weight)


def interval(
    sorted_values: np.ndarray, q: float, level: float = 0.95
) -> tuple[float, float] | None:
    """Exact interval of the ``q`` quantile, for independent observations of any distribution.

    Args:
        sorted_values: rising; +inf allowed, and then the upper end may be +inf.

    Returns:
        (lower, upper); None with fewer than ``samples_needed(q, level)`` values.
    """
    ranks = interval_ranks(len(sorted_values), q, level)
    if ranks is None:
        return None
    return float(sorted_values[ranks[0] - 1]), float(sorted_values[ranks[1] - 1])
