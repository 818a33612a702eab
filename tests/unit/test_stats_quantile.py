"""Quantiles and their exact interval."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tuiapp.stats.quantile import interval, interval_ranks, quantiles, samples_needed

QS = (0.0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0)


@pytest.mark.parametrize("n", [1, 2, 3, 20, 21, 101, 999])
def test_equal_to_numpy_on_finite_values(n: int) -> None:
    values = np.random.default_rng(n).lognormal(3, 1, n)
    np.testing.assert_allclose(quantiles(values, QS), np.quantile(values, QS), rtol=1e-12)


@pytest.mark.parametrize(
    ("values", "q", "expected"),
    [
        ([1, 2, math.inf], 0.5, 2),
        ([1, 2, math.inf], 0.75, math.inf),
        ([math.inf, math.inf], 0.5, math.inf),
        ([math.inf, 1, math.inf], 0.0, 1),
        ([*range(20), math.inf], 0.95, 19),
        ([*range(100), math.inf], 0.99, 99),
        # 0.07 · 100 is 7.000000000000001 in floating point: rank 7 alone decides all the same.
        ([*range(8), *[math.inf] * 93], 0.07, 7),
    ],
)
def test_infinite_values(values: list[float], q: float, expected: float) -> None:
    assert quantiles(np.array(values, float), (q,))[0] == expected


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        quantiles(np.array([]), (0.5,))
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantiles(np.array([1.0]), (1.5,))


def test_the_values_are_left_as_they_were() -> None:
    values = np.array([3.0, 1.0, 2.0])
    quantiles(values, (0.5,))
    assert values.tolist() == [3.0, 1.0, 2.0]


def brute_force_ranks(n: int, q: float, level: float) -> tuple[int, int] | None:
    p = [math.comb(n, k) * q**k * (1 - q) ** (n - k) for k in range(n + 1)]
    tail = (1 - level) / 2
    lower = max((rank for rank in range(1, n + 1) if sum(p[:rank]) <= tail), default=None)
    upper = min((rank for rank in range(1, n + 1) if sum(p[rank:]) <= tail), default=None)
    return None if lower is None or upper is None else (lower, upper)


@pytest.mark.parametrize("q", [0.05, 0.5, 0.9, 0.95])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_ranks_equal_brute_force(q: float, level: float) -> None:
    for n in (1, 2, 5, 6, 9, 35, 36, 72, 73, 120):
        assert interval_ranks(n, q, level) == brute_force_ranks(n, q, level), n


@pytest.mark.parametrize(
    ("n", "q", "expected"),
    [
        (2_000, 0.99, (1971, 1989)),
        (367, 0.99, None),
        (368, 0.99, (360, 368)),
        (3_687, 0.999, None),
        (5, 0.5, None),
        (6, 0.5, (1, 6)),
    ],
)
def test_known_ranks(n: int, q: float, expected: tuple[int, int] | None) -> None:
    assert interval_ranks(n, q) == expected


@pytest.mark.parametrize("q", [0.5, 0.99])
def test_ranks_of_ten_million_agree_with_the_normal_approximation(q: float) -> None:
    n = 10_000_000
    ranks = interval_ranks(n, q)
    assert ranks is not None
    half = 1.959964 * math.sqrt(n * q * (1 - q))
    assert ranks[0] == pytest.approx(n * q - half, abs=3)
    assert ranks[1] == pytest.approx(n * q + half, abs=3)


@pytest.mark.parametrize(("q", "needed"), [(0.5, 6), (0.99, 368), (0.01, 368), (0.999, 3_688)])
def test_samples_needed_is_where_an_interval_begins_to_exist(q: float, needed: int) -> None:
    assert samples_needed(q) == needed
    assert interval_ranks(needed, q) is not None
    assert interval_ranks(needed - 1, q) is None


def test_the_interval_are_those_order_statistics() -> None:
    values = np.arange(1.0, 2_001.0)
    assert interval(values, 0.99) == (1971.0, 1989.0)
    assert interval(values[:300], 0.99) is None


def test_failures_open_the_interval_upwards() -> None:
    values = np.concatenate((np.arange(1.0, 1_986.0), np.full(15, np.inf)))
    assert interval(values, 0.99) == (1971.0, math.inf)


@pytest.mark.parametrize("n", [400, 2_000])
def test_coverage_of_p99_is_at_least_what_it_says(n: int) -> None:
    rng = np.random.default_rng(7)
    truth = math.exp(0.5 * 2.3263478740408408)
    lower, upper = (rank - 1 for rank in interval_ranks(n, 0.99) or (0, 0))
    runs = np.sort(rng.lognormal(0, 0.5, (1_500, n)), axis=1)
    covered = np.mean((runs[:, lower] <= truth) & (truth <= runs[:, upper]))
    assert 0.94 <= covered <= 0.99
