"""The block bootstrap: coverage on dependent series, and what it refuses."""

from __future__ import annotations

import math
from itertools import accumulate

import numpy as np

from tuiapp.stats.bootstrap import MIN_BLOCKS, block_interval
from tuiapp.stats.histogram import BINS, bin_index, counts_of

P99 = math.exp(16 + 0.5 * 2.3263478740408408)


def blocks_of(values_ns: np.ndarray, blocks: int) -> np.ndarray:
    return np.stack([counts_of(part) for part in np.array_split(values_ns, blocks)])


def drifting(rng: np.random.Generator, n: int) -> np.ndarray:
    """Lognormal values of which a third of the variance comes and goes over some 20 values."""
    noise = rng.standard_normal(n + 200) * math.sqrt(1 - 0.95**2)
    slow = np.fromiter(accumulate(noise, lambda x, e: 0.95 * x + e), float)[200:]
    return np.exp(16 + 0.5 * (math.sqrt(1 / 3) * slow + math.sqrt(2 / 3) * rng.normal(size=n)))


def test_coverage_on_a_dependent_series() -> None:
    rng = np.random.default_rng(11)
    hits = []
    for seed in range(150):
        found = block_interval(blocks_of(drifting(rng, 12_000), 20), 0.99, 0.95, 400, seed)
        assert found is not None
        hits.append(found[0] <= P99 <= found[1])
    assert 0.90 <= np.mean(hits) <= 0.98


def test_the_interval_is_wider_where_blocks_differ() -> None:
    rng = np.random.default_rng(2)
    alike = np.exp(rng.normal(16, 0.3, (20, 500)))
    apart = alike * np.exp(rng.normal(0, 0.2, (20, 1)))
    widths = []
    for values in (alike, apart):
        found = block_interval(np.stack([counts_of(row) for row in values]), 0.9)
        assert found is not None
        widths.append(math.log(found[1] / found[0]))
    assert widths[1] > 2 * widths[0]


def test_the_same_seed_gives_the_same_interval() -> None:
    counts = blocks_of(drifting(np.random.default_rng(3), 4_000), 20)
    assert block_interval(counts, 0.99, seed=5) == block_interval(counts, 0.99, seed=5)
    assert block_interval(counts, 0.99, seed=5) != block_interval(counts, 0.99, seed=6)


def test_too_few_blocks_have_no_interval_and_empty_ones_do_not_count() -> None:
    counts = blocks_of(drifting(np.random.default_rng(3), 4_000), MIN_BLOCKS)
    assert block_interval(counts, 0.5) is not None
    assert block_interval(counts[1:], 0.5) is None
    padded = np.concatenate((counts[1:], np.zeros((30, BINS), counts.dtype)))
    assert block_interval(padded, 0.5) is None


def test_equal_blocks_leave_nothing_to_doubt() -> None:
    counts = np.tile(counts_of(np.full(50, 5_000_000)), (20, 1))
    low, high = block_interval(counts, 0.5) or (0, 0)
    assert low == high
    assert bin_index([low])[0] == bin_index([5_000_000])[0]
