"""Time the hypervisor took while we measured: ticks of steal in /proc/stat, against all ticks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tuiapp.errors import Unavailable
from tuiapp.tax.report import Result

_STAT = Path("/proc/stat")
_IDLE, _IOWAIT, _STEAL, _FIELDS = 3, 4, 7, 8

Ticks = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Steal(Result):
    """Shares of all CPU time between two readings.

    Attributes:
        busy: of everybody, and so of ourselves as well.
    """

    NOISE_OF: ClassVar[str] = "steal"
    steal: float
    busy: float

    def lines(self) -> list[str]:
        return [
            f"steal {self.steal * 100:.1f} % of the CPUs' time while measuring; bare metal has none"
        ]


def read() -> Ticks:
    """Ticks of all CPUs since boot; Unavailable where the kernel counts none."""
    try:
        first = _STAT.read_text(encoding="ascii").split("\n", 1)[0].split()
        ticks = tuple(int(word) for word in first[1 : 1 + _FIELDS])
    except (OSError, ValueError) as error:
        raise Unavailable("/proc/stat cannot be read") from error
    if len(ticks) < _FIELDS or not any(ticks):
        raise Unavailable("this kernel counts no steal")
    return ticks


def between(before: Ticks, after: Ticks) -> Steal:
    """What the ticks between two readings went into; Unavailable when there were none."""
    spent = [max(later - earlier, 0) for earlier, later in zip(before, after, strict=True)]
    total = sum(spent)
    if not total:
        raise Unavailable("no CPU time was counted while measuring")
    idle = spent[_IDLE] + spent[_IOWAIT]
    return Steal(None, spent[_STEAL] / total, 1 - (idle + spent[_STEAL]) / total)
