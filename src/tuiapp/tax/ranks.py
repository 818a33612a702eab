"""Percentiles and words for lengths of time; without numpy, as processes that sample are."""

from __future__ import annotations

import math
from collections.abc import Sequence

_MILLI_FROM = 1e-4


def rank(values: Sequence[float], q: float) -> float:
    """The nearest-rank ``q`` quantile; ValueError without values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(math.ceil(q * len(ordered)) - 1, 0)]


def apart(values: Sequence[float], q: float = 0.5) -> float | None:
    """How far the quantiles of the first and the second half are apart, as a share of the whole."""
    half = len(values) // 2
    whole = rank(values, q) if half else 0.0
    if not half or not whole:
        return None
    return abs(rank(values[:half], q) - rank(values[half:], q)) / whole


def times_text(*seconds: float) -> list[str]:
    """Times that are compared, all in the unit of the longest: ``0.05 ms``, ``0.31 ms``."""
    if max(seconds) < _MILLI_FROM:
        return [f"{value * 1e6:.2f} µs" for value in seconds]
    return [f"{value * 1e3:.2f} ms" for value in seconds]


def time_text(seconds: float) -> str:
    """``3.81 µs``, ``62 ns``, ``0.31 ms``."""
    if seconds < 1e-6:
        return f"{seconds * 1e9:.0f} ns"
    if seconds < _MILLI_FROM:
        return f"{seconds * 1e6:.2f} µs"
    return f"{seconds * 1e3:.2f} ms"
