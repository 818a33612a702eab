from __future__ import annotations

import pytest

from tests.doubles.drawing import PALETTE, PALETTES, picture, style_at
from tuiapp.tui.renderables.palette import Depth, Ink
from tuiapp.tui.renderables.table import Column, Table, visible_offset

COLUMNS = (
    Column("req", "request", 8, "left", priority=9),
    Column("ttft", "TTFT", 6, priority=8),
    Column("tok", "tok", 4, priority=1),
    Column("at", "at", 6, priority=5),
)
ROWS = [(f"#{i}", (f"{200 - i}", Ink.WARN), "64", f"01:0{i}") for i in range(8)]


def test_picture() -> None:
    assert picture(Table(COLUMNS, ROWS, 2, 1, ("ttft", True)), 34, 5) == [
        " request    ▼TTFT   tok      at",
        " #1           199    64   01:01  ┃",
        " #2           198    64   01:02  ┃",
        " #3           197    64   01:03  │",
        " #4           196    64   01:04  │",
    ]


@pytest.mark.parametrize(
    ("width", "heads"),
    [(31, ["request", "TTFT", "tok", "at"]), (30, ["request", "TTFT", "at"]), (9, ["request"])],
)
def test_least_important_columns_go_first(width: int, heads: list[str]) -> None:
    assert picture(Table(COLUMNS, ROWS[:2]), width, 5)[0].split() == heads


def test_selection_covers_the_row() -> None:
    strips = Table(COLUMNS, ROWS, selected=2, offset=1).strips(34, 5, PALETTE)
    for column in (0, 5, 31):
        assert style_at(strips, 2, column).bgcolor == PALETTE.styles[Ink.SELECT].color
    assert style_at(strips, 2, 14).color == PALETTE.styles[Ink.WARN].color
    assert style_at(strips, 1, 5).bgcolor == PALETTE.styles[Ink.TEXT].bgcolor


def test_selection_without_colours() -> None:
    table = Table(COLUMNS, ROWS, selected=0)
    strips = table.strips(34, 3, PALETTES[Depth.NONE])
    assert strips[1].text.startswith("▸#0")
    assert style_at(strips, 1, 20).reverse


def test_offset_is_clamped() -> None:
    assert picture(Table(COLUMNS, ROWS, offset=99), 34, 4)[1:] == [
        " #5           195    64   01:05  │",
        " #6           194    64   01:06  │",
        " #7           193    64   01:07  ┃",
    ]


def test_growing_column_takes_the_slack_and_long_cells_end_in_an_ellipsis() -> None:
    columns = (Column("a", "a", 4, "left", grow=True), Column("b", "b", 3))
    (row,) = picture(Table(columns, [("abcdefghijkl", "12345")]), 16, 2)[1:]
    assert row == " abcdefghi…  12…"


def test_empty_table_says_so() -> None:
    assert picture(Table(COLUMNS, [], empty="no requests yet"), 34, 4)[2].strip() == (
        "no requests yet"
    )


def test_short_rows_and_ascending_arrow() -> None:
    left = (Column("a", "name", 6, "left"),)
    assert picture(Table(left, [()], sort=("a", False)), 9, 2) == [" name▲", ""]


@pytest.mark.parametrize(
    ("selected", "offset", "expected"), [(0, 3, 0), (9, 0, 6), (5, 3, 3), (2, 99, 2), (19, 0, 16)]
)
def test_visible_offset(selected: int, offset: int, expected: int) -> None:
    assert visible_offset(selected, offset, body=4, total=20) == expected
