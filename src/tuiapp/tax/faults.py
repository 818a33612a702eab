"""What the first touch of a page costs: the kernel finds, clears and maps it; in a guest the
hypervisor may have to do so as well (nested paging)."""

from __future__ import annotations

import ctypes
import mmap
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from tuiapp.clock import monotonic_ns
from tuiapp.tax.ranks import apart, rank, time_text
from tuiapp.tax.report import Result

_PAGES, _ROUNDS = 2048, 12


@dataclass(frozen=True, slots=True)
class Fault(Result):
    """One page of the base size touched for the first time, less touching it again; median."""

    NOISE_OF: ClassVar[str] = "page_fault"
    page_fault_s: float

    def lines(self) -> list[str]:
        return [f"first touch of a page {time_text(self.page_fault_s)}"]


def probe(rounds: int = _ROUNDS) -> Fault:
    """Touch fresh pages."""
    costs = [_one(_PAGES) for _ in range(rounds)]
    return Fault(apart(costs), rank(costs, 0.5))


def _one(pages: int) -> float:
    size = pages * mmap.PAGESIZE
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as area:
        with suppress(OSError, AttributeError):  # a kernel without huge pages needs no telling
            area.madvise(mmap.MADV_NOHUGEPAGE)
        start = ctypes.c_char.from_buffer(area)
        address = ctypes.addressof(start)
        spent = []
        for _ in range(2):
            before = monotonic_ns()
            ctypes.memset(address, 1, size)
            spent.append(monotonic_ns() - before)
        del start
    return max(spent[0] - spent[1], 0) / 1e9 / pages
