"""Ranks of order statistics: where in the sorted values a quantile and its interval stand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

_REACH_SD = 12
_REACH_MORE = 30


def type7_ranks(n: int, qs: Sequence[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(lower, upper, weight) of each quantile: ``x[lower] + weight · (x[upper] − x[lower])``.

    Ranks are 0-based and ``h = (n − 1) q`` lies between them: Hyndman & Fan's type 7, numpy's
    default. A weight that is only rounding (0.07 · 100 is 7, not 7.000000000000001) is zero, so
    that an infinite neighbour without weight stays out.

    Raises:
        ValueError: no values, or a q outside 0 … 1.
    """
    if n < 1:
        raise ValueError("no values, so no quantile")
    q = np.asarray(qs, np.float64)
    if not ((q >= 0) & (q <= 1)).all():
        raise ValueError(f"a quantile lies between 0 and 1: {list(qs)}")
    place = (n - 1) * q
    whole = np.rint(place)
    place = np.where(np.abs(place - whole) <= 1e-12 * n, whole, place)
    lower = np.floor(place).astype(np.int64)
    weight = place - lower
    return lower, np.minimum(lower + 1, n - 1), weight


def interpolate(low: np.ndarray, high: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """``low + weight · (high − low)`` of order statistics that may be +inf; never NaN."""
    gap = np.subtract(high, low, out=np.zeros_like(low), where=np.isfinite(high))
    return np.where((weight > 0) & np.isinf(high), np.inf, low + weight * gap)


@lru_cache(maxsize=1024)
def interval_ranks(n: int, q: float, level: float = 0.95) -> tuple[int, int] | None:
    """Ranks of the two order statistics that enclose the ``q`` quantile.

    The number of observations below the quantile is binomial(n, q) whatever the distribution;
    each tail gets at most (1 − level) / 2, so coverage is at least ``level`` for independent
    observations (Clopper–Pearson turned around; David & Nagaraja, *Order Statistics*, 7.1).

    Returns:
        (lower, upper), 1-based and inclusive; None when ``n`` is too small for both to exist.
    """
    tail = (1 - level) / 2
    start, below = _binomial_cdf(n, q)
    # X(l) <= Q unless fewer than l observations lie below it: P(B <= l - 1) <= tail.
    lower = start + int(np.searchsorted(below, tail, side="right"))
    upper = start + int(np.searchsorted(below, 1 - tail, side="left")) + 1
    return (lower, upper) if lower >= 1 and upper <= n else None


def _binomial_cdf(n: int, q: float) -> tuple[int, np.ndarray]:
    """(k0, P(B <= k0), P(B <= k0 + 1), …) for B ~ binomial(n, q), around its mean.

    Only a window of 12 standard deviations is summed: what lies outside is below 1e-30. The
    probabilities come from the ratio of neighbours, in logarithms, and are normalized by their
    sum, so no factorial of ten million is ever needed.
    """
    mean, sd = n * q, math.sqrt(n * q * (1 - q))
    reach = _REACH_SD * sd + _REACH_MORE
    start, stop = max(0, math.floor(mean - reach)), min(n, math.ceil(mean + reach))
    k = np.arange(start, stop, dtype=np.float64)
    steps = np.log((n - k) / (k + 1)) + math.log(q / (1 - q))
    log_p = np.concatenate(([0.0], np.cumsum(steps)))
    p = np.exp(log_p - log_p.max())
    return start, np.cumsum(p) / p.sum()


def samples_needed(q: float, level: float = 0.95) -> int:
    """Fewest observations with a finite two-sided interval of the ``q`` quantile.

    The largest of n lies below the quantile with probability qⁿ; that has to fall to
    (1 − level) / 2. 368 for p99 and 3,688 for p99.9 at 95 %.
    """
    worst = max(q, 1 - q)
    return math.ceil(math.log((1 - level) / 2) / math.log(worst))
