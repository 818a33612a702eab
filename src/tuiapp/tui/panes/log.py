"""The engine's own output, newest line last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.strip import Strip

from tuiapp.session.columns import LogLine
from tuiapp.tui.panes.base import Pane, Part, Scene
from tuiapp.tui.renderables.canvas import Canvas, fit
from tuiapp.tui.renderables.numbers import format_clock
from tuiapp.tui.renderables.palette import Ink, Palette

_S = 1_000_000_000
_INKS = {"ERROR": Ink.BAD, "CRITICAL": Ink.BAD, "WARNING": Ink.WARN}


@dataclass(frozen=True, slots=True)
class LogLines:
    """Lines with their time in the run, bottom-aligned once they fill the height."""

    lines: Sequence[LogLine]
    empty: str = "the engine has not said anything yet"

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        canvas = Canvas(width, height, palette)
        if not self.lines:
            canvas.text(0, 0, fit(self.empty, width), Ink.DIM)
        for row, line in enumerate(self.lines[-height:] if height else ()):
            col = canvas.text(row, 0, format_clock(line.t_ns / _S, 5), Ink.FAINT) + 1
            ink = _INKS.get(line.level.upper(), Ink.TEXT)
            canvas.text(row, col, fit(line.text, width - col), ink)
        return canvas.strips()


class LogPane(Pane):
    """What the engine wrote."""

    TITLE = "Engine log"
    EVERY: ClassVar[int] = 1

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        return ((LogLines(scene.view.log(height)), height),)
