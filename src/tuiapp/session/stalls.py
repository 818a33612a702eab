"""What the hiccup meter told: how late it woke up, when the host stalled, and whom that met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tuiapp.events import UNSET, Phase, Status
from tuiapp.session.columns import Session
from tuiapp.session.latency import request_values
from tuiapp.stats.coincidence import Coincidence, coincidence
from tuiapp.words import plural

HICCUP, STALL = "hiccup", "stall"
NOT_METERED = "no hiccup meter ran"
NO_OBJECTIVE = "no objective, so no request is slow"
_BUSY = (
    "the meter had no real-time class, so the machine's own work made stalls as well as the host"
)
_OVER = "over_"
WATCHED = 0.9
"""Share of the time below which what was not watched may matter. Own bound."""
_SILENT_NS = 3_000_000_000
_S = 1e9


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late wake-ups were, over some time.

    Attributes:
        wakeups: how many it rests on.
        p99_s: 99 of 100 were no later; interpolated between the bounds that were counted.
        max_s: the latest.
        floor_s: the earliest: what waking up costs on this machine when nothing is in the way.
        period_s: time between two wake-ups on average: a shorter stall is seen only by luck.
        realtime: the meter went before all ordinary work, all the time.
    """

    wakeups: int
    p99_s: float
    max_s: float
    floor_s: float
    period_s: float
    realtime: bool


def stalls(session: Session, after_ns: int, until_ns: int) -> tuple[np.ndarray, np.ndarray]:
    """(end, length), both int64 ns, of the stalls that ended in (after, until], oldest first."""
    table = session.samples.get(STALL)
    if table is None or "length_s" not in table:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    rows = _rows(table["t_ns"], after_ns, until_ns)
    length = np.nan_to_num(table["length_s"][rows].astype(float), posinf=0.0, neginf=0.0)
    end = table["t_ns"][rows]
    return end, np.minimum((np.clip(length, 0, 1e9) * _S).astype(np.int64), end)


def metered(session: Session, after_ns: int, until_ns: int) -> np.ndarray:
    """Moments in (after, until] at which the meter reported."""
    table = session.samples.get(HICCUP)
    if table is None:
        return np.empty(0, np.int64)
    return table["t_ns"][_rows(table["t_ns"], after_ns, until_ns)]


def lateness(session: Session, after_ns: int, until_ns: int) -> Lateness | None:
    """How late wake-ups were in (after, until]; None where no meter reported."""
    table = session.samples.get(HICCUP)
    needed = ("wakeups", "max_s", "min_s", "period_s", "realtime")
    if table is None or not all(name in table for name in needed):
        return None
    rows = _rows(table["t_ns"], after_ns, until_ns)
    column = {name: table[name][rows].astype(float) for name in needed}
    known = np.isfinite(np.stack(list(column.values()))).all(axis=0) & (column["wakeups"] > 0)
    if not known.any():
        return None
    column = {name: values[known] for name, values in column.items()}
    wakeups, latest = column["wakeups"].sum(), float(column["max_s"].max())
    over = {
        bound: float(np.nan_to_num(table[name][rows][known]).sum())
        for name in table.names
        if (bound := _bound_s(name)) is not None
    }
    floor = float(column["min_s"].min())
    return Lateness(
        wakeups=int(wakeups),
        p99_s=_quantile(over, wakeups, floor, latest, 0.99),
        max_s=latest,
        floor_s=floor,
        period_s=float((column["period_s"] * column["wakeups"]).sum() / wakeups),
        realtime=bool((column["realtime"] > 0).all()),
    )


def _rows(t_ns: np.ndarray, after_ns: int, until_ns: int) -> slice:
    start, stop = np.searchsorted(t_ns, (after_ns, until_ns), side="right")
    return slice(int(start), int(stop))


def _bound_s(name: str) -> float | None:
    """The bound that ``over_500us`` counts beyond; None for any other name."""
    digits = name.removeprefix(_OVER).removesuffix("us")
    told = name.startswith(_OVER) and name.endswith("us") and digits.isascii()
    return int(digits[:9]) / 1e6 if told and digits.isdigit() and int(digits[:9]) else None


def _quantile(
    over: Mapping[float, float], total: float, low_s: float, high_s: float, q: float
) -> float:
    """The ``q`` quantile from counts beyond bounds, interpolated between their logarithms."""
    bounds = [bound for bound in sorted(over) if low_s < bound < high_s]
    edges = np.array([max(low_s, 1e-9), *bounds, max(high_s, 1e-9)])
    below = np.array([0.0, *(1 - over[bound] / total for bound in bounds), 1.0])
    at = np.interp(q, np.maximum.accumulate(below), np.log(edges))
    return float(np.exp(at))


def slow_requests(
    session: Session, limits_ns: Mapping[str, float], after_ns: int, until_ns: int
) -> tuple[np.ndarray, np.ndarray]:
    """(start, end) of the part that was too slow, of each request that missed a limit.

    From the intended arrival to the first token where TTFT was missed, from the first token to the
    last where TPOT or ITL was (``docs/metrics.md``), all of it where E2EL was or where the request
    was not served. Of requests that ended in (after, until]; of those that the user cut off, only
    such as had waited longer than any other took, which count as not served.
    """
    table = session.requests
    req = session.ends.between(after_ns, until_ns)
    req = req[table["status"][req] != Status.LOST]
    status = table["status"][req]
    unknown = status == Status.CUT
    if unknown.any():
        unknown &= ~np.isin(req, _overdue(session, after_ns, until_ns))
    req = req[(table["phase"][req] == Phase.MEASURE) & ~unknown]
    names = ("t_sched_ns", "t_first_ns", "t_last_ns", "t_end_ns")
    sched, first, last, end = (table[name][req] for name in names)
    served = (table["status"][req] == Status.OK) & (first != UNSET)
    gaps = np.maximum(table["output_tokens"][req].astype(np.int64) - 1, 1)
    step = min(limits_ns.get("tpot", np.inf), limits_ns.get("itl", np.inf))
    whole = ~served | (last - sched > limits_ns.get("e2el", np.inf))
    late = whole | (first - sched > limits_ns.get("ttft", np.inf))
    dragging = whole | ((last - first) / gaps > step)
    slow = late | dragging
    start = np.where(late, sched, first)[slow]
    stop = np.where(served, np.where(dragging, last, first), end)[slow]
    return start, np.maximum(stop, start)


def _overdue(session: Session, after_ns: int, until_ns: int) -> np.ndarray:
    """Requests that count as +inf in TTFT or in the whole latency."""
    found = [request_values(session, name, after_ns, until_ns) for name in ("ttft", "e2el")]
    return np.concatenate([req[np.isinf(values)] for req, values in found])


def watched_share(session: Session, after_ns: int, until_ns: int) -> float | None:
    """For which part of (after, until] the meter told of stalls, 0 to 1; None where none ran.

    Until the last request that had ended by then, where one had. A meter that is silent may itself
    have been kept from the CPU: that is no quiet time.
    """
    end = session.ends.last_ns(until_ns) or until_ns
    told = metered(session, after_ns, end)
    meter = lateness(session, after_ns, end)
    if meter is None:
        return None
    start = max(after_ns, 0)
    # Its first word tells of the time before it, and the next is on its way.
    start = int(told[0]) if told[0] - start < _SILENT_NS else start
    end = int(told[-1]) if end - told[-1] < _SILENT_NS else end
    span_s = (end - start) / _S
    return min(meter.wakeups * meter.period_s / span_s, 1.0) if span_s > 0 else 1.0


def coincide(
    session: Session, limits_ns: Mapping[str, float], after_ns: int, until_ns: int
) -> Coincidence:
    """Whether the requests that missed a limit met a stall more often than by chance.

    Of the time in which the meter told of stalls; of the rest it says that there is one.
    """
    told = metered(session, after_ns, until_ns)
    if not len(told):
        return Coincidence(caveats=(NOT_METERED,))
    if not limits_ns:
        return Coincidence(caveats=(NO_OBJECTIVE,))
    requests = slow_requests(session, limits_ns, after_ns, until_ns)
    ended = session.ends.last_ns(until_ns) or until_ns
    # What was before the load and comes after it is another time: quieter, mostly.
    window = max(after_ns + 1, int(told[0])), min(ended, int(told[-1]))
    end_ns, length_ns = stalls(session, after_ns, until_ns)
    found = coincidence(requests, (end_ns - length_ns, end_ns), window)
    outside = int(((requests[1] < window[0]) | (requests[0] > window[1])).sum())
    watched = watched_share(session, after_ns, until_ns)
    return _with_caveats(found, session, window, watched, outside)


def _with_caveats(
    found: Coincidence,
    session: Session,
    window: tuple[int, int],
    watched: float | None,
    outside: int,
) -> Coincidence:
    caveats = list(found.caveats)
    if watched is not None and watched < WATCHED:
        rest = f"; {plural(outside, 'slow request')} in the rest" if outside else ""
        caveats.append(f"the hiccup meter watched {watched * 100:.0f} % of the time{rest}")
    meter = lateness(session, window[0], window[1])
    if meter is not None and not meter.realtime:
        caveats.append(_BUSY)
    return replace(found, caveats=tuple(caveats))
