"""What the hiccup meter costs and what it sees, beside cyclictest where that is installed.

    python benchmarks/hiccup.py [SECONDS]

First on a machine left alone, then with a busy loop on every core. The meter is read as the host
agent reads it, once its pace has settled. After it, in the same run and while it goes on, comes
cyclictest (rt-tests) at 10 ms and at 1 ms, its default. Then the meter's process is stopped for a
known time, as a hypervisor stops a core, at moments that have nothing to do with its deadlines: how
many of those stalls it tells, and how long it says they were.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from _measure import cpu_s, machine, percentile, table
from tuiapp.agent import rows_frame
from tuiapp.collectors.base import Host, Row
from tuiapp.collectors.hiccup import HiccupCollector
from tuiapp.collectors.hiccup_meter import BUDGET
from tuiapp.session.columns import Session
from tuiapp.session.stalls import lateness

SETTLE_S = 6.0
STOPS_MS = (3, 5, 10, 20, 50, 100, 200)
TRIALS = 25
BUSY = "while True: pass"
CYCLICTEST_US = (10_000, 1_000)
_RESULT = re.compile(r"Min:\s*(\d+).*Avg:\s*(\d+).*Max:\s*(\d+)")


@contextmanager
def meter() -> Iterator[HiccupCollector]:
    collector = HiccupCollector(Host())
    collector.open()
    try:
        yield collector
    finally:
        collector.close()


@contextmanager
def busy_cores(busy: bool) -> Iterator[None]:
    cores = len(os.sched_getaffinity(0)) if busy else 0
    loops = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(cores)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def rows_for(collector: HiccupCollector, seconds: float) -> dict[str, list[Row]]:
    """What the meter tells in that time, read four times a second."""
    rows: dict[str, list[Row]] = {"hiccup": [], "stall": []}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.25)
        collector.sample(0.25)
        for group, new in collector.take_rows().items():
            rows[group] += new
    return rows


def start_cyclictest(interval_us: int, seconds: float) -> subprocess.Popen[str] | None:
    if shutil.which("cyclictest") is None:
        return None
    loops = str(int(seconds * 1e6 / interval_us))
    argv = ["cyclictest", "-q", "-t1", "-i", str(interval_us), "-p", "1", "-l", loops]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def cost(busy: bool, seconds: float) -> list[list[object]]:
    """Rows of the table: the meter, and its peers after it."""
    name = "busy cores" if busy else "idle"
    with busy_cores(busy), meter() as collector:
        rows_for(collector, SETTLE_S)
        assert collector.pid is not None
        before, start = cpu_s(collector.pid), time.monotonic()
        rows = rows_for(collector, seconds)
        share = (cpu_s(collector.pid) - before) / (time.monotonic() - start)
        found = [meter_row(f"tuiapp's meter, {name}", rows["hiccup"], share)]
        for interval_us in CYCLICTEST_US:
            found += cyclictest_rows(name, interval_us, seconds)
    return found


def meter_row(name: str, rows: list[Row], share: float) -> list[object]:
    session = Session()
    session.fold(rows_frame("hiccup", rows))
    told = lateness(session, -1, rows[-1][0])
    assert told is not None
    late = (told.floor_s * 1e6, told.p99_s * 1e6, told.max_s * 1e6)
    kind = "real-time" if told.realtime else "ordinary"
    return [name, kind, f"{told.period_s * 1e3:.1f}", f"{share:.2%}", *(f"{us:.0f}" for us in late)]


def cyclictest_rows(name: str, interval_us: int, seconds: float) -> list[list[object]]:
    process = start_cyclictest(interval_us, seconds)
    if process is None:
        return []
    start, share = time.monotonic(), 0.0
    while process.poll() is None and time.monotonic() - start < seconds + 10:
        time.sleep(0.25)
        try:
            share = cpu_s(process.pid) / (time.monotonic() - start)
        except OSError:
            break
    text = process.communicate()[0]
    found = _RESULT.search(text)
    low, high = (found[1], found[3]) if found else ("—", "—")
    period = f"{interval_us / 1e3:.1f}"
    return [[f"cyclictest, {name}", "real-time", period, f"{share:.2%}", low, "—", high]]


def detection(collector: HiccupCollector) -> list[list[object]]:
    """Stop the meter for known times; what it tells of each."""
    assert collector.pid is not None
    pid, rng, found = collector.pid, random.Random(1), []
    for stop_ms in STOPS_MS:
        told_ms = [stopped(collector, pid, stop_ms / 1e3, rng.random) for _ in range(TRIALS)]
        seen = [told for told in told_ms if told is not None]
        errors = [told - asked for told, asked in seen]
        spread = (
            f"{np.mean(errors):+.1f} ({percentile(errors, 0.0):+.1f} … {max(errors):+.1f})"
            if errors
            else "—"
        )
        found.append([f"{stop_ms} ms", f"{len(seen)} of {TRIALS}", spread])
    return found


def stopped(
    collector: HiccupCollector, pid: int, seconds: float, draw: Callable[[], float]
) -> tuple[float, float] | None:
    """(told, real) ms of one stop; None when no stall of that time was told."""
    time.sleep(0.1 + 0.05 * draw())
    start_ns = time.monotonic_ns()
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(pid, signal.SIGCONT)
    end_ns = time.monotonic_ns()
    rows = rows_for(collector, 0.75)["stall"]
    told = [
        row["length_s"]
        for t_ns, row in rows
        if t_ns > start_ns and t_ns - row["length_s"] * 1e9 < end_ns < t_ns + 1e6
    ]
    return (max(told) * 1e3, (end_ns - start_ns) / 1e6) if told else None


def main(seconds: float) -> int:
    print(machine())
    rows = [*cost(False, seconds), *cost(True, seconds)]
    head = ("", "class", "period, ms", "of a core", "least late, µs", "p99", "max")
    table(f"cost and lateness, {seconds:g} s each", head, rows)
    with meter() as collector:
        rows_for(collector, SETTLE_S)
        found = detection(collector)
    table(
        "stalls made on purpose, idle",
        ("stopped for", "told", "told − real, ms: mean, range"),
        found,
    )
    if shutil.which("cyclictest") is None:
        print("\ncyclictest (rt-tests) is not installed")
    shares = [float(str(row[3]).rstrip("%")) / 100 for row in rows if "meter" in str(row[0])]
    print(f"\nbudget {BUDGET:.1%} of a core; the most was {max(shares):.2%}")
    return int(max(shares) > BUDGET)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0))
