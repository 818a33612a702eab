"""What holds for any data."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuiapp.stats.histogram import (
    axis_for,
    coarsen,
    counts_of,
    linear_axis_for,
    quantiles_from_counts,
)
from tuiapp.stats.quantile import interval_ranks, quantiles
from tuiapp.stats.slo import METRICS, Slo
from tuiapp.stats.summary import summarize, summarize_counts

FINE = 2 ** (1 / 256) - 1
RANGE_NS = st.integers(1_000, 4_000 * 10**9)
LATENCIES = st.lists(RANGE_NS, min_size=1, max_size=200)
QS = st.lists(st.floats(0, 1), min_size=1, max_size=8).map(sorted)


@given(st.lists(st.one_of(RANGE_NS, st.just(math.inf)), min_size=1, max_size=200), QS)
def test_quantiles_rise_and_are_never_nan(values: list[float], qs: list[float]) -> None:
    found = quantiles(np.array(values, float), qs)
    assert not np.isnan(found).any()
    assert all(a <= b * (1 + 1e-12) for a, b in pairwise(found))
    assert min(values) <= found[0]
    assert found[-1] <= max(values)


@given(LATENCIES, st.integers(0, 5), QS)
def test_quantiles_of_counts_rise_within_a_bin_of_the_exact(
    values: list[int], infinite: int, qs: list[float]
) -> None:
    found = quantiles_from_counts(counts_of(values), qs, infinite)
    exact = quantiles(np.array([*values, *[math.inf] * infinite], float), qs)
    assert all(a <= b * (1 + 1e-12) for a, b in pairwise(found))
    np.testing.assert_allclose(found, exact, rtol=FINE * 1.001)


@given(LATENCIES, st.integers(1, 400), st.integers(1, 300))
def test_merging_bins_loses_no_count(values: list[int], columns: int, factor: int) -> None:
    counts = counts_of(values)
    assert coarsen(counts, factor).sum() == len(values)
    for axis in (
        axis_for(min(values), max(values), columns),
        linear_axis_for(min(values), max(values), columns),
    ):
        below, above = axis.outside(counts)
        assert axis.counts_of_values(values).sum() + below + above == len(values)
    if max(values) <= 1e6 * min(values):
        assert axis_for(min(values), max(values), columns).outside(counts) == (0, 0)


@given(LATENCIES, LATENCIES)
def test_counts_add_up(a: list[int], b: list[int]) -> None:
    np.testing.assert_array_equal(counts_of(a) + counts_of(b), counts_of(a + b))


@given(RANGE_NS, RANGE_NS, st.integers(10, 300), st.integers(10, 300))
def test_labels_stand_apart_inside_the_picture(a: int, b: int, columns: int, width: int) -> None:
    lo, hi = min(a, b), max(a, b)
    for axis in (axis_for(lo, hi, columns), linear_axis_for(lo, hi, columns)):
        cells = [cell for cell, _ in axis.ticks(width, label=7)]
        assert all(0 <= cell < width for cell in cells)
        assert all(right - left >= 7 for left, right in pairwise(cells))


@given(st.integers(1, 3_000), st.floats(0.01, 0.999), st.sampled_from([0.8, 0.95, 0.99]))
@settings(max_examples=60)
def test_an_interval_encloses_its_estimate(n: int, q: float, level: float) -> None:
    ranks = interval_ranks(n, q, level)
    if ranks is not None:
        assert 1 <= ranks[0] < ranks[1] <= n
        assert ranks[0] <= (n - 1) * q + 2
        assert (n - 1) * q <= ranks[1]


@given(st.lists(st.floats(1e3, 1e12), max_size=60), st.integers(0, 3))
def test_a_summary_is_ordered_and_complete(values: list[float], failed: int) -> None:
    summary = summarize(np.array(values), failed)
    assert summary.n == len(values) + failed
    ladder = (summary.p50, summary.p90, summary.p95, summary.p99)
    if summary.n == 0:
        assert ladder == (None,) * 4
    else:
        known = [value for value in ladder if value is not None]
        assert len(known) == 4
        assert known == sorted(known)
        assert any("too few" in caveat for caveat in summary.caveats)
        assert (failed > 0) == any("+inf" in caveat for caveat in summary.caveats)


@given(LATENCIES)
def test_binned_and_exact_summaries_agree(values: list[int]) -> None:
    exact = summarize(np.array(values, float))
    binned = summarize_counts(counts_of(values), len(values))
    assert binned.n == exact.n
    assert binned.mean == pytest.approx(exact.mean, rel=FINE)
    assert binned.p99 == pytest.approx(exact.p99, rel=FINE * 1.001)


SLOS = st.builds(
    Slo,
    st.sampled_from(METRICS),
    st.one_of(
        st.sampled_from(["mean", "max"]),
        st.integers(1, 99_999).map(lambda k: f"p{k / 1000:.3f}".rstrip("0").rstrip(".")),
    ),
    st.integers(1, 10**15),
)


@given(SLOS)
def test_objectives_survive_being_written_down(slo: Slo) -> None:
    assert Slo.parse(str(slo)) == slo
