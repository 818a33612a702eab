"""Deadlines: exact, absolute, and moved by nothing but a command."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuiapp.engine.schedule import LoadClock, Schedule

S = 1_000_000_000


class Gaps:
    """A plan of given gaps; the rate grows by ``slope`` a second."""

    def __init__(self, *gaps: float, slope: float = 0.0) -> None:
        self.gaps = gaps
        self.slope = slope

    def gap(self, i: int) -> float:
        return self.gaps[i % len(self.gaps)]

    def rate_at(self, elapsed_s: float, base_rate: float) -> float:
        return base_rate + self.slope * elapsed_s


def take(schedule: Schedule, count: int) -> list[int]:
    due = []
    for _ in range(count):
        due.append(schedule.due_ns)
        schedule.advance()
    return due


def test_each_deadline_follows_from_the_one_before():
    schedule = Schedule(Gaps(0.5, 2.0, 1.0), rate=4.0, start_ns=10 * S)
    assert take(schedule, 4) == [10_125_000_000, 10_625_000_000, 10_875_000_000, 11_000_000_000]


def test_a_new_rate_stretches_only_what_is_left_of_the_gap():
    schedule = Schedule(Gaps(1.0), rate=1.0, start_ns=0)
    schedule.set_rate(2.0, load_ns=S // 2)  # half the gap has passed
    assert schedule.due_ns == S // 2 + S // 4
    schedule.set_rate(0.5, load_ns=S // 2)
    assert schedule.due_ns == S // 2 + S


def test_a_new_rate_leaves_overdue_deadlines_alone():
    schedule = Schedule(Gaps(1.0), rate=1.0, start_ns=0)
    schedule.set_rate(10.0, load_ns=5 * S)
    assert take(schedule, 3) == [S, S + S // 10, S + 2 * S // 10]


def test_a_ramp_speeds_up_at_its_slope():
    schedule = Schedule(Gaps(1.0, slope=2.0), rate=1.0, start_ns=0, is_ramp=True)
    due = take(schedule, 200)
    # The stream by t is t + t²; its 200th unit comes at t = (-1 + sqrt(801)) / 2.
    assert due[-1] / S == pytest.approx(13.651, abs=0.05)
    assert due == sorted(due)


def test_a_rate_change_in_a_ramp_does_not_lose_a_request():
    steady = Schedule(Gaps(3.0, slope=0.5), rate=1.0, start_ns=0, is_ramp=True)
    touched = Schedule(Gaps(3.0, slope=0.5), rate=1.0, start_ns=0, is_ramp=True)
    touched.set_rate(1.0, load_ns=700_000_000)
    assert touched.due_ns == pytest.approx(steady.due_ns, abs=2_000_000)


def test_a_rate_of_zero_comes_to_an_end():
    schedule = Schedule(Gaps(1.0, slope=-1.0), rate=0.5, start_ns=0, is_ramp=True)
    assert schedule.due_ns > 1000 * S


def test_pauses_shift_what_was_not_yet_due():
    clock = LoadClock()
    clock.pause(5 * S)
    assert clock.is_paused
    assert clock.at(9 * S) == 5 * S
    clock.resume(8 * S)
    assert clock.at(9 * S) == 6 * S
    assert clock.when(4 * S) == 4 * S
    assert clock.when(5 * S) == 5 * S
    assert clock.when(5 * S + 1) == 8 * S + 1


def test_pausing_twice_is_pausing_once():
    clock = LoadClock()
    clock.resume(1)
    clock.pause(2 * S)
    clock.pause(3 * S)
    clock.resume(4 * S)
    clock.resume(5 * S)
    assert clock.at(6 * S) == 4 * S


@given(
    st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 10**9)), min_size=1, max_size=20),
    st.integers(1, 10**9),
)
def test_the_load_clock_goes_there_and_back(pauses: list[tuple[int, int]], ahead: int):
    clock, now = LoadClock(), 0
    for run, stand in pauses:
        now += run
        clock.pause(now)
        now += stand
        clock.resume(now)
    load = clock.at(now) + ahead
    assert clock.at(clock.when(load)) == load
