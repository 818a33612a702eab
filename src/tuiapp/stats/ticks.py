"""Round values to write under an axis."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

Ticks = list[tuple[int, float]]
"""(cell, value in ns) of each label, from left to right."""

LABEL = 5
"""Cells a label takes, its gap included, unless the caller knows better."""

_LADDER = (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2), ((1,), 3))
_ENOUGH = 3


def log_ticks(lo_ns: float, hi_ns: float, width: int, label: int = LABEL) -> Ticks:
    """Ticks of a logarithmic axis ``width`` cells wide.

    1-2-5 steps of each decade; 1-3 steps or whole decades where those stand too close; evenly
    spaced round values where the axis is so narrow that fewer than three steps fall on it.
    """

    def placed(values: Iterable[float]) -> Ticks:
        scale = width / math.log(hi_ns / lo_ns)
        return [(int(math.log(value / lo_ns) * scale + 1e-9), value) for value in values]

    found: Ticks = []
    for mantissas, stride in _LADDER:
        found = placed(_decades(lo_ns, hi_ns, mantissas, stride))
        if _apart(found, label):
            break
    if len(found) >= min(_ENOUGH, width // label):
        return _thinned(found, label)
    return _even(lo_ns, hi_ns, width // label, label, placed)


def linear_ticks(lo_ns: float, hi_ns: float, width: int, label: int = LABEL) -> Ticks:
    """Ticks of a linear axis ``width`` cells wide: multiples of 1, 2 or 5 times a power of ten."""

    def placed(values: Iterable[float]) -> Ticks:
        scale = width / (hi_ns - lo_ns)
        return [(int((value - lo_ns) * scale + 1e-9), value) for value in values]

    return _even(lo_ns, hi_ns, width // label, label, placed)


def round_step(span: float, parts: int) -> float:
    """The smallest 1, 2 or 5 times a power of ten that cuts ``span`` into at most ``parts``."""
    least = span / max(parts, 1)
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * m for m in (1, 2, 5, 10, 20) if power * m >= least * (1 - 1e-9))


def _decades(lo: float, hi: float, mantissas: tuple[int, ...], stride: int) -> Iterator[float]:
    """Each mantissa times every ``stride``-th power of ten, in [lo, hi)."""
    for exponent in range(math.floor(math.log10(lo)), math.ceil(math.log10(hi)) + 1):
        if exponent % stride == 0:
            yield from (m * 10.0**exponent for m in mantissas if lo <= m * 10.0**exponent < hi)


def _even(
    lo: float, hi: float, parts: int, label: int, placed: Callable[[Iterable[float]], Ticks]
) -> Ticks:
    """Multiples of a round step; of a finer one where fewer than two of the first would show."""
    ticks: Ticks = []
    for finer in (1, 2, 4):
        ticks = _thinned(placed(_multiples(lo, hi, finer * parts)), label)
        if len(ticks) >= 2:
            break
    return ticks


def _multiples(lo: float, hi: float, parts: int) -> Iterator[float]:
    """Multiples of a round step in [lo, hi)."""
    step = round_step(hi - lo, parts)
    for k in range(math.ceil(lo / step - 1e-9), math.ceil(hi / step - 1e-9)):
        yield k * step


def _apart(ticks: Ticks, label: int) -> bool:
    return all(b[0] - a[0] >= label for a, b in pairwise(ticks))


def _thinned(ticks: Ticks, label: int) -> Ticks:
    kept: Ticks = []
    for cell, value in ticks:
        if not kept or cell - kept[-1][0] >= label:
            kept.append((cell, value))
    return kept
