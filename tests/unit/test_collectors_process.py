"""Process trees: written ones for the arithmetic, a real one for the rest."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tuiapp.collectors.base import Host
from tuiapp.collectors.process import ProcessCollector
from tuiapp.collectors.proctree import read_stat
from tuiapp.collectors.runwait import RunWait
from tuiapp.errors import Unavailable

PAGE = 4096
BUSY = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"


class Proc:
    """A /proc that a test writes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "proc").mkdir()

    def put(
        self,
        pid: int,
        *,
        parent: int = 1,
        session: int = 1,
        ticks: int = 0,
        rss: int = 10,
        start: int = 5,
        state: str = "S",
        faults: int = 0,
        voluntary: int = 0,
    ) -> None:
        fields = [state, parent, session, session, 0, -1, 0, 99, 0, faults, 0, ticks, 0, 0, 0, 20]
        fields += [0, 3, 0, start, 123456, rss, 0]
        directory = self.root / f"proc/{pid}"
        directory.mkdir(exist_ok=True)
        text = " ".join(map(str, fields))
        (directory / "stat").write_text(f"{pid} (a) b ({pid}) {text}\n")
        counts = f"voluntary_ctxt_switches:\t{voluntary}\nnonvoluntary_ctxt_switches:\t2\n"
        (directory / "status").write_text(f"Name:\tx\nThreads:\t3\n{counts}")

    def drop(self, pid: int) -> None:
        for name in ("stat", "status"):
            (self.root / f"proc/{pid}/{name}").unlink()
        (self.root / f"proc/{pid}").rmdir()


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    proc = Proc(tmp_path)
    proc.put(1)
    proc.put(100, session=100, ticks=50, voluntary=7)
    return proc


def watching(proc: Proc, pid: int = 100) -> ProcessCollector:
    collector = ProcessCollector(Host(str(proc.root), clock_hz=100, page_bytes=PAGE))
    collector.open()
    collector.command({"op": "watch", "pid": pid})
    return collector


def test_nothing_is_said_before_a_process_is_watched(proc: Proc) -> None:
    collector = ProcessCollector(Host(str(proc.root)))
    collector.open()
    assert collector.sample(1.0) == {}


def test_only_what_was_used_since_the_watch_counts(proc: Proc) -> None:
    collector = watching(proc)
    proc.put(100, session=100, ticks=80, faults=4, voluntary=12)
    gauges = collector.sample(0.5)["process"]
    assert math.isnan(gauges.pop("run_wait_cores"))  # there is no thread in this /proc
    assert gauges == {
        "cpu_cores": pytest.approx(0.6),
        "rss_bytes": 10 * PAGE,
        "threads": 3,
        "procs": 1,
        "vol_ctxt": 5,
        "invol_ctxt": 0,
        "major_faults": 4,
    }


def test_descendants_sessions_and_strangers(proc: Proc) -> None:
    proc.put(90, parent=200, session=7)  # grandchild with a lower pid, in a session of its own
    proc.put(200, parent=100, session=100)
    proc.put(300, parent=1, session=100)  # orphan that stayed in the session
    proc.put(400, parent=1, session=1)  # a stranger
    assert watching(proc).sample(1.0)["process"]["procs"] == 4


def test_a_child_that_is_new_counts_from_its_birth(proc: Proc) -> None:
    collector = watching(proc)
    proc.put(101, parent=100, session=100, ticks=40, start=900)
    gauges = collector.sample(1.0)["process"]
    assert gauges["cpu_cores"] == pytest.approx(0.4)
    assert gauges["procs"] == 2
    assert collector.sample(1.0)["process"]["cpu_cores"] == 0


def test_a_child_that_ends_takes_nothing_back(proc: Proc) -> None:
    proc.put(101, parent=100, session=100, ticks=400)
    collector = watching(proc)
    proc.drop(101)
    gauges = collector.sample(1.0)["process"]
    assert gauges["cpu_cores"] == 0
    assert gauges["procs"] == 1


def test_a_reused_pid_is_another_process(proc: Proc) -> None:
    proc.put(101, parent=100, session=100, ticks=400, start=5)
    collector = watching(proc)
    proc.put(101, parent=100, session=100, ticks=10, start=800)
    assert collector.sample(1.0)["process"]["cpu_cores"] == 0


def test_a_zombie_is_not_a_process_any_more(proc: Proc) -> None:
    collector = watching(proc)
    proc.put(100, session=100, ticks=50, rss=0, state="Z")
    gauges = collector.sample(1.0)["process"]
    assert (gauges["procs"], gauges["threads"], gauges["rss_bytes"]) == (0, 0, 0)
    assert "has ended" in dict(collector.take_reasons())["process"]


def test_a_process_that_was_never_there(proc: Proc) -> None:
    collector = watching(proc, 4242)
    assert collector.sample(1.0)["process"]["procs"] == 0
    assert "4242" in dict(collector.take_reasons())["process"]


def test_the_app_is_one_process_without_its_children(proc: Proc) -> None:
    collector = ProcessCollector(Host(str(proc.root), clock_hz=100, page_bytes=PAGE))
    collector.open()
    proc.put(101, parent=100, session=100, ticks=40)
    collector.command({"op": "watch_app", "pid": 100})
    proc.put(100, session=100, ticks=60, rss=20)
    assert collector.sample(1.0) == {
        "process.app": {"cpu_cores": pytest.approx(0.1), "rss_bytes": 20 * PAGE}
    }
    proc.drop(100)
    assert math.isnan(collector.sample(1.0)["process.app"]["rss_bytes"])


@pytest.mark.parametrize("pid", [None, "1", -5, 0, 1.5, [1]])
def test_nonsense_to_watch_is_passed_over(proc: Proc, pid: object) -> None:
    collector = ProcessCollector(Host(str(proc.root)))
    collector.command({"op": "watch", "pid": pid})
    assert collector.sample(1.0) == {}


def test_stat_that_is_cut_short(proc: Proc) -> None:
    (proc.root / "proc/100/stat").write_text("100 (x) S 1 1")
    assert read_stat(Host(str(proc.root)), 100) is None


@pytest.fixture
def tree() -> Iterator[subprocess.Popen[bytes]]:
    """A shell with one child that computes for 0.3 CPU seconds and one that sleeps."""
    script = '"$0" -c "$1" & sleep 60 & wait'
    process = subprocess.Popen(
        ["/bin/sh", "-c", script, sys.executable, BUSY + "time.sleep(60)"], start_new_session=True
    )
    yield process
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_real_tree(tree: subprocess.Popen[bytes]) -> None:
    collector = ProcessCollector(Host())
    collector.open()
    collector.command({"op": "watch", "pid": tree.pid})
    cpu_s = 0.0
    while cpu_s < 0.2:
        gauges = collector.sample(1.0)["process"]
        cpu_s += gauges["cpu_cores"]
    assert gauges["procs"] == 3
    assert gauges["rss_bytes"] > 1 << 20


def put_waits(proc: Proc, pid: int, waits_ns: dict[int, int], *, counted: bool = True) -> None:
    for thread, wait_ns in waits_ns.items():
        folder = proc.root / f"proc/{pid}/task/{thread}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "schedstat").write_text(f"5 {wait_ns} 7\n" if counted else "0 0 0\n")


def test_run_queue_wait_counts_every_thread(proc: Proc) -> None:
    put_waits(proc, 10, {10: 0, 11: 5 * 10**8})
    wait = RunWait(Host(str(proc.root)))
    assert math.isnan(wait.cores([(10, 2)], 1.0))
    put_waits(proc, 10, {10: 10**9, 11: 6 * 10**8, 12: 10**12})  # 12 is new: its past is not ours
    assert wait.cores([(10, 3)], 2.0) == pytest.approx((1.0 + 0.1) / 2)


def test_run_queue_wait_of_many_threads_is_read_in_turns(proc: Proc) -> None:
    wait, sizes = RunWait(Host(str(proc.root))), [(10, 200), (20, 200)]
    found = []
    for turn in range(6):
        for pid in (10, 20):
            put_waits(proc, pid, {pid: turn * 10**8 * (pid // 10)})
        found.append(wait.cores(sizes, 1.0))
    assert found[-1] == pytest.approx(0.1 + 0.2)


def test_a_kernel_that_does_not_count_waits_says_so(proc: Proc) -> None:
    put_waits(proc, 10, {10: 0}, counted=False)
    with pytest.raises(Unavailable, match="does not count"):
        RunWait(Host(str(proc.root))).cores([(10, 1)], 1.0)


def test_a_process_that_ended_waits_no_more(proc: Proc) -> None:
    wait = RunWait(Host(str(proc.root)))
    assert math.isnan(wait.cores([(10, 1)], 1.0))
    assert math.isnan(wait.cores([(10, 1)], 1.0))


def test_each_process_of_the_tree_is_told_the_root_first_with_its_name(proc: Proc) -> None:
    collector = watching(proc)
    assert collector.news() == {}
    collector.sample(1.0)
    assert collector.news() == {"engine_processes": {"100": "a) b (100"}}
    assert collector.news() == {}
    proc.put(90, parent=100, ticks=40, rss=500)
    proc.put(100, session=100, ticks=150, rss=20)
    each = collector.sample(1.0)["process.tree"]
    assert [each[f"p{slot}_pid"] for slot in (0, 1)] == [100, 90]
    assert [each[f"p{slot}_parent"] for slot in (0, 1)] == [1, 100]
    assert [each[f"p{slot}_cpu_cores"] for slot in (0, 1)] == [1.0, 0.4]
    assert [each[f"p{slot}_rss_bytes"] for slot in (0, 1)] == [20 * PAGE, 500 * PAGE]
    assert set(collector.news()["engine_processes"]) == {"100", "90"}


def test_of_many_processes_the_largest_are_told(proc: Proc) -> None:
    for pid in range(200, 220):
        proc.put(pid, parent=100, rss=pid)
    collector = watching(proc)
    each = collector.sample(1.0)["process.tree"]
    pids = [int(value) for name, value in each.items() if name.endswith("_pid")]
    assert pids == [100, *range(213, 220)]
