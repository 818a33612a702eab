"""Coincidence: exact on small cases, fair on chance, and sharp on what was planted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuiapp.stats.coincidence import NO_REQUESTS, NO_STALLS, coincidence

S = 10**9
SPAN = (0, 600 * S)
Train = tuple[np.ndarray, np.ndarray]
NOTHING: Train = (np.empty(0, np.int64), np.empty(0, np.int64))


def train(*pairs: tuple[int, int]) -> Train:
    starts, ends = zip(*pairs, strict=True)
    return np.array(starts), np.array(ends)


def made_up(rng: np.random.Generator, count: int, length_ns: float) -> Train:
    starts = rng.integers(*SPAN, count)
    return starts, starts + rng.exponential(length_ns, count).astype(np.int64)


def test_touching_is_overlapping() -> None:
    requests = train((0, 10), (11, 19), (31, 40), (50, 60))
    found = coincidence(requests, train((10, 11), (20, 30), (60, 70)), (0, 100), shifts=9)
    assert (found.n, found.stalls) == (4, 3)
    assert found.share == 0.75


def test_chance_is_the_share_of_shifts_that_meet() -> None:
    """A stall of 10 and a request of 20 in 100: they meet at 30 of 100 shifts."""
    found = coincidence(train((0, 20)), train((50, 60)), (0, 100))
    assert found.share == 0.0
    assert found.by_chance == pytest.approx(0.3)
    assert found.p_value == 1.0
    assert found.caveats == ("only 1 slow request",)


def test_a_request_longer_than_every_gap_always_meets() -> None:
    found = coincidence(train((0, 60)), train((10, 12), (60, 62)), (0, 100))
    assert found.by_chance == pytest.approx(1.0)


INTERVALS = st.lists(st.tuples(st.integers(-20, 220), st.integers(0, 60)), min_size=1, max_size=12)


@settings(max_examples=200, deadline=None)
@given(INTERVALS, INTERVALS)
def test_as_slow_counting_finds(
    requests: list[tuple[int, int]], stalls: list[tuple[int, int]]
) -> None:
    """Against a count over every whole shift of a small circle, in plain Python."""
    span = 200
    req, stall = ([(at, at + length) for at, length in given] for given in (requests, stalls))
    found = coincidence(train(*req), train(*stall), (0, span), shifts=0)
    inside_req, inside_stall = (
        [(max(a, 0), min(b, span)) for a, b in pairs if b >= 0 and a <= span]
        for pairs in (req, stall)
    )
    assert found.n == len(inside_req)
    if not inside_req or not inside_stall:
        assert found.share is None
        return
    hits = [any(a <= d and c <= b for c, d in inside_stall) for a, b in inside_req]
    assert found.share == pytest.approx(np.mean(hits))
    # Half-way between whole numbers, no interval begins or ends: overlap is overlap in time.
    moved = [
        any(
            a + 0.5 + shift <= d + turn * span and c + turn * span <= b + 0.5 + shift
            for c, d in inside_stall
            for turn in range(3)
        )
        for a, b in inside_req
        for shift in range(span)
    ]
    assert found.by_chance == pytest.approx(np.mean(moved), abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(50, 400), st.integers(5, 200))
def test_independent_trains_meet_as_often_as_by_chance(seed: int, n: int, stalls: int) -> None:
    rng = np.random.default_rng(seed)
    found = coincidence(made_up(rng, n, 0.2 * S), made_up(rng, stalls, 0.05 * S), SPAN, shifts=0)
    assert found.share is not None
    assert found.by_chance is not None
    spread = np.sqrt(found.by_chance * (1 - found.by_chance) * (1 / n + 1 / stalls))
    assert abs(found.share - found.by_chance) < 6 * spread + 6 / min(n, stalls)


def test_p_values_of_independent_trains_are_even() -> None:
    """At a level of 10 % it errs in about 10 %, clustered as both trains are."""
    low = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        starts, ends = made_up(rng, 40, 0.3 * S)
        requests = np.concatenate((starts, starts + S)), np.concatenate((ends, ends + S))
        first, last = made_up(rng, 60, 0.1 * S)
        stalls = np.concatenate((first, first + S // 5)), np.concatenate((last, last + S // 5))
        found = coincidence(requests, stalls, SPAN, shifts=99)
        assert found.p_value is not None
        low += found.p_value <= 0.1
    assert 7 <= low <= 35  # 20 expected, ± 3 standard deviations


@pytest.mark.parametrize("seed", range(5))
def test_what_was_planted_is_found(seed: int) -> None:
    """Half of the slow requests were held up by a stall."""
    rng = np.random.default_rng(seed)
    stalls = made_up(rng, 60, 0.05 * S)
    held = stalls[0][:50] - rng.integers(0, S // 10, 50)
    alone, alone_ends = made_up(rng, 50, 0.2 * S)
    requests = np.append(held, alone), np.append(stalls[1][:50] + S // 100, alone_ends)
    found = coincidence(requests, stalls, SPAN)
    assert found.share is not None
    assert found.by_chance is not None
    assert found.share >= 0.5
    assert found.by_chance < 0.1
    assert found.p_value == 0.001
    assert found == coincidence(requests, stalls, SPAN)  # the seed is fixed


@pytest.mark.parametrize(
    ("requests", "stalls", "caveat"),
    [
        (NOTHING, train((1, 2)), NO_REQUESTS),
        (train((1, 2)), NOTHING, NO_STALLS),
        (train((1, 2)), train((101, 102)), NO_STALLS),
        (train((-5, -1)), train((1, 2)), NO_REQUESTS),
    ],
)
def test_without_one_of_them_there_is_no_share(requests: Train, stalls: Train, caveat: str) -> None:
    found = coincidence(requests, stalls, (0, 100))
    assert (found.share, found.by_chance, found.p_value) == (None, None, None)
    assert found.caveats == (caveat,)


def test_a_million_requests() -> None:
    rng = np.random.default_rng(1)
    found = coincidence(made_up(rng, 1_000_000, 0.2 * S), made_up(rng, 10_000, 0.005 * S), SPAN)
    assert found.n == 1_000_000
    assert found.share == pytest.approx(found.by_chance, abs=0.05)
    assert found.p_value is not None
