"""How late the driver itself was: a starved client measures itself, not the engine."""

from __future__ import annotations

import json
import math
from collections import deque

from tuiapp import clock
from tuiapp.clock import NS_PER_S
from tuiapp.events import CLIENT_LIMITED, LAG_BOUNDS_S, Frame, facts_frame

LOOP_LAG_BOUND_S = LAG_BOUNDS_S["loop_lag_s"]
SCHEDULE_LAG_BOUND_S = LAG_BOUNDS_S["schedule_lag_s"]
WINDOW_NS = 10 * NS_PER_S

_QUANTILE = 0.99


class Lags:
    """Lags over the last ten seconds, and their maximum since last asked."""

    def __init__(self) -> None:
        self._kept: deque[tuple[int, float]] = deque()
        self._max_s = math.nan

    def add(self, t_ns: int, lag_s: float) -> None:
        self._kept.append((t_ns, lag_s))
        self._max_s = lag_s if math.isnan(self._max_s) else max(self._max_s, lag_s)

    def take_max(self) -> float:
        """The largest lag since the last call, in seconds; NaN when there was none."""
        taken, self._max_s = self._max_s, math.nan
        return taken

    def forget(self) -> None:
        """Leave out everything so far."""
        self._kept.clear()
        self._max_s = math.nan

    def p99(self, now_ns: int) -> float:
        """99th percentile of the window (nearest rank), in seconds; NaN if empty.

        A single late one is left out while there are fewer than a hundred: it is no percentile.
        """
        while self._kept and self._kept[0][0] < now_ns - WINDOW_NS:
            self._kept.popleft()
        ordered = sorted(lag for _, lag in self._kept)
        if not ordered:
            return math.nan
        return ordered[max(0, min(len(ordered) - 2, math.ceil(_QUANTILE * len(ordered)) - 1))]


class LagMeter:
    """Watches the event loop and the schedule, and says when the client limits the result."""

    def __init__(self, now: clock.Clock) -> None:
        self._clock = now
        self.loop = Lags()
        self.schedule = Lags()
        self._measuring = False
        self._from_ns = 0
        self._limited = False

    def woke(self, due_ns: int) -> None:
        """The event loop runs now what was due at ``due_ns``."""
        now_ns = self._clock.now_ns()
        if due_ns >= self._from_ns:
            self.loop.add(now_ns, max(0, now_ns - due_ns) / NS_PER_S)

    def sent(self, t_sched_ns: int, t_sent_ns: int) -> None:
        """A request that was due at ``t_sched_ns`` went out at ``t_sent_ns``."""
        self.schedule.add(t_sent_ns, (t_sent_ns - t_sched_ns) / NS_PER_S)

    def restart(self) -> None:
        """The measured window begins: what was before does not count."""
        self._measuring = True
        self._from_ns = self._clock.now_ns()
        self.loop.forget()
        self.schedule.forget()

    def verdict(self) -> list[Frame]:
        """A CLIENT_LIMITED fact whenever the driver becomes too late, or is so no more."""
        if not self._measuring:
            return []
        now_ns = self._clock.now_ns()
        loop_s, schedule_s = self.loop.p99(now_ns), self.schedule.p99(now_ns)
        was, self._limited = (
            self._limited,
            (loop_s > LOOP_LAG_BOUND_S or schedule_s > SCHEDULE_LAG_BOUND_S),
        )
        if was == self._limited:
            return []
        lags = {"loop_lag_p99_s": _known(loop_s), "schedule_lag_p99_s": _known(schedule_s)}
        value = {"limited": self._limited, **lags}
        return [facts_frame(now_ns, CLIENT_LIMITED, json.dumps(value))]


def _known(seconds: float) -> float | None:
    return None if math.isnan(seconds) else seconds
