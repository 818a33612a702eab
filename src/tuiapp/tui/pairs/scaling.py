"""Latency and throughput against the load that was stepped, of two sweeps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tuiapp.compare.sweep import UNITS, Point, Sweep
from tuiapp.compare.sweep_text import text
from tuiapp.tui.pairs.courses import Titled
from tuiapp.tui.pairs.scene import INKS, Content, PairScene
from tuiapp.tui.pairs.shift import Stacking
from tuiapp.tui.panes.arranged import Beside
from tuiapp.tui.panes.lines import Line, wrap
from tuiapp.tui.renderables.axis import Tick
from tuiapp.tui.renderables.canvas import Renderable, fit
from tuiapp.tui.renderables.line import LineChart, Series
from tuiapp.tui.renderables.numbers import format_si
from tuiapp.tui.renderables.palette import Ink

_GUTTER, _GAP = 7, 2
_ROWS = 8
_HOW = (
    "These are single loads, so how the hosts scale is not known.",
    "Sweep both hosts alike:  tuiapp sweep --over rate=1,2,4,8,16 --slo voice -o DIR",
    "then compare the two folders:  tuiapp compare DIR-A vs DIR-B",
)
_Value = Callable[[Point], float | None]


def content(scene: PairScene, width: int, height: int) -> Content:
    """Two charts over the table of levels; how to make a sweep where there is none."""
    sweeps = scene.compared.sweeps
    if not sweeps:
        lines = [((0, line, Ink.TEXT),) for text in _HOW for line in wrap(text, width - 2)]
        return Content(lines=lines)
    wide = (width - _GAP) // 2
    charts = Beside(
        _chart(sweeps, "TTFT p99, ms", lambda p: _ms(p.ttft_p99_s), wide),
        _chart(sweeps, "output tokens/s", lambda p: p.output_tokens_per_s, width - _GAP - wide),
        wide,
        _GAP,
    )
    table: list[Line] = [
        ((0, fit(line, width - 2), Ink.TEXT),) for line in text(list(sweeps)).splitlines()
    ]
    return Content([(charts, min(_ROWS, height // 2))], table)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1e3


def _chart(sweeps: tuple[Sweep, ...], words: str, value: _Value, width: int) -> Renderable:
    """A value of both sweeps against the level, straight lines between levels."""
    columns = max(width - _GUTTER, 1)
    levels = [point.level for found in sweeps for point in found.points]
    at = np.linspace(min(levels), max(levels), 2 * columns)
    lines = tuple(
        Series(_between(found, value, at), ink) for found, ink in zip(sweeps, INKS, strict=True)
    )
    ends: tuple[Tick, ...] = (
        (_GUTTER, f"{min(levels):g}"),
        (_GUTTER + columns // 2, UNITS.get(sweeps[0].over, "level")),
        (_GUTTER + columns - 1, f"{max(levels):g}"),
    )
    chart = LineChart(lines, label=lambda number: format_si(number, _GUTTER - 2))
    return Titled("AB", words, Stacking(chart, ends))


def _between(found: Sweep, value: _Value, at: np.ndarray) -> np.ndarray:
    """Nan outside the levels that were measured."""
    known = [(p.level, v) for p in found.points if (v := value(p)) is not None and np.isfinite(v)]
    if not known:
        return np.full(len(at), np.nan)
    levels, values = np.array(known).T
    return np.asarray(np.interp(at, levels, values, left=np.nan, right=np.nan))
