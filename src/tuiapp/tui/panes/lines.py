"""Plain text as a drawing."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from textual.strip import Strip

from tuiapp.tui.renderables.canvas import Canvas, cells, clean, fit
from tuiapp.tui.renderables.palette import Ink, Palette

_BAR, _THUMB = "│", "┃"

Line = tuple[tuple[int, str, Ink], ...]
"""Pieces of a line: column, text, ink."""


@dataclass(frozen=True, slots=True)
class TextLines:
    """A line a row, cut with ``…`` where it is too long."""

    lines: Sequence[str]
    ink: Ink = Ink.STRONG

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        for row, line in enumerate(self.lines[: max(height, 0)]):
            canvas.text(row, 0, fit(line, width), self.ink)
        return canvas.strips()


def wrap(text: str, width: int, most: int | None = None) -> list[str]:
    """``text`` in lines of at most ``width`` cells; ``…`` ends it where ``most`` cut it."""
    text = clean(text)
    # textwrap counts characters: where some take two cells, half as many fit for certain.
    room = width if cells(text) == len(text) else width // 2
    lines = textwrap.wrap(text, max(room, 1))
    if most is not None and len(lines) > most:
        kept = lines[:most]
        return [*kept[:-1], fit(kept[-1] + " …", width)] if kept else []
    return lines


def wrap_each(sentences: Sequence[str], width: int, rows: int, rest: str) -> list[str]:
    """Sentences of at most two lines each, as many as ``rows`` hold.

    Args:
        rest: the last line where not all fit; ``{}`` is how many are left out.
    """
    wrapped = [wrap(sentence, width, 2) for sentence in sentences]
    kept: list[str] = []
    if sum(map(len, wrapped)) <= rows or rows < 1:
        return [line for lines in wrapped for line in lines][: max(rows, 0)]
    for at, lines in enumerate(wrapped):
        if len(kept) + len(lines) >= rows:
            return [*kept, fit(rest.format(len(wrapped) - at), width)]
        kept += lines
    return kept


@dataclass(frozen=True, slots=True)
class Page:
    """Lines from ``offset`` on, with a thumb at the right edge where not all fit."""

    lines: Sequence[Line]
    offset: int

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        for row, line in enumerate(self.lines[self.offset : self.offset + max(height, 0)]):
            for col, text, ink in line:
                canvas.text(row, col, text, ink)
        total = len(self.lines)
        if total > height > 0:
            size = max(height * height // total, 1)
            top = round(self.offset / (total - height) * (height - size))
            for row in range(height):
                lit = top <= row < top + size
                canvas.text(row, width - 1, _THUMB if lit else _BAR, Ink.DIM if lit else Ink.FAINT)
        return canvas.strips()
