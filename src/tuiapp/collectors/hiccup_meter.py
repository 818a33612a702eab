"""The hiccup meter: sleeps to deadlines, and tells how late it woke up.

Started by ``collectors.hiccup`` as ``python -m tuiapp.collectors.hiccup_meter PARENT``; reports go
to its standard output. It does nothing else, so what makes it late is the host: a hypervisor that
gave the core to somebody else, an interrupt, a clock interrupt that came late. It ends with its
parent, however that ends.

How often it wakes up follows from what that costs here, which differs between machines
and between an idle and a busy one: as often as ``BUDGET`` allows, every millisecond at the most and
every 40 at the least.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
from collections.abc import Sequence

from tuiapp.clock import NS_PER_MS, NS_PER_S, cpu_s, monotonic_ns, sleep_until_ns
from tuiapp.collectors.hiccup_report import REPORT_NS, STALL_NS, Report, pack, summarize
from tuiapp.priority import come_first

BUDGET = 0.003
"""Share of a core that the meter may take; it aims a tenth lower, since costs vary."""
_AIM = 0.9
SHORTEST_NS, FIRST_NS, LONGEST_NS = NS_PER_MS, 10 * NS_PER_MS, 40 * NS_PER_MS
_ADAPT_REPORTS = 8
_PR_SET_PDEATHSIG, _PR_SET_TIMERSLACK = 1, 29


class Pace:
    """The time between two wake-ups that the budget allows.

    Args:
        budget: share of a core.
        period_ns: to begin with.
    """

    def __init__(self, budget: float = BUDGET, period_ns: int = FIRST_NS) -> None:
        self.period_ns = period_ns
        self._budget = budget

    def adapt(self, used_s: float, wakeups: int) -> None:
        """Take note that ``wakeups`` wake-ups, and all around them, took ``used_s`` of CPU."""
        if wakeups:
            afforded_ns = used_s / wakeups / (_AIM * self._budget) * NS_PER_S
            whole_ms = -(-int(afforded_ns) // NS_PER_MS) * NS_PER_MS
            self.period_ns = min(max(whole_ms, SHORTEST_NS), LONGEST_NS)


class Meter:
    """Sleeps and notes, one report at a time.

    Args:
        pace: how often it wakes up.
        realtime: what is said about its class.
    """

    def __init__(self, pace: Pace, *, realtime: bool) -> None:
        self._pace = pace
        self._realtime = realtime
        self._deadline_ns = monotonic_ns()
        self._used_s = cpu_s()
        self._reports = self._woken = 0

    def report(self) -> Report:
        """Measure for a quarter of a second, or until a stall beyond that ends."""
        period_ns, deadline_ns = self._pace.period_ns, self._deadline_ns
        end_ns = deadline_ns + REPORT_NS
        late_ns: list[int] = []
        stalls: list[tuple[int, int]] = []
        now_ns = deadline_ns
        while now_ns < end_ns:
            deadline_ns += period_ns
            sleep_until_ns(deadline_ns)
            now_ns = monotonic_ns()
            late = now_ns - deadline_ns
            late_ns.append(late)
            if late >= period_ns or late >= STALL_NS:
                stalls.append((now_ns, late))
                deadline_ns += late // period_ns * period_ns
        self._deadline_ns = deadline_ns
        self._adapt(len(late_ns))
        return summarize(now_ns, late_ns, stalls, period_ns, realtime=self._realtime)

    def _adapt(self, woken: int) -> None:
        self._reports += 1
        self._woken += woken
        if self._reports % _ADAPT_REPORTS == 0:
            used_s, self._used_s = cpu_s() - self._used_s, cpu_s()
            self._pace.adapt(used_s, self._woken)
            self._woken = 0


def end_with(parent: int) -> bool:
    """Have the kernel end this process with its parent; False when that has ended already."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
    return os.getppid() == parent


def main(argv: Sequence[str] = sys.argv) -> int:
    """Write reports to standard output until nobody reads them."""
    if len(argv) != 2 or not argv[1].isdigit():
        sys.stderr.write("The hiccup meter is started by tuiapp's host agent, not by hand.\n")
        return 2
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started the agent
    if not end_with(int(argv[1])):
        return 0
    out = sys.stdout.fileno()
    os.set_blocking(out, False)
    gc.disable()  # nothing here makes cycles, and a collection would be a hiccup of our own
    meter = Meter(Pace(), realtime=come_first())
    while True:
        data = pack(meter.report())
        try:
            os.write(out, data)
        except BlockingIOError:
            continue  # nobody has read for minutes: what is lost would be old by then
        except BrokenPipeError:
            return 0


if __name__ == "__main__":
    sys.exit(main())
