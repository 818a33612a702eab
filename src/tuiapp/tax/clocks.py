"""What reading the clock costs: through the vDSO, and as a system call.

A clock source that the vDSO cannot read (hpet, acpi_pm, and xen on old kernels) makes both the
same: then every time stamp of the engine is a system call.
"""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tuiapp.clock import monotonic_ns
from tuiapp.tax.native_loops import Call, Calls
from tuiapp.tax.ranks import apart, rank, time_text
from tuiapp.tax.report import Result

_MONOTONIC = 1
_NUMBERS = {"x86_64": 228, "aarch64": 113, "riscv64": 113}
"""Of the system call clock_gettime (arch's unistd.h)."""
_SOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
_ROUNDS, _CALLS = 20, 2000


@dataclass(frozen=True, slots=True)
class ClockRead(Result):
    """clock_gettime(CLOCK_MONOTONIC), medians.

    Attributes:
        clock_syscall_s: the same as a system call; None where its number is not known.
        clock_source: what the kernel reads.
        clock_method: ``native``, or ``python`` with the cost of Python on top.
    """

    NOISE_OF: ClassVar[str] = "clock_read"
    clock_read_s: float
    clock_syscall_s: float | None
    clock_source: str | None
    clock_method: str

    def lines(self) -> list[str]:
        call = (
            ""
            if self.clock_syscall_s is None
            else f", as a system call {time_text(self.clock_syscall_s)}"
        )
        source = self.clock_source or "unknown"
        return [f"reading the clock {time_text(self.clock_read_s)}{call}; source {source}"]


def probe(rounds: int = _ROUNDS) -> ClockRead:
    """Read the clock over and over."""
    room = (ctypes.c_long * 2)()
    address = ctypes.addressof(room)
    calls, read_s = _reads(address, rounds)
    number = _NUMBERS.get(platform.machine())
    syscall_s = None
    if number is not None:
        _, syscalls = timed([("syscall", number, _MONOTONIC, address)], rounds)
        syscall_s = rank(syscalls, 0.5)
    try:
        source = _SOURCE.read_text(encoding="ascii", errors="replace").strip()[:40]
    except OSError:
        source = None
    return ClockRead(apart(read_s), rank(read_s, 0.5), syscall_s, source, calls.method)


def read_s(rounds: int) -> float:
    """Seconds of one read of the clock, median; the short form of ``probe``."""
    room = (ctypes.c_long * 2)()
    return rank(_reads(ctypes.addressof(room), rounds)[1], 0.5)


def _reads(address: int, rounds: int) -> tuple[Calls, list[float]]:
    return timed([("clock_gettime", _MONOTONIC, address, 0)], rounds)


def timed(table: Sequence[Call], rounds: int, count: int = _CALLS) -> tuple[Calls, list[float]]:
    """The calls, and seconds of one pass over them in each round; the first round is left out."""
    calls, seconds = Calls(table), []
    for _ in range(rounds + 1):
        start = monotonic_ns()
        calls.run(count)
        seconds.append((monotonic_ns() - start) / 1e9 / count)
    return calls, seconds[1:]
