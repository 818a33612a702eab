"""Drawings made of drawings: beside each other, below each other, faded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tuiapp.tui.panes.base import Part, stack
from tuiapp.tui.renderables.canvas import Renderable
from tuiapp.tui.renderables.palette import Ink, Palette


@dataclass(frozen=True, slots=True)
class Stacked:
    """Drawings below each other, each with its rows."""

    parts: Sequence[Part]

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        return stack(self.parts, width, height, palette)


@dataclass(frozen=True, slots=True)
class Beside:
    """Two drawings beside each other, the left one ``left_width`` cells wide."""

    left: Renderable
    right: Renderable
    left_width: int
    gap: int = 2

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        left = min(max(self.left_width, 0), width)
        gap = min(self.gap, width - left)
        between = [Segment(" " * gap, palette.styles[Ink.TEXT])] if gap else []
        rows = zip(
            self.left.strips(left, height, palette),
            self.right.strips(width - left - gap, height, palette),
            strict=True,
        )
        return [Strip([*first, *between, *second], width) for first, second in rows]


@dataclass(frozen=True, slots=True)
class Columns:
    """Drawings beside each other, all equally wide; what is left over stays empty at the right."""

    drawings: Sequence[Renderable]
    gap: int = 2

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        count = len(self.drawings)
        each = max((width - self.gap * (count - 1)) // max(count, 1), 0)
        style = palette.styles[Ink.TEXT]
        drawn = [drawing.strips(each, height, palette) for drawing in self.drawings]
        rows = zip(*drawn, strict=True) if drawn else [()] * max(height, 0)
        return [_joined(row, self.gap, style, width) for row in rows]


def _joined(row: Sequence[Strip], gap: int, style: Style, width: int) -> Strip:
    segments = [
        segment
        for at, strip in enumerate(row)
        for segment in ([Segment(" " * gap, style)] if at and gap else []) + list(strip)
    ]
    return Strip(segments).adjust_cell_length(width, style)


@dataclass(frozen=True, slots=True)
class Faded:
    """A drawing of what was true once: no colour of it looks alive."""

    drawing: Renderable

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        style = palette.styles[Ink.DIM]
        return [
            Strip([Segment("".join(segment.text for segment in strip), style)], width)
            for strip in self.drawing.strips(width, height, palette)
        ]
