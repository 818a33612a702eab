"""What all benchmarks share: CPU seconds and memory of other processes, the machine, tables."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MIB = 1 << 20
_CPUCLOCK_SCHED = 2
_METRIC_COLUMNS = 36

if str(ROOT) not in sys.path:  # tests.doubles makes up the runs
    sys.path.insert(0, str(ROOT))


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and all its threads, dead ones too, to the nanosecond.

    Linux numbers a process's CPU clock ``~pid << 3 | 2`` (clock_getcpuclockid(3)).
    """
    return time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)


def rss_mib(pid: int | str = "self") -> float:
    """Resident memory now."""
    return _status_mib(pid, "VmRSS:")


def pss_mib(pid: int | str = "self") -> float:
    """Resident memory now, with pages that several processes share divided among them."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(text.split("\nPss:")[1].split()[0]) / 1024


def peak_mib(pid: int | str = "self") -> float:
    """The most memory that was ever resident."""
    return _status_mib(pid, "VmHWM:")


def _status_mib(pid: int | str, name: str) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split(name)[1].split()[0]) / 1024


def children(pid: int) -> list[int]:
    """Ids of the processes that ``pid`` started and that still run."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def tree(pid: int) -> list[int]:
    """``pid`` and all its descendants."""
    return [pid, *(found for child in children(pid) for found in tree(child))]


def command(pid: int) -> str:
    """The command line of a process."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()


def process_of(pid: int, name: str) -> int:
    """The process under ``pid`` whose command line holds ``name``."""
    return next(found for found in tree(pid) if name in command(found))


def agent_of(pid: int) -> int:
    """The host agent among the processes under ``pid``."""
    return process_of(pid, "tuiapp.agent")


def meter_of(pid: int) -> int:
    """The hiccup meter among them."""
    return process_of(pid, "hiccup_meter")


def machine() -> str:
    """One line on where the numbers come from."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    python = platform.python_version()
    return f"{cores} × {model or platform.machine()}, Python {python}, load {load:.1f} at the start"


def best(measure: Callable[[], float], times: int) -> float:
    """The smallest of several measurements: what else runs here can only add to a cost."""
    return min(measure() for _ in range(times))


def percentile(values: Sequence[float], q: float) -> float:
    """The smallest value that a share ``q`` of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(q * len(ordered)), len(ordered) - 1)]


def spread(values: Sequence[float]) -> str:
    """Median, and the extremes where there is more than one value."""
    middle = f"{statistics.median(values):.3f}"
    return middle if len(values) < 2 else f"{middle} ({min(values):.3f}–{max(values):.3f})"


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a Markdown table: it reads well in a terminal, and in the documentation."""
    texts = [list(map(str, head)), *(list(map(_text, row)) for row in rows)]
    widths = [max(len(row[at]) for row in texts) for at in range(len(head))]
    print(f"\n{title}\n")
    for number, row in enumerate(texts):
        cells = [
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print(f"| {' | '.join(cells)} |")
        if number == 0:
            rule = [
                "-" * width if at == 0 else "-" * (width - 1) + ":"
                for at, width in enumerate(widths)
            ]
            print(f"| {' | '.join(rule)} |")
    sys.stdout.flush()


def _text(value: object) -> str:
    if not isinstance(value, float):
        return "—" if value is None else str(value)
    return (
        f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"
    )
