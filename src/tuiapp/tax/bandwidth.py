"""Memory bandwidth: copying between two arrays much larger than the caches, best of several.

Bytes read plus bytes written are counted, as STREAM does (McCalpin 1995); what the processor reads
of the destination before it writes there is not.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tuiapp.clock import monotonic_ns
from tuiapp.errors import Unavailable
from tuiapp.tax.report import Result

_ALL_BYTES = 256 << 20
_LEAST_BYTES = 32 << 20
_ROUNDS = 6
_SPARE = 4
"""Share of the available memory that the arrays may take."""


@dataclass(frozen=True, slots=True)
class Bandwidth(Result):
    """Bytes a second, read and written.

    Attributes:
        memory_bandwidth_bytes_per_s: all cores we may use together.
        memory_bandwidth_core_bytes_per_s: one core.
        memory_bandwidth_cores: how many those are.
    """

    NOISE_OF: ClassVar[str] = "memory_bandwidth"
    memory_bandwidth_bytes_per_s: float
    memory_bandwidth_core_bytes_per_s: float
    memory_bandwidth_cores: int

    def lines(self) -> list[str]:
        every, one = (
            f"{value / 1e9:.1f} GB/s"
            for value in (
                self.memory_bandwidth_bytes_per_s,
                self.memory_bandwidth_core_bytes_per_s,
            )
        )
        return [
            f"memory bandwidth {every} with {self.memory_bandwidth_cores} cores, {one} with one"
        ]


def probe(size: int | None = None, rounds: int = _ROUNDS) -> Bandwidth:
    """Copy; Unavailable where there is no memory to spare."""
    cores = len(os.sched_getaffinity(0))
    each = (size or _size()) // cores
    one = _best([_arrays(each)], rounds)
    every = _rates([_arrays(each) for _ in range(cores)], rounds)
    best = max(every)
    half = rounds // 2
    noise = abs(max(every[:half]) - max(every[half:])) / best
    return Bandwidth(noise, best, one, cores)


def _size() -> int:
    spare = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // _SPARE
    size = min(_ALL_BYTES, spare // 2)
    if size < _LEAST_BYTES:
        raise Unavailable("there is too little free memory to measure its bandwidth")
    return size


Pair = tuple[np.ndarray, np.ndarray]


def _arrays(size: int) -> Pair:
    source, target = np.empty(size, np.uint8), np.empty(size, np.uint8)
    source.fill(1)
    target.fill(2)
    return source, target


def _best(pairs: list[Pair], rounds: int) -> float:
    return max(_rates(pairs, rounds))


def _rates(pairs: list[Pair], rounds: int) -> list[float]:
    """Bytes a second in each round; numpy lets go of Python's lock while it copies."""
    moved = sum(2 * len(source) for source, _ in pairs)
    rates = []
    with ThreadPoolExecutor(len(pairs)) as pool:
        for _ in range(rounds):
            start = monotonic_ns()
            list(pool.map(lambda pair: np.copyto(pair[1], pair[0]), pairs))
            rates.append(moved / ((monotonic_ns() - start) / 1e9))
    return rates
