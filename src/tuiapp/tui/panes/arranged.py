"""Drawings made of drawings: beside each other, below each other, faded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
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
