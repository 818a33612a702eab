"""Recorded time: played, stopped, moved, looped; driven by a clock of the test's own."""

from __future__ import annotations

import pytest

from tuiapp.clock import ReplayClock

S = 1_000_000_000


class Real:
    """What the wall says."""

    def __init__(self) -> None:
        self.ns = 12_345

    def __call__(self) -> int:
        return self.ns

    def pass_s(self, seconds: float) -> None:
        self.ns += round(seconds * S)


@pytest.fixture
def real() -> Real:
    return Real()


@pytest.fixture
def clock(real: Real) -> ReplayClock:
    return ReplayClock(lambda: 100 * S, 10 * S, real)


def test_it_stands_until_it_plays(clock: ReplayClock, real: Real) -> None:
    real.pass_s(5)
    assert clock.now_ns() == 10 * S
    clock.play()
    real.pass_s(5)
    assert clock.now_ns() == 15 * S
    clock.pause()
    real.pass_s(5)
    assert clock.now_ns() == 15 * S
    assert not clock.playing


@pytest.mark.parametrize("speed", [0.25, 4.0, 64.0])
def test_speed_changes_what_comes_and_not_where_it_is(
    clock: ReplayClock, real: Real, speed: float
) -> None:
    clock.play()
    real.pass_s(2)
    clock.speed = speed
    assert clock.now_ns() == 12 * S
    real.pass_s(1)
    assert clock.now_ns() == round((12 + speed) * S)


def test_a_jump_keeps_playing_and_stays_inside(clock: ReplayClock, real: Real) -> None:
    clock.play()
    clock.seek(50 * S)
    real.pass_s(1)
    assert clock.now_ns() == 51 * S
    clock.seek(-5 * S)
    assert clock.now_ns() == 0
    clock.seek(1000 * S)
    assert clock.now_ns() == 100 * S


def test_it_stops_at_the_end_and_begins_again(clock: ReplayClock, real: Real) -> None:
    clock.play()
    real.pass_s(1000)
    assert clock.now_ns() == 100 * S
    assert not clock.playing
    clock.play()
    real.pass_s(1)
    assert clock.now_ns() == 1 * S


def test_a_loop_goes_round_until_one_leaves_it(clock: ReplayClock, real: Real) -> None:
    clock.loop = (20 * S, 24 * S)
    clock.play()
    real.pass_s(9)
    assert clock.now_ns() == 21 * S
    real.pass_s(4)
    assert clock.now_ns() == 21 * S
    clock.seek(60 * S)
    assert clock.loop is None
    real.pass_s(1)
    assert clock.now_ns() == 61 * S


def test_a_session_that_is_still_read_grows(real: Real) -> None:
    end = [10 * S]
    clock = ReplayClock(lambda: end[0], 0, real)
    clock.play()
    real.pass_s(20)
    end[0] = 30 * S
    assert clock.now_ns() == 20 * S


def test_at_the_end_of_what_still_grows_it_waits(real: Real) -> None:
    end, more = [20 * S], [True]
    clock = ReplayClock(lambda: end[0], 20 * S, real, waits=lambda: more[0])
    clock.play()
    real.pass_s(30)
    assert (clock.now_ns(), clock.playing) == (20 * S, True)
    end[0] = 22 * S
    real.pass_s(0.5)
    assert clock.now_ns() == 20.5 * S, "not at once, and not later than it was recorded"
    real.pass_s(5)
    assert (clock.now_ns(), clock.playing) == (22 * S, True)
    clock.pause()
    clock.play()
    assert (clock.now_ns(), clock.playing) == (22 * S, True)
    more[0] = False
    real.pass_s(1)
    assert (clock.now_ns(), clock.playing) == (22 * S, False)
