"""The numbers shown for one latency metric, with the interval and the caveats that belong to them.

Everything is in the unit of its input. A failed or unfinished request counts as +inf in every
percentile, so a percentile may be infinite; the mean is over finite values only and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuiapp.stats.bins import bin_mid_ns
from tuiapp.stats.blocks import MIN_BLOCKS, block_interval
from tuiapp.stats.histogram import quantiles_from_counts
from tuiapp.stats.order import interpolate, interval_ranks, samples_needed, type7_ranks
from tuiapp.words import plural

QUANTILES = (0.5, 0.9, 0.95, 0.99)
BINNED = "binned to 0.3 %"
TOO_SHORT, TOO_DEPENDENT = "too short", "too dependent"


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts and percentiles of one metric; None wherever there is nothing to tell it from.

    Attributes:
        n: observations, the failed ones included.
        n_failed: requests that count as +inf, those cut off among them.
        mean: over finite values.
        p99_ci: 95 % interval of p99; its upper end may be +inf.
        caveats: what to know before relying on the numbers.
    """

    n: int
    n_failed: int
    mean: float | None
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    p99_ci: tuple[float, float] | None
    caveats: tuple[str, ...] = ()


_EMPTY = Summary(0, 0, None, None, None, None, None, None)


def summarize(values: np.ndarray, n_failed: int = 0, n_cut: int = 0) -> Summary:
    """Summary of exact values, one for each request.

    The interval is the exact one of order statistics; it takes requests for independent.

    Args:
        values: finite, any order and unit.
        n_failed: requests without a value, each +inf.
        n_cut: how many of these did not fail, but were cut off by the end of the run having waited
            longer than any other took.
    """
    n = len(values) + n_failed
    if not n:
        return _EMPTY
    lower, upper, weight = type7_ranks(n, QUANTILES)
    ranks = interval_ranks(n, 0.99)
    ends = np.array(ranks or (), np.int64) - 1
    at = _order_statistics(values, np.concatenate((lower, upper, ends)))
    low, high, ends = np.split(at, (len(lower), 2 * len(lower)))
    mean = float(np.mean(values)) if len(values) else None
    p50, p90, p95, p99 = interpolate(low, high, weight).tolist()
    p99_ci = (float(ends[0]), float(ends[1])) if ranks else None
    caveats = (*_too_few(n), *_failures(n_failed, n_cut))
    return Summary(n, n_failed, mean, p50, p90, p95, p99, p99_ci, caveats)


def summarize_counts(
    counts: np.ndarray, exact_n: int, block_counts: np.ndarray | None = None
) -> Summary:
    """Summary of binned values.

    Args:
        counts: shape (BINS,).
        exact_n: observations; those beyond ``counts.sum()`` have no finite value and are +inf.
        block_counts: shape (blocks, BINS), counts by time block; the interval needs them, for
            the values of one request follow each other and are not independent.
    """
    finite = int(counts.sum())
    failed = max(exact_n - finite, 0)
    n = finite + failed
    if not n:
        return _EMPTY
    found, why = _block_interval(n, failed, block_counts)
    mean = float(counts @ bin_mid_ns()) / finite if finite else None
    p50, p90, p95, p99 = quantiles_from_counts(counts, QUANTILES, failed).tolist()
    caveats = (BINNED, *why, *_failures(failed))
    return Summary(n, failed, mean, p50, p90, p95, p99, found, caveats)


def _order_statistics(values: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """The 0-based ``ranks``-th smallest; +inf beyond the finite values."""
    inside = ranks < len(values)
    out = np.full(len(ranks), np.inf)
    if inside.any():
        ordered = np.partition(np.asarray(values, np.float64), np.unique(ranks[inside]))
        out[inside] = ordered[ranks[inside]]
    return out


def _block_interval(
    n: int, failed: int, blocks: np.ndarray | None
) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """(interval of p99, caveats)."""
    if _too_few(n):
        return None, _too_few(n)
    return (None, ()) if blocks is None or failed else p99_of_blocks(blocks)


def p99_of_blocks(blocks: np.ndarray) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """(interval of p99 or None, why there is none) of values counted by time block.

    Args:
        blocks: shape (blocks, BINS), in time order.
    """
    totals = blocks.sum(axis=1)
    if few := _too_few(int(totals.sum())):
        return None, few
    filled = int((totals > 0).sum())
    if filled < MIN_BLOCKS:
        return None, (f"{TOO_SHORT} for a p99 interval: {filled} of {MIN_BLOCKS} time blocks",)
    found = block_interval(blocks, 0.99)
    if found is None:
        return None, (f"{TOO_DEPENDENT} for a p99 interval: slow values come in few clusters",)
    return found, ()


def _too_few(n: int) -> tuple[str, ...]:
    needed = samples_needed(0.99)
    return (f"too few for a p99 interval: {n} of {needed} needed",) if n < needed else ()


def _failures(n_failed: int, n_cut: int = 0) -> tuple[str, ...]:
    if not n_failed:
        return ()
    lost = n_failed - n_cut
    who = [plural(lost, "failed request")] if lost else []
    if n_cut:
        who.append(f"{plural(n_cut, 'request')} cut off after a longer wait than any other's")
    verb = "counts" if n_failed == 1 else "count"
    return (f"{' and '.join(who)} {verb} as +inf in percentiles and not in the mean",)
