"""Palettes without a theme file, and strips turned back into text that can be compared."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip

from tuiapp.tui.renderables.canvas import Renderable
from tuiapp.tui.renderables.palette import Depth, Palette

VARIABLES = {
    "foreground": "#d7dde6",
    "background": "#0f1218",
    "primary": "#6cc5f0",
    "accent": "#f0c674",
    "warning": "#f2a65a",
    "error": "#f07178",
    "success": "#8cc98f",
}
PALETTES = {depth: Palette(VARIABLES, depth) for depth in Depth}
PALETTE = PALETTES[Depth.TRUE]

HOSTILE = (
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "over\rwritten\n\t\x08",
    "\u202eright to left\u2066\u200f",
    "重いモデル" * 3,
    "👩‍👩‍👧‍👦👍🏽🇩🇪⏰",
    "\u2800\u00ad\u200b\ufeff\u0301e\u0300",
    "\ud800\ue000\U000e0001\x00\x9b1m",
    "[bold]markup[/bold] " * 9,
    "",
)


def check(strips: Sequence[Strip], width: int, height: int) -> list[str]:
    """The text of strips that keep the contract of every drawing."""
    assert len(strips) == max(height, 0)
    lines = []
    for strip in strips:
        line = "".join(segment.text for segment in strip)
        assert strip.cell_length == cell_len(line) == max(width, 0)
        assert all(segment.style for segment in strip), "a null style crashes without colours"
        assert all(segment.control is None for segment in strip)
        assert "\u2800" not in line
        assert not {unicodedata.category(c) for c in line} & {"Cc", "Cf", "Cs", "Mn", "Zl", "Zp"}
        lines.append(line)
    return lines


def picture(drawing: Renderable, width: int, height: int, palette: Palette = PALETTE) -> list[str]:
    """Lines of text of a drawing, their ends stripped."""
    lines = check(drawing.strips(width, height, palette), width, height)
    return [line.rstrip() for line in lines]


def style_at(strips: Sequence[Strip], row: int, column: int) -> Style:
    """Style of a cell; for rows without wide characters."""
    for segment in strips[row]:
        if column < len(segment.text):
            assert segment.style is not None
            return segment.style
        column -= len(segment.text)
    raise IndexError(column)
