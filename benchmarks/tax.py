"""How far the tax probe's numbers spread from run to run, and what other tools measure beside it.

    python benchmarks/tax.py [RUNS]

The whole probe, as `tuiapp host --tax` runs it, several times. Between two runs of it come `perf
bench` (sched pipe on one core, syscall basic, mem memcpy), `cyclictest` (rt-tests) and `sysbench
memory`, each where it is installed. What they time is not all the same, which the table says.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable

from _measure import machine, table
from tuiapp.tax import measure

LIMIT_S = 60
CORE = min(os.sched_getaffinity(0))
PERF = ("perf", "bench", "-f", "simple")
SHOWN = {
    "cpuid_exit_s": (1e6, "µs"),
    "clock_read_s": (1e9, "ns"),
    "clock_syscall_s": (1e9, "ns"),
    "core_clock_hz": (1e-9, "GHz"),
    "core_python_s": (1e3, "ms"),
    "context_switch_s": (1e6, "µs"),
    "page_fault_s": (1e6, "µs"),
    "wakeup_p50_s": (1e6, "µs"),
    "wakeup_p99_s": (1e6, "µs"),
    "wakeup_p999_s": (1e6, "µs"),
    "realtime_wakeup_p50_s": (1e6, "µs"),
    "realtime_wakeup_p99_s": (1e6, "µs"),
    "memory_bandwidth_bytes_per_s": (1e-9, "GB/s"),
    "memory_bandwidth_core_bytes_per_s": (1e-9, "GB/s"),
    "steal": (100.0, "%"),
    "took_s": (1.0, "s"),
}


def output(*argv: str) -> str | None:
    """What a program prints; None when it is not there or fails."""
    if shutil.which(argv[0]) is None:
        return None
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None


def last_number(text: str | None) -> float | None:
    found = re.findall(r"^\s*([\d.]+)\s*$", text or "", re.MULTILINE)
    return float(found[-1]) if found else None


def perf_pipe() -> float | None:
    """µs a switch, its write and read included: half a round trip."""
    trips = 20_000
    text = output("taskset", "-c", str(CORE), *PERF, "sched", "pipe", "-l", str(trips))
    seconds = last_number(text)
    return None if seconds is None else seconds / trips / 2 * 1e6


def perf_syscall() -> float | None:
    """ns a call of getppid."""
    calls = 1_000_000
    text = output(*PERF, "syscall", "basic", "-l", str(calls))
    found = re.search(r"^\s*([\d.]+)\s*$", text or "", re.MULTILINE)
    return None if found is None else float(found[1]) / calls * 1e9


def perf_memcpy() -> float | None:
    """GB/s of one core; perf counts a byte copied once, we count it read and written."""
    rate = last_number(output(*PERF, "mem", "memcpy", "-s", "256MB", "-l", "5", "-f", "default"))
    return None if rate is None else 2 * rate / 1e9


def cyclictest() -> float | None:
    """µs, the average lateness of the real-time class; it prints no median."""
    text = output("cyclictest", "-q", "-t1", "-i", "1000", "-p", "1", "-l", "700")
    found = re.search(r"Avg:\s*(\d+)", text or "")
    return None if found is None else float(found[1])


def sysbench() -> float | None:
    """GB/s written by all cores; written alone, in blocks of 128 MiB."""
    cores = len(os.sched_getaffinity(0))
    argv = ("--memory-block-size=128M", "--memory-total-size=100T", "--time=2")
    text = output("sysbench", "memory", f"--threads={cores}", *argv, "run")
    found = re.search(r"\(([\d.]+) MiB/sec\)", text or "")
    return None if found is None else float(found[1]) * (1 << 20) / 1e9


PEERS: dict[str, tuple[str, Callable[[], float | None]]] = {
    "context_switch_s": ("perf bench sched pipe, with write and read", perf_pipe),
    "clock_syscall_s": ("perf bench syscall basic (getppid)", perf_syscall),
    "memory_bandwidth_core_bytes_per_s": ("perf bench mem memcpy, counted twice", perf_memcpy),
    "realtime_wakeup_p50_s": ("cyclictest, average", cyclictest),
    "memory_bandwidth_bytes_per_s": ("sysbench memory, writes alone", sysbench),
}


def cells(values: list[float]) -> list[object]:
    """Median, extremes, and how far these are apart as a share of the median."""
    middle = statistics.median(values)
    span = (max(values) - min(values)) / middle if middle else 0.0
    return [middle, min(values), max(values), f"{span:.0%}"]


def main(runs: int) -> int:
    print(machine())
    ours: dict[str, list[float]] = defaultdict(list)
    theirs: dict[str, list[float]] = defaultdict(list)
    caveats: list[str] = []
    for _ in range(runs):
        found = measure().as_json()
        caveats += found["caveats"]
        for name, (scale, _) in SHOWN.items():
            if found.get(name) is not None:
                ours[name].append(found[name] * scale)
        for name, (_, peer) in PEERS.items():
            value = peer()
            if value is not None:
                theirs[name].append(value)
    head = ("", "unit", "median", "least", "most", "span")
    rows = [[name, SHOWN[name][1], *cells(values)] for name, values in ours.items()]
    table(f"the probe, {runs} runs", head, rows)
    rows = [
        [PEERS[name][0], SHOWN[name][1], *cells(values), name] for name, values in theirs.items()
    ]
    table("beside it", (*head, "compare with"), rows)
    missing = [label for name, (label, _) in PEERS.items() if name not in theirs]
    if missing:
        print(f"\nnot installed, or failed: {'; '.join(missing)}")
    for caveat in dict.fromkeys(caveats):
        print(f"caveat: {caveat}")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
