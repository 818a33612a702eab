"""The light part of the virtualization tax, over and over: exits and clock reads."""

from __future__ import annotations

from functools import partial
from typing import Any

from tuiapp.collectors.base import NAN, Collector, Gauges
from tuiapp.tax import clocks, exits
from tuiapp.tax.native_loops import cpuid_timer
from tuiapp.tax.ranks import rank

_EXITS, _ROUNDS = 40, 3


class TaxCollector(Collector):
    """Group ``tax``, every ten seconds: ``cpuid_exit_s`` (median of 40) and ``clock_read_s``.

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
        self._tick_s = first.cpuid_exit_s / first.cpuid_exit_cycles if first else NAN

    def facts(self) -> dict[str, Any]:
        found = self._read()
        return {"tax": {name: value for name, value in found.items() if value == value}}

    def sample(self, dt_s: float) -> dict[str, Gauges]:  # noqa: ARG002 - gauges only
        return {"tax": self._read()}

    def _read(self) -> Gauges:
        exit_s = NAN
        if self._time_cpuid:
            exit_s = rank(self._time_cpuid(_EXITS), 0.5) * self._tick_s
        return {"cpuid_exit_s": exit_s, "clock_read_s": self.gauge("tax.clock_read_s", _clock_s)}


def _clock_s() -> float:
    return clocks.read_s(_ROUNDS)
