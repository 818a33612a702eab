"""Interval of a quantile of a dependent series: a block bootstrap over stretches of time.

Neighbouring latencies resemble each other, so single values may not be redrawn; whole time blocks
may, as long as a block outlasts the resemblance (Künsch 1989). Each block is held as counts over
the fine bins. A replicate is a multinomial weight for each block, and its quantile is where the
weighted counts reach the wanted rank: found by bisection over the bins, so that the cost does not
depend on how many values were counted.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from tuiapp.stats.bins import BINS, bin_edges_ns

MIN_BLOCKS = 10
REPLICATES = 2_000


def block_interval(
    block_counts: np.ndarray,
    q: float,
    level: float = 0.95,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> tuple[float, float] | None:
    """Interval of the ``q`` quantile from counts per time block; the same for the same seed.

    Args:
        block_counts: shape (blocks, BINS); blocks of equal duration in time order. Blocks
            without any value are left out.

    Returns:
        (lower, upper) in nanoseconds; None with fewer than ``MIN_BLOCKS`` blocks with values.
    """
    filled = block_counts[block_counts.any(axis=1)]
    blocks = len(filled)
    if blocks < MIN_BLOCKS:
        return None
    cumulative = np.zeros((BINS + 1, blocks))
    np.cumsum(filled.T, axis=0, out=cumulative[1:])
    draws = np.random.default_rng(seed).multinomial(
        blocks, np.full(blocks, 1 / blocks), size=replicates
    )
    estimates = np.sort(_weighted_quantiles(cumulative, draws.astype(float), q))
    tail = _expanded_tail((1 - level) / 2, blocks)
    last = replicates - 1
    return float(estimates[round(tail * last)]), float(estimates[round((1 - tail) * last)])


def _weighted_quantiles(cumulative: np.ndarray, weights: np.ndarray, q: float) -> np.ndarray:
    """The quantile of each replicate, interpolated within its bin; nanoseconds."""

    def reached(bins: np.ndarray) -> np.ndarray:
        """Weighted values below the lower edge of ``bins``, one for each replicate."""
        return np.asarray(np.einsum("rb,rb->r", weights, cumulative[bins]))

    target = q * (weights @ cumulative[-1])
    low, high = np.zeros(len(weights), np.int64), np.full(len(weights), BINS)
    for _ in range(BINS.bit_length()):
        middle = (low + high) // 2
        short = reached(middle) < target
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    before, within = reached(low), reached(low + 1)
    share = np.clip((target - before) / np.maximum(within - before, 1e-9), 0, 1)
    edges = bin_edges_ns()
    width = np.where(low < BINS - 1, edges[low + 1] - edges[low], 0.0)
    return np.asarray(edges[low] + share * width)


def _expanded_tail(tail: float, blocks: int) -> float:
    """A tail for the percentile interval that makes up for having few blocks.

    Plain percentiles are too narrow by √((B − 1) / B) and use normal where Student's t belongs
    (Hesterberg 2015, *What Teachers Should Know About the Bootstrap*, 5.3); t by its expansion
    in 1/ν (Abramowitz & Stegun 26.7.5).
    """
    freedom = blocks - 1
    z = NormalDist().inv_cdf(1 - tail)
    t = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    return NormalDist().cdf(-t * math.sqrt(blocks / freedom))
