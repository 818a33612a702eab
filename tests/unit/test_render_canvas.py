from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles.drawing import HOSTILE, PALETTE, check, style_at
from tuiapp.tui.renderables.canvas import Canvas, cells, clean, fit, title_line
from tuiapp.tui.renderables.palette import Ink


def lines(canvas: Canvas) -> list[str]:
    return check(canvas.strips(), canvas.width, canvas.height)


def test_text_is_clipped_at_both_ends_and_returns_the_column_behind() -> None:
    canvas = Canvas(5, 2, PALETTE)
    assert canvas.text(0, -2, "abcdef") == 4
    assert canvas.text(1, 3, "abcdef") == 9
    canvas.text(7, 0, "outside")
    assert lines(canvas) == ["cdef ", "   ab"]


def test_put_right_and_center() -> None:
    canvas = Canvas(7, 2, PALETTE)
    assert canvas.put_right(0, 7, "12") == 5
    canvas.put_center(1, "abc")
    assert lines(canvas) == ["     12", "  abc  "]


def test_one_segment_a_run_of_one_style() -> None:
    canvas = Canvas(8, 1, PALETTE)
    canvas.text(0, 0, "ab", Ink.GOOD)
    canvas.text(0, 2, "cd", Ink.GOOD)
    canvas.text(0, 4, "ef", Ink.BAD)
    (strip,) = canvas.strips()
    assert [segment.text for segment in strip] == ["abcd", "ef  "]
    assert [segment.style for segment in strip] == [
        PALETTE.styles[Ink.GOOD],
        PALETTE.styles[Ink.BAD],
    ]


def test_blanks_on_a_ground_keep_it() -> None:
    selected = PALETTE.on(Ink.TEXT, Ink.SELECT)
    canvas = Canvas(6, 1, PALETTE)
    canvas.text(0, 0, "a", Ink.GOOD)
    canvas.text(0, 2, "  ", selected)
    strips = canvas.strips()
    assert style_at(strips, 0, 1) == PALETTE.styles[Ink.GOOD]
    assert style_at(strips, 0, 3) == PALETTE.styles[selected]
    assert style_at(strips, 0, 5) == PALETTE.styles[Ink.TEXT]


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("a\rb\nc\td", "ab c d"),
        ("\u202eevil\u2069", "evil"),
        ("e\u0301\u200d\u2800x", "e x"),
        ("\ud800\ue000", "??"),
        ("🇩🇪 👍🏽", "?? 👍"),
        ("⏰", "?"),
        ("p99 — 86 (71–118) µs ┊▁█", "p99 — 86 (71–118) µs ┊▁█"),
    ],
)
def test_clean(text: str, safe: str) -> None:
    assert clean(text) == safe


def test_wide_characters_take_two_cells_and_are_never_halved() -> None:
    canvas = Canvas(6, 4, PALETTE)
    assert canvas.text(0, 0, "重い") == 4
    canvas.text(1, -1, "重い")
    canvas.text(2, 5, "重い")
    canvas.text(3, 0, "重い重")
    canvas.text(3, 1, "xy")
    assert lines(canvas) == ["重い  ", " い   ", "      ", " xy 重"]


def test_fit_cuts_by_cells() -> None:
    assert fit("abcdef", 4) == "abc…"
    assert fit("重いモデル", 5) == "重い…"
    assert fit("重いモデル", 4) == "重…"
    assert fit("abc", 0) == ""


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("width", [0, 1, 2, 7])
def test_fit_never_exceeds(text: str, width: int) -> None:
    assert cells(fit(text, width)) <= width


@given(st.lists(st.tuples(st.integers(-9, 12), st.text(max_size=12)), max_size=4))
def test_any_text_anywhere_leaves_exact_strips(writes: list[tuple[int, str]]) -> None:
    canvas = Canvas(9, 1, PALETTE)
    for column, text in writes:
        canvas.text(0, column, text)
    lines(canvas)


def test_title_line() -> None:
    assert title_line("TTFT ms", "last 60 s", 20, "─") == "TTFT ms────last 60 s"
    assert title_line("TTFT ms", "last 60 s", 12) == "TTFT ms     "
    assert title_line("TTFT ms", "", 4) == "TTF…"
    assert cells(title_line("重い", "\x1b[2J", 11)) == 11
