"""Two distributions on one axis: A stands, B hangs, both to one scale."""

from __future__ import annotations

import numpy as np
import pytest

from tests.doubles.drawing import HOSTILE, PALETTE, PALETTES, check, picture, style_at
from tuiapp.tui.renderables.histogram import Marker
from tuiapp.tui.renderables.mirror import Mirror, Side
from tuiapp.tui.renderables.palette import Depth, Ink


def side(name: str, *columns: float, **more: object) -> Side:
    return Side(name, np.array(columns, float), **more)  # type: ignore[arg-type]


def test_a_stands_on_the_axis_and_b_hangs_from_it() -> None:
    drawn = Mirror(side("A", 0, 4, 0, 0), side("B", 0, 0, 4, 0), ((0, "5"),))
    assert picture(drawn, 4, 7) == ["A", " █", " █", "5───", "  █", "  █", "B"]


def test_the_picture_of_equal_sides_is_symmetric() -> None:
    counts = (1, 4, 9, 16, 9, 4, 1)
    lines = check(Mirror(side("A", *counts), side("B", *counts)).strips(7, 9, PALETTE), 7, 9)
    up, down = lines[1:4], lines[5:8]
    full = [[cell == "█" for cell in line] for line in up]
    assert full == [[cell == "█" for cell in line] for line in reversed(down)]


def test_a_part_of_a_hanging_cell_is_filled_from_above() -> None:
    """What is drawn is the free part below, over a ground of the bar's colour."""
    strips = Mirror(side("A", 64, 0), side("B", 63, 1)).strips(2, 3, PALETTE)
    assert strips[2].text == "█▇"
    bar, part = style_at(strips, 2, 0), style_at(strips, 2, 1)
    assert part.bgcolor == bar.color
    assert part.color == bar.bgcolor


def test_heights_are_square_roots_of_shares_on_one_scale() -> None:
    """A's only column is the whole; a sixteenth of B is a quarter as high."""
    drawn = Mirror(side("A", 16.0, 0.0), side("B", 15.0, 1.0))
    lines = picture(drawn, 2, 9, PALETTES[Depth.ANSI_16])
    assert lines[1:4] == ["█", "█", "█"]
    assert lines[5:8] == ["█▀", "█", "█"]


def test_shares_count_what_lies_outside() -> None:
    assert side("A", 3.0, 1.0, above=4).shares == pytest.approx([3 / 8, 1 / 8])
    assert side("A", 0.0, 0.0).shares == pytest.approx([0, 0])


def test_quantiles_keep_their_order_and_their_values() -> None:
    markers = (Marker(9, "p99 14.0", Ink.P99), Marker(8, "p50 11.1", Ink.P50))
    lines = picture(Mirror(side("A", *[1] * 30, markers=markers), side("B", *[1] * 30)), 30, 9)
    assert lines[0].index("p50 11.1") < lines[0].index("p99 14.0")


def test_a_quantile_is_marked_at_its_column_and_on_the_axis() -> None:
    up, down = Marker(3, "a", Ink.P50), Marker(6, "b", Ink.P50)
    both = side("A", 1, *[0] * 9, markers=(up,)), side("B", 1, *[0] * 9, markers=(down,))
    strips = Mirror(*both).strips(10, 9, PALETTE)
    assert strips[4].text == "───┴──┬───"
    assert strips[2].text[3] == strips[6].text[6] == "│"
    assert style_at(strips, 2, 3) == PALETTE.styles[Ink.P50]
    same = side("A", 1, 0, markers=(Marker(1, "a"),)), side("B", 1, 0, markers=(Marker(1, "b"),))
    assert Mirror(*same).strips(2, 5, PALETTE)[2].text == "─┼"


def test_where_labels_do_not_fit_the_last_goes() -> None:
    markers = (Marker(5, "p99 14.0"), Marker(4, "p50 11.1"))
    lines = picture(Mirror(side("A", *[1] * 12, markers=markers), side("B", *[1] * 12)), 12, 9)
    assert "p99 14.0" in lines[0]
    assert "p50" not in lines[0]


def test_what_the_axis_does_not_show_is_told() -> None:
    lines = picture(Mirror(side("A", *[1] * 20, below=3), side("B", *[1] * 20, above=7)), 20, 9)
    assert lines[0] == "A ◂3"
    assert lines[-1].endswith("7▸")


def test_without_counts_it_says_so() -> None:
    lines = picture(Mirror(side("A", *[0] * 40), side("B", *[0] * 40), empty="nothing yet"), 40, 9)
    assert any("nothing yet" in line for line in lines)
    assert "█" not in "".join(lines)


def test_without_colours_the_sides_differ_by_their_glyphs() -> None:
    lines = picture(Mirror(side("A", 1.0), side("B", 1.0)), 1, 5, PALETTES[Depth.NONE])
    assert lines[1] == "█"
    assert lines[3] == "▒"


@pytest.mark.parametrize("text", HOSTILE)
def test_no_label_moves_the_cursor(text: str) -> None:
    hostile = (Marker(2, text), Marker(50, text), Marker(-4, text))
    drawn = Mirror(
        side(text, *[1] * 60, markers=hostile, note=text),
        side(text, *[2] * 60, markers=hostile, note=text, below=3, above=4),
        ((0, text), (30, text)),
        slo=20,
    )
    for width, height in ((60, 11), (12, 5), (3, 3), (1, 1), (0, 4), (60, 2)):
        check(drawn.strips(width, height, PALETTE), width, height)
