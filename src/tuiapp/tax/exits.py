"""What one exit to a hypervisor costs: the CPUID instruction, which every guest must leave for.

Without a hypervisor CPUID takes 100 to 200 cycles. One level that traps takes some 1,200 to 3,000,
nested ones about 10,000. A translating emulator does not trap, so a fast CPUID proves nothing; this
is context, never a verdict on what a machine is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tuiapp.clock import monotonic_ns, sleep_s
from tuiapp.machine.apart import call_apart
from tuiapp.tax.native_loops import cpuid_timer, tsc_reader
from tuiapp.tax.ranks import apart, rank, time_text
from tuiapp.tax.report import Result

COUNT = 4000
_CALIBRATE_S = 0.02
_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Exit(Result):
    """CPUID, leaf 0.

    Attributes:
        cpuid_exit_cycles: median, in ticks of the time stamp counter.
        cpuid_exit_s, cpuid_exit_p99_s: median and p99.
    """

    NOISE_OF: ClassVar[str] = "cpuid_exit"
    cpuid_exit_cycles: float
    cpuid_exit_s: float
    cpuid_exit_p99_s: float

    def lines(self) -> list[str]:
        return [
            f"CPUID {time_text(self.cpuid_exit_s)} ({self.cpuid_exit_cycles:,.0f} cycles), "
            f"p99 {time_text(self.cpuid_exit_p99_s)}; bare metal takes 100–200 cycles, one trap "
            f"1,200–3,000, nested ones about 10,000"
        ]


def probe(count: int = COUNT) -> Exit:
    """Time CPUID so many times in a process of its own; Unavailable where that cannot be.

    CPUID and the counter may both be forbidden to a process and its children (arch_prctl(2)
    ARCH_SET_CPUID, prctl(2) PR_SET_TSC), and then end whoever executes them.
    """
    ticks, hz = call_apart("tuiapp.tax.exits:measure", count, limit_s=_LIMIT_S)
    median = float(rank(ticks, 0.5))
    return Exit(apart(ticks), median, median / hz, rank(ticks, 0.99) / hz)


def measure(count: int) -> tuple[list[int], float]:
    """Ticks of each CPUID, and ticks a second."""
    return cpuid_timer()(count), ticks_per_s()


def ticks_per_s() -> float:
    """Frequency of the time stamp counter, measured against the monotonic clock."""
    read = tsc_reader()
    before_ns, before = monotonic_ns(), read()
    sleep_s(_CALIBRATE_S)
    after_ns, after = monotonic_ns(), read()
    return (after - before) / ((after_ns - before_ns) / 1e9)
