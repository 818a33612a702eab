"""Load averages, and how long tasks waited for a CPU or a disk."""

from __future__ import annotations

from functools import partial

from tuiapp.collectors.base import Collector, Gauges
from tuiapp.collectors.psi import some_avg10
from tuiapp.errors import Unavailable


class LoadCollector(Collector):
    """Group ``load``."""

    name = "load"
    groups = ("load",)
    every = 4
    """The kernel renews the averages every two seconds itself."""

    def open(self) -> None:
        try:
            self._averages()
        except OSError as error:
            raise Unavailable("/proc/loadavg cannot be read") from error

    def sample(self, dt_s: float) -> dict[str, Gauges]:  # noqa: ARG002 - gauges only
        load1, load5, load15 = self._averages()
        psi = self.gauge("load.psi_cpu_some_avg10", partial(some_avg10, self.host, "cpu"))
        io = self.gauge("load.psi_io_some_avg10", partial(some_avg10, self.host, "io"))
        gauges = {
            "load1": load1,
            "load5": load5,
            "load15": load15,
            "psi_cpu_some_avg10": psi,
            "psi_io_some_avg10": io,
        }
        return {"load": gauges}

    def _averages(self) -> tuple[float, float, float]:
        words = self.host.read("/proc/loadavg").split()
        try:
            return float(words[0]), float(words[1]), float(words[2])
        except (IndexError, ValueError) as error:
            raise Unavailable("/proc/loadavg does not hold three averages") from error
