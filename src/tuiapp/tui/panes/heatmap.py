"""Latency over time: is it getting worse?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tuiapp.session.columns import TICK_NS
from tuiapp.session.view import View
from tuiapp.stats.axis import Axis
from tuiapp.tui.panes.axes import latency_axis
from tuiapp.tui.panes.base import Pane, Part, Scene
from tuiapp.tui.renderables.axis import tick_label
from tuiapp.tui.renderables.heatmap import Heatmap, Mark
from tuiapp.tui.renderables.numbers import format_clock
from tuiapp.tui.renderables.palette import Ink

_S = 1_000_000_000
_GUTTER = 6
_METRICS = ("ttft", "tpot", "e2el")
_MIN_SPAN_NS = 10 * _S


class HeatmapPane(Pane):
    """Requests by moment and latency; s in the full pane changes the metric."""

    TITLE = "TTFT over time"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.metric = "ttft"

    def title(self, scene: Scene) -> str:
        return f"{self.metric.upper()} ms over time"

    def activate(self) -> bool:
        self.metric = _METRICS[(_METRICS.index(self.metric) + 1) % len(_METRICS)]
        self.forget()
        return True

    def key(self, scene: Scene, width: int, height: int) -> object:
        """A new picture only when a column closes."""
        column_ns = _column_ns(scene.view, width - _GUTTER)
        return (
            scene.view.cursor_ns // column_ns,
            column_ns,
            scene.log_axis,
            len(scene.view.marks()),
        )

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        view, columns = scene.view, max(width - _GUTTER, 1)
        rows = max(height - 2, 1)
        axis = latency_axis(self.metric, scene, 2 * rows)
        column_ns = _column_ns(view, columns)
        end = view.cursor_ns // column_ns + 1
        start_ns = (end - columns) * column_ns
        limit = view.limit_ns(self.metric)
        drawing = Heatmap(
            counts=_counts(view, self.metric, axis, start_ns, column_ns, columns),
            labels=tuple((row, tick_label(ns / 1e6)) for row, ns in axis.ticks(2 * rows, 4)),
            slo=None if limit is None else int(axis.column_of(limit)),
            marks=_marks(view, start_ns, column_ns),
            times=_times(start_ns, column_ns, columns),
            empty="nothing measured in this stretch of time",
        )
        return ((drawing, height),)


def _column_ns(view: View, columns: int) -> int:
    """Time a column spans; over the whole run it doubles, so that columns do not shimmer."""
    columns = max(columns, 1)
    if view.window_ns is not None:
        return max(-(-view.window_ns // (columns * TICK_NS)), 1) * TICK_NS
    span, column = max(view.cursor_ns - view.run_start_ns, _MIN_SPAN_NS), TICK_NS
    while column * columns < span:
        column *= 2
    return column


def _counts(
    view: View, metric: str, axis: Axis, start_ns: int, column_ns: int, columns: int
) -> np.ndarray:
    t_ns, values = view.points(metric, start_ns - 1)
    edges = axis.edges_ns()
    rows = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    column = (t_ns - start_ns) // column_ns
    inside = (column >= 0) & (column < columns)
    counts = np.zeros((len(edges) - 1, columns))
    np.add.at(counts, (rows[inside], column[inside]), 1)
    if not view.health.alive:
        gone = int((view.health.since_ns - start_ns) // column_ns) + 1
        counts[:, max(gone, 0) :] = np.nan
    return counts


def _marks(view: View, start_ns: int, column_ns: int) -> tuple[Mark, ...]:
    notes = [
        Mark(int((mark.t_ns - start_ns) // column_ns))
        for mark in view.marks()
        if mark.t_ns >= start_ns
    ]
    t_ns, values = view.points("ttft", start_ns - 1)
    lost = np.unique((t_ns[np.isinf(values)] - start_ns) // column_ns)
    return (*(Mark(int(column), "✗", Ink.BAD) for column in lost), *notes)


def _times(start_ns: int, column_ns: int, columns: int) -> tuple[tuple[int, str], ...]:
    step = max(12 * column_ns // (5 * _S) * (5 * _S), 5 * _S)
    first = -(-max(start_ns, 0) // step) * step
    moments = range(first, start_ns + columns * column_ns, step)
    return tuple(((t_ns - start_ns) // column_ns, format_clock(t_ns / _S)) for t_ns in moments)
