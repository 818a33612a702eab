"""Both sides over time, on one time axis: latency as heatmaps, throughput, CPU and GPU."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from textual.strip import Strip

from tuiapp.session.columns import TICK_NS
from tuiapp.session.view import View
from tuiapp.tui.pairs.scene import INKS, Content, PairScene, shared_axis
from tuiapp.tui.panes.arranged import Beside, Stacked
from tuiapp.tui.panes.base import Part
from tuiapp.tui.panes.heatmap import (
    Columns,
    counts_by_column,
    draw_heatmap,
    longest_stalls,
    marks_by_column,
)
from tuiapp.tui.panes.history import resample
from tuiapp.tui.renderables.canvas import Canvas, Renderable
from tuiapp.tui.renderables.heatmap import plot_rows
from tuiapp.tui.renderables.line import LineChart, Series
from tuiapp.tui.renderables.numbers import format_si
from tuiapp.tui.renderables.palette import Ink, Palette

_S = 1_000_000_000
_LEAST_NS = 10 * _S
_GUTTER = 7
_BESIDE_FROM, _GAP = 100, 2
_CHART_ROWS = 4
_NAMES = {"ttft": "TTFT", "tpot": "TPOT", "itl": "TTFT", "e2el": "E2EL"}


def content(scene: PairScene, width: int, height: int) -> Content:
    """Heatmaps, throughput and the host's gauges; A beside B, or over it where it is narrow."""
    charts = _gauges(scene)
    if width < _BESIDE_FROM:
        room = height - 2 * min(_CHART_ROWS, max(height // 5, 3))
        rows = (height - room) // 2
        parts: list[Part] = [(heatmaps(scene, scene.metric, width, room), room)]
        parts.append((_both(scene, charts[0], width), rows))
        parts.append((_both(scene, charts[1], width), rows))
        return Content(parts)
    shown = charts if height >= 16 else charts[:1] if height >= 10 else ()
    rows = _CHART_ROWS if height < 30 else 2 * _CHART_ROWS
    room = height - rows * len(shown)
    parts = [(heatmaps(scene, scene.metric, width, room), room)]
    parts += [(_each(scene, chart, width), rows) for chart in shown]
    return Content(parts)


def heatmaps(scene: PairScene, metric: str, width: int, height: int) -> Renderable:
    """A's and B's maps with one axis, one time and one scale of colours."""
    metric = "ttft" if metric == "itl" else metric  # gaps are counted, not kept as points
    beside = width >= _BESIDE_FROM
    wide = (width - _GAP) // 2 if beside else width
    high = height if beside else height // 2
    columns = [_columns(scene, side, wide - _GUTTER) for side in (0, 1)]
    stalls = [longest_stalls(v, c) for v, c in zip(scene.views, columns, strict=True)]
    metered = any(found is not None for found in stalls)
    marked = any(marks_by_column(v, c) for v, c in zip(scene.views, columns, strict=True))
    rows = max(plot_rows(high - 1, marks=marked, times=True, stalls=metered), 1)
    axis = shared_axis(scene, metric, 2 * rows)
    sides = list(zip(scene.views, columns, stalls, "AB", scene.chosen.starts_ns, strict=True))
    counts = [counts_by_column(v, metric, axis, c) for v, c, *_ in sides]
    peak = max(float(np.nanmax(found, initial=1.0)) for found in counts)
    maps = [
        Titled(
            name,
            f"{_NAMES[metric]} ms over time",
            draw_heatmap(
                view,
                metric,
                axis,
                cols,
                stalls=_watched(stall, cols) if metered else None,
                origin_ns=start,
                peak=peak,
                marks=marked,
            ),
        )
        for view, cols, stall, name, start in sides
    ]
    if beside:
        return Beside(maps[0], maps[1], wide, _GAP)
    return Stacked(((maps[0], high), (maps[1], high)))


def _watched(stalls: np.ndarray | None, columns: Columns) -> np.ndarray:
    return np.full(columns.count, np.nan) if stalls is None else stalls


def _columns(scene: PairScene, side: int, count: int) -> Columns:
    """The same stretch of time after the start of the load on both sides."""
    count = max(count, 1)
    start_ns = scene.chosen.starts_ns[side]
    span_ns = scene.view.window_ns or max(scene.chosen.alignment.axis_ns, _LEAST_NS)
    each_ns = max(-(-span_ns // count), TICK_NS)
    first = 0 if scene.view.window_ns is None else scene.side_ns(side) // each_ns + 1 - count
    return Columns(start_ns + first * each_ns, each_ns, count)


@dataclass(frozen=True, slots=True)
class Titled:
    """A drawing under the letters of its sides and a few words; numbers stand at the right."""

    names: str
    words: str
    drawing: Renderable
    told: str = ""

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        if height < 1:
            return []
        head = Canvas(width, 1, palette)
        for place, name in enumerate(self.names):
            head.text(0, 2 * place, name, INKS[name == "B"])
        col = head.text(0, 2 * len(self.names), self.words, Ink.DIM)
        if col + len(self.told) + 2 < width:
            head.put_right(0, width, self.told, Ink.STRONG)
        return [*head.strips(), *self.drawing.strips(width, height - 1, palette)]


@dataclass(frozen=True, slots=True)
class _Chart:
    """One gauge of both sides: its name, its values, and the end of its scale."""

    name: str
    group: str = ""
    gauge: str = ""
    factor: float = 1.0
    high: float | None = None

    def values(self, scene: PairScene, side: int, points: int) -> np.ndarray:
        """``points`` equal steps of time; nan where nothing is known."""
        view = scene.views[side]
        span_ns = view.window_ns or max(scene.chosen.alignment.axis_ns, _LEAST_NS)
        start_ns = scene.chosen.starts_ns[side]
        until_ns = start_ns + (span_ns if view.window_ns is None else scene.side_ns(side))
        if not self.group:
            return _tokens(view, until_ns - span_ns, until_ns, points)
        # The same steps end at one moment on both sides, which may lie beyond a cursor.
        found = resample(View(view.session, until_ns), self.group, self.gauge, span_ns, points)
        moments = np.linspace(until_ns - span_ns, until_ns, points)
        return np.where(moments <= view.cursor_ns, found * self.factor, np.nan)


def _tokens(view: View, after_ns: int, until_ns: int, points: int) -> np.ndarray:
    """Output tokens a second in equal steps; nan beyond the cursor."""
    ticks = view.session.ticks["output_tokens"]
    so_far = np.concatenate(([0], np.cumsum(ticks, dtype=np.int64)))
    edges = np.linspace(after_ns, until_ns, points + 1)
    given = np.interp(edges, np.arange(len(so_far)) * float(TICK_NS), so_far)
    rate = np.diff(given) / ((until_ns - after_ns) / points / _S)
    return np.where(edges[1:] <= view.cursor_ns + TICK_NS, rate, np.nan)


def _gauges(scene: PairScene) -> tuple[_Chart, ...]:
    found = [_Chart("output tokens/s"), _Chart("CPU busy, %", "cpu", "total", 100.0, 100.0)]
    if any(view.groups("gpu") for view in scene.views):
        found.append(_Chart("GPU busy, %", "gpu0", "util", 100.0, 100.0))
    else:
        found.append(_Chart("steal, %", "cpu", "steal", 100.0))
    return tuple(found)


def _each(scene: PairScene, chart: _Chart, width: int) -> Renderable:
    """A's course beside B's, on one scale."""
    wide = (width - _GAP) // 2
    values = [chart.values(scene, side, 2 * (wide - _GUTTER)) for side in (0, 1)]
    high = _high(chart, values)
    in_a, in_b, less = _means(values)
    a, b = (
        Titled(name, chart.name, _line(found, ink, high), told)
        for name, found, ink, told in zip(
            "AB", values, INKS, (f"mean {in_a}", f"mean {in_b}  B−A {less}"), strict=True
        )
    )
    return Beside(a, b, wide, _GAP)


def _means(values: Sequence[np.ndarray]) -> tuple[str, str, str]:
    """A's and B's mean over what is shown, and their difference."""
    a, b = (float(np.mean(known)) if len(known := found[~np.isnan(found)]) else math.nan
            for found in values)  # fmt: skip
    sign = "−" if b < a else "+"
    less = "—" if math.isnan(a) or math.isnan(b) else f"{sign}{_mean(abs(b - a))}"
    return _mean(a), _mean(b), less


def _mean(value: float) -> str:
    return "—" if math.isnan(value) else f"{value:.2f}" if value < 10 else f"{value:,.1f}"


def _both(scene: PairScene, chart: _Chart, width: int) -> Renderable:
    """A's and B's course in one picture."""
    values = [chart.values(scene, side, 2 * (width - _GUTTER)) for side in (0, 1)]
    lines = tuple(Series(found, ink) for found, ink in zip(values, INKS, strict=True))
    drawing = LineChart(lines, high=_high(chart, values), label=_scale, empty="no sample of it")
    in_a, in_b, less = _means(values)
    return Titled("AB", chart.name, drawing, f"mean {in_a}, {in_b}  B−A {less}")


def _high(chart: _Chart, values: Sequence[np.ndarray]) -> float | None:
    if chart.high is not None:
        return chart.high
    known = np.concatenate(values)
    top = float(np.nanmax(known, initial=0.0)) if len(known) else 0.0
    return top * 1.05 or 1.0


def _line(values: np.ndarray, ink: Ink, high: float | None) -> LineChart:
    return LineChart((Series(values, ink),), high=high, fill=True, label=_scale,
                     empty="no sample of it")  # fmt: skip


def _scale(value: float) -> str:
    """Of one width, so that both pictures begin at one column."""
    return format_si(value, _GUTTER - 2)
