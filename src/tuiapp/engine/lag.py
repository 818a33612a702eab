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

RELEASE = 0.8
"""A driver that was late is so until both lags are below this share of their bounds: near a bound
it would otherwise be late and in time by turns."""

_QUANTILE = 0.99
_LEAST_S, _GROWTH = 1e-6, 1.02
_BINS = 1024


class Lags:
    """Lags over the last ten seconds, their maximum since last asked, and all of them in bins."""

    def __init__(self) -> None:
        self._kept: deque[tuple[int, float]] = deque()
        self._max_s = math.nan
        self._bins = [0] * _BINS

    def add(self, t_ns: int, lag_s: float) -> None:
        self._kept.append((t_ns, lag_s))
        self._max_s = lag_s if math.isnan(self._max_s) else max(self._max_s, lag_s)
        steps = math.log(max(lag_s, _LEAST_S) / _LEAST_S, _GROWTH)
        self._bins[min(math.ceil(steps), _BINS - 1)] += 1

    def take_max(self) -> float:
        """The largest lag since the last call, in seconds; NaN when there was none."""
        taken, self._max_s = self._max_s, math.nan
        return taken

    def forget(self) -> None:
        """Leave out everything so far."""
        self._kept.clear()
        self._max_s = math.nan
        self._bins = [0] * _BINS

    def p99_so_far(self) -> float:
        """99th percentile of all that was added, in seconds, at most 2 % too high; NaN if empty."""
        count = sum(self._bins)
        if not count:
            return math.nan
        at, rank = 0, _rank(count)
        while (rank := rank - self._bins[at]) >= 0:
            at += 1
        return _LEAST_S * _GROWTH**at

    def p99(self, now_ns: int) -> float:
        """99th percentile of the window (nearest rank), in seconds; NaN if empty.

        A single late one is left out while there are fewer than a hundred: it is no percentile.
        """
        while self._kept and self._kept[0][0] < now_ns - WINDOW_NS:
            self._kept.popleft()
        ordered = sorted(lag for _, lag in self._kept)
        if not ordered:
            return math.nan
        return ordered[_rank(len(ordered))]


class LagMeter:
    """Watches the event loop and the schedule, and says when the client limits the result."""

    def __init__(self, now: clock.Clock) -> None:
        self._clock = now
        self.loop = Lags()
        self.schedule = Lags()
        self._measuring = False
        self._from_ns = 0
        self._limited = False
        self._since_ns = 0

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

    def gauges(self) -> dict[str, float]:
        """Seconds: the largest lags since last asked, and their p99, since the load began and over
        the last ten seconds."""
        now_ns = self._clock.now_ns()
        found: dict[str, float] = {}
        for name, lags in (("loop_lag", self.loop), ("schedule_lag", self.schedule)):
            found[f"{name}_s"] = lags.take_max()
            found[f"{name}_p99_s"] = lags.p99_so_far()
            found[f"{name}_10s_p99_s"] = lags.p99(now_ns)
        return found

    def verdict(self) -> list[Frame]:
        """A CLIENT_LIMITED fact whenever the driver becomes too late, or is so no more."""
        if not self._measuring:
            return []
        now_ns = self._clock.now_ns()
        loop_s, schedule_s = self.loop.p99(now_ns), self.schedule.p99(now_ns)
        was, just = self._limited, now_ns - self._since_ns < WINDOW_NS
        bound = RELEASE if was else 1.0
        late = loop_s > bound * LOOP_LAG_BOUND_S or schedule_s > bound * SCHEDULE_LAG_BOUND_S
        self._limited = late or (was and just)
        if was == self._limited:
            return []
        self._since_ns = now_ns
        lags = {"loop_lag_p99_s": _known(loop_s), "schedule_lag_p99_s": _known(schedule_s)}
        value = {"limited": self._limited, **lags}
        return [facts_frame(now_ns, CLIENT_LIMITED, json.dumps(value))]


def _rank(count: int) -> int:
    """Of the 99th percentile among ``count`` sorted lags."""
    return max(0, min(count - 2, math.ceil(_QUANTILE * count) - 1))


def _known(seconds: float) -> float | None:
    return None if math.isnan(seconds) else seconds
