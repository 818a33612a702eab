"""Memory of the whole machine."""

from __future__ import annotations

from functools import partial

from tuiapp.collectors.base import Collector, Gauges
from tuiapp.collectors.psi import some_avg10
from tuiapp.errors import Unavailable

_KIB = 1024


class MemoryCollector(Collector):
    """Group ``memory``.

    ``used_bytes`` is what is not available, which is less than what is not free: the page cache
    can be had back.
    """

    name = "memory"
    groups = ("memory",)
    every = 4

    def open(self) -> None:
        try:
            self.host.read("/proc/meminfo")
        except OSError as error:
            raise Unavailable("/proc/meminfo cannot be read") from error

    def sample(self, dt_s: float) -> dict[str, Gauges]:  # noqa: ARG002 - gauges only
        fields = _parse(self.host.read("/proc/meminfo"))
        total = self._bytes(fields, "total_bytes", b"MemTotal")
        available = self._bytes(fields, "available_bytes", b"MemAvailable")
        swap_total = self._bytes(fields, "swap_used_bytes", b"SwapTotal")
        gauges = {
            "total_bytes": total,
            "available_bytes": available,
            "used_bytes": total - available,
            "swap_used_bytes": swap_total - self._bytes(fields, "swap_used_bytes", b"SwapFree"),
            "psi_some_avg10": self.gauge(
                "memory.psi_some_avg10", partial(some_avg10, self.host, "memory")
            ),
        }
        return {"memory": gauges}

    def _bytes(self, fields: dict[bytes, bytes], gauge: str, key: bytes) -> float:
        return self.gauge(f"memory.{gauge}", partial(_kib, fields, key)) * _KIB


def memory_total_bytes(meminfo: bytes) -> int:
    """MemTotal; Unavailable when it is not there."""
    return _kib(_parse(meminfo), b"MemTotal") * _KIB


def _parse(meminfo: bytes) -> dict[bytes, bytes]:
    lines = (line.partition(b":") for line in meminfo.split(b"\n"))
    return {key: value for key, _, value in lines}


def _kib(fields: dict[bytes, bytes], key: bytes) -> int:
    try:
        return int(fields[key].split()[0])
    except (KeyError, IndexError, ValueError) as error:
        raise Unavailable(f"/proc/meminfo holds no {key.decode()}") from error
