"""What this machine is, as far as its kernel says so. No verdicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tuiapp.collectors.base import RARELY, Collector, Gauges
from tuiapp.collectors.cgroup import cpu_quota, memory_limit_bytes
from tuiapp.collectors.memory import memory_total_bytes
from tuiapp.errors import Unavailable

_SIBLINGS = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
_MOST_CPUS = 1 << 16
"""No kernel counts further; a recorded tree may say anything."""
_MOST_CACHES = 1024
_CACHES = "/sys/devices/system/cpu/cpu{}/cache"
_SIZE_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_CLOCKSOURCE = "/sys/devices/system/clocksource/clocksource0/current_clocksource"


class HostCollector(Collector):
    """Facts alone. None stands for what is unknown, and for a limit that does not exist.

    ``cores_logical`` and ``cores_physical`` are those this process may run on;
    ``cpu_cache_bytes`` is the size of their last-level caches together;
    ``cpu_quota_cores`` is how many of them its control group may use at a time.
    """

    name = "host"
    every = RARELY

    def sample(self, dt_s: float) -> dict[str, Gauges]:  # noqa: ARG002 - facts only
        return {}

    def facts(self) -> dict[str, Any]:
        readers: dict[str, Callable[[], Any]] = {
            "hostname": lambda: self.host.text("/proc/sys/kernel/hostname"),
            "kernel": lambda: self.host.text("/proc/sys/kernel/osrelease"),
            "os": self._os,
            "cpu_model": self._cpu_model,
            "cores_online": lambda: len(self._cpus_online()),
            "cores_logical": lambda: len(self._cpus_allowed()),
            "cores_physical": self._cores_physical,
            "cpu_quota_cores": self._quota_cores,
            "cpu_cache_bytes": self._cache_bytes,
            "memory_total_bytes": lambda: memory_total_bytes(self.host.read("/proc/meminfo")),
            "memory_limit_bytes": lambda: memory_limit_bytes(self.host),
            "clocksource": lambda: self.host.text(_CLOCKSOURCE),
            "cpuinfo_hypervisor": self._hypervisor_flag,
        }
        return {name: self.known(f"host.{name}", read) for name, read in readers.items()}

    def _os(self) -> str:
        try:
            release = self.host.text("/etc/os-release")
        except OSError:
            release = self.host.text("/usr/lib/os-release")
        for line in release.splitlines():
            name, _, value = line.partition("=")
            if name == "PRETTY_NAME":
                return value.strip("\"'")
        raise Unavailable("os-release holds no PRETTY_NAME")

    def _cpu_model(self) -> str:
        # "Model" and "Hardware" are what ARM boards write, "cpu" is POWER's.
        for key in ("model name", "Model", "Hardware", "cpu"):
            value = self._cpuinfo(key)
            if value:
                return value
        raise Unavailable("/proc/cpuinfo names no model")

    def _hypervisor_flag(self) -> bool:
        flags = self._cpuinfo("flags")
        if flags is None:
            raise Unavailable("/proc/cpuinfo lists no flags on this architecture")
        return "hypervisor" in flags.split()

    def _cpuinfo(self, key: str) -> str | None:
        """The first value under ``key``."""
        for line in self.host.text("/proc/cpuinfo").splitlines():
            name, colon, value = line.partition(":")
            if colon and name.strip() == key:
                return value.strip()
        return None

    def _cpus_online(self) -> list[int]:
        return parse_list(self.host.text("/sys/devices/system/cpu/online"))

    def _cpus_allowed(self) -> list[int]:
        for line in self.host.text("/proc/self/status").splitlines():
            name, _, value = line.partition(":")
            if name == "Cpus_allowed_list":
                online = set(self._cpus_online())
                return [cpu for cpu in parse_list(value) if cpu in online]
        raise Unavailable("/proc/self/status holds no Cpus_allowed_list")

    def _cores_physical(self) -> int:
        return len({self.host.text(_SIBLINGS.format(cpu)) for cpu in self._cpus_allowed()})

    def _cache_bytes(self) -> int:
        """Of the outermost caches of the CPUs we may run on, each counted once."""
        outermost = {
            max(self._caches(cpu), default=(0, "", 0))
            for cpu in self._cpus_allowed()[:_MOST_CACHES]
        }
        total = sum(size for _, _, size in outermost)
        if not total:
            raise Unavailable("the kernel lists no CPU caches")
        return total

    def _caches(self, cpu: int) -> list[tuple[int, str, int]]:
        """(level, which CPUs share it, bytes) of a CPU's caches."""
        path = _CACHES.format(cpu)
        found = []
        try:
            names = self.host.names(path)
        except OSError:
            return []
        for name in names:
            if name.startswith("index"):
                level, shared, size = (
                    self.host.text(f"{path}/{name}/{file}")
                    for file in ("level", "shared_cpu_list", "size")
                )
                unit = _SIZE_UNITS.get(size[-1:], 0)
                if level.isdigit() and size[:-1].isdigit():
                    found.append((int(level), shared, int(size[:-1]) * unit))
        return found

    def _quota_cores(self) -> float | None:
        quota = cpu_quota(self.host)
        return None if quota is None else quota.cores


def parse_list(text: str) -> list[int]:
    """CPU numbers of a kernel list such as ``0-3,8``; Unavailable when it is none."""
    parts = [part.partition("-") for part in filter(None, text.strip().split(","))]
    try:
        spans = [(int(first), int(last or first)) for first, _, last in parts]
    except ValueError as error:
        raise Unavailable(f"{text.strip()[:40]!r} is no list of CPUs") from error
    if sum(max(last - first, 0) for first, last in spans) > _MOST_CPUS:
        raise Unavailable(f"{text.strip()[:40]!r} lists more CPUs than there can be")
    return [cpu for first, last in spans for cpu in range(first, last + 1)]
