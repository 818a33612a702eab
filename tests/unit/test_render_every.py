"""What holds for every drawing at every size, whatever the data."""

from __future__ import annotations

import numpy as np
import pytest
from rich.segment import Segment
from textual.color import Color
from textual.filter import Monochrome, NoColor

from tests.doubles.drawing import HOSTILE, PALETTES, check
from tuiapp.tui.renderables.bar import CoreBars, Gauge, Gauges, Part, StackedBar
from tuiapp.tui.renderables.canvas import Renderable
from tuiapp.tui.renderables.heatmap import Heatmap, Mark
from tuiapp.tui.renderables.histogram import Histogram, Marker
from tuiapp.tui.renderables.line import Area, LineChart, Series
from tuiapp.tui.renderables.mirror import Mirror, Side
from tuiapp.tui.renderables.numbers import Field, NumberLines, quantile_fields
from tuiapp.tui.renderables.palette import Depth, Ink
from tuiapp.tui.renderables.table import Column, Table
from tuiapp.tui.renderables.timeline import TokenTimeline
from tuiapp.tui.renderables.waterfall import Step, Waterfall

SIZES = [
    (0, 0),
    (9, 0),
    (1, 1),
    (3, 2),
    (2, 9),
    (9, 1),
    (17, 3),
    (58, 9),
    (70, 15),
    (120, 4),
    (5, 40),
]

VALUES = {
    "empty": np.empty(0),
    "zeros": np.zeros(40),
    "nan": np.full(40, np.nan),
    "inf": np.full(40, np.inf),
    "one": np.array([3.0]),
    "negative": np.full(9, -2.0),
    "huge": np.array([1e300, 1e-300, np.inf, np.nan, 0.0]),
    "many": np.random.default_rng(1).lognormal(size=500),
}


def drawings(values: np.ndarray, text: str) -> dict[str, Renderable]:
    """One of each drawing made of the same numbers and words."""
    first = float(values[0]) if len(values) else None
    low, high = -7, len(values) + 7
    ticks = ((low, text), (0, text), (3, "3"), (high, text))
    grid = np.tile(values, (7, 1)) if len(values) else np.empty((0, 0))
    markers = (Marker(low, text), Marker(0, text), Marker(5, "p90"), Marker(high, "p99"))
    columns = (Column("a", text, 8, "left", grow=True), Column("b", text, 5, priority=1))
    steps = [Step(text, 0.0, first, state) for state in ("done", "running", "failed", "pending")]
    return {
        "histogram": Histogram(values, values[::-1], ticks, markers, slo=4, below=9, above=12),
        "histogram log": Histogram(values, values, slo=-3, slo_label=text, scale="log", empty=text),
        "mirror": Mirror(
            Side(text, values, markers, note=text),
            Side(text, values[::-1], markers, below=9, above=12),
            ticks,
            slo=4,
            empty=text,
        ),
        "numbers": NumberLines(
            (quantile_fields(first, None, first, 3, caveat=text), (Field(text, text, unit=text),))
        ),
        "heatmap": Heatmap(grid, ticks, 3, (Mark(0, text), Mark(high)), text, ticks),
        "heatmap with stalls": Heatmap(grid, ticks, stalls=values, stalls_label=text),
        "heatmap of one column": Heatmap(values[:, None], slo=99, empty=text),
        "line": LineChart(
            (Series(values), Series(values[::-1], Ink.SERIES_1)), limit=1.0, empty=text
        ),
        "line filled": LineChart((Series(values),), high=2.0, fill=True, label=None),
        "no line": LineChart(()),
        "area": Area(values, limit=0.5),
        "gauges": Gauges((Gauge(text, first, text, text), Gauge("b", None, note=text))),
        "no gauges": Gauges(()),
        "stack": StackedBar((Part(text, first, text, Ink.QUEUE), Part("b", 1.0, "1", Ink.REST))),
        "cores": CoreBars(values),
        "table": Table(columns, [(text, (text, Ink.BAD)), (text,)] * 9, 1, 3, ("a", True), text),
        "no table": Table((), []),
        "waterfall": Waterfall((*steps, Step("b", 1.0)), 4.0, frame=77, total=text),
        "no waterfall": Waterfall((), 0.0),
        "timeline": TokenTimeline(first, None, np.sort(np.abs(values)), values[:0]),
        "timeline of nothing": TokenTimeline(None, first, values[:0], values[:0], end_s=first),
    }


@pytest.mark.parametrize("depth", list(Depth))
@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES.keys())
def test_exact_size_whatever_the_numbers(values: np.ndarray, depth: Depth) -> None:
    for drawing in drawings(values, "word").values():
        for width, height in SIZES:
            check(drawing.strips(width, height, PALETTES[depth]), width, height)


@pytest.mark.parametrize("text", HOSTILE)
def test_exact_size_whatever_the_words(text: str) -> None:
    for drawing in drawings(VALUES["many"], text).values():
        for width, height in SIZES:
            check(drawing.strips(width, height, PALETTES[Depth.TRUE]), width, height)


@pytest.mark.parametrize("line_filter", [Monochrome(), NoColor()])
def test_filters_for_terminals_without_colours_take_every_segment(
    line_filter: Monochrome | NoColor,
) -> None:
    for drawing in drawings(VALUES["many"], "word").values():
        for strip in drawing.strips(58, 9, PALETTES[Depth.NONE]):
            segments: list[Segment] = list(strip)
            assert line_filter.apply(segments, Color(0, 0, 0))


def test_without_colours_no_style_has_one() -> None:
    for drawing in drawings(VALUES["many"], "word").values():
        for strip in drawing.strips(58, 9, PALETTES[Depth.NONE]):
            for segment in strip:
                assert segment.style is not None
                assert segment.style.color is None
                assert segment.style.bgcolor is None


def test_with_colours_every_cell_has_a_ground() -> None:
    """Textual does not fill in a widget's background behind lines that lack one."""
    for drawing in drawings(VALUES["many"], "word").values():
        for strip in drawing.strips(58, 9, PALETTES[Depth.TRUE]):
            assert all(segment.style and segment.style.bgcolor for segment in strip)
