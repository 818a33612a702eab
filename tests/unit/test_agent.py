"""The host agent as a real process, and its scheduling by itself."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager

import msgpack
import pytest

from tuiapp.clock import NS_PER_S, Clock, FakeClock
from tuiapp.collectors import COLLECTORS, collector_class
from tuiapp.collectors.base import Collector, Gauges, Host
from tuiapp.collectors.probe import (
    HANGS_AFTER_NS,
    BackgroundProbe,
    InlineProbe,
    Turn,
    make_probe,
)
from tuiapp.errors import Unavailable
from tuiapp.events import Frame, Kind
from tuiapp.session.columns import Session
from tuiapp.sources.agent import AgentSource

GROUPS = {"cpu", "memory", "load", "process", "process.app", "agent"}


@asynccontextmanager
async def running(source: AgentSource) -> AsyncIterator[AsyncIterator[Frame]]:
    try:
        async with asyncio.timeout(60), aclosing(source.frames()) as frames:
            yield frames
    finally:
        await source.aclose()


async def read_until(frames: AsyncIterator[Frame], groups: set[str]) -> list[Frame]:
    """Frames up to the first by which all ``groups`` have been heard of."""
    seen, missing = [], set(groups)
    async for frame in frames:
        seen.append(frame)
        missing.discard(frame.attrs.get("group", ""))
        if not missing:
            break
    return seen


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# -- the real thing ------------------------------------------------------------------------


async def test_it_says_what_the_host_is_and_what_it_does() -> None:
    clock = Clock()
    source = AgentSource(clock, interval_s=0.02)
    source.send({"op": "watch", "pid": os.getpid()})
    async with running(source) as frames:
        seen = await read_until(frames, GROUPS)
    assert seen[0].kind == Kind.META
    session = Session()
    for frame in seen:
        session.fold(frame)
    assert session.meta["host"]["hostname"]
    assert session.meta["host"]["cores_logical"] == len(os.sched_getaffinity(0))
    cpu = session.samples["cpu"]
    shares = sum(cpu[name] for name in ("user", "system", "iowait", "steal", "idle"))
    counted = [share for share in shares if share == share]
    assert counted == pytest.approx([1.0] * len(counted), abs=1e-5)
    assert session.samples["process"]["procs"][-1] >= 2  # this process and the agent
    assert session.samples["process.app"]["rss_bytes"][-1] > 1 << 20
    assert 0 < cpu["t_ns"][0] < cpu["t_ns"][-1] <= clock.now_ns()


async def test_it_ends_with_its_control_pipe() -> None:
    source = AgentSource(Clock(), interval_s=0.02)
    async with running(source) as frames:
        await read_until(frames, {"cpu"})
        pid = source.pid
        assert pid is not None
        async with asyncio.timeout(1.0):
            await source.aclose()
    assert not is_running(pid)
    await source.aclose()


async def test_it_ends_when_nobody_reads() -> None:
    """A full frames pipe must not keep it from noticing that its parent is gone."""
    control_read, control = os.pipe()
    frames, frames_write = os.pipe()
    process = start_agent(control_read, frames_write)
    os.close(control_read)
    os.close(frames_write)
    config = {"origin_ns": 0, "sync": b"12345678", "interval_s": 1e-4, "collectors": ["load"]}
    os.write(control, msgpack.packb(config))
    os.read(frames, 1)
    os.close(control)
    assert process.wait(timeout=10) == 0
    os.close(frames)


def start_agent(*fds: int) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "tuiapp.agent", *map(str, fds)]
    return subprocess.Popen(argv, pass_fds=fds, stderr=subprocess.PIPE)


async def test_it_ends_on_an_order() -> None:
    source = AgentSource(Clock(), interval_s=0.02, collectors=["load"])
    async with running(source) as frames:
        await read_until(frames, {"load"})
        source.send({"op": "stop"})
        rest = [frame async for frame in frames]
    value = json.loads(rest[-1].columns["value"][0])
    assert value == {"probe": "agent", "reason": "the host agent has ended with exit code 0"}


async def test_its_death_is_a_fact() -> None:
    source = AgentSource(Clock(), interval_s=0.02, collectors=["load"])
    async with running(source) as frames:
        await read_until(frames, {"load"})
        assert source.pid is not None
        os.kill(source.pid, 9)
        rest = [frame async for frame in frames]
    value = json.loads(rest[-1].columns["value"][0])
    assert value == {"probe": "agent", "reason": "the host agent has ended by SIGKILL"}


async def test_it_is_never_started_once_closed() -> None:
    source = AgentSource(Clock())
    await source.aclose()
    assert [frame async for frame in source.frames()] == []
    assert source.pid is None


def test_by_hand_it_says_that_it_is_not_for_hands() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "tuiapp.agent"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1


# -- its parts -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", COLLECTORS)
def test_every_collector_keeps_its_contract_on_this_machine(name: str) -> None:
    collector = collector_class(name)(Host())
    assert collector.name == name
    assert collector.every >= 1
    try:
        collector.open()
    except Unavailable:
        return  # a normal answer
    msgpack.packb(collector.facts())
    for group, gauges in collector.sample(0.25).items():
        assert group in collector.groups
        assert all(isinstance(value, float | int) for value in gauges.values())
    collector.close()
    collector.open()
    collector.close()


class Scripted(Collector):
    """Does what its script says, one entry a call of ``open`` or ``sample``."""

    name = "scripted"
    groups = ("scripted",)

    def __init__(self, *script: Exception | None) -> None:
        super().__init__(Host())
        self.script: Iterator[Exception | None] = iter(script)
        self.opened = self.closed = 0
        self.dt_s: list[float] = []

    def open(self) -> None:
        self._step()
        self.opened += 1

    def sample(self, dt_s: float) -> dict[str, Gauges]:
        self._step()
        self.dt_s.append(dt_s)
        return {"scripted": {"value": 1.0}}

    def close(self) -> None:
        self.closed += 1

    def _step(self) -> None:
        error = next(self.script, None)
        if error is not None:
            raise error


def turns(probe: InlineProbe, clock: FakeClock, seconds: int) -> list[Turn]:
    """A turn each second."""
    taken: list[Turn] = []
    for _ in range(seconds):
        probe.begin()
        taken.extend(probe.take())
        clock.advance(NS_PER_S)
    return taken


def test_a_sample_knows_how_long_its_interval_was() -> None:
    clock, collector = FakeClock(), Scripted()
    probe = InlineProbe(collector, clock)
    turns(probe, clock, 3)
    clock.advance(NS_PER_S // 2)
    turns(probe, clock, 1)
    assert collector.dt_s == [1.0, 1.0, 1.5]


def test_a_probe_that_breaks_is_reported_and_tried_again() -> None:
    clock, collector = FakeClock(), Scripted(None, None, OSError(5, "Input/output error"))
    probe = InlineProbe(collector, clock)
    taken = turns(probe, clock, 6)
    reasons = [reason for turn in taken for reason in turn.reasons]
    assert reasons == [("scripted", "OSError: [Errno 5] Input/output error"), ("scripted", "")]
    assert (collector.opened, collector.closed) == (2, 1)
    assert taken[-1].samples


def test_a_probe_that_stays_broken_is_tried_less_and_less() -> None:
    clock, collector = FakeClock(), Scripted(*[ValueError("no")] * 1000)
    taken = turns(InlineProbe(collector, clock), clock, 600)
    assert [turn.t_ns // NS_PER_S for turn in taken[:6]] == [0, 1, 3, 7, 15, 31]
    assert taken[-1].t_ns - taken[-2].t_ns == 60 * NS_PER_S
    assert [turn.reasons for turn in taken if turn.reasons] == [[("scripted", "ValueError: no")]]


def test_what_is_unavailable_is_looked_for_once_a_minute() -> None:
    clock, collector = FakeClock(), Scripted(Unavailable("not here"), Unavailable("not here"))
    taken = turns(InlineProbe(collector, clock), clock, 125)
    assert [turn.t_ns // NS_PER_S for turn in taken[:3]] == [0, 60, 120]
    assert taken[0].reasons == [("scripted", "not here")]
    assert not taken[1].reasons
    assert collector.opened == 1


def test_a_hanging_probe_is_reported_once_and_when_it_is_back() -> None:
    clock, collector = FakeClock(), Scripted()
    probe = BackgroundProbe(InlineProbe(collector, clock), clock)
    probe._since_ns = 0  # as if a turn had begun that does not end
    probe.begin()
    assert list(probe.take()) == []
    clock.advance(HANGS_AFTER_NS + 1)
    assert [turn.reasons for turn in probe.take()] == [[("scripted", "the driver does not answer")]]
    assert list(probe.take()) == []
    probe._turns.put(Turn(clock.now_ns()))
    assert [turn.reasons for turn in probe.take()] == [[], [("scripted", "")]]
    probe.close()


def test_a_probe_in_the_background_takes_its_turn_at_every_tick() -> None:
    clock, collector = FakeClock(), Scripted()
    probe = BackgroundProbe(InlineProbe(collector, clock), clock)
    taken: list[Turn] = []
    for tick in range(1, 6):
        probe.begin()
        clock.advance(NS_PER_S)
        deadline = time.monotonic() + 5
        while collector.opened + len(collector.dt_s) < tick and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.01)  # until the turn is in the queue
        if tick % 2 == 0:  # nobody may have to come for the turns in between
            taken += probe.take()
    probe.close()
    assert collector.opened + len(collector.dt_s) == 5
    assert len(taken) == 4


def test_a_thread_is_not_woken_while_its_probe_rests() -> None:
    clock, collector = FakeClock(), Scripted(Unavailable("not here"))
    probe = BackgroundProbe(InlineProbe(collector, clock), clock)
    probe.begin()
    assert probe._turns.get(timeout=5)
    probe._since_ns = None
    probe.begin()
    assert probe._since_ns is None
    clock.advance(60 * NS_PER_S)
    probe.begin()
    assert probe._since_ns is not None
    probe.close()


def test_nvml_runs_in_a_thread_of_its_own() -> None:
    probe = make_probe("nvml", Host(), Clock())
    assert isinstance(probe, BackgroundProbe)
    probe.close()


def test_where_no_thread_can_start_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    probe = make_probe("nvml", Host(), Clock())
    probe.begin()
    assert [turn.reasons for turn in probe.take()] == [[("nvml", "no thread could be started")]]
    probe.begin()
    probe.command({"op": "once"})
    assert not probe.take()
    probe.close()
    assert isinstance(make_probe("memory", Host(), Clock()), InlineProbe)
