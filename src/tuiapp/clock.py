"""The only reader of clocks.

Stamps inside a session are integer nanoseconds on CLOCK_MONOTONIC since the session's origin.
Every process of one host shares that clock, so the engine child and the host agent subtract the
same origin. Wall time is read once, for the header.
"""

from __future__ import annotations

import time
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
