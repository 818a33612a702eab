"""Memory bandwidth: copying between two arrays much larger than the caches, best of several.

Bytes read plus bytes written are counted, as STREAM does (McCalpin 1995); what the processor reads
of the destination before it writes there is not. Every core has a pair of arrays of its own, which
it filled itself, so that they lie in the memory next to it.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from tuiapp.clock import monotonic_ns
from tuiapp.errors import Unavailable
from tuiapp.tax.report import Result
from tuiapp.words import plural

_LEAST_BYTES, _MOST_BYTES = 32 << 20, 4 << 30
_ONE_BYTES, _ALL_BYTES = 128 << 20, 256 << 20
_BEYOND = 8
"""So many times the last caches is what all arrays take: each of a pair four times, as STREAM."""
_ROUNDS = 6
_LIMIT_S = 10.0
_SPARE = 4
"""Share of the available memory that the arrays may take."""
_CPUS = Path("/sys/devices/system/cpu")
_CACHE_SIZE = re.compile(r"(\d{1,9})([KMG])")
_SCALES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


@dataclass(frozen=True, slots=True)
class Bandwidth(Result):
    """Bytes a second, read and written.

    Attributes:
        memory_bandwidth_bytes_per_s: all cores we may use together.
        memory_bandwidth_core_bytes_per_s: one core.
        memory_bandwidth_cores: how many those are.
        memory_bandwidth_array_bytes: all arrays of all cores.
        memory_last_cache_bytes: the last caches of these cores; None where they are not shown.
    """

    NOISE_OF: ClassVar[str] = "memory_bandwidth"
    memory_bandwidth_bytes_per_s: float
    memory_bandwidth_core_bytes_per_s: float
    memory_bandwidth_cores: int
    memory_bandwidth_array_bytes: int
    memory_last_cache_bytes: int | None

    def lines(self) -> list[str]:
        every, one = (
            f"{value / 1e9:.1f} GB/s"
            for value in (
                self.memory_bandwidth_bytes_per_s,
                self.memory_bandwidth_core_bytes_per_s,
            )
        )
        return [
            f"memory bandwidth {every} with {plural(self.memory_bandwidth_cores, 'core')}, "
            f"{one} with one{self._doubt()}"
        ]

    def caveats(self) -> list[str]:
        """All cores cannot do less than one of them: they shared the time with something else."""
        every, one = self.memory_bandwidth_bytes_per_s, self.memory_bandwidth_core_bytes_per_s
        if every >= one or self.memory_bandwidth_cores < 2:
            return []
        return [
            f"{self.memory_bandwidth_cores} cores together measured less than one alone, which "
            "cannot be: others were at work, so measure the machine at rest"
        ]

    def _doubt(self) -> str:
        caches = self.memory_last_cache_bytes
        if caches is None:
            return "; caches of unknown size may be in it"
        if self.memory_bandwidth_array_bytes < _BEYOND * caches:
            times = self.memory_bandwidth_array_bytes / caches
            return f"; the arrays were only {times:.1f} times the caches, which may be in it"
        return ""


def probe(size: int | None = None, rounds: int = _ROUNDS, spare: int | None = None) -> Bandwidth:
    """Copy; Unavailable where there is no memory to spare.

    Args:
        size: bytes of all arrays together; what fits this machine, when left out.
        spare: memory that may be used; what is free, when left out.
    """
    cores = sorted(os.sched_getaffinity(0))
    caches = last_caches(cores)
    one_size = size or array_bytes(max(caches, default=0), _ONE_BYTES, spare)
    all_size = size or array_bytes(sum(caches), _ALL_BYTES, spare)
    one = max(_rates(cores[:1], one_size, rounds))
    every = _rates(cores, all_size, rounds)
    best = max(every)
    half = rounds // 2
    noise = abs(max(every[:half]) - max(every[half:])) / best
    return Bandwidth(noise, best, one, len(cores), all_size, sum(caches) or None)


def last_caches(cores: Iterable[int], root: Path = _CPUS) -> list[int]:
    """Bytes of each last-level cache of these cores; empty where the system shows none."""
    found: dict[tuple[int, str], int] = {}
    for core in cores:
        for cache in root.glob(f"cpu{core}/cache/index[0-9]*"):
            with suppress(OSError, ValueError):
                shared = (cache / "shared_cpu_list").read_text().strip()
                size = _CACHE_SIZE.fullmatch((cache / "size").read_text().strip())
                if size is not None:
                    level = int((cache / "level").read_text())
                    found[level, shared] = int(size[1]) * _SCALES[size[2]]
    last = max((level for level, _ in found), default=0)
    return [size for (level, _), size in found.items() if level == last]


def array_bytes(cache_bytes: int, least: int, spare: int | None = None) -> int:
    """Bytes of all arrays: beyond the caches, within the memory to spare; Unavailable.

    Args:
        cache_bytes: the last caches of the cores that copy.
        least: where caches are small or unknown.
        spare: free memory; this machine's, when left out.
    """
    if spare is None:
        spare = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    size = min(max(least, _BEYOND * cache_bytes), _MOST_BYTES, spare // _SPARE)
    if size < _LEAST_BYTES:
        raise Unavailable("there is too little free memory to measure its bandwidth")
    return size


def _rates(cores: list[int], size: int, rounds: int) -> list[float]:
    """Bytes a second in each round of a copy on every core at once, first start to last end.

    Numpy lets go of Python's lock while it copies.
    """
    each = size // 2 // len(cores)
    start_ns, end_ns = (np.zeros((rounds, len(cores)), np.int64) for _ in range(2))
    together = threading.Barrier(len(cores), timeout=_LIMIT_S)  # one may find no memory

    def work(place: int) -> None:
        with suppress(OSError):  # the core may have been taken away
            os.sched_setaffinity(0, {cores[place]})
        source, target = np.full(each, 1, np.uint8), np.full(each, 2, np.uint8)
        for turn in range(rounds):
            together.wait()
            start_ns[turn, place] = monotonic_ns()
            np.copyto(target, source)
            end_ns[turn, place] = monotonic_ns()

    with ThreadPoolExecutor(len(cores)) as pool:
        futures = [pool.submit(work, place) for place in range(len(cores))]
    for future in futures:
        future.result()
    spent_ns = end_ns.max(axis=1) - start_ns.min(axis=1)
    return [float(rate) for rate in 2e9 * each * len(cores) / np.maximum(spent_ns, 1)]


if __name__ == "__main__":
    # For a program that wants none of this memory itself: `python -m tuiapp.tax.bandwidth [SPARE]`.
    spare = int(sys.argv[1]) if sys.argv[1:] else None
    sys.stdout.write(json.dumps(probe(spare=spare).as_json()))
