"""How late a sleeping process wakes up: a sleep of 1 ms, in the ordinary and the real-time class.

The kernel lets an ordinary thread oversleep by its timer slack, 50 µs by default (prctl(2),
PR_SET_TIMERSLACK); a real-time one has none.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import ClassVar

from tuiapp.clock import monotonic_ns, sleep_s
from tuiapp.machine.apart import call_apart
from tuiapp.priority import come_first
from tuiapp.tax.ranks import apart, rank, times_text
from tuiapp.tax.report import Result

_SLEEP_S, _COUNT = 0.001, 700
_LIMIT_S = 10.0
_PR_GET_TIMERSLACK = 30


@dataclass(frozen=True, slots=True)
class Wakeup(Result):
    """Time beyond the 1 ms that was asked for.

    Attributes:
        wakeup_p50_s, wakeup_p99_s, wakeup_p999_s: of an ordinary process.
        realtime_wakeup_p50_s, realtime_wakeup_p99_s: in SCHED_FIFO; None where not permitted.
        timer_slack_s: of the ordinary process, within its numbers.
    """

    NOISE_OF: ClassVar[str] = "wakeup_p50"
    wakeup_p50_s: float
    wakeup_p99_s: float
    wakeup_p999_s: float
    realtime_wakeup_p50_s: float | None
    realtime_wakeup_p99_s: float | None
    timer_slack_s: float | None

    def lines(self) -> list[str]:
        times = (self.wakeup_p50_s, self.wakeup_p99_s, self.wakeup_p999_s)
        first = (self.realtime_wakeup_p50_s, self.realtime_wakeup_p99_s)
        rest = (time or 0.0 for time in (self.timer_slack_s, *first))
        p50, p99, p999, slack, *realtime = times_text(*times, *rest)
        of_it = "" if self.timer_slack_s is None else f"; {slack} of it may be timer slack"
        lines = [f"waking up late from 1 ms: p50 {p50}, p99 {p99}, p99.9 {p999}{of_it}"]
        if None in first:
            return [*lines, "  in the real-time class: not permitted"]
        return [*lines, f"  in the real-time class: p50 {realtime[0]}, p99 {realtime[1]}"]


def probe(count: int = _COUNT) -> Wakeup:
    """Sleep so many times in each class, in a process of its own."""
    late, realtime, slack_s = call_apart("tuiapp.tax.wakeups:measure", count, limit_s=_LIMIT_S)
    p50, p99, p999 = (rank(late, q) for q in (0.5, 0.99, 0.999))
    first, last = (rank(realtime, q) if realtime else None for q in (0.5, 0.99))
    return Wakeup(apart(late), p50, p99, p999, first, last, slack_s)


def measure(count: int) -> tuple[list[float], list[float], float | None]:
    """(overshoots, overshoots in the real-time class or none, timer slack), seconds."""
    slack_ns = ctypes.CDLL(None).prctl(_PR_GET_TIMERSLACK, 0, 0, 0, 0)
    late = _overshoots(count)
    realtime = _overshoots(count) if come_first() else []
    return late, realtime, slack_ns / 1e9 if slack_ns > 0 else None


def _overshoots(count: int) -> list[float]:
    found = []
    for _ in range(count):
        before = monotonic_ns()
        sleep_s(_SLEEP_S)
        found.append(max((monotonic_ns() - before) / 1e9 - _SLEEP_S, 0.0))
    return found
