"""The fine bins: where a latency goes, and what a percentile from counts is worth."""

from __future__ import annotations

import numpy as np
import pytest

from tuiapp.stats.histogram import (
    BINS,
    bin_edges_ns,
    bin_index,
    bin_mid_ns,
    coarsen,
    counts_of,
    quantile_from_counts,
    quantiles_from_counts,
)
from tuiapp.stats.quantile import quantiles

BIN_WIDTH = 2 ** (1 / 256) - 1


def test_the_bins_span_1_us_to_4000_s_and_fit_their_index() -> None:
    edges = bin_edges_ns()
    assert edges.shape == (BINS + 1,)
    assert edges[1] == 1_000
    assert 4_000e9 <= edges[-2] < 4_200e9
    assert BINS < 8_192
    assert bin_index([1]).dtype == np.uint16


def test_256_bins_double_the_latency() -> None:
    edges = bin_edges_ns()
    np.testing.assert_allclose(edges[257:-1], 2 * edges[1:-257], rtol=1e-12)
    np.testing.assert_allclose(edges[2:-1] / edges[1:-2], 1 + BIN_WIDTH, rtol=1e-12)


@pytest.mark.parametrize(
    ("value_ns", "expected"),
    [
        (-5, 0),
        (0, 0),
        (999, 0),
        (1_000, 1),
        (2_000, 257),
        (4_000_000, 1 + 256 * 2 + round(np.log2(1000) * 256)),
        (4_112_000_000_000, BINS - 2),
        (4_113_000_000_000, BINS - 1),
        (np.iinfo(np.int64).max, BINS - 1),
    ],
)
def test_known_bins(value_ns: int, expected: int) -> None:
    assert bin_index(np.array([value_ns]))[0] == expected


def test_every_value_lies_between_the_edges_of_its_bin() -> None:
    rng = np.random.default_rng(1)
    values = np.exp(rng.uniform(0, np.log(9e12), 20_000)).astype(np.int64)
    bins, edges = bin_index(values).astype(int), bin_edges_ns()
    assert (edges[bins] <= values * (1 + 1e-12)).all()
    assert (values < edges[bins + 1] * (1 + 1e-12)).all()


def test_the_middle_of_a_bin_falls_into_it() -> None:
    np.testing.assert_array_equal(bin_index(bin_mid_ns()), np.arange(BINS))


def test_shared_arrays_cannot_be_changed() -> None:
    for shared in (bin_edges_ns(), bin_mid_ns()):
        with pytest.raises(ValueError, match="read-only"):
            shared[3] = 0


def test_coarsen_merges_whole_groups_and_keeps_every_count() -> None:
    counts = np.arange(10)
    np.testing.assert_array_equal(coarsen(counts, 4), [6, 22, 17])
    np.testing.assert_array_equal(coarsen(counts, 1), counts)
    assert coarsen(np.ones((3, BINS)), 16).sum() == 3 * BINS
    with pytest.raises(ValueError, match="1 or more"):
        coarsen(counts, 0)


@pytest.mark.parametrize("n", [1, 2, 7, 400, 50_000])
def test_percentiles_from_counts_are_within_a_bin_of_the_exact_ones(n: int) -> None:
    values = np.random.default_rng(n).lognormal(np.log(20e6), 0.8, n).astype(np.int64)
    qs = (0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0)
    got = quantiles_from_counts(counts_of(values), qs)
    np.testing.assert_allclose(got, quantiles(values, qs), rtol=BIN_WIDTH)


def test_the_values_of_a_bin_are_spread_evenly_over_it() -> None:
    lower, upper = bin_edges_ns()[4_000:4_002]
    counts = np.zeros(BINS, int)
    counts[4_000] = 4
    got = (quantiles_from_counts(counts, (0, 1 / 3, 2 / 3, 1)) - lower) / (upper - lower)
    np.testing.assert_allclose(got, (0.125, 0.375, 0.625, 0.875), rtol=1e-6)


def test_a_percentile_between_two_far_values_is_interpolated_not_snapped() -> None:
    values = np.array([1_000_000, 3_000_000])
    assert quantile_from_counts(counts_of(values), 0.5) == pytest.approx(2e6, rel=BIN_WIDTH)


def test_infinite_values_decide_where_they_have_weight() -> None:
    counts = counts_of(np.full(99, 5_000_000))
    low, high = quantiles_from_counts(counts, (0.5, 0.999), infinite=1)
    assert low == pytest.approx(5e6, rel=BIN_WIDTH)
    assert high == np.inf
    assert (quantiles_from_counts(np.zeros(BINS, int), (0.0, 1.0), infinite=3) == np.inf).all()


def test_a_value_above_the_range_counts_as_the_end_of_it() -> None:
    counts = counts_of(np.array([9_000 * 10**9]))
    assert quantile_from_counts(counts, 0.5) == bin_edges_ns()[-2]


def test_no_counts_have_no_quantile() -> None:
    with pytest.raises(ValueError, match="no values"):
        quantile_from_counts(np.zeros(BINS, int), 0.5)
