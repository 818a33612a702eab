"""Block bootstrap of the ratio of two runs, from counts by time block.

Requests of one run follow each other and share their queue, so stretches of time are drawn, not
requests (Künsch 1989). Values are counted in fine bins, 0.27 % wide, so that a draw is a weighted
sum of rows.
"""

from __future__ import annotations

import numpy as np

from tuiapp.stats.bins import bin_edges_ns

DRAWS = 2000
MIN_BLOCKS = 8
_CHUNK = 200


def quantile_ratio_interval(
    a: np.ndarray, b: np.ndarray, q: float, level: float, seed: int = 0
) -> tuple[float, float] | None:
    """Interval of ln(quantile of B / quantile of A).

    Args:
        a, b: counts, shape (blocks, BINS), rows in time order; empty rows are left out.

    Returns:
        (low, high), natural logarithms; None with fewer than ``MIN_BLOCKS`` filled blocks a side.
    """
    sides = [counts[counts.sum(axis=1) > 0] for counts in (a, b)]
    if min(map(len, sides)) < MIN_BLOCKS:
        return None
    random = np.random.default_rng(seed)
    logs = [np.log(_drawn_quantiles(counts, q, random)) for counts in sides]
    return _percentile_interval(logs[1] - logs[0], level)


def sum_ratio_interval(
    a: np.ndarray, b: np.ndarray, level: float, seed: int = 0
) -> tuple[float, float] | None:
    """Interval of ln(mean of B / mean of A) of amounts by time block; None when too short."""
    if min(len(a), len(b)) < MIN_BLOCKS or min(a.sum(), b.sum()) <= 0:
        return None
    random = np.random.default_rng(seed)
    means = [
        side[random.integers(0, len(side), (DRAWS, len(side)))].mean(axis=1) for side in (a, b)
    ]
    if min(mean.min() for mean in means) <= 0:
        return None
    return _percentile_interval(np.log(means[1]) - np.log(means[0]), level)


def _drawn_quantiles(counts: np.ndarray, q: float, random: np.random.Generator) -> np.ndarray:
    """The quantile of ``DRAWS`` resamples, nanoseconds, interpolated within its bin."""
    used = np.flatnonzero(counts.any(axis=0))
    edges, rows = bin_edges_ns(), counts[:, used].astype(np.float64)
    blocks = len(rows)
    out = np.empty(DRAWS)
    for start in range(0, DRAWS, _CHUNK):
        weights = random.multinomial(blocks, np.full(blocks, 1 / blocks), _CHUNK)
        below = np.cumsum(weights @ rows, axis=1)
        target = q * below[:, -1]
        at = (below < target[:, None]).sum(axis=1)
        before = np.where(at > 0, below[np.arange(_CHUNK), at - 1], 0.0)
        share = (target - before) / np.maximum(below[np.arange(_CHUNK), at] - before, 1e-9)
        low = edges[used[at]]
        out[start : start + _CHUNK] = low + share * (edges[used[at] + 1] - low)
    return out


def _percentile_interval(draws: np.ndarray, level: float) -> tuple[float, float]:
    low, high = np.quantile(draws, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)
