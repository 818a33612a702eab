"""Beside the verdicts, without one: the shift function and both empirical distributions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from textual.strip import Strip

from tuiapp.compare.curves import Shift, ecdf, share_above, shifts
from tuiapp.session.latency import Distribution
from tuiapp.tui.pairs.mirrors import TITLES
from tuiapp.tui.pairs.scene import INKS, Content, PairScene, shared_axis
from tuiapp.tui.panes.arranged import Beside, Stacked
from tuiapp.tui.panes.base import Part
from tuiapp.tui.renderables.axis import Tick, place_labels, tick_label
from tuiapp.tui.renderables.canvas import Canvas, Renderable, fit
from tuiapp.tui.renderables.line import LineChart, Series
from tuiapp.tui.renderables.numbers import format_ms
from tuiapp.tui.renderables.palette import Ink, Palette

_TABLE, _GAP = 58, 3
_GUTTER = 7
_BESIDE_FROM = 96
_FULL_BAR = math.log(4)
"""A bar is full at four times, or a quarter."""


def which_runs(scene: PairScene) -> str:
    """Which runs a tab shows that shows one of each side; empty where there is only one."""
    comparison = scene.compared.answer.comparison
    if max(len(comparison.a), len(comparison.b)) == 1:
        return ""
    a, b = scene.chosen.runs
    return f"of two runs: A {a.name}, B {b.name}; a and b show the next ones"


def content(scene: PairScene, width: int, height: int) -> Content:
    """Quantiles beside each other, and the curves: beside them, or below where it is narrow."""
    a, b = (view.recent(scene.metric) for view in scene.views)
    found = shifts(a, b)
    above = share_above(a, b)
    table = ShiftTable(TITLES[scene.metric], found, above, (a.n, b.n), which_runs(scene))
    rows = len(found) + 3 + bool(table.runs)
    if width >= _BESIDE_FROM:
        curves = _curves(scene, (a, b), width - _TABLE - _GAP)
        return Content([(Beside(table, curves, _TABLE, _GAP), max(height, 1))])
    parts: list[Part] = [(table, rows)]
    if height - rows >= 4:
        parts.append((_curves(scene, (a, b), width), height - rows))
    return Content(parts)


@dataclass(frozen=True, slots=True)
class ShiftTable:
    """A quantile a row: A, B, the difference, the ratio and a bar of it."""

    metric: str
    shifts: Sequence[Shift]
    above: float | None
    counts: tuple[int, int]
    runs: str = ""

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        canvas.text(0, 0, f"{self.metric} ms", Ink.DIM)
        for right, text, ink in ((18, "A", INKS[0]), (27, "B", INKS[1]), (37, "B−A", Ink.DIM),
                                 (44, "B/A", Ink.DIM)):  # fmt: skip
            canvas.put_right(0, right, text, ink)
        for row, shift in enumerate(self.shifts, start=1):
            _draw_shift(canvas, row, shift)
        foot = len(self.shifts) + 1
        if not self.shifts:
            canvas.text(1, 0, "too few values on one side", Ink.DIM)
            foot = 2
        if self.above is not None:
            words = f"a value of B lies above one of A in {self.above:.0%} of pairs"
            canvas.text(foot, 0, words, Ink.TEXT)
        told = f"n {self.counts[0]:,} and {self.counts[1]:,}; d shows another metric"
        canvas.text(foot + 1, 0, told, Ink.DIM)
        if self.runs:
            canvas.text(foot + 2, 0, fit(self.runs, canvas.width), Ink.DIM)
        return canvas.strips()


def _draw_shift(canvas: Canvas, row: int, shift: Shift) -> None:
    share, a, b = shift
    canvas.text(row, 0, f"p{share * 100:g}", Ink.TEXT)
    canvas.put_right(row, 18, format_ms(a, 7), Ink.STRONG)
    canvas.put_right(row, 27, format_ms(b, 7), Ink.STRONG)
    if not (math.isfinite(a) and math.isfinite(b)) or a <= 0 or b <= 0:
        return
    sign = "−" if b < a else "+"
    canvas.put_right(row, 37, sign + format_ms(abs(b - a), 7).strip(), Ink.TEXT)
    canvas.put_right(row, 44, f"{b / a:.2f}" if b / a < 100 else f"{b / a:.0f}", Ink.STRONG)
    room = canvas.width - 46
    half = room // 2
    size = min(round(abs(math.log(b / a)) / _FULL_BAR * half), half)
    middle = 46 + half
    ink = INKS[1] if b >= a else INKS[0]
    canvas.text(row, middle, "│", Ink.FAINT)
    canvas.text(row, middle + 1 if b >= a else middle - size, "█" * size, ink)


def _curves(scene: PairScene, sides: tuple[Distribution, Distribution], width: int) -> Renderable:
    """Both empirical distribution functions over the shared axis."""
    columns = max(width - _GUTTER, 1)
    axis = shared_axis(scene, scene.metric, columns)
    edges = axis.edges_ns()
    halves = np.sqrt(np.maximum(edges[:-1], 1.0) * edges[1:])
    points = np.stack((halves, edges[1:]), axis=1).ravel()
    lines = tuple(Series(ecdf(found, points), ink) for found, ink in zip(sides, INKS, strict=True))
    chart = LineChart(lines, high=1.0, label=lambda share: f"{share * 100:.0f} %".rjust(5),
                      empty="nothing measured in this stretch of time")  # fmt: skip
    ticks = tuple((column + _GUTTER, tick_label(ns / 1e6)) for column, ns in axis.ticks(columns))
    return Stacking(chart, ticks)


@dataclass(frozen=True, slots=True)
class Stacking:
    """A chart over a row of ticks."""

    chart: Renderable
    ticks: tuple[Tick, ...]

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        rows = max(height - 1, 0)
        return Stacked(((self.chart, rows), (Ticks(self.ticks), height - rows))).strips(
            width, height, palette
        )


@dataclass(frozen=True, slots=True)
class Ticks:
    """Labels under an axis."""

    ticks: tuple[Tick, ...]

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        for start, label in place_labels(self.ticks, width, gap=2):
            canvas.text(0, start, label, Ink.DIM)
        return canvas.strips()
