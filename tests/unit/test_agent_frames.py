"""What the agent writes and when: turns, rows of gauges, and a pipe that nobody reads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgpack
import pytest

from tuiapp.agent import Agent, Control, FramesPipe, rows_frame
from tuiapp.clock import FakeClock
from tuiapp.collectors.probe import Probe, Turn
from tuiapp.events import Frame, Kind
from tuiapp.session.columns import Session
from tuiapp.session.decoder import Decoder


class Counting:
    """A probe that only counts its turns."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.begun = 0
        self.orders: list[Mapping[str, Any]] = []

    def begin(self) -> None:
        self.begun += 1

    def take(self) -> Sequence[Turn]:
        return []

    def command(self, message: Mapping[str, Any]) -> None:
        self.orders.append(message)

    def close(self) -> None:
        self.begun = -self.begun


@pytest.fixture
def pipes() -> Iterator[tuple[int, int, int, int]]:
    control_read, control = os.pipe()
    frames, frames_write = os.pipe()
    os.set_blocking(frames, False)
    yield control_read, control, frames, frames_write
    for fd in (control_read, frames, frames_write):
        os.close(fd)


def test_each_probe_has_its_own_rate(pipes: tuple[int, int, int, int]) -> None:
    control_read, control, _, frames_write = pipes
    probes: dict[str, Counting] = {"fast": Counting(1), "slow": Counting(4)}
    typed: dict[str, Probe] = dict(probes)
    pipe = FramesPipe(frames_write, b"12345678")
    agent = Agent(FakeClock(), typed, 0.25, Control(control_read), pipe)
    for tick in (0, 1, 2, 3, 6, 7, 8, 9, 10):  # 4 and 5 were missed
        agent._tick(tick, tick)
    assert probes["fast"].begun == 9
    assert probes["slow"].begun == 3  # at 0, 6 and 10
    os.write(control, msgpack.packb({"op": "watch", "pid": 5}) + msgpack.packb({"op": "stop"}))
    agent.run()
    assert probes["slow"].orders == [{"op": "watch", "pid": 5}, {"op": "stop"}]
    assert probes["slow"].begun == -3
    os.close(control)


class Stalling(Counting):
    """Tells at each turn of four moments since the last, of the newest with one gauge more."""

    def take(self) -> Sequence[Turn]:
        first = 4 * self.begun
        rows = [(first + at, {"load1": float(first + at)}) for at in range(3)]
        newest = (first + 3, {"load1": first + 3.0, "load5": 1.0})
        return [Turn(first, rows={"load": [*rows, newest]})]


def test_rows_of_a_tick_are_one_frame_unless_their_gauges_differ(
    pipes: tuple[int, int, int, int],
) -> None:
    control_read, control, frames, frames_write = pipes
    pipe, decoder = FramesPipe(frames_write, b"12345678"), Decoder(b"12345678")
    agent = Agent(FakeClock(), {"load": Stalling(1)}, 0.25, Control(control_read), pipe)
    for tick in range(2):
        agent._tick(tick, tick)
    told = [f for f in decoder.feed(os.read(frames, 1 << 16)) if f.attrs["group"] == "load"]
    assert [f.columns["load1"].tolist() for f in told] == [[4, 5, 6], [7], [8, 9, 10], [11]]
    assert [(f.t0_ns, f.t1_ns) for f in told] == [(4, 6), (7, 7), (8, 10), (11, 11)]
    os.close(control)


class Finding(Counting):
    """Found some GPUs."""

    def __init__(self, *gpus: dict[str, Any]) -> None:
        super().__init__(1)
        self.gpus = gpus

    def take(self) -> Sequence[Turn]:
        return [Turn(0, facts={"gpus": list(self.gpus)})] if self.begun == 1 else []


def test_gpus_of_several_probes_are_one_list(pipes: tuple[int, int, int, int]) -> None:
    control_read, control, frames, frames_write = pipes
    late = Finding({"index": 0, "name": "A"})
    late.begun = -1  # one tick behind, as a driver that is slow to start
    probes: dict[str, Probe] = {"late": late, "early": Finding({"index": 1, "name": "B"})}
    pipe = FramesPipe(frames_write, b"12345678")
    agent = Agent(FakeClock(), probes, 0.25, Control(control_read), pipe)
    session = Session()
    for tick in range(2):
        agent._tick(tick, tick)
        for frame in Decoder(b"12345678").feed(os.read(frames, 1 << 16)):
            session.fold(frame)
    assert session.meta["host"]["gpus"] == [
        {"index": 0, "name": "A"},
        {"index": 1, "name": "B"},
    ]
    os.close(control)


def test_frames_that_nobody_reads_become_a_gap(pipes: tuple[int, int, int, int]) -> None:
    _, control, frames, frames_write = pipes
    os.close(control)
    pipe, decoder = FramesPipe(frames_write, b"12345678"), Decoder()
    gauges = {f"gauge{n}": 1.0 for n in range(100)}
    sent = 2000
    for t_ns in range(sent):
        pipe.put(rows_frame("load", [(t_ns, gauges)]))
        pipe.flush()
    got: list[Frame] = []
    while True:
        try:
            got.extend(decoder.feed(os.read(frames, 1 << 20)))
        except BlockingIOError:
            break
        pipe.flush()
    gap = got[-1]
    assert gap.kind == Kind.GAP
    assert gap.attrs["frames"] == sent - (len(got) - 1) > 0
    assert (gap.t0_ns, gap.t1_ns) == (len(got) - 1, sent - 1)
    pipe.put(rows_frame("load", [(sent, gauges)]))
    pipe.flush()
    assert [frame.t0_ns for frame in decoder.feed(os.read(frames, 1 << 20))] == [sent]
    assert decoder.damage.missing_frames == 0


def test_a_reader_that_is_gone_ends_it(pipes: tuple[int, int, int, int]) -> None:
    _, control, frames, frames_write = pipes
    pipe = FramesPipe(frames_write, b"12345678")
    os.dup2(control, frames)  # no reading end is left
    os.close(control)
    pipe.put(rows_frame("load", [(0, {"load1": 1.0})]))
    pipe.flush()
    assert pipe.closed
