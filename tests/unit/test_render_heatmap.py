from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.doubles.drawing import PALETTE, PALETTES, picture, style_at
from tuiapp.tui.renderables.heatmap import Heatmap, Mark, plot_rows, stall_levels, stall_text
from tuiapp.tui.renderables.palette import HEAT_LEVELS, Depth, Ink


def grid() -> np.ndarray:
    """A mode that climbs, a floor of single counts, now and then an outlier, two columns absent."""
    counts = np.zeros((8, 20))
    for column in range(20):
        counts[2 + (column // 6) % 4, column] = 9
    counts[1] = 1
    counts[6, ::5] = 1
    counts[:, 12:14] = np.nan
    return counts


SAMPLE = Heatmap(
    grid(),
    labels=((0, "5"), (4, "20"), (7, "90")),
    slo=6,
    marks=(Mark(3), Mark(9, "╷")),
    marks_label="notes",
    times=((4, "-60 s"), (18, "now")),
)


def test_picture() -> None:
    assert picture(SAMPLE, 27, 6) == [
        "   90 ┤▄┄┄┄┄▄┄┄┄┄▄┄╱╱┄▄┄┄┄┄",
        "   20 ┤            ╱╱▄▄▄▄▀▀",
        "      │▄▄▄▄▄▄▀▀▀▀▀▀╱╱",
        "    5 ┤▀▀▀▀▀▀▀▀▀▀▀▀╱╱▀▀▀▀▀▀",
        "notes     ⚑     ╷",
        "         -60 s          now",
    ]


@pytest.mark.parametrize("depth", [Depth.NONE, Depth.ANSI_16])
def test_few_colours_use_shades(depth: Depth) -> None:
    assert picture(SAMPLE, 27, 6, PALETTES[depth])[:4] == [
        "   90 ┤▒┄┄┄┄▒┄┄┄┄▒┄╱╱┄▒┄┄┄┄",
        "   20 ┤            ╱╱██████",
        "      │████████████╱╱",
        "    5 ┤▒▒▒▒▒▒▒▒▒▒▒▒╱╱▒▒▒▒▒▒",
    ]


def test_hotter_is_further_up_the_ramp_and_one_is_never_nothing() -> None:
    counts = np.array([[1.0, 10.0, 1000.0, 0.0]])
    strips = Heatmap(np.repeat(counts, 2, axis=0)).strips(4, 1, PALETTE)
    base = PALETTE.heat_base()
    found = [PALETTE.styles.index(style_at(strips, 0, c), base) - base for c in range(3)]
    levels = [number // (HEAT_LEVELS + 1) for number in found]
    assert levels == sorted(set(levels))
    assert levels[0] >= 1
    assert levels[-1] == HEAT_LEVELS
    assert strips[0].text == "███ "


def test_a_given_peak_keeps_colours_steady() -> None:
    def style(counts: list[float]) -> object:
        heatmap = Heatmap(np.tile(np.array(counts), (2, 1)), peak=50)
        return style_at(heatmap.strips(2, 1, PALETTE), 0, 0)

    assert style([5.0, 50.0]) == style([5.0, 7.0])


def test_absent_differs_from_zero() -> None:
    counts = np.zeros((2, 3))
    counts[:, 1] = np.nan
    assert picture(Heatmap(counts, empty="x"), 3, 1) == [" ╱"]


def test_the_newest_columns_stay_at_the_right() -> None:
    counts = np.zeros((2, 30))
    counts[:, -1] = 1
    assert picture(Heatmap(counts), 10, 1) == [" " * 9 + "█"]
    assert picture(Heatmap(counts[:, -3:]), 10, 1) == [" " * 9 + "█"]


@pytest.mark.parametrize(
    ("bins", "rows", "filled"),
    [(8, 4, 4), (16, 4, 4), (24, 4, 4), (4, 4, 4), (2, 4, 4), (12, 4, 3), (3, 4, 3), (7, 3, 2)],
)
def test_bins_are_merged_or_repeated_by_whole_factors(bins: int, rows: int, filled: int) -> None:
    lines = picture(Heatmap(np.ones((bins, 1))), 1, rows)
    assert sum(line != "" for line in lines) == filled


def test_every_count_is_drawn_once() -> None:
    """Merging adds counts up: a lone one in any bin stays visible."""
    for lone in range(11):
        counts = np.zeros((11, 1))
        counts[lone] = 1
        text = "".join(picture(Heatmap(counts), 1, 3))
        assert text in {"▀", "▄"}


def test_plot_rows_say_how_many_bins_fit() -> None:
    assert plot_rows(6, marks=True, times=True) == 4
    assert plot_rows(2, marks=True, times=True) == 2


def test_limit_is_drawn_where_nothing_is() -> None:
    strips = SAMPLE.strips(27, 6, PALETTE)
    assert strips[0].text[8] == "┄"
    assert style_at(strips, 0, 8) == PALETTE.styles[Ink.SLO]


def test_stalls_stand_in_a_row_of_their_own() -> None:
    stalls = np.zeros(20)
    stalls[[2, 8, 9, 19]] = 0.002, 0.025, 1.5, 0.010
    stalls[12:14] = np.nan
    lines = picture(replace(SAMPLE, stalls=stalls, stalls_label="stall"), 27, 7)
    assert lines[4:] == [
        "stall    ▁     ▅█  ╱╱     ▃",
        "notes     ⚑     ╷",
        "         -60 s          now",
    ]
    assert lines[:4] == picture(SAMPLE, 27, 6)[:4]


def test_the_row_of_stalls_stays_when_there_is_none_and_goes_where_there_is_no_room() -> None:
    quiet = replace(SAMPLE, stalls=np.zeros(20), stalls_label="stall")
    assert picture(quiet, 27, 7)[4] == "stall"
    assert not any("stall" in line for line in picture(quiet, 27, 4))
    assert plot_rows(7, marks=True, times=True, stalls=True) == 4
    assert plot_rows(4, marks=True, times=True, stalls=True) == 2


def test_long_stalls_are_red() -> None:
    stalls = np.full(20, 0.019)
    stalls[-1] = 0.021
    strips = replace(SAMPLE, stalls=stalls).strips(27, 7, PALETTE)
    assert style_at(strips, 4, 25) == PALETTE.styles[Ink.WARN]
    assert style_at(strips, 4, 26) == PALETTE.styles[Ink.BAD]


def test_heights_of_stalls_are_absolute() -> None:
    longest = np.array([0.0, 0.0001, 0.002, 0.0199, 0.02, 0.113, 60.0, np.nan])
    assert list(stall_levels(longest)) == [0, 1, 1, 4, 5, 8, 8, 0]
    assert stall_text(longest) == " ▁▁▄▅██╱"


@pytest.mark.parametrize("slo", [-40, -8, -1, 9, 40])
def test_a_limit_outside_the_axis_draws_no_line_anywhere(slo: int) -> None:
    without = picture(replace(SAMPLE, slo=None), 27, 6)
    assert picture(replace(SAMPLE, slo=slo), 27, 6) == without
