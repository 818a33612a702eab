"""When the next request is due: absolute deadlines that nothing but a command can move.

The load is a stream of mean gaps: arrival i is due when the stream since the start reaches the sum
of ``plan.gap(0..i)``. At a constant rate that is ``deadline_i = deadline_{i-1} + gap_i / rate``,
whatever the engine or the driver does meanwhile.
"""

from __future__ import annotations

from typing import Protocol

from tuiapp.clock import NS_PER_S

_STEP_NS = 50_000_000
_NEVER_NS = 3600 * NS_PER_S


class Gaps(Protocol):
    """The part of a workload's plan that tells when requests arrive."""

    def gap(self, i: int) -> float:
        """Gap before request ``i``, in mean gaps."""
        ...

    def rate_at(self, elapsed_s: float, base_rate: float) -> float:
        """Requests a second, ``elapsed_s`` after the start."""
        ...


class LoadClock:
    """The session's clock without the times when the load was paused."""

    def __init__(self) -> None:
        self._pauses: list[tuple[int, int]] = []  # (load time, how long it stood)
        self._stood_ns = 0
        self._paused_ns: int | None = None

    @property
    def is_paused(self) -> bool:
        return self._paused_ns is not None

    def pause(self, now_ns: int) -> None:
        """Stand still from ``now_ns`` on."""
        if self._paused_ns is None:
            self._paused_ns = now_ns

    def resume(self, now_ns: int) -> None:
        """Go on."""
        if self._paused_ns is not None:
            stood_ns = now_ns - self._paused_ns
            self._pauses.append((self.at(now_ns), stood_ns))
            self._stood_ns += stood_ns
            self._paused_ns = None

    def at(self, now_ns: int) -> int:
        """The load's time at the session's time ``now_ns``, which is not before the last pause."""
        return (now_ns if self._paused_ns is None else self._paused_ns) - self._stood_ns

    def when(self, load_ns: int) -> int:
        """The session's time at the load's time ``load_ns``, if there is no further pause."""
        return load_ns + sum(stood for at, stood in self._pauses if at < load_ns)


class Schedule:
    """Deadlines of an open-loop load, in the load's time.

    Args:
        plan: the gaps and the shape of the rate.
        rate: requests a second; more than 0.
        start_ns: when the load begins.
        is_ramp: whether the rate changes with time by itself.
    """

    def __init__(self, plan: Gaps, rate: float, start_ns: int, *, is_ramp: bool = False) -> None:
        self._plan = plan
        self._is_ramp = is_ramp
        self._start_ns = start_ns
        self._from_ns = start_ns
        self._left = plan.gap(0)
        self.rate = rate
        self.index = 0
        self.due_ns = self._due()

    def advance(self) -> None:
        """Request ``index`` has been sent; the next one follows from its deadline."""
        self.index += 1
        self._from_ns = self.due_ns
        self._left = self._plan.gap(self.index)
        self.due_ns = self._due()

    def set_rate(self, rate: float, load_ns: int) -> None:
        """From ``load_ns`` on ``rate`` requests a second; deadlines that have passed stay."""
        pending = load_ns < self.due_ns
        if pending:
            self._use_up(load_ns)
        self.rate = rate
        if pending:
            self.due_ns = self._due()

    def rate_at(self, load_ns: int) -> float:
        """Requests a second offered at ``load_ns``."""
        return self._plan.rate_at(max(0, load_ns - self._start_ns) / NS_PER_S, self.rate)

    def _due(self) -> int:
        left, t_ns = self._left, self._from_ns
        last_ns = t_ns + _NEVER_NS
        while t_ns < last_ns:
            rate = self.rate_at(t_ns)
            if rate > 0 and (not self._is_ramp or left / rate * NS_PER_S <= _STEP_NS):
                return t_ns + round(left / rate * NS_PER_S)
            left -= rate * _STEP_NS / NS_PER_S
            t_ns += _STEP_NS
        return last_ns

    def _use_up(self, until_ns: int) -> None:
        """Take from the gap what has streamed by ``until_ns``, at the rates that held."""
        step_ns = _STEP_NS if self._is_ramp else until_ns - self._from_ns
        while self._from_ns < until_ns:
            span_ns = min(step_ns, until_ns - self._from_ns)
            self._left -= self.rate_at(self._from_ns) * span_ns / NS_PER_S
            self._from_ns += span_ns
        self._left = max(0.0, self._left)
