"""How often verdicts are right, in short; ``benchmarks/verdicts.py`` has the whole tables.

Seeded, and with bounds so wide that only a wrong method leaves them.
"""

from __future__ import annotations

import numpy as np
import pytest

from tuiapp.compare.quantities import FAMILY, LEVEL
from tuiapp.compare.verdict import EQUIVALENT, INCONCLUSIVE, SLOWER, SLOWER_BY_SOME, decide
from tuiapp.stats.hodges_lehmann import shift
from tuiapp.stats.resample import quantile_ratio_interval, sum_ratio_interval
from tuiapp.stats.shift import shift_function, superiority
from tuiapp.stats.student import paired, t_quantile, welch

TRIALS = 300


def sides(
    rng: np.random.Generator, runs: int, spread: float, truth: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    return spread * rng.standard_normal(runs), truth + spread * rng.standard_normal(runs)


@pytest.mark.parametrize("runs", [5, 10])
def test_an_interval_of_95_percent_holds_the_truth_about_that_often(runs: int) -> None:
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(TRIALS):
        found = welch(*sides(rng, runs, 0.05, 0.1))
        held += found.low <= 0.1 <= found.high
    assert 0.90 <= held / TRIALS <= 0.99


def test_equal_hosts_are_seldom_called_different() -> None:
    rng = np.random.default_rng(2)
    wrong = 0
    for _ in range(TRIALS):
        outcomes = set()
        for _ in FAMILY:
            found = welch(*sides(rng, 5, 0.04), LEVEL)
            outcomes.add(decide(found.low, found.high, 0.05))
        wrong += bool(outcomes - {EQUIVALENT, INCONCLUSIVE})
    assert wrong / TRIALS <= 0.09


def test_a_host_15_percent_slower_is_found() -> None:
    rng = np.random.default_rng(3)
    found = [welch(*sides(rng, 10, 0.03, np.log(1.15)), LEVEL) for _ in range(TRIALS)]
    verdicts = [decide(one.low, one.high, 0.05) for one in found]
    assert verdicts.count(SLOWER) / TRIALS >= 0.95
    assert set(verdicts) <= {SLOWER, SLOWER_BY_SOME}


def test_more_requests_do_not_replace_runs() -> None:
    """The naive rule on all requests says "different" of equal hosts, again and again."""
    rng = np.random.default_rng(4)
    said = 0
    for _ in range(100):
        p99 = [
            np.quantile(0.5 * rng.standard_normal((5, 2000)) + e, 0.99)
            for e in (0.05 * rng.standard_normal((2, 5, 1)))
        ]
        said += abs(p99[1] - p99[0]) > np.log(1.05)
    assert said >= 10


@pytest.mark.parametrize(
    ("a", "b", "level", "ends"),
    [
        ([1, 2, 3, 4], [2, 4, 6, 8], 0.95, (-1.364167215486, 6.364167215486)),
        ([1, 2, 3, 4], [2, 4, 6, 8], LEVEL, (-4.053599117197, 9.053599117197)),
        ([1, 1.2, 0.9, 1.1, 1.05], [1.3, 1.5, 1.1, 1.45, 1.2, 1.4], 0.95,
         (0.092834772652, 0.457165227348)),
        ([0, 0.1], [5, 5.3, 4.9], LEVEL, (4.059158948704, 5.974174384629)),
    ],
)  # fmt: skip
def test_welch_is_scipys(
    a: list[float], b: list[float], level: float, ends: tuple[float, float]
) -> None:
    """``ttest_ind(b, a, equal_var=False).confidence_interval(level)`` of scipy 1.17.1."""
    found = welch(np.array(a, float), np.array(b, float), level)
    assert (found.low, found.high) == pytest.approx(ends, abs=1e-5)


@pytest.mark.parametrize(
    ("p", "freedom", "t"),
    [(0.975, 4, 2.776445105), (0.99583333, 8, 3.478878645), (0.995, 2.3, 8.003745267)],
)
def test_t_quantiles_are_scipys(p: float, freedom: float, t: float) -> None:
    assert t_quantile(p, freedom) == pytest.approx(t, rel=1e-6)


BENCHSTAT = [
    (
        [13552735, 13553943, 13606356, 13683198],
        [11773189, 11942588, 11786159, 11628583, 11815924],
        -0.1331,
    ),
    (
        [32395067, 32334214, 31992891, 31735022],
        [32036529, 32156552, 31288355, 31559706, 31765634],
        None,
    ),
]
"""GobEncode and JSONEncode of the example in benchstat's documentation, ns/op before and after, and
the change it prints; None for its ``~``, no significant one at 5 %."""


@pytest.mark.parametrize(("before", "after", "change"), BENCHSTAT)
def test_benchstats_example_comes_out_alike(
    before: list[int], after: list[int], change: float | None
) -> None:
    """It compares means by Welch's test; ours is of logarithms, which differs little here."""
    found = welch(np.log(before), np.log(after), 0.95)
    if change is None:
        assert found.low < 0 < found.high
    else:
        assert found.high < 0
        assert np.expm1(found.value) == pytest.approx(change, abs=5e-4)


def test_welch_of_equal_spreads_and_sizes_is_students() -> None:
    """Closed form: the standard error is s √(2/n) and there are 2n − 2 degrees of freedom."""
    a, b = np.array([1.0, 2.0, 3.0]), np.array([5.0, 6.0, 7.0])
    found = welch(a, b)
    assert found.freedom == pytest.approx(4)
    assert found.high - found.value == pytest.approx(t_quantile(0.975, 4) * np.sqrt(2 / 3))


def test_pairs_take_out_what_both_have() -> None:
    rng = np.random.default_rng(5)
    drift = rng.standard_normal(8)
    found = paired(drift + 0.2 + 0.01 * rng.standard_normal(8) - drift)
    assert 0.18 < found.low < 0.2 < found.high < 0.22


def test_one_odd_run_does_not_move_the_robust_estimate() -> None:
    a = np.array([1.0, 1.1, 0.9, 1.0, 1.05])
    assert shift(a, a + 0.5) == pytest.approx(0.5)
    assert abs(shift(a, np.append(a[1:], 100.0))) < 0.15


def test_the_shift_function_is_the_difference_of_quantiles() -> None:
    a = np.arange(1, 1001, dtype=float)
    found = shift_function(a, 2 * a)
    assert [share for share, _, _ in found] == [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999]
    assert all(in_b == pytest.approx(2 * in_a) for _, in_a, in_b in found)
    assert [share for share, _, _ in shift_function(a[:50], a)] == [0.1, 0.25, 0.5, 0.75, 0.9, 0.95]
    assert shift_function(a[:0], a) == []


def test_superiority_counts_pairs() -> None:
    assert superiority(np.array([1.0, 2.0]), np.array([2.0, 3.0])) == pytest.approx(0.875)
    assert superiority(np.array([]), np.array([1.0])) is None


def test_the_block_bootstrap_of_two_runs_holds_a_true_ratio() -> None:
    from tuiapp.stats.bins import BINS, bin_index

    rng = np.random.default_rng(6)
    held = 0
    for seed in range(60):
        counts = []
        for factor in (1.0, 1.2):
            values = 1e7 * factor * np.exp(0.3 * rng.standard_normal((30, 40)))
            rows = np.zeros((30, BINS), np.int64)
            for row, some in zip(rows, values, strict=True):
                np.add.at(row, bin_index(some), 1)
            counts.append(rows)
        low, high = quantile_ratio_interval(*counts, 0.5, 0.95, seed) or (0, 0)
        held += low <= np.log(1.2) <= high
    assert held >= 50


def test_the_bootstrap_of_amounts_says_nothing_of_short_runs() -> None:
    assert sum_ratio_interval(np.ones(3), np.ones(30), 0.95) is None
    low, high = sum_ratio_interval(np.ones(20), 2 * np.ones(20), 0.95) or (0, 0)
    assert (low, high) == pytest.approx((np.log(2), np.log(2)))
