"""Moments of a session worth looking at, and moments as people write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tuiapp.clock import NS_PER_S, local_from_ns
from tuiapp.errors import UsageError
from tuiapp.events import Status
from tuiapp.session.latency import request_values
from tuiapp.session.view import View
from tuiapp.words import clock_text, plural

_IDLE = 0x1
"""NVML's clock event reason that only says that nothing runs."""
_OUTLIER_FACTOR = 3.0
_OUTLIER_SHARE = 0.99
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|)")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)")
_UNITS_S = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class MomentKind:
    """A sort of moments one can step to.

    Attributes:
        times: when they were; nanoseconds since the origin, sorted, up to the view's cursor.
        told: what happened at one of them, in a few words; other people's words among them.
    """

    times: Callable[[View], np.ndarray]
    told: Callable[[View, int], str]


def marks(view: View) -> np.ndarray:
    """When somebody noted something."""
    return np.array([mark.t_ns for mark in view.marks()], np.int64)


def _told_mark(view: View, t_ns: int) -> str:
    return " · ".join(mark.text for mark in view.marks() if mark.t_ns == t_ns)


def errors(view: View) -> np.ndarray:
    """When a request failed or was given up."""
    ended = view.session.ends.between(-1, view.cursor_ns)
    status = view.session.requests["status"][ended]
    lost = ended[(status == Status.FAILED) | (status == Status.UNFINISHED)]
    return np.asarray(view.session.requests["t_end_ns"][lost])


def _told_error(view: View, t_ns: int) -> str:
    table = view.session.requests
    lost = (table["status"] == Status.FAILED) | (table["status"] == Status.UNFINISHED)
    req = np.flatnonzero(lost & (table["t_end_ns"] == t_ns))
    if len(req) == 1:
        waited_ns = t_ns - int(table["t_sched_ns"][req[0]])
        when = f"{_length(waited_ns)} after it was due" if waited_ns > 0 else "nobody told when"
        return f"request {req[0]}, {when}"
    return f"{plural(len(req), 'request')} at once"


def misses(view: View) -> np.ndarray:
    """When a request was known to miss an objective on its own latency."""
    found = [np.empty(0, np.int64)]
    for metric in ("ttft", "tpot", "e2el"):
        limit = view.limit_ns(metric)
        if limit is not None:
            t_ns, values = view.points(metric, -1)
            found.append(t_ns[values > limit])
    return np.unique(np.concatenate(found))


def _told_miss(view: View, t_ns: int) -> str:
    limits = {metric: view.limit_ns(metric) for metric in ("ttft", "tpot", "e2el")}
    return _told_latency(
        view,
        t_ns,
        {
            metric: (limit_ns, f"the objective is {_length(limit_ns)}")
            for metric, limit_ns in limits.items()
            if limit_ns is not None
        },
    )


def _told_latency(view: View, t_ns: int, bounds: Mapping[str, tuple[float, str]]) -> str:
    """The latencies known at ``t_ns`` that are beyond a bound, and what the bound is."""
    said = []
    for metric, (bound_ns, what) in bounds.items():
        at, values = view.points(metric, t_ns - 1)
        worst = values[(at == t_ns) & (values > bound_ns)]
        if len(worst):
            said.append(f"{metric.upper()} {_length(float(worst.max()))}, {what}")
    return " · ".join(said)


def _length(ns: float) -> str:
    """``812 ms``, ``2.4 s``, ``∞``."""
    if not np.isfinite(ns):
        return "∞"
    return f"{ns / 1e6:.3g} ms" if ns < NS_PER_S else f"{ns / NS_PER_S:.3g} s"


def outliers(view: View) -> np.ndarray:
    """When a latency was known that is beyond the run's p99 and three times its median."""
    found = [np.empty(0, np.int64)]
    for metric, (bound_ns, _) in _outlier_bounds(view).items():
        t_ns, values = view.points(metric, -1)
        found.append(t_ns[values > bound_ns])
    return np.unique(np.concatenate(found))


def _outlier_bounds(view: View) -> dict[str, tuple[float, str]]:
    bounds = {}
    for metric in ("ttft", "tpot"):
        _, values = request_values(view.session, metric, -1, view.cursor_ns)
        finite = values[np.isfinite(values)]
        if len(finite):
            median, high = np.quantile(finite, (0.5, _OUTLIER_SHARE))
            said = f"the median is {_length(float(median))}"
            bounds[metric] = (max(float(high), _OUTLIER_FACTOR * float(median)), said)
    return bounds


def _told_outlier(view: View, t_ns: int) -> str:
    return _told_latency(view, t_ns, _outlier_bounds(view))


def throttles(view: View) -> np.ndarray:
    """When something began to hold a GPU's clocks back."""
    return np.unique(np.concatenate([np.empty(0, np.int64), *_throttled(view).values()]))


def _throttled(view: View) -> dict[str, np.ndarray]:
    """When each GPU began to be held back."""
    found = {}
    for group in view.groups("gpu"):
        t_ns, reasons = view.series(group, "throttle_reasons", -1)
        held = (np.nan_to_num(reasons).astype(np.int64) & ~_IDLE) != 0
        found[group] = t_ns[held & ~np.concatenate(([False], held[:-1]))]
    return found


def _told_throttle(view: View, t_ns: int) -> str:
    return " · ".join(group for group, times in _throttled(view).items() if t_ns in times)


MOMENTS: Mapping[str, MomentKind] = {
    "mark": MomentKind(marks, _told_mark),
    "error": MomentKind(errors, _told_error),
    "SLO miss": MomentKind(misses, _told_miss),
    "outlier": MomentKind(outliers, _told_outlier),
    "GPU throttle": MomentKind(throttles, _told_throttle),
}
"""What one can step to."""


def parse_moment(
    text: str, cursor_ns: int, end_ns: int, created_ns: int | None = None, *, start_ns: int = 0
) -> int:
    """The moment ``text`` means.

    ``1:30`` and ``90s`` count from the start, ``50%`` is a share of what the recording holds,
    ``+10s`` and ``-2m`` count from the cursor, ``14:03:22`` is a wall clock where the session holds
    that time of day and is not that long itself; ``start`` and ``end``. Steps from the cursor end
    where the recording does.

    Args:
        created_ns: wall time of the origin; no wall clock is understood without it.
        start_ns: where the recording begins: a part of one keeps the clock of the whole.

    Raises:
        UsageError: it is no moment, or none of the recording's.
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
            t_ns = min(max(t_ns, start_ns), end_ns)
        elif t_ns > end_ns and created_ns is not None:
            t_ns = _of_day(t_ns, end_ns, created_ns)
    # Moments are written by the second: the last one may be a little short of its end.
    if not start_ns - NS_PER_S < t_ns < end_ns + NS_PER_S:
        span = f"{clock_text(start_ns)} to {clock_text(end_ns)}"
        raise UsageError(f"{text.strip()} is not in the recording.", f"It holds {span}.")
    return min(max(t_ns, start_ns), end_ns)


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
