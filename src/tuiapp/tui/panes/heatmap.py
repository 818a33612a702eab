"""Latency over time: is it getting worse?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from textual import events

from tuiapp.session.columns import TICK_NS
from tuiapp.session.view import View
from tuiapp.stats.axis import Axis
from tuiapp.tui.panes.axes import latency_axis, time_ticks
from tuiapp.tui.panes.base import Key, Pane, Part, Scene
from tuiapp.tui.panes.lines import TextLines
from tuiapp.tui.renderables.axis import tick_label
from tuiapp.tui.renderables.heatmap import Heatmap, Mark, plot_rows
from tuiapp.tui.renderables.numbers import format_clock
from tuiapp.tui.renderables.palette import Ink

_S = 1_000_000_000
_GUTTER = 6
_STALLS = "stall"
_METRICS = ("ttft", "tpot", "e2el")
_MIN_SPAN_NS = 10 * _S
_TALL = 14
"""Rows from which a bin is a whole cell high: finer ones would hold a request or two."""
_NOTES = 5
_REPORT_OVERDUE_NS = 2 * _S


@dataclass(frozen=True, slots=True)
class Columns:
    """Which time each column of the map spans; they end at whole multiples of ``each_ns``."""

    start_ns: int
    each_ns: int
    count: int

    def of(self, t_ns: np.ndarray) -> np.ndarray:
        """Column of each moment; may lie outside."""
        return np.asarray((t_ns - self.start_ns) // self.each_ns)

    def end_ns(self, column: int) -> int:
        """The last moment of a column."""
        return self.start_ns + (column + 1) * self.each_ns - 1


def columns_for(view: View, count: int) -> Columns:
    """Columns over the window; over the whole run they double, so that they do not shimmer."""
    count = max(count, 1)
    if view.window_ns is not None:
        each = max(-(-view.window_ns // (count * TICK_NS)), 1) * TICK_NS
    else:
        span, each = max(view.cursor_ns - view.run_start_ns, _MIN_SPAN_NS), TICK_NS
        while each * count < span:
            each *= 2
    end = view.cursor_ns // each + 1
    return Columns((end - count) * each, each, count)


def longest_stalls(view: View, columns: Columns) -> np.ndarray | None:
    """Seconds of the longest stall in each column's time; nan where no meter watched.

    None where none ever did.
    """
    told = view.metered(-1)
    if not len(told):
        return None
    longest = np.zeros(columns.count)
    end_ns, length_ns = view.stalls(columns.start_ns - 1)
    first, last = columns.of(end_ns - length_ns), columns.of(end_ns)
    seconds = length_ns / _S
    np.maximum.at(longest, np.clip(first, 0, columns.count - 1), seconds)
    np.maximum.at(longest, np.clip(last, 0, columns.count - 1), seconds)
    for at in np.flatnonzero(last - first > 1):
        span = slice(max(int(first[at]), 0), int(last[at]))
        longest[span] = np.maximum(longest[span], seconds[at])
    longest[_unwatched(view, columns, told) & (longest == 0)] = np.nan
    return longest


def _unwatched(view: View, columns: Columns, told: np.ndarray) -> np.ndarray:
    """Columns of which no report of the meter speaks; the newest ones may still come."""
    reports = told[told >= columns.start_ns]
    unwatched = np.ones(columns.count, np.bool_)
    for moments in (reports, reports - TICK_NS):
        at = columns.of(moments)
        unwatched[at[(at >= 0) & (at < columns.count)]] = False
    if view.cursor_ns - int(told[-1]) < _REPORT_OVERDUE_NS:
        unwatched[int(columns.of(told[-1:])[0]) :] = False
    return unwatched


class HeatmapPane(Pane):
    """Requests by moment and latency; a click goes to that moment, enter changes the metric."""

    TITLE = "TTFT over time"
    EVERY = 2
    FULL_KEYS: ClassVar[tuple[Key, ...]] = (("enter", "next metric", "screen.full"),)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.metric = "ttft"
        self._columns = Columns(0, TICK_NS, 0)

    def title(self, scene: Scene) -> str:
        return f"{self.metric.upper()} ms over time"

    def activate(self) -> bool:
        self.metric = _METRICS[(_METRICS.index(self.metric) + 1) % len(_METRICS)]
        self.forget()
        return True

    def key(self, scene: Scene, width: int, height: int) -> object:
        """A new picture only when a column closes."""
        columns = _columns(scene.view, width)
        state = (scene.log_axis, scene.full, scene.view.health.alive)
        stalls = len(scene.view.stalls(columns.start_ns)[0])
        return columns, state, len(scene.view.marks()), stalls

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        self._columns = _columns(scene.view, width)
        notes = _notes(scene.view, self._columns) if scene.full else []
        stalls = longest_stalls(scene.view, self._columns)
        left = height - len(notes)
        rows = max(plot_rows(left, marks=True, times=True, stalls=stalls is not None), 1)
        bins = 2 * rows if rows < _TALL else rows
        axis = latency_axis(self.metric, scene, bins)
        drawing = draw_heatmap(scene.view, self.metric, axis, self._columns, stalls=stalls)
        return ((drawing, left), (TextLines(notes, Ink.TEXT), len(notes)))

    def on_click(self, event: events.Click) -> None:
        """Go to the moment that was clicked on."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        column = offset.x - (self.content_size.width - self._columns.count)
        if 0 <= column < self._columns.count:
            self.screen.go_to(self._columns.end_ns(column))  # type: ignore[attr-defined]


def _columns(view: View, width: int) -> Columns:
    """Columns beside the labels, to which the stalls' is added where there is a meter."""
    gutter = max(_GUTTER, len(_STALLS) + 2) if len(view.metered(-1)) else _GUTTER
    return columns_for(view, width - gutter)


def draw_heatmap(
    view: View,
    metric: str,
    axis: Axis,
    columns: Columns,
    *,
    stalls: np.ndarray | None = None,
    origin_ns: int = 0,
    peak: float | None = None,
    marks: bool = True,
) -> Heatmap:
    """The map of one metric on an axis of one column a bin.

    Args:
        stalls: as ``longest_stalls`` tells them; None keeps no row for them.
        origin_ns: the moment that is written as 00:00.
        peak: count drawn hottest; the largest shown when left out.
        marks: keep a row for notes and failures.
    """
    limit = view.limit_ns(metric)
    return Heatmap(
        counts=counts_by_column(view, metric, axis, columns),
        labels=tuple((row, tick_label(ns / 1e6)) for row, ns in axis.ticks(axis.columns, 4)),
        slo=None if limit is None else int(axis.column_of(limit)),
        marks=marks_by_column(view, columns) if marks else None,
        stalls=stalls,
        stalls_label=_STALLS,
        times=time_ticks(columns.start_ns - origin_ns, columns.each_ns, columns.count),
        peak=peak,
        empty="nothing measured in this stretch of time",
    )


def counts_by_column(view: View, metric: str, axis: Axis, columns: Columns) -> np.ndarray:
    """Requests by bin of the axis and column; nan where the engine was gone."""
    t_ns, values = view.points(metric, columns.start_ns - 1)
    edges = axis.edges_ns()
    rows = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    column = columns.of(t_ns)
    inside = (column >= 0) & (column < columns.count)
    counts = np.zeros((len(edges) - 1, columns.count))
    np.add.at(counts, (rows[inside], column[inside]), 1)
    if not view.health.alive:
        gone = int((view.health.since_ns - columns.start_ns) // columns.each_ns) + 1
        counts[:, max(gone, 0) :] = np.nan
    return counts


def marks_by_column(view: View, columns: Columns) -> tuple[Mark, ...]:
    """Failures and notes of the stretch shown."""
    notes = [
        Mark(int((mark.t_ns - columns.start_ns) // columns.each_ns))
        for mark in view.marks()
        if mark.t_ns >= columns.start_ns
    ]
    t_ns, values = view.points("ttft", columns.start_ns - 1)
    lost = np.unique(columns.of(t_ns[np.isinf(values)]))
    return (*(Mark(int(column), "✗", Ink.BAD) for column in lost), *notes)


def _notes(view: View, columns: Columns) -> list[str]:
    """The newest marks of the stretch shown, in words."""
    shown = [mark for mark in view.marks() if mark.t_ns >= columns.start_ns][-_NOTES:]
    return [f"⚑ {format_clock(mark.t_ns / _S, 7)}  {mark.text}" for mark in shown]
