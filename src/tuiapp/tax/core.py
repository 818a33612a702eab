"""How fast one core computes: its real clock, and a piece of Python.

A guest is shown a constant for its clock. What the clock is can be timed: of additions that each
wait for the one before, the cores of today do exactly one a cycle. Python code is what an engine's
scheduler and a load driver are made of; it depends on much more than the clock, and on Python's
version.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from tuiapp.clock import monotonic_ns
from tuiapp.errors import Unavailable
from tuiapp.tax.native_loops import ADDITIONS, add_chain
from tuiapp.tax.ranks import apart, rank, time_text
from tuiapp.tax.report import Result

_TURNS = 5_000
"""Of the chain in one reading: some 30 µs, so that hardly any is interrupted."""
_WARM_S = 0.1
_READINGS, _LOOPS = 400, 20
_ITEMS = 20_000


@dataclass(frozen=True, slots=True)
class Core(Result):
    """One core at work for a tenth of a second and more.

    Attributes:
        core_clock_hz: cycles a second, median; None where there is no machine code for it.
        core_python_s: a fixed loop of Python, median.
        core_python: whose: ``CPython 3.11.7``.
    """

    NOISE_OF: ClassVar[str] = "core_python"
    core_clock_hz: float | None
    core_python_s: float
    core_python: str

    def lines(self) -> list[str]:
        clock = "clock unknown" if self.core_clock_hz is None else ghz_text(self.core_clock_hz)
        return [
            f"a core at work {clock}; {_ITEMS:,} rounds of Python {time_text(self.core_python_s)} "
            f"({self.core_python})"
        ]


def probe(loops: int = _LOOPS) -> Core:
    """Time both, after a tenth of a second of work: a core at rest has a lower clock."""
    until_ns = monotonic_ns() + round(_WARM_S * 1e9)
    while monotonic_ns() < until_ns:
        _python()
    try:
        read = clock_reader()
        hz = rank([read() for _ in range(_READINGS)], 0.5)
    except Unavailable:
        hz = None
    seconds = [_timed(_python) for _ in range(loops)]
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return Core(apart(seconds), hz, rank(seconds, 0.5), python)


def clock_reader() -> Callable[[], float]:
    """Reads the clock of the core it runs on, Hz, in some 30 µs; Unavailable."""
    run = add_chain()

    def read() -> float:
        return _TURNS * ADDITIONS / _timed(lambda: run(1, _TURNS))

    return read


def ghz_text(hz: float) -> str:
    """``3.41 GHz``."""
    return f"{hz / 1e9:.2f} GHz"


def _timed(what: Callable[[], object]) -> float:
    start = monotonic_ns()
    what()
    return (monotonic_ns() - start) / 1e9


def _python() -> int:
    """What interpreters do all day: names, numbers, a dict and a list."""
    counts: dict[int, int] = {}
    last: list[int] = []
    total = 0
    for at in range(_ITEMS):
        key = at * 7 & 255
        counts[key] = counts.get(key, 0) + 1
        last.append(total)
        total += counts[key]
        if len(last) > 64:
            last.clear()
    return total
