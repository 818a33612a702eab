from __future__ import annotations

import numpy as np
import pytest

from tests.doubles.drawing import PALETTE, PALETTES, picture, style_at
from tuiapp.tui.renderables.bar import CoreBars, Gauge, Gauges, Part, StackedBar
from tuiapp.tui.renderables.palette import Depth, Ink

CPU = Gauge("cpu", 0.81, "81 %", "steal 0.4 %")
GPU = Gauge("gpu", None, note="no driver")
PARTS = StackedBar(
    (
        Part("queue", 2, "2 ms", Ink.QUEUE),
        Part("prefill", 5, "5", Ink.PREFILL),
        Part("rest", 1, "1", Ink.REST),
    )
)


def test_gauges() -> None:
    assert picture(Gauges((CPU, Gauge("KV", 0.12, "12 %"), GPU)), 44, 3) == [
        "cpu █████████████████      81 %  steal 0.4 %",
        "KV  ██▌                    12 %",
        "gpu ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌     —  no driver",
    ]


def test_gauges_without_colours_show_the_track() -> None:
    (line,) = picture(Gauges((Gauge("KV", 0.12, "12 %"),)), 30, 1, PALETTES[Depth.NONE])
    assert line == "KV ██▌··················  12 %"


@pytest.mark.parametrize(
    ("fraction", "ink"), [(0.5, Ink.WINDOW), (0.8, Ink.WARN), (0.95, Ink.BAD), (7, Ink.BAD)]
)
def test_gauge_levels(fraction: float, ink: Ink) -> None:
    strips = Gauges((Gauge("x", fraction, "n"),)).strips(40, 1, PALETTE)
    assert style_at(strips, 0, 2) == PALETTE.styles[ink]


def test_gauge_bar_is_proportional() -> None:
    for eighth in range(33):
        gauge = Gauges((Gauge("x", eighth / 32, "n", value_width=1),), bar_width=4)
        bar = picture(gauge, 20, 1)[0][2:6]
        filled = sum(8 - "█▉▊▋▌▍▎▏".index(c) for c in bar if c != " ")
        assert filled == eighth


def test_a_narrow_gauge_keeps_its_number() -> None:
    for width in range(9, 40):
        assert "81 %" in picture(Gauges((CPU,)), width, 1)[0]


def test_stacked_bar_with_legend() -> None:
    below = picture(PARTS, 40, 2)
    assert below == ["█" * 40, "■ queue 2 ms   ■ prefill 5   ■ rest 1"]
    strips = PARTS.strips(40, 2, PALETTE)
    inks = [style_at(strips, 0, column) for column in (0, 9, 10, 34, 35, 39)]
    assert inks == [
        PALETTE.styles[ink]
        for ink in (Ink.QUEUE, Ink.QUEUE, Ink.PREFILL, Ink.PREFILL, Ink.REST, Ink.REST)
    ]


def test_stacked_bar_without_colours() -> None:
    assert picture(PARTS, 40, 2, PALETTES[Depth.NONE]) == [
        "██████████░░░░░░░░░░░░░░░░░░░░░░░░░▓▓▓▓▓",
        "█ queue 2 ms   ░ prefill 5   ▓ rest 1",
    ]


def test_a_boundary_inside_a_cell_shows_both_parts() -> None:
    halves = StackedBar((Part("a", 1, "", Ink.QUEUE), Part("b", 1, "", Ink.REST)))
    strips = halves.strips(5, 2, PALETTE)
    assert strips[0].text == "██▌██"
    assert style_at(strips, 0, 2) == PALETTE.styles[PALETTE.on(Ink.QUEUE, Ink.REST)]


def test_nothing_known_is_not_a_bar() -> None:
    parts = (Part("a", None, "—", Ink.QUEUE), Part("b", 0.0, "0", Ink.REST))
    assert picture(StackedBar(parts), 12, 2)[0] == "╌" * 12


def test_core_bars() -> None:
    cores = CoreBars(np.array([0, 0.25, 0.5, 1, np.nan, 0.9]))
    assert picture(cores, 12, 1) == ["▁ ▂ ▄ █ × ▇"]
    assert picture(cores, 12, 2) == ["      █   ▆", "▁ ▄ █ █ × █"]
    strips = cores.strips(12, 1, PALETTE)
    assert style_at(strips, 0, 0) == PALETTE.styles[Ink.FAINT]
    assert style_at(strips, 0, 6) == PALETTE.styles[Ink.BAD]
    assert style_at(strips, 0, 10) == PALETTE.styles[Ink.WARN]


def test_many_cores_wrap_and_then_share_a_bar() -> None:
    busy = CoreBars(np.linspace(0, 1, 64))
    assert busy.group(8, 2) == 4
    assert picture(busy, 8, 2) == ["▁▁▁▂▂▃▃▄", "▄▅▅▆▆▇▇█"]
    assert busy.group(40, 2) == 1
    assert [len(line) for line in picture(busy, 40, 2)] == [32, 32]


def test_the_busiest_of_a_group_is_shown() -> None:
    busy = np.zeros(256)
    busy[77] = 1.0
    assert "█" in picture(CoreBars(busy), 10, 1)[0]
