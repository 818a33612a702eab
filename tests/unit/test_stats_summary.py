"""Summaries: numbers, intervals, caveats, and None where there is nothing to say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tuiapp.stats.histogram import BINS, counts_of
from tuiapp.stats.quantile import interval
from tuiapp.stats.summary import BINNED, summarize, summarize_counts

QS = (0.5, 0.9, 0.95, 0.99)


def lognormal(n: int) -> np.ndarray:
    return np.random.default_rng(n).lognormal(math.log(20e6), 0.5, n)


def test_exact_values() -> None:
    values = lognormal(2_000)
    summary = summarize(values)
    assert (summary.n, summary.n_failed, summary.caveats) == (2_000, 0, ())
    assert summary.mean == pytest.approx(values.mean())
    got = (summary.p50, summary.p90, summary.p95, summary.p99)
    np.testing.assert_allclose(got, np.quantile(values, QS))
    assert summary.p99_ci == interval(np.sort(values), 0.99)


def test_too_few_is_said_and_the_percentile_still_given() -> None:
    summary = summarize(lognormal(61))
    assert summary.p99 is not None
    assert summary.p99_ci is None
    assert summary.caveats == ("too few for a p99 interval: 61 of 368 needed",)


def test_failures_count_as_infinite_and_stay_out_of_the_mean() -> None:
    values = lognormal(400)
    summary = summarize(values, n_failed=8)
    assert (summary.n, summary.n_failed) == (408, 8)
    assert summary.p99 == math.inf
    assert summary.p95 is not None
    assert summary.p95 > np.quantile(values, 0.95)
    assert summary.p99_ci is not None
    assert summary.p99_ci[1] == math.inf
    assert summary.mean == pytest.approx(values.mean())
    assert summary.caveats == (
        "8 failed requests count as +inf in percentiles and not in the mean",
    )


def test_nothing_but_failures() -> None:
    summary = summarize(np.array([]), n_failed=1)
    assert (summary.n, summary.mean, summary.p50, summary.p99) == (1, None, math.inf, math.inf)
    assert summary.caveats[-1].startswith("1 failed request counts")


def test_nothing_at_all_is_none_not_zero() -> None:
    for summary in (summarize(np.array([])), summarize_counts(np.zeros(BINS, int), 0)):
        assert summary.n == 0
        assert {summary.mean, summary.p50, summary.p99, summary.p99_ci} == {None}


def test_binned_values_say_so_and_agree_with_the_exact_ones() -> None:
    values = lognormal(20_000)
    exact, binned = summarize(values), summarize_counts(counts_of(values), 20_000)
    assert binned.caveats == (BINNED,)
    assert binned.p99_ci is None
    for name in ("mean", "p50", "p90", "p95", "p99"):
        assert getattr(binned, name) == pytest.approx(getattr(exact, name), rel=0.0028)


def test_time_blocks_give_binned_values_their_interval() -> None:
    values = lognormal(20_000)
    blocks = np.stack([counts_of(part) for part in np.array_split(values, 40)])
    summary = summarize_counts(blocks.sum(axis=0), 20_000, blocks)
    assert summary.p99_ci is not None
    assert summary.p99 is not None
    assert summary.p99_ci[0] < summary.p99 < summary.p99_ci[1]


def test_blocks_that_lack_the_failures_give_no_interval() -> None:
    values = lognormal(20_000)
    blocks = np.stack([counts_of(part) for part in np.array_split(values, 20)])
    assert summarize_counts(blocks.sum(axis=0), 20_001, blocks).p99_ci is None


def test_too_few_blocks_or_values_are_said() -> None:
    blocks = np.stack([counts_of(lognormal(200))] * 3)
    summary = summarize_counts(blocks.sum(axis=0), 600, blocks)
    assert summary.p99_ci is None
    assert summary.caveats[1] == "too short for a p99 interval: 3 of 30 time blocks"
    few = summarize_counts(counts_of(lognormal(50)), 50, blocks)
    assert few.caveats == (BINNED, "too few for a p99 interval: 50 of 368 needed")


def test_observations_beyond_the_counts_are_infinite() -> None:
    summary = summarize_counts(counts_of(lognormal(98)), 100)
    assert (summary.n, summary.n_failed, summary.p99) == (100, 2, math.inf)
