"""Where the times of two runs meet under one clock.

The clock counts A's time. Aligned at a moment, B's time is the same; aligned by offered load, B
stands where as many requests have been offered to it as to A: two runs whose rate was changed, or
whose load paused, at different times can be laid over each other that way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tuiapp.events import UNSET, Phase
from tuiapp.session.view import View

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Two runs on one clock.

    Attributes:
        name: in ``ALIGNMENTS``.
        starts_ns: when either run stands at 00:00, by its own time.
        spans_ns: from there to the end of either.
        arrivals_ns: of A's and B's requests since their starts, as many of each, rising; B follows
            A through them. Empty where both times are the same.
    """

    name: str
    starts_ns: Pair
    spans_ns: Pair
    arrivals_ns: tuple[np.ndarray, np.ndarray] = field(default=(), repr=False)  # type: ignore[assignment]

    def of_side(self, side: int, at_ns: int) -> int:
        """How long after its start a side stands when the clock says ``at_ns``."""
        if side == 0 or not self.arrivals_ns:
            return at_ns
        return round(_through(at_ns, *self.arrivals_ns))

    @property
    def span_ns(self) -> int:
        """What the clock says when both have ended."""
        a, b = self.spans_ns
        if self.arrivals_ns:
            b = round(_through(b, *self.arrivals_ns[::-1]))
        return max(a, b)

    @property
    def axis_ns(self) -> int:
        """Length of a time axis that holds both."""
        return max(self.of_side(side, self.span_ns) for side in (0, 1))


def _through(at_ns: float, from_ns: np.ndarray, to_ns: np.ndarray) -> float:
    """A moment on one row of arrivals as one on the other; after the last, time goes on alike."""
    if at_ns >= from_ns[-1]:
        return float(to_ns[-1] + at_ns - from_ns[-1])
    return float(np.interp(at_ns, from_ns, to_ns))


def _load_starts_ns(ends: tuple[View, View]) -> Pair:
    """When the measured load began in each."""
    a, b = (max(view.run_start_ns + 1, 0) for view in ends)
    return a, b


def _at_first_request(ends: tuple[View, View]) -> Alignment | None:
    return _meeting("first request", ends, _load_starts_ns(ends))


def _at_ready(ends: tuple[View, View]) -> Alignment | None:
    ready = [
        next((span.start_ns for span in view.cold_start if span.name == "ready"), None)
        for view in ends
    ]
    a, b = ready
    return None if a is None or b is None else _meeting("ready", ends, (a, b))


def _by_offered_load(ends: tuple[View, View]) -> Alignment | None:
    starts_ns = _load_starts_ns(ends)
    a, b = (_arrivals(view, start) for view, start in zip(ends, starts_ns, strict=True))
    count = min(len(a), len(b))
    if count < 2:
        return None
    return _meeting("offered load", ends, starts_ns, (a[:count], b[:count]))


def _arrivals(view: View, start_ns: int) -> np.ndarray:
    """When each measured request was offered, nanoseconds as float64: a 0, then rising."""
    requests = view.session.requests
    t_ns = requests["t_sched_ns"][requests["phase"] == Phase.MEASURE]
    since = np.unique(t_ns[t_ns != UNSET] - start_ns)
    return np.concatenate(([0.0], since[since > 0]))


def _meeting(
    name: str,
    ends: tuple[View, View],
    starts_ns: Pair,
    arrivals_ns: tuple[np.ndarray, np.ndarray] | tuple[()] = (),
) -> Alignment:
    a, b = (view.cursor_ns - start for view, start in zip(ends, starts_ns, strict=True))
    return Alignment(name, starts_ns, (max(a, 0), max(b, 0)), arrivals_ns)  # type: ignore[arg-type]


ALIGNMENTS: dict[str, Callable[[tuple[View, View]], Alignment | None]] = {
    "first request": _at_first_request,
    "ready": _at_ready,
    "offered load": _by_offered_load,
}
"""By name; None where the runs do not say what it needs."""
FIRST = "first request"
