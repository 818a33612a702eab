"""The light part of the virtualization tax, over and over: exits, clock reads, a core's clock."""

from __future__ import annotations

from functools import partial
from typing import Any

from tuiapp.collectors.base import NAN, Collector, Gauges
from tuiapp.tax import clocks, core, exits
from tuiapp.tax.native_loops import cpuid_timer
from tuiapp.tax.ranks import rank

_EXITS, _ROUNDS, _CLOCKS = 40, 3, 5


class TaxCollector(Collector):
    """Group ``tax``, every ten seconds: ``cpuid_exit_s`` (median of 40), ``clock_read_s`` and
    ``core_clock_hz`` of the core the agent runs on, which rests where nothing else is at work.

    ``tax`` among the facts holds the first reading, for whoever judges the host.
    """

    name = "tax"
    groups = ("tax",)
    every = 20
    blocking = True  # it starts a process when it opens

    def open(self) -> None:
        # Apart first: where the instruction is forbidden, it would end the agent.
        first = self.known("tax.cpuid_exit_s", partial(exits.probe, _EXITS))
        self._time_cpuid = cpuid_timer() if first else None
        self._read_clock = self.known("tax.core_clock_hz", core.clock_reader)
        self._tick_s = first.cpuid_exit_s / first.cpuid_exit_cycles if first else NAN

    def facts(self) -> dict[str, Any]:
        found = self._read()
        del found["core_clock_hz"]  # of a core that had nothing to do yet
        return {"tax": {name: value for name, value in found.items() if value == value}}

    def sample(self, dt_s: float) -> dict[str, Gauges]:  # noqa: ARG002 - gauges only
        return {"tax": self._read()}

    def _read(self) -> Gauges:
        exit_s = NAN
        if self._time_cpuid:
            exit_s = rank(self._time_cpuid(_EXITS), 0.5) * self._tick_s
        hz = NAN
        if self._read_clock:
            hz = rank([self._read_clock() for _ in range(_CLOCKS)], 0.5)
        read_s = self.gauge("tax.clock_read_s", _clock_s)
        return {"cpuid_exit_s": exit_s, "clock_read_s": read_s, "core_clock_hz": hz}


def _clock_s() -> float:
    return clocks.read_s(_ROUNDS)
