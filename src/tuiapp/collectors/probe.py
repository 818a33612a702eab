"""Runs a collector for good: opens it, samples it, and opens it again after it failed."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tuiapp.clock import NS_PER_S, Clock
from tuiapp.collectors import collector_class
from tuiapp.collectors.base import RARELY, Collector, Gauges, Host, Row
from tuiapp.errors import Unavailable
from tuiapp.events import DRIVER_SILENT

NO_THREAD = "no thread could be started"
"""Why a collector that may hang is not run: it would take us with it."""
HANGS_AFTER_NS = 5 * NS_PER_S
_FIRST_WAIT_NS = NS_PER_S
_LONGEST_WAIT_NS = 60 * NS_PER_S


@dataclass(slots=True)
class Turn:
    """What one turn of a collector gave.

    Attributes:
        t_ns: when its samples were taken.
        samples: gauges by group.
        rows: rows by group that have moments of their own, nanoseconds since the origin.
        facts: what holds for the whole run.
        reasons: (probe or field, why it is unknown); an empty reason takes the one before back.
    """

    t_ns: int
    samples: dict[str, Gauges] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    reasons: list[tuple[str, str]] = field(default_factory=list)


class Probe(Protocol):
    """Something the agent gives its turn every ``every`` ticks."""

    @property
    def every(self) -> int: ...

    def begin(self) -> None:
        """Take a turn, or begin one; never raises, never hangs."""
        ...

    def take(self) -> Sequence[Turn]:
        """The turns that have ended since the last call."""
        ...

    def command(self, message: Mapping[str, Any]) -> None:
        """Pass an order on to the collector."""
        ...

    def close(self) -> None:
        """End it; it is not used any more."""
        ...


def make_probe(name: str, host: Host, clock: Clock) -> Probe:
    """The probe of the collector registered under ``name``; KeyError when there is none."""
    collector = collector_class(name)(host)
    inline = InlineProbe(collector, clock)
    if not collector.blocking:
        return inline
    try:
        return BackgroundProbe(inline, clock)
    except RuntimeError:  # a limit, or a sandbox that forbids it
        return AbsentProbe(name, NO_THREAD, clock)


class AbsentProbe:
    """Stands for a collector that cannot be run here, and says why, once."""

    every = RARELY

    def __init__(self, name: str, reason: str, clock: Clock) -> None:
        self._turns = [Turn(clock.now_ns(), reasons=[(name, reason)])]

    def begin(self) -> None:
        """There is nothing to begin."""

    def take(self) -> Sequence[Turn]:
        turns, self._turns = self._turns, []
        return turns

    def command(self, message: Mapping[str, Any]) -> None:
        """There is nobody to take it."""

    def close(self) -> None:
        """There is nothing to close."""


class InlineProbe:
    """A collector run by whoever calls ``begin``."""

    def __init__(self, collector: Collector, clock: Clock) -> None:
        self.name = collector.name
        self._collector = collector
        self._clock = clock
        self._turns: list[Turn] = []
        self._open = False
        self._failed = ""
        self._wait_ns = _FIRST_WAIT_NS
        self._retry_ns = 0
        self._sampled_ns = 0

    @property
    def every(self) -> int:
        return self._collector.every

    def begin(self) -> None:
        turn = self.turn()
        if turn is not None:
            self._turns.append(turn)

    def take(self) -> Sequence[Turn]:
        turns, self._turns = self._turns, []
        return turns

    def command(self, message: Mapping[str, Any]) -> None:
        self._collector.command(message)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._collector.close()

    def rests(self, now_ns: int) -> bool:
        """It has failed, and it is too early to try again."""
        return not self._open and now_ns < self._retry_ns

    def turn(self) -> Turn | None:
        """Open the collector or sample it; None while it rests after a failure."""
        turn = Turn(self._clock.now_ns())
        if self.rests(turn.t_ns):
            return None
        try:
            if self._open:
                self._sample(turn)
            else:
                self._start(turn)
        except Unavailable as answer:
            if not self._sampled_ns:  # it never was there and will hardly appear
                self._wait_ns = _LONGEST_WAIT_NS
            self._fail(turn, answer.message)
        except Exception as error:  # noqa: BLE001 - a broken probe must not end the others
            self._fail(turn, f"{type(error).__name__}: {error}")
        turn.reasons.extend(self._collector.take_reasons())
        return turn

    def _start(self, turn: Turn) -> None:
        self._collector.open()
        self._open = True
        turn.facts = self._collector.facts()
        self._sampled_ns = turn.t_ns = self._clock.now_ns()

    def _sample(self, turn: Turn) -> None:
        dt_ns = turn.t_ns - self._sampled_ns
        if dt_ns <= 0:
            return
        turn.samples = self._collector.sample(dt_ns / NS_PER_S)
        turn.facts = self._collector.news()
        origin_ns = self._clock.origin_ns
        turn.rows = {
            group: [(t_ns - origin_ns, gauges) for t_ns, gauges in rows]
            for group, rows in self._collector.take_rows().items()
        }
        self._sampled_ns = turn.t_ns
        if self._failed:
            turn.reasons.append((self.name, ""))
        self._failed, self._wait_ns = "", _FIRST_WAIT_NS

    def _fail(self, turn: Turn, reason: str) -> None:
        if reason != self._failed:
            turn.reasons.append((self.name, reason))
        self._failed = reason
        self._retry_ns = turn.t_ns + self._wait_ns
        self._wait_ns = min(2 * self._wait_ns, _LONGEST_WAIT_NS)
        self.close()


class BackgroundProbe:
    """A collector whose calls may hang, in a thread of its own that may hang with it."""

    def __init__(self, probe: InlineProbe, clock: Clock) -> None:
        self._probe = probe
        self._clock = clock
        self._orders: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._turns: queue.SimpleQueue[Turn | None] = queue.SimpleQueue()
        self._ended: list[Turn] = []
        self._since_ns: int | None = None
        self._hangs = False
        threading.Thread(target=self._work, name=probe.name, daemon=True).start()

    @property
    def every(self) -> int:
        return self._probe.every

    def begin(self) -> None:
        self._collect()
        now_ns = self._clock.now_ns()
        if self._since_ns is None and not self._probe.rests(now_ns):
            self._since_ns = now_ns
            self._orders.put(True)

    def _collect(self) -> None:
        """The turn that has ended, if one has; another can begin."""
        while not self._turns.empty():
            turn = self._turns.get()
            self._since_ns = None
            if turn is not None:
                self._ended.append(turn)

    def take(self) -> Sequence[Turn]:
        self._collect()
        turns, self._ended = self._ended, []
        now_ns = self._clock.now_ns()
        hangs = self._since_ns is not None and now_ns - self._since_ns > HANGS_AFTER_NS
        if hangs != self._hangs:
            self._hangs = hangs
            reason = DRIVER_SILENT if hangs else ""
            turns.append(Turn(now_ns, reasons=[(self._probe.name, reason)]))
        return turns

    def command(self, message: Mapping[str, Any]) -> None:
        self._probe.command(message)

    def close(self) -> None:
        # Not waited for: the thread may hang, and the process ends anyway.
        self._orders.put(False)

    def _work(self) -> None:
        while self._orders.get():
            self._turns.put(self._probe.turn())
        self._probe.close()
