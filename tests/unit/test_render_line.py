from __future__ import annotations

import numpy as np
import pytest

from tests.doubles.drawing import PALETTE, PALETTES, picture, style_at
from tuiapp.tui.renderables.line import Area, LineChart, Series
from tuiapp.tui.renderables.palette import Depth, Ink

CLIMB = np.concatenate((np.linspace(0, 10, 20), [np.nan] * 4, np.linspace(10, 3, 16)))


def test_picture() -> None:
    assert picture(LineChart((Series(CLIMB),), limit=8), 26, 4) == [
        "10 ┤┈┈┈┈┈┈┈┈┈⢀⠤⠊┈┈⠑⠢⣀┈┈┈┈┈",
        "   │       ⡠⠔⠁       ⠑⠤⡀",
        "   │    ⢀⠔⠊            ⠈⠑⢄",
        " 0 ┤  ⡠⠒⠁",
    ]


def test_times_stand_under_their_values() -> None:
    labels = ((0, "00:00"), (20, "00:10"), (30, "00:15"))
    drawn = picture(LineChart((Series(CLIMB),), times=labels), 26, 4)
    assert drawn[-1] == "    00:00   00:10"  # 00:15 would touch the one before
    assert drawn[:-1] == picture(LineChart((Series(CLIMB),)), 26, 3)


def test_times_move_with_what_is_shown() -> None:
    """A place among the values, of which the oldest have no room."""
    drawn = picture(LineChart((Series(CLIMB),), label=None, times=((20, "ten"),)), 10, 3)
    assert drawn[-1] == "ten"


def test_filled() -> None:
    assert picture(LineChart((Series(CLIMB),), fill=True, label=None), 20, 3) == [
        "      ⢀⣠⣴⣾  ⣷⣦⣄⡀",
        "   ⢀⣤⣶⣿⣿⣿⣿  ⣿⣿⣿⣿⣷⣦⣄⡀",
        "⣠⣴⣾⣿⣿⣿⣿⣿⣿⣿  ⣿⣿⣿⣿⣿⣿⣿⣿",
    ]


def test_without_colours_series_differ_by_glyph() -> None:
    chart = LineChart((Series(CLIMB), Series(CLIMB[::-1])))
    text = "".join(picture(chart, 26, 4, PALETTES[Depth.NONE]))
    assert {"•", "×"} <= set(text)
    text = "".join(picture(chart, 26, 4, PALETTES[Depth.TRUE]))
    assert not {"•", "×"} & set(text)


def test_series_of_one_cell_share_it() -> None:
    both = LineChart(
        (Series(np.zeros(2), Ink.SERIES_0), Series(np.ones(2), Ink.SERIES_1)), high=1, label=None
    )
    assert picture(both, 1, 1) == ["⣉"]


@pytest.mark.parametrize("gap", range(1, 39))
def test_gaps_stay_blank(gap: int) -> None:
    values = np.linspace(0, 10, 40)
    values[gap // 2 * 2 : gap // 2 * 2 + 2] = np.nan
    lines = picture(LineChart((Series(values),), label=None), 20, 4)
    assert all(line.ljust(20)[gap // 2] == " " for line in lines)


def test_the_scale_ends_at_a_round_number() -> None:
    top = [
        picture(LineChart((Series(np.array([value])),)), 30, 3)[0].split()[0]
        for value in (0.0, 0.034, 7.1, 380.0, 612.0, 9400.0)
    ]
    assert top == ["1", "0.04", "8", "400", "800", "10k"]


def test_area_shows_zero_and_leaves_the_unknown_blank() -> None:
    area = Area(np.array([0, 1, 2, np.nan, 4, 5, 6, 7, 8.0]), high=8, limit=6.5)
    assert picture(area, 9, 2) == ["     ▂▄▆█", "▁▂▄ █████"]
    strips = area.strips(9, 2, PALETTE)
    assert style_at(strips, 1, 0) == PALETTE.styles[Ink.FAINT]
    assert style_at(strips, 1, 6) == PALETTE.styles[Ink.WINDOW]
    assert style_at(strips, 1, 7) == PALETTE.styles[Ink.WARN]


def test_area_beyond_the_limit_without_colours() -> None:
    area = Area(np.array([1.0, 2.0]), high=2, limit=1.5)
    assert picture(area, 2, 2, PALETTES[Depth.NONE]) == [" ▒", "█▒"]


def test_area_keeps_the_newest() -> None:
    assert picture(Area(np.arange(1.0, 100), high=100), 3, 1) == ["███"]
    assert picture(Area(np.array([1.0])), 3, 1) == ["  █"]
