"""The hiccup meter: its report, its pace, and the real process with a stall made on purpose."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuiapp.agent import rows_frame
from tuiapp.clock import NS_PER_MS, NS_PER_S, Clock, FakeClock
from tuiapp.collectors.base import Collector, Gauges, Host, Row
from tuiapp.collectors.hiccup import HiccupCollector
from tuiapp.collectors.hiccup_meter import LONGEST_NS, SHORTEST_NS, Pace
from tuiapp.collectors.hiccup_report import BOUNDS_US, MAX_STALLS, Report, pack, summarize, take
from tuiapp.collectors.probe import InlineProbe
from tuiapp.errors import Unavailable
from tuiapp.session.columns import Session
from tuiapp.sources.agent import AgentSource

MS = NS_PER_MS
PATIENCE_S = 30.0


# -- the report ----------------------------------------------------------------------------


def test_a_stall_counts_for_every_wake_up_that_it_swallowed() -> None:
    """As if somebody had asked every 10 ms: late by 100 ms, by 90, by 80 … by 10."""
    late = [50_000] * 89 + [100 * MS]
    report = summarize(5 * NS_PER_S, late, [(4 * NS_PER_S, 100 * MS)], 10 * MS, realtime=True)
    assert report.missed == 9
    assert report.wakeups == 99
    assert report.min_ns == 50_000
    assert report.max_ns == 100 * MS
    assert report.p99_ns == 100 * MS
    assert dict(zip(BOUNDS_US, report.over, strict=True))[5000] == 10
    assert report.stalls == ((4 * NS_PER_S, 100 * MS),)


def test_a_stall_shorter_than_the_period_swallowed_none() -> None:
    report = summarize(NS_PER_S, [3 * MS], [(NS_PER_S, 3 * MS)], 10 * MS, realtime=True)
    assert (report.wakeups, report.missed) == (1, 0)


def test_an_hour_of_standing_still_takes_no_hour_of_memory() -> None:
    hour = 3600 * NS_PER_S
    report = summarize(hour, [hour], [(hour, hour)], MS, realtime=False)
    assert report.wakeups <= 100_001
    assert report.max_ns == hour


def test_of_many_stalls_the_longest_are_kept_in_order() -> None:
    stalls = [(at * MS, length) for at, length in enumerate(range(2 * MS, 2 * MS + 100))]
    report = summarize(NS_PER_S, [1], stalls, 40 * MS, realtime=True)
    assert report.stalls == tuple(stalls[-MAX_STALLS:])
    assert len(pack(report)) <= 4096  # PIPE_BUF: whole or not at all


REPORTS = st.builds(
    summarize,
    st.integers(0, 1 << 60),
    st.lists(st.integers(0, 10**12), min_size=1, max_size=30),
    st.lists(st.tuples(st.integers(0, 1 << 60), st.integers(0, 10**9)), max_size=40),
    st.integers(SHORTEST_NS, LONGEST_NS),
    realtime=st.booleans(),
)


@given(st.lists(REPORTS, max_size=4), st.data())
def test_reports_survive_any_cutting_of_the_stream(
    reports: list[Report], data: st.DataObject
) -> None:
    stream = b"".join(map(pack, reports))
    buffer, got = bytearray(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        buffer += stream[:size]
        stream = stream[size:]
        got += take(buffer)
    assert got == reports
    assert not buffer


# -- its pace ------------------------------------------------------------------------------


@given(st.floats(0, 1), st.integers(1, 1000))
def test_the_pace_keeps_the_budget_between_its_bounds(used_s: float, wakeups: int) -> None:
    pace = Pace(budget=0.003)
    pace.adapt(used_s, wakeups)
    each_s, period_s = used_s / wakeups, pace.period_ns / NS_PER_S
    assert SHORTEST_NS <= pace.period_ns <= LONGEST_NS
    assert each_s <= 0.003 * period_s or pace.period_ns == LONGEST_NS


def test_a_cheap_machine_is_looked_at_more_often() -> None:
    cheap, dear = Pace(), Pace()
    cheap.adapt(100 * 4e-6, 100)
    dear.adapt(100 * 60e-6, 100)
    assert cheap.period_ns == 2 * MS
    assert dear.period_ns == 23 * MS


# -- rows with moments of their own --------------------------------------------------------


class Eventful(Collector):
    """Something happened twice between two samples."""

    name = "eventful"
    groups = ("eventful",)

    def sample(self, dt_s: float) -> dict[str, Gauges]:
        return {}

    def take_rows(self) -> dict[str, list[Row]]:
        return {"eventful": [(5_000, {"a_s": 1.0}), (7_000, {"a_s": 2.0})]}


def test_rows_keep_their_moments_on_the_sessions_clock() -> None:
    clock = FakeClock()
    clock.origin_ns = 1_000
    probe = InlineProbe(Eventful(Host()), clock)
    probe.begin()
    clock.advance(NS_PER_S)
    probe.begin()
    rows = probe.take()[-1].rows["eventful"]
    session = Session()
    session.fold(rows_frame("eventful", rows))
    assert list(session.samples["eventful"]["t_ns"]) == [4_000, 6_000]
    assert list(session.samples["eventful"]["a_s"]) == [1.0, 2.0]


# -- the real thing ------------------------------------------------------------------------


@pytest.fixture
def collector() -> Iterator[HiccupCollector]:
    found = HiccupCollector(Host())
    found.open()
    yield found
    found.close()


def rows_until(
    collector: HiccupCollector, enough: Callable[[dict[str, list[Row]]], bool]
) -> dict[str, list[Row]]:
    """What the meter told until it is enough."""
    rows: dict[str, list[Row]] = {"hiccup": [], "stall": []}
    end = time.monotonic() + PATIENCE_S
    while not enough(rows):
        assert time.monotonic() < end, "the meter does not tell"
        time.sleep(0.05)
        collector.sample(0.05)
        for group, new in collector.take_rows().items():
            rows[group] += new
    return rows


def reports(count: int) -> Callable[[dict[str, list[Row]]], bool]:
    return lambda rows: len(rows["hiccup"]) >= count


def test_it_reports_what_it_is_and_does(collector: HiccupCollector) -> None:
    before = time.monotonic_ns()
    rows = rows_until(collector, reports(3))["hiccup"]
    assert collector.pid is not None
    policy = os.sched_getscheduler(collector.pid) & ~os.SCHED_RESET_ON_FORK
    for t_ns, gauges in rows:
        assert before < t_ns <= time.monotonic_ns()
        assert gauges["realtime"] == (policy == os.SCHED_FIFO)
        assert 0 <= gauges["min_s"] <= gauges["p99_s"] <= gauges["max_s"]
        assert 0 <= gauges["missed"] < gauges["wakeups"]
        counts = [gauges[f"over_{bound}us"] for bound in BOUNDS_US]
        assert counts == sorted(counts, reverse=True)
        assert counts[0] <= gauges["wakeups"]
    told = dict(collector.take_reasons())
    assert ("hiccup.realtime" in told) == (policy != os.SCHED_FIFO)


WITHOUT_REAL_TIME = """
import ctypes, os, resource, subprocess, sys
ctypes.CDLL(None).prctl(24, 23, 0, 0, 0)  # PR_CAPBSET_DROP, CAP_SYS_NICE: gone for what we start
resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
sys.exit(subprocess.run([sys.executable, "-c", sys.argv[1]]).returncode)
"""
ONE_REPORT = """
import os, time
from tuiapp.collectors.base import Host
from tuiapp.collectors.hiccup import HiccupCollector
from tuiapp.priority import give_way
give_way()
collector = HiccupCollector(Host())
collector.open()
rows = []
while not rows:
    time.sleep(0.05)
    collector.sample(0.05)
    rows = collector.take_rows().get("hiccup", [])
print(os.sched_getscheduler(collector.pid) == os.SCHED_OTHER, rows[0][1]["realtime"])
print(collector.take_reasons())
collector.close()
"""


def test_without_the_real_time_class_it_measures_and_says_so() -> None:
    argv = [sys.executable, "-c", WITHOUT_REAL_TIME, ONE_REPORT]
    result = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    said, reasons = result.stdout.splitlines()
    assert said == "True 0.0"
    assert "hiccup.realtime" in reasons
    assert "CAP_SYS_NICE" in reasons


def test_a_stall_is_found_with_its_moment_and_its_length(collector: HiccupCollector) -> None:
    """A stopped process is what a process on a core that was taken away looks like."""
    rows_until(collector, reports(2))
    assert collector.pid is not None
    start_ns = time.monotonic_ns()
    os.kill(collector.pid, signal.SIGSTOP)
    try:
        time.sleep(0.2)
        end_ns = time.monotonic_ns()
    finally:
        os.kill(collector.pid, signal.SIGCONT)
    asked_ns = end_ns - start_ns
    rows = rows_until(
        collector, lambda rows: any(row["length_s"] > 0.1 for _, row in rows["stall"])
    )
    t_ns, row = max(rows["stall"], key=lambda stall: stall[1]["length_s"])
    length_ns = row["length_s"] * NS_PER_S
    late_ns = t_ns - end_ns  # this machine may be slow to let the meter go on
    assert late_ns >= 0
    # It meant to wake up within a period of being stopped.
    assert asked_ns - LONGEST_NS - 5 * MS <= length_ns - late_ns <= asked_ns + 5 * MS
    told = [gauges for _, gauges in rows["hiccup"] if gauges["max_s"] > 0.1]
    assert told[0]["max_s"] == pytest.approx(row["length_s"])
    assert told[0]["missed"] >= length_ns // LONGEST_NS - 1


def test_a_meter_that_is_gone_is_said_to_be(collector: HiccupCollector) -> None:
    rows_until(collector, reports(1))
    assert collector.pid is not None
    os.kill(collector.pid, signal.SIGKILL)
    with pytest.raises(Unavailable, match="the hiccup meter has ended"):
        rows_until(collector, reports(1000))
    collector.close()
    collector.open()
    assert rows_until(collector, reports(1))["hiccup"]


def test_closing_leaves_no_process(collector: HiccupCollector) -> None:
    pid = collector.pid
    assert pid is not None
    collector.close()
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("how", ["killed", "told"])
def test_the_meter_ends_with_the_agent(how: str) -> None:
    control_read, control = os.pipe()
    frames, frames_write = os.pipe()
    argv = [sys.executable, "-m", "tuiapp.agent", str(control_read), str(frames_write)]
    agent = subprocess.Popen(argv, pass_fds=(control_read, frames_write))
    os.close(control_read)
    os.close(frames_write)
    config = {"origin_ns": 0, "sync": b"12345678", "interval_s": 0.05, "collectors": ["hiccup"]}
    os.write(control, msgpack.packb(config))
    meter = only_child(agent.pid)
    if how == "killed":
        agent.kill()
    os.close(control)
    agent.wait(PATIENCE_S)
    end = time.monotonic() + PATIENCE_S
    while running(meter):
        assert time.monotonic() < end, "the meter outlives its agent"
        time.sleep(0.02)
    os.close(frames)


def only_child(pid: int) -> int:
    """The process that ``pid`` has started, once it runs the meter."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            if b"hiccup_meter" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
        time.sleep(0.02)
    raise AssertionError("no meter was started")


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


async def test_its_rows_reach_a_session() -> None:
    clock, session = Clock(), Session()
    source = AgentSource(clock, interval_s=0.05, collectors=["hiccup"])
    try:
        async with aclosing(source.frames()) as frames:
            async for frame in frames:
                session.fold(frame)
                if len(session.samples.get("hiccup", ())) >= 2:
                    break
    finally:
        await source.aclose()
    t_ns = session.samples["hiccup"]["t_ns"]
    assert 0 < t_ns[0] < t_ns[1] <= clock.now_ns()
    assert np.isfinite(session.samples["hiccup"]["p99_s"]).all()
    assert session.meta["host"]["hiccup_stall_s"] == 0.002


def test_by_hand_it_says_that_it_is_not_for_hands() -> None:
    argv = [sys.executable, "-m", "tuiapp.collectors.hiccup_meter"]
    result = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
