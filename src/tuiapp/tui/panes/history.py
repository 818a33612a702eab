"""Gauges over time, and when they were last seen."""

from __future__ import annotations

import numpy as np

from tuiapp.session.view import View
from tuiapp.tui.renderables.numbers import format_clock

_S = 1_000_000_000
LEAST_NS = 10 * _S
"""The shortest history worth drawing."""


def resample(view: View, group: str, name: str, reach_ns: int, points: int) -> np.ndarray:
    """A gauge on ``points`` equal steps up to the cursor: the newest value in each, else NaN.

    Where samples are further apart than steps, a value holds until the next one is due.
    """
    step = max(reach_ns // points, 1)
    end = view.cursor_ns // step + 1
    t_ns, values = view.series(group, name, (end - points) * step - 1)
    out = np.full(points, np.nan)
    at = t_ns // step - (end - points)
    inside = (at >= 0) & (at < points)
    out[at[inside]] = values[inside]
    return _held(out, _steps_between(t_ns, step))


def _steps_between(t_ns: np.ndarray, step_ns: int) -> int:
    """Steps from one sample to the next, as the newest ones come."""
    if len(t_ns) < 2:
        return 1
    return int(np.median(np.diff(t_ns[-20:]))) // step_ns + 1


def _held(values: np.ndarray, steps: int) -> np.ndarray:
    """``values`` with gaps of fewer than ``steps`` filled from the left."""
    places = np.arange(len(values))
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, places))
    fresh = (last >= 0) & (places - last < steps)
    return np.where(fresh, values[last], np.nan)


def last_seen(view: View) -> str:
    """When a run that is over was seen last, as words of a title; empty while it goes on."""
    exit_facts = view.health.exit_facts
    return f"as of {format_clock(view.health.since_ns / _S)}" if exit_facts else ""
