"""Moments of a session worth looking at, and moments as people write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np

from tuiapp.clock import NS_PER_S, local_from_ns
from tuiapp.errors import UsageError
from tuiapp.events import Status
from tuiapp.session.latency import request_values
from tuiapp.session.view import View

_IDLE = 0x1
"""NVML's clock event reason that only says that nothing runs."""
_OUTLIER_FACTOR = 3.0
_OUTLIER_SHARE = 0.99
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|)")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)")
_UNITS_S = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def marks(view: View) -> np.ndarray:
    """When somebody noted something."""
    return np.array([mark.t_ns for mark in view.marks()], np.int64)


def errors(view: View) -> np.ndarray:
    """When a request failed or was given up."""
    ended = view.session.ends.between(-1, view.cursor_ns)
    status = view.session.requests["status"][ended]
    lost = ended[(status == Status.FAILED) | (status == Status.UNFINISHED)]
    return np.asarray(view.session.requests["t_end_ns"][lost])


def misses(view: View) -> np.ndarray:
    """When a request was known to miss an objective on its own latency."""
    found = [np.empty(0, np.int64)]
    for metric in ("ttft", "tpot", "e2el"):
        limit = view.limit_ns(metric)
        if limit is not None:
            t_ns, values = view.points(metric, -1)
            found.append(t_ns[values > limit])
    return np.unique(np.concatenate(found))


def outliers(view: View) -> np.ndarray:
    """When a latency was known that is beyond the run's p99 and three times its median."""
    found = [np.empty(0, np.int64)]
    for metric in ("ttft", "tpot"):
        _, values = request_values(view.session, metric, -1, view.cursor_ns)
        finite = values[np.isfinite(values)]
        if len(finite):
            median, high = np.quantile(finite, (0.5, _OUTLIER_SHARE))
            t_ns, values = view.points(metric, -1)
            found.append(t_ns[(values > high) & (values > _OUTLIER_FACTOR * median)])
    return np.unique(np.concatenate(found))


def throttles(view: View) -> np.ndarray:
    """When something began to hold a GPU's clocks back."""
    found = [np.empty(0, np.int64)]
    for group in view.groups("gpu"):
        t_ns, reasons = view.series(group, "throttle_reasons", -1)
        held = (np.nan_to_num(reasons).astype(np.int64) & ~_IDLE) != 0
        found.append(t_ns[held & ~np.concatenate(([False], held[:-1]))])
    return np.unique(np.concatenate(found))


MOMENTS: Mapping[str, Callable[[View], np.ndarray]] = {
    "mark": marks,
    "error": errors,
    "SLO miss": misses,
    "outlier": outliers,
    "GPU throttle": throttles,
}
"""What one can step to; each gives times in nanoseconds since the origin, up to the cursor."""


def parse_moment(
    text: str, cursor_ns: int, end_ns: int, created_ns: int | None = None, *, start_ns: int = 0
) -> int:
    """The moment ``text`` means, within 0 and ``end_ns``.

    ``1:30`` and ``90s`` count from the start, ``50%`` is a share of what the recording holds,
    ``+10s`` and ``-2m`` count from the cursor, ``14:03:22`` is a wall clock where the session holds
    that time of day and is not that long itself; ``start`` and ``end``.

    Args:
        created_ns: wall time of the origin; no wall clock is understood without it.
        start_ns: where the recording begins: a part of one keeps the clock of the whole.

    Raises:
        UsageError: it is no moment.
    """
    given = text.strip().lower()
    sign = given[:1] if given[:1] in ("+", "-", "−") else ""
    t_ns = _named(given, start_ns, end_ns)
    if t_ns is None:
        seconds = length_s(given.removeprefix(sign).strip())
        if seconds is None:
            raise UsageError(
                f"{text!r} is no moment.", "Write 1:30, 90s, 50%, +10s, -2m or 14:03:22."
            )
        t_ns = round(seconds * NS_PER_S)
        if sign:
            t_ns = cursor_ns + (t_ns if sign == "+" else -t_ns)
        elif t_ns > end_ns and created_ns is not None:
            t_ns = _of_day(t_ns, end_ns, created_ns)
    return min(max(t_ns, 0), end_ns)


def _named(given: str, start_ns: int, end_ns: int) -> int | None:
    if given in ("start", "end"):
        return start_ns if given == "start" else end_ns
    share = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", given)
    return round(start_ns + (end_ns - start_ns) * float(share[1]) / 100) if share else None


def length_s(given: str) -> float | None:
    """Seconds that ``1:30``, ``0:01:30.5``, ``90``, ``90s``, ``2m`` mean; None for all else."""
    if clock := _CLOCK.fullmatch(given):
        hours, minutes, seconds = clock.groups()
        return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
    if length := _LENGTH.fullmatch(given):
        return float(length[1]) * _UNITS_S[length[2]]
    return None


def _of_day(of_day_ns: int, end_ns: int, created_ns: int) -> int:
    """The time of day as a moment of the session; beyond its end when it holds no such time."""
    start = local_from_ns(created_ns)
    midnight_s = start.hour * 3600 + start.minute * 60 + start.second
    since_ns = of_day_ns - midnight_s * NS_PER_S - start.microsecond * 1000
    day_ns = 86_400 * NS_PER_S
    t_ns = since_ns if since_ns >= 0 else since_ns + day_ns
    return t_ns if t_ns <= end_ns else of_day_ns
