"""The interval of ITL's p99 on a screen: of a moment ago, computed once, always true."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.doubles.scenes import finished, serving
from tests.doubles.synthetic import NS
from tuiapp.session.columns import TICK_NS, Session
from tuiapp.session.gaps import GapCounts
from tuiapp.session.itl import itl_blocks, itl_interval
from tuiapp.session.view import View
from tuiapp.stats.blocks import block_interval
from tuiapp.stats.summary import TOO_SHORT


@pytest.fixture(scope="module")
def session() -> Session:
    return serving(65.0).session


@pytest.mark.parametrize("window_ns", [60 * NS, None])
def test_it_ends_on_the_last_ten_seconds(session: Session, window_ns: int | None) -> None:
    found = View(session, int(64.3 * NS), window_ns).itl_interval(window_ns)
    assert found.until_ns == 60 * NS - 1
    start_ns = View(session, 65 * NS).run_start_ns
    assert found.ends_ns == block_interval(itl_blocks(session, start_ns, 60 * NS - 1), 0.99)
    assert found.ends_ns is not None


def test_it_is_computed_once_for_all_who_look_within_ten_seconds() -> None:
    session = serving(65.0).session
    first = View(session, int(61.0 * NS)).itl_interval(None)
    later = View(session, int(64.5 * NS), 60 * NS).itl_interval(None)
    assert first.ends_ns is later.ends_ns


def test_a_gap_that_comes_late_counts() -> None:
    session, start_ns = serving(65.0).session, 5 * NS
    before = itl_interval(session, start_ns, 65 * NS, None)
    rng = np.random.default_rng(1)
    late_ns = rng.integers(5 * NS, 60 * NS, 2_000)
    session.gaps.append(late_ns // TICK_NS, rng.integers(100_000_000, 200_000_000, 2_000))
    after = itl_interval(session, start_ns, 65 * NS, None)
    assert before.ends_ns is not None
    assert after.ends_ns is not None
    assert after.ends_ns[0] > before.ends_ns[1]


def test_a_finished_run_shows_the_interval_of_its_summary() -> None:
    view = View(finished().session, finished().session.end_ns)
    found = view.itl_interval(None)
    assert found.until_ns == view.cursor_ns
    assert found.ends_ns == view.final("itl").summary.p99_ci
    assert found.ends_ns is not None


@pytest.mark.parametrize(
    ("cursor_s", "window_s"), [(4.0, None), (8.0, 60), (14.0, None), (65.0, 10)]
)
def test_too_short_a_time_says_so(session: Session, cursor_s: float, window_s: int | None) -> None:
    window_ns = None if window_s is None else window_s * NS
    found = View(session, int(cursor_s * NS), window_ns).itl_interval(window_ns)
    assert found.ends_ns is None
    assert found.caveats[0].startswith(("too few", TOO_SHORT))


@pytest.mark.parametrize("cursor_s", [61.0, 599.0, 1_500.0, 3_700.0, 80_000.0])
def test_long_runs_look_less_often_but_lag_little(cursor_s: float) -> None:
    cursor_ns = int(cursor_s * NS)
    found = itl_interval(Session(), -1, cursor_ns, None)
    assert 0 <= cursor_ns - found.until_ns <= max(cursor_ns / 30, 10 * NS)
    window = itl_interval(Session(), -1, cursor_ns, 60 * NS)
    assert 0 <= cursor_ns - window.until_ns <= 10 * NS


def counting() -> tuple[list[int], Callable[[], int]]:
    calls: list[int] = []

    def compute() -> int:
        calls.append(1)
        return len(calls)

    return calls, compute


def test_only_a_change_within_the_ticks_is_asked_about_again() -> None:
    gaps, (calls, compute) = GapCounts(), counting()
    assert [gaps.remembered(0, 40, compute) for _ in range(3)] == [1, 1, 1]
    gaps.append(np.array([40, 41]), np.array([5_000_000, 5_000_000]))
    assert gaps.remembered(0, 40, compute) == 1
    gaps.append(np.array([44, 39]), np.array([5_000_000, 5_000_000]))
    assert gaps.remembered(0, 40, compute) == 2
    for end in range(100, 140):
        gaps.remembered(0, end, compute)
    assert gaps.remembered(0, 40, compute) == len(calls) == 43
