"""Interval of a quantile of a dependent series, from counts per time block.

Neighbouring latencies resemble each other, and slow ones come in clusters, so a million of them
may be worth a few hundred independent ones. What counts is how much the number of slow values
varies from block to block, and how long that lasts.

The interval is Woodruff's (1952): an interval of the *share* of values above the quantile, read
off the pooled distribution. Its standard error comes from the blocks' numbers of slow values, each
less the share expected of that block, with the correction of their lag-1 autocorrelation φ that
Skart makes to batch means (Tafazzoli & Wilson 2011): variance · (1 + φ) / (1 − φ), φ freed of its
bias (Marriott & Pope 1954). Student's t has about the degrees of freedom of such an estimate, and
Hall's transformation (1992) takes out the skewness of counts of rare clusters.

Three settings were chosen by simulation, for coverage on independent, autocorrelated and bursty
series (``benchmarks/coverage.py`` prints it): the weight of φ's own uncertainty, the two tails,
and the fewest blocks. The upper tail gets less of the error than the lower one because a run that
happened to see few slow stretches underestimates the quantile and its error at once.
"""

from __future__ import annotations

import math

import numpy as np

from tuiapp.stats.bins import BINS, bin_edges_ns
from tuiapp.stats.student import t_quantile

MIN_BLOCKS = 30
_UPPER_SHARE = 0.2
_MOST_CORRELATED = 0.9


def block_interval(
    block_counts: np.ndarray, q: float, level: float = 0.95
) -> tuple[float, float] | None:
    """Interval of the ``q`` quantile from counts per time block.

    Args:
        block_counts: shape (blocks, BINS); blocks of equal duration in time order. Blocks
            without any value are left out.
        q: 0.5 or more: the tails are those of an upper quantile.

    Returns:
        (lower, upper) in nanoseconds; None with fewer than ``MIN_BLOCKS`` blocks with values, or
        when the values above the quantile come in so few clusters that nothing bounds it above.
    """
    totals = block_counts.sum(axis=1)
    filled = totals > 0
    if filled.sum() < MIN_BLOCKS:
        return None
    cumulative = np.concatenate(([0], np.cumsum(block_counts.sum(axis=0))))
    total, slow = int(cumulative[-1]), 1 - q
    excess = (_slow_values(block_counts, cumulative, q) - slow * totals)[filled]
    error, freedom, skewness = _error_of_sum(excess - excess.mean())
    tails = (1 - level) * (1 - _UPPER_SHARE), (1 - level) * _UPPER_SHARE
    above = [
        slow - error / total * _hall(sign * t_quantile(1 - tail, freedom), skewness)
        for sign, tail in zip((-1, 1), tails, strict=True)
    ]
    if above[1] * total < 1:
        return None
    low, high = (_value_at(cumulative, max(1 - share, 0.0)) for share in above)
    return low, high


def _slow_values(counts: np.ndarray, cumulative: np.ndarray, q: float) -> np.ndarray:
    """Values above the pooled quantile in each block; its bin is split as the pool's is."""
    at, share = _place(cumulative, q)
    return np.asarray(counts[:, at + 1 :].sum(axis=1) + (1 - share) * counts[:, at])


def _error_of_sum(residuals: np.ndarray) -> tuple[float, float, float]:
    """(standard error, degrees of freedom, skewness) of the sum of dependent residuals."""
    blocks = len(residuals)
    square = float(residuals @ residuals)
    if square <= 1e-12:
        return 0.0, blocks - 1.0, 0.0
    lag1 = float(residuals[1:] @ residuals[:-1]) / square
    lag1 = min(max(lag1 + (1 + 4 * lag1) / blocks, 0.0), _MOST_CORRELATED)
    inflation = (1 + lag1) / (1 - lag1)
    error = math.sqrt(square / (blocks - 1) * inflation * blocks)
    # The delta method counts φ's uncertainty twice; one that cannot fall below zero has less.
    freedom = 1 / (1 / (blocks - 1) + inflation / blocks)
    third = float((residuals**3).mean()) / (square / blocks) ** 1.5
    return error, freedom, max(third, 0.0) * math.sqrt(inflation / blocks)


def _hall(t: float, skewness: float) -> float:
    """The place in the studentized distribution of a skewed mean that ``t`` has in Student's."""
    if skewness < 1e-3:
        return t
    return 3 / skewness * (float(np.cbrt(1 + skewness * (t - skewness / 6))) - 1)


def _place(cumulative: np.ndarray, share: float) -> tuple[int, float]:
    """(bin, how far into it) where ``share`` of all values has been counted."""
    target = share * cumulative[-1]
    at = int(np.searchsorted(cumulative, target, side="left")) - 1
    at = min(max(at, 0), BINS - 1)
    return at, float((target - cumulative[at]) / max(cumulative[at + 1] - cumulative[at], 1))


def _value_at(cumulative: np.ndarray, share: float) -> float:
    """Nanoseconds; interpolated within a bin, the last one's lower end beyond the range."""
    at, within = _place(cumulative, share)
    edges = bin_edges_ns()
    return float(edges[at] + (within * (edges[at + 1] - edges[at]) if at < BINS - 1 else 0.0))
