"""Memory of the whole machine."""

from __future__ import annotations

from functools import partial

from tuiapp.collectors.base import NAN, Collector, Gauges, Host
from tuiapp.collectors.psi import some_avg10
from tuiapp.errors import Unavailable

_KIB = 1024
_SWAPPED = ("swap_in_bytes_per_s", "swap_out_bytes_per_s")


class MemoryCollector(Collector):
    """Group ``memory``.

    ``used_bytes`` is what is not available, which is less than what is not free: the page cache
    can be had back. ``swap_in_bytes_per_s`` and ``swap_out_bytes_per_s`` are of the whole machine.
    """

    name = "memory"
    groups = ("memory",)
    every = 4

    def open(self) -> None:
        try:
            self.host.read("/proc/meminfo")
        except OSError as error:
            raise Unavailable("/proc/meminfo cannot be read") from error
        self._swapped = self._read_swapped()

    def sample(self, dt_s: float) -> dict[str, Gauges]:
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
        return {"memory": gauges | self._swap_rates(dt_s)}

    def _swap_rates(self, dt_s: float) -> Gauges:
        before, self._swapped = self._swapped, self._read_swapped()
        if before is None or self._swapped is None:
            return dict.fromkeys(_SWAPPED, NAN)
        pages = (max(now - then, 0) for now, then in zip(self._swapped, before, strict=True))
        rates = (count * self.host.page_bytes / dt_s for count in pages)
        return dict(zip(_SWAPPED, rates, strict=True))

    def _read_swapped(self) -> tuple[int, int] | None:
        """Pages read from and written to swap since the machine started."""
        return self.known("memory.swap_in_bytes_per_s", partial(_swapped_pages, self.host))

    def _bytes(self, fields: dict[bytes, bytes], gauge: str, key: bytes) -> float:
        return self.gauge(f"memory.{gauge}", partial(_kib, fields, key)) * _KIB


def _swapped_pages(host: Host) -> tuple[int, int]:
    found = {}
    for line in host.read("/proc/vmstat").split(b"\n"):
        name, _, value = line.partition(b" ")
        if name in (b"pswpin", b"pswpout") and value.isdigit():
            found[name] = int(value)
    if len(found) < 2:
        raise Unavailable("/proc/vmstat does not count swapped pages")
    return found[b"pswpin"], found[b"pswpout"]


def memory_total_bytes(meminfo: bytes) -> int:
    """MemTotal; Unavailable when it is not there."""
    return _kib(_parse(meminfo), b"MemTotal") * _KIB


def memory_available_bytes(meminfo: bytes) -> int:
    """MemAvailable; Unavailable when it is not there."""
    return _kib(_parse(meminfo), b"MemAvailable") * _KIB


def _parse(meminfo: bytes) -> dict[bytes, bytes]:
    lines = (line.partition(b":") for line in meminfo.split(b"\n"))
    return {key: value for key, _, value in lines}


def _kib(fields: dict[bytes, bytes], key: bytes) -> int:
    try:
        return int(fields[key].split()[0])
    except (KeyError, IndexError, ValueError) as error:
        raise Unavailable(f"/proc/meminfo holds no {key.decode()}") from error
