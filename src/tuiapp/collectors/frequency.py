"""Clock frequency of the CPUs, as far as it can be had cheaply."""

from __future__ import annotations

from contextlib import suppress

from tuiapp.collectors.base import Host
from tuiapp.errors import Unavailable

_CPUFREQ = "/sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq"
_MAX_CPUS = 8
_MAX_CPUINFO_BYTES = 1 << 15
_HOLD = 4


class Frequency:
    """Mean frequency of up to eight CPUs, spread evenly over ``cpus``.

    Reading it can interrupt the CPU in question, so not all of many are asked. Where cpufreq is
    missing (most guests) /proc/cpuinfo is read at every fourth call, if it is short.
    """

    def __init__(self, host: Host, cpus: list[int]) -> None:
        self._host = host
        step = max(1, -(-len(cpus) // _MAX_CPUS))
        self._paths = [_CPUFREQ.format(cpu) for cpu in cpus[::step]]
        self._scaling = bool(cpus) and self._has_scaling()
        self._calls = 0
        self._held: float | Unavailable = Unavailable("not read yet")

    def mhz(self) -> float:
        """Mean in MHz of the CPUs that are online; Unavailable when nothing tells it."""
        if self._scaling:
            return self._from_cpufreq()
        if self._calls % _HOLD == 0:
            self._held = self._from_cpuinfo()
        self._calls += 1
        if isinstance(self._held, Unavailable):
            raise self._held
        return self._held

    def _has_scaling(self) -> bool:
        try:
            return self._host.read(self._paths[0]).strip().isdigit()
        except OSError:
            return False

    def _from_cpufreq(self) -> float:
        khz = []
        for path in self._paths:
            with suppress(OSError):  # offline
                khz.append(int(self._host.read(path)))
        if not khz:
            raise Unavailable("cpufreq cannot be read any more")
        return sum(khz) / len(khz) / 1000

    def _from_cpuinfo(self) -> float | Unavailable:
        try:
            cpuinfo = self._host.read("/proc/cpuinfo")
        except OSError:
            return Unavailable("neither cpufreq nor /proc/cpuinfo is there")
        if len(cpuinfo) > _MAX_CPUINFO_BYTES:
            return Unavailable("no cpufreq, and /proc/cpuinfo is too long to be read often")
        lines = [line for line in cpuinfo.split(b"\n") if line.startswith(b"cpu MHz")]
        if not lines:
            return Unavailable("neither cpufreq nor /proc/cpuinfo tells a frequency")
        return sum(float(line.partition(b":")[2]) for line in lines) / len(lines)
