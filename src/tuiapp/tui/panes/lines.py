"""Plain text as a drawing."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from textual.strip import Strip

from tuiapp.tui.renderables.canvas import Canvas, cells, clean, fit
from tuiapp.tui.renderables.palette import Ink, Palette


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
