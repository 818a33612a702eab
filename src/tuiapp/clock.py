"""The only reader of clocks.

Stamps inside a session are integer nanoseconds on CLOCK_MONOTONIC since the session's origin.
Every process of one host shares that clock, so the engine child and the host agent subtract the
same origin. Wall time is read once, for the header.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


def monotonic_ns() -> int:
    """Nanoseconds on CLOCK_MONOTONIC."""
    return time.monotonic_ns()


def cpu_s() -> float:
    """CPU seconds (user and system) this process has used."""
    return time.process_time()


def wall_ns() -> int:
    """Nanoseconds since the Unix epoch."""
    return time.time_ns()


def sleep_s(seconds: float) -> None:
    """Block this thread for ``seconds``."""
    time.sleep(seconds)


def sleep_until_ns(deadline_ns: int) -> None:
    """Block this thread until CLOCK_MONOTONIC reads ``deadline_ns``; not at all when it has.

    The kernel sleeps to an absolute moment of the same clock, so being interrupted on the way to
    it makes nothing later than the interruption itself.
    """
    time.sleep(max(deadline_ns - time.monotonic_ns(), 0) / NS_PER_S)


def utc_from_ns(epoch_ns: int) -> datetime:
    """The UTC moment ``epoch_ns`` nanoseconds after the Unix epoch."""
    return datetime.fromtimestamp(epoch_ns / NS_PER_S, UTC)


def local_from_ns(epoch_ns: int) -> datetime:
    """The same moment in this machine's time zone."""
    return utc_from_ns(epoch_ns).astimezone()


class Clock:
    """Nanoseconds since a fixed origin on the monotonic clock.

    Args:
        origin_ns: CLOCK_MONOTONIC reading that counts as zero; now, when left out.
    """

    def __init__(self, origin_ns: int | None = None) -> None:
        self.origin_ns = monotonic_ns() if origin_ns is None else origin_ns

    def now_ns(self) -> int:
        return time.monotonic_ns() - self.origin_ns


class FakeClock(Clock):
    """A clock that moves only when told to; for tests and simulations."""

    def __init__(self, now_ns: int = 0) -> None:
        super().__init__(0)
        self._now_ns = now_ns

    def now_ns(self) -> int:
        return self._now_ns

    def advance(self, ns: int) -> None:
        self._now_ns += ns


class ReplayClock(Clock):
    """Recorded time: it plays at any speed, stands still, jumps, and goes round in a loop.

    Args:
        end_ns: tells the newest moment there is; it stops there.
        now_ns: where it stands at first.
        real_ns: the clock that drives it.
        waits: tells whether there may be more; then it waits at the end for what comes.
    """

    def __init__(
        self,
        end_ns: Callable[[], int],
        now_ns: int = 0,
        real_ns: Callable[[], int] = monotonic_ns,
        waits: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(0)
        self._end_ns = end_ns
        self._waits = waits
        self._real_ns = real_ns
        self._at_ns = now_ns
        self._since_ns = 0
        self._speed = 1.0
        self._loop: tuple[int, int] | None = None
        self._playing = False

    @property
    def playing(self) -> bool:
        """It moves, or waits for what comes; not so once it has come to the end."""
        self.now_ns()
        return self._playing

    @property
    def speed(self) -> float:
        """Recorded seconds a second."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self.seek(self.now_ns())
        self._speed = speed

    @property
    def loop(self) -> tuple[int, int] | None:
        """The stretch that is played again and again."""
        return self._loop

    @loop.setter
    def loop(self, span: tuple[int, int] | None) -> None:
        self.seek(self.now_ns() if span is None else span[0])
        self._loop = span

    def now_ns(self) -> int:
        if not self._playing:
            return self._at_ns
        at_ns = self._at_ns + int((self._real_ns() - self._since_ns) * self._speed)
        if self._loop is not None and at_ns >= self._loop[1]:
            start_ns, stop_ns = self._loop
            at_ns = start_ns + (at_ns - start_ns) % max(stop_ns - start_ns, 1)
            self.seek(at_ns)
        if at_ns >= self._end_ns():
            self.seek(self._end_ns())
            self._playing = self._waits()
            return self._at_ns
        return at_ns

    def seek(self, t_ns: int) -> None:
        """Jump; what plays goes on playing there."""
        self._at_ns = min(max(t_ns, 0), self._end_ns())
        self._since_ns = self._real_ns()
        if self._loop is not None and not self._loop[0] <= self._at_ns <= self._loop[1]:
            self._loop = None

    def play(self) -> None:
        """Go on; from the start when it stands at the end and nothing more is to come."""
        if self.playing:
            return
        again = self._at_ns >= self._end_ns() and not self._waits()
        self.seek(0 if again else self._at_ns)
        self._playing = True

    def pause(self) -> None:
        """Stand still."""
        self.seek(self.now_ns())
        self._playing = False
