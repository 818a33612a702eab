"""Intervals from time blocks: coverage on dependent series, and what is refused."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from tuiapp.stats.blocks import MIN_BLOCKS, block_interval, t_quantile
from tuiapp.stats.histogram import BINS, bin_index, counts_of, quantile_from_counts

P99 = math.exp(16 + 0.5 * NormalDist().inv_cdf(0.99))
STEPS = 10


def blocks_of(values_ns: np.ndarray, blocks: int) -> np.ndarray:
    return np.stack([counts_of(part) for part in np.array_split(values_ns, blocks)])


def independent(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.exp(rng.normal(16, 0.5, n))


def drifting(rng: np.random.Generator, blocks: int, each: int, tau: float) -> np.ndarray:
    """Lognormal values; a third of the variance is slow and forgets in ``tau`` blocks."""
    keep = math.exp(-1 / (tau * STEPS))
    noise = rng.standard_normal(blocks * STEPS) * math.sqrt(1 - keep * keep)
    state, slow = rng.standard_normal(), np.empty(blocks * STEPS)
    for step in range(len(slow)):
        slow[step] = state
        state = keep * state + noise[step]
    slow = np.repeat(slow, each // STEPS)
    return np.exp(
        16 + 0.5 * (math.sqrt(1 / 3) * slow + math.sqrt(2 / 3) * rng.normal(size=len(slow)))
    )


@pytest.mark.parametrize("tau", [0.0, 0.3, 1.0])
def test_coverage_whatever_the_dependence(tau: float) -> None:
    """Blocks taken for independent would cover some 95, 91 and 79 %."""
    rng = np.random.default_rng(11)
    found = []
    for _ in range(200):
        values = drifting(rng, 60, 200, tau) if tau else independent(rng, 60 * 200)
        found.append(block_interval(blocks_of(values, 60), 0.99))
    shown = [ends for ends in found if ends is not None]
    assert len(shown) > 0.8 * len(found)
    assert 0.885 <= np.mean([low <= P99 <= high for low, high in shown]) <= 0.995


def test_the_interval_is_no_wider_than_it_must_be() -> None:
    """The exact one of 18,000 independent values is 5.7 % of p99 wide."""
    rng = np.random.default_rng(5)
    widths = []
    for _ in range(40):
        low, high = block_interval(blocks_of(independent(rng, 18_000), 60), 0.99) or (0, math.inf)
        widths.append((high - low) / P99)
    assert 0.04 <= np.median(widths) <= 0.09


def test_the_interval_is_wider_where_blocks_differ() -> None:
    rng = np.random.default_rng(2)
    alike = np.exp(rng.normal(16, 0.3, (MIN_BLOCKS, 500)))
    apart = alike * np.exp(rng.normal(0, 0.2, (MIN_BLOCKS, 1)))
    widths = []
    for values in (alike, apart):
        counts = np.stack([counts_of(row) for row in values])
        low, high = block_interval(counts, 0.9) or (0, 0)
        assert low < quantile_from_counts(counts.sum(axis=0), 0.9) < high
        widths.append(math.log(high / low))
    assert widths[1] > 2 * widths[0]


def test_the_order_of_blocks_matters() -> None:
    """The same blocks, sorted by level, are far fewer independent ones."""
    rng = np.random.default_rng(4)
    level = rng.normal(0, 0.2, (60, 1))
    values = np.exp(rng.normal(16, 0.3, (60, 400)) + level)
    counts = np.stack([counts_of(row) for row in values])
    low, high = block_interval(counts, 0.9) or (0, 0)
    ordered = block_interval(counts[np.argsort(level[:, 0])], 0.9) or (0, math.inf)
    assert ordered[1] - ordered[0] > 1.5 * (high - low) > 0


def test_too_few_blocks_have_no_interval_and_empty_ones_do_not_count() -> None:
    values = independent(np.random.default_rng(3), 400 * MIN_BLOCKS)
    counts = blocks_of(values, MIN_BLOCKS)
    found = block_interval(counts, 0.5)
    assert found is not None
    assert block_interval(counts[1:], 0.5) is None
    empty = np.zeros((30, BINS), counts.dtype)
    assert block_interval(np.concatenate((counts[1:], empty)), 0.5) is None
    assert block_interval(np.concatenate((counts, empty)), 0.5) == found


def test_one_cluster_of_slow_values_bounds_nothing() -> None:
    values = independent(np.random.default_rng(3), 24_000)
    values[5_000:5_400] *= 10
    assert block_interval(blocks_of(values, 60), 0.99) is None
    scattered = values[np.random.default_rng(1).permutation(len(values))]
    assert block_interval(blocks_of(scattered, 60), 0.99) is not None


def test_equal_blocks_leave_nothing_to_doubt() -> None:
    counts = np.tile(counts_of(np.full(50, 5_000_000)), (MIN_BLOCKS, 1))
    low, high = block_interval(counts, 0.5) or (0, 0)
    assert low == high
    assert bin_index([low])[0] == bin_index([5_000_000])[0]


@pytest.mark.parametrize(
    ("p", "freedom", "t"),
    [(0.975, 1, 12.7062), (0.975, 3, 3.18245), (0.95, 8, 1.85955), (0.99, 29, 2.46202)],
)
def test_t_quantiles_are_those_of_the_tables(p: float, freedom: float, t: float) -> None:
    assert t_quantile(p, freedom) == pytest.approx(t, rel=1e-3)
