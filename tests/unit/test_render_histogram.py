from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.doubles.drawing import PALETTE, PALETTES, picture, style_at
from tuiapp.tui.renderables.blocks import eighths
from tuiapp.tui.renderables.histogram import Histogram, Marker
from tuiapp.tui.renderables.palette import Depth, Ink

WINDOW = np.array([0, 0, 1, 4, 9, 16, 12, 8, 5, 3, 2, 1, 0, 0, 1, 0, 0, 0, 0, 1])
RUN = np.array([0, 1, 8, 40, 90, 99, 60, 30, 10, 6, 3, 2, 1, 0, 0, 0, 0, 1, 0, 0])
MARKERS = (Marker(5, "p50", Ink.P50), Marker(9, "p90", Ink.P90), Marker(14, "p99", Ink.P99))
TICKS = ((0, "5"), (6, "10"), (12, "20"), (18, "50"))
SAMPLE = Histogram(WINDOW, RUN, TICKS, MARKERS, slo=12, below=3, above=17)


def test_picture() -> None:
    assert picture(SAMPLE, 20, 8) == [
        "  p50│   │  ┊ │p99",
        "    ▄█   │  ┊ │",
        "    ██▆  │  ┊ │",
        "    ▇██▄ │  ┊ │",
        "   ▂████▅│  ┊ │",
        " ▁▃███████▅▃▁ ▃  ▁ ▃",
        "┴────┻┴──┻──┻─┻───┴─",
        "◂3   10    20    17▸",
    ]


def test_picture_without_colours_tells_the_run_by_its_shade() -> None:
    assert picture(SAMPLE, 20, 5, PALETTES[Depth.NONE]) == [
        "  p50│   │  ┊ │p99",
        "    ░█▂  │  ┊ │",
        "   ·▆██▄ │  ┊ │",
        " ·▂▆█████▅▃▂· ▂  · ▂",
        "◂3   10    20    17▸",
    ]


def test_small_heights_keep_bars_first() -> None:
    assert picture(SAMPLE, 20, 1) == [" ▁▁▂▅█▆▄▃▂▁▁▁ ▁  ▁ ▁"]
    assert picture(SAMPLE, 20, 3)[-1] == "◂3   10    20    17▸"


def test_nothing_measured_says_so() -> None:
    assert "no samples yet" in picture(Histogram(WINDOW * 0, RUN * 0), 30, 6)[2]


counts = arrays(np.int64, 12, elements=st.integers(0, 5) | st.integers(0, 10**6))


@given(counts, counts, st.integers(1, 12))
def test_empty_bins_draw_nothing_and_counted_ones_something(
    window: np.ndarray, run: np.ndarray, height: int
) -> None:
    drawing = Histogram(window, run, empty="")
    strips = drawing.strips(12, height, PALETTE)
    bars = [strip.text for strip in strips[: height - (height >= 3) - (height >= 8)]]
    for column in range(12):
        drawn = {line[column] for line in bars} - {" "}
        assert bool(drawn) == bool(window[column] or run[column])
        style = style_at(strips, len(bars) - 1, column)
        if window[column]:
            assert style.color == PALETTE.styles[Ink.WINDOW].color, "the window is never hidden"
        elif run[column]:
            assert style.color == PALETTE.styles[Ink.RUN].color


def test_a_single_count_beside_a_tall_peak_is_one_eighth() -> None:
    tail = np.array([100_000, 0, 1])
    assert picture(Histogram(tail, tail * 0), 3, 2) == ["█", "█ ▁"]
    assert picture(Histogram(tail * 0, tail), 3, 2) == ["█", "█ ▁"]


def test_log_scale_lifts_the_tail() -> None:
    tail = np.array([100_000, 10, 1])
    assert picture(Histogram(tail, tail, scale="log"), 3, 1) == ["█▂▁"]


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_eighths_keep_their_order(scale: str) -> None:
    values = np.array([0.0, np.nan, 0.2, 1, 5, 40, np.inf])
    heights = eighths(values, 6, "log" if scale == "log" else "linear")
    assert heights[:2].tolist() == [0, 0]
    assert heights[2] >= 1
    assert (np.diff(heights[1:]) >= 0).all()
    assert heights[-2:].tolist() == [48, 48]


def test_markers_and_limit_stand_at_their_columns() -> None:
    strips = SAMPLE.strips(20, 8, PALETTE)
    for column, ink, line in [
        (5, Ink.P50, "│"),
        (9, Ink.P90, "│"),
        (14, Ink.P99, "│"),
        (12, Ink.SLO, "┊"),
    ]:
        assert strips[0].text[column] == line
        assert strips[6].text[column] == "┻"
        assert style_at(strips, 0, column) == PALETTE.styles[ink]
        assert style_at(strips, 6, column) == PALETTE.styles[ink]


def test_bars_beyond_the_limit_warn() -> None:
    strips = SAMPLE.strips(20, 8, PALETTE)
    assert style_at(strips, 5, 11) == PALETTE.styles[Ink.WINDOW]
    assert style_at(strips, 5, 14) == PALETTE.styles[Ink.WINDOW_OVER]
    assert style_at(strips, 5, 17) == PALETTE.styles[Ink.RUN_OVER]


def test_limit_outside_the_axis() -> None:
    all_over = Histogram(WINDOW, RUN, slo=-4).strips(20, 8, PALETTE)
    none_over = Histogram(WINDOW, RUN, slo=44).strips(20, 8, PALETTE)
    assert style_at(all_over, 5, 5) == PALETTE.styles[Ink.WINDOW_OVER]
    assert style_at(none_over, 5, 19) == PALETTE.styles[Ink.WINDOW]
    assert "┊" not in "".join(strip.text for strip in [*all_over, *none_over])


def test_colliding_labels_yield_to_the_earlier() -> None:
    close = (Marker(30, "p50"), Marker(31, "p90"), Marker(32, "p99"))
    top = picture(Histogram(WINDOW, RUN, markers=close), 58, 9)[0]
    assert top.strip() == "p50│││p99"


def test_tick_labels_never_touch() -> None:
    ticks = tuple((column, str(column)) for column in range(0, 40, 2))
    axis = picture(Histogram(WINDOW, RUN, ticks), 40, 5)[-1]
    assert len(axis.split()) > 5
    assert not re.search(r"\S \S", axis)
    assert {axis.index(label) + 1 for label in axis.split()[5:-1]} <= {c for c, _ in ticks}
