"""The host agent: runs the probes in a process of its own and writes frames.

Started by ``sources.agent`` as ``python -m tuiapp.agent CONTROL_FD FRAMES_FD``. The control pipe
brings msgpack maps, first ``{"origin_ns", "sync", "interval_s", "collectors"}``, then orders
(``{"op": ...}``) for the collectors; the agent ends when the pipe closes or on ``{"op": "stop"}``.
"""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import msgpack

from tuiapp.clock import NS_PER_S, Clock, cpu_s
from tuiapp.collectors import COLLECTORS
from tuiapp.collectors.base import Gauges, Host, Row
from tuiapp.collectors.facts import FactBoard
from tuiapp.collectors.probe import Probe, Turn, make_probe
from tuiapp.events import PROBE_UNAVAILABLE, Frame, Kind, facts_frame
from tuiapp.priority import give_way
from tuiapp.session.frames import pack

GROUP = "agent"
"""Gauges of the agent itself: ``cpu_s`` used and the largest ``tick_lag_s`` since the last."""
_SELF_EVERY = 2
_MAX_PENDING = 1 << 20
_MAX_MESSAGE = 1 << 16


class Control:
    """The pipe that brings messages; closed when its other end is."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._unpacker = msgpack.Unpacker(max_buffer_size=_MAX_MESSAGE)
        self.closed = False

    def wait(self, timeout_s: float | None) -> Iterator[Mapping[str, Any]]:
        """The messages that come within ``timeout_s``; returns with the first."""
        ready, _, _ = select.select([self._fd], [], [], timeout_s)
        if not ready:
            return
        data = os.read(self._fd, _MAX_MESSAGE)
        self.closed = not data
        self._unpacker.feed(data)
        for message in self._unpacker:
            if isinstance(message, dict):
                yield message


class FramesPipe:
    """The pipe that takes frames. While nobody reads it, frames are dropped and counted."""

    def __init__(self, fd: int, sync: bytes) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._sync = sync
        self._seq = 0
        self._pending = bytearray()
        self._gap: tuple[int, int, int] | None = None
        self.closed = False

    def put(self, frame: Frame) -> None:
        if self._gap is not None or len(self._pending) > _MAX_PENDING:
            start_ns, _, frames = self._gap or (frame.t0_ns, 0, 0)
            self._gap = start_ns, frame.t1_ns, frames + 1
            return
        self._pending += pack(frame, self._sync, self._seq)
        self._seq += 1

    def flush(self) -> None:
        """Write what the pipe takes; after a gap, say how long it was."""
        try:
            while self._pending:
                del self._pending[: os.write(self._fd, self._pending)]
                if not self._pending and self._gap is not None:
                    start_ns, end_ns, frames = self._gap
                    self._gap = None
                    reason = "the host agent's frames were not read"
                    attrs = {"reason": reason, "frames": frames, "source": "agent"}
                    self.put(Frame(Kind.GAP, start_ns, end_ns, attrs=attrs))
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.closed = True


class Agent:
    """Gives every probe its turn and passes on what it gave.

    Args:
        clock: the session's.
        probes: by name.
        interval_s: time between two ticks.
        control, pipe: the two pipes to whoever started it.
    """

    def __init__(
        self,
        clock: Clock,
        probes: Mapping[str, Probe],
        interval_s: float,
        control: Control,
        pipe: FramesPipe,
    ) -> None:
        self._clock = clock
        self._probes = probes
        self._interval_ns = round(interval_s * NS_PER_S)
        self._control = control
        self._pipe = pipe
        self._due = dict.fromkeys(probes, 0)
        self._facts = FactBoard()
        self._stopped = False
        self._cpu_s = cpu_s()
        self._lag_ns = 0

    def run(self, orders: Sequence[Mapping[str, Any]] = ()) -> None:
        """Obey ``orders``, then tick at absolute deadlines until told to stop.

        Missed ticks are not made up for.
        """
        for order in orders:
            self._obey(order)
        start_ns = self._clock.now_ns()
        tick = 0
        while self._listen_until(start_ns + tick * self._interval_ns):
            now_ns = self._clock.now_ns()
            self._lag_ns = max(self._lag_ns, now_ns - start_ns - tick * self._interval_ns)
            self._tick(tick, now_ns)
            tick = max(tick, (self._clock.now_ns() - start_ns) // self._interval_ns) + 1
        self._pipe.flush()
        for probe in self._probes.values():
            probe.close()

    def _listen_until(self, deadline_ns: int) -> bool:
        """Take orders until the deadline; False when it is time to end."""
        while not (self._stopped or self._control.closed or self._pipe.closed):
            left_ns = deadline_ns - self._clock.now_ns()
            for message in self._control.wait(max(0, left_ns) / NS_PER_S):
                self._obey(message)
            if left_ns <= 0:
                return True
        return False

    def _obey(self, message: Mapping[str, Any]) -> None:
        self._stopped |= message.get("op") == "stop"
        for probe in self._probes.values():
            probe.command(message)

    def _tick(self, tick: int, now_ns: int) -> None:
        for name, probe in self._probes.items():
            if tick >= self._due[name]:
                self._due[name] = tick + probe.every
                probe.begin()
        turns = [turn for probe in self._probes.values() for turn in probe.take()]
        self._put_facts(now_ns, turns)
        found: dict[str, list[Row]] = {}
        for turn in turns:
            for probe_name, reason in turn.reasons:
                self._pipe.put(unavailable_frame(turn.t_ns, probe_name, reason))
            for group, gauges in turn.samples.items():
                found.setdefault(group, []).append((turn.t_ns, gauges))
            for group, rows in turn.rows.items():
                found.setdefault(group, []).extend(rows)
        if tick % _SELF_EVERY == 0:
            found.setdefault(GROUP, []).append((now_ns, self._own()))
        for group, rows in found.items():
            # A frame for each group, or more where its gauges are not the same.
            for _, alike in groupby(rows, lambda row: tuple(row[1])):
                self._pipe.put(rows_frame(group, list(alike)))
        self._pipe.flush()

    def _put_facts(self, now_ns: int, turns: Sequence[Turn]) -> None:
        facts = self._facts.merged(turn.facts for turn in turns)
        if facts:
            self._pipe.put(Frame(Kind.META, now_ns, now_ns, attrs={"host": facts}))

    def _own(self) -> Gauges:
        used_s, self._cpu_s = cpu_s() - self._cpu_s, cpu_s()
        gauges = {"cpu_s": used_s, "tick_lag_s": self._lag_ns / NS_PER_S}
        self._lag_ns = 0
        return gauges


def rows_frame(group: str, rows: Sequence[Row]) -> Frame:
    """Rows of gauges, oldest first, each with its own moment; all have the same gauges."""
    columns: dict[str, Any] = {"t_ns": [t_ns for t_ns, _ in rows]}
    for name in rows[0][1]:
        columns[name] = [gauges[name] for _, gauges in rows]
    return Frame(Kind.SAMPLES, rows[0][0], rows[-1][0], columns, {"group": group})


def unavailable_frame(t_ns: int, probe: str, reason: str) -> Frame:
    """Why a probe, or a field of it, is unknown; an empty reason takes the one before back."""
    value = json.dumps({"probe": probe, "reason": reason})
    return facts_frame(t_ns, PROBE_UNAVAILABLE, value)


def main(argv: Sequence[str] = sys.argv) -> int:
    """Run the agent over the two pipes whose numbers are the last arguments."""
    if len(argv) < 3 or not all(fd.isdigit() for fd in argv[-2:]):
        sys.stderr.write("tuiapp.agent is started by tuiapp; there is nothing to run by hand.\n")
        return 2
    give_way()
    control = Control(int(argv[-2]))
    messages: list[Mapping[str, Any]] = []
    while not messages:
        if control.closed:
            return 0
        messages.extend(control.wait(None))
    config, *orders = messages
    clock = Clock(config["origin_ns"])
    names = config.get("collectors") or COLLECTORS
    host = Host()
    probes = {name: make_probe(name, host, clock) for name in names}
    pipe = FramesPipe(int(argv[-1]), config["sync"])
    Agent(clock, probes, config["interval_s"], control, pipe).run(orders)
    return 0


if __name__ == "__main__":
    sys.exit(main())
