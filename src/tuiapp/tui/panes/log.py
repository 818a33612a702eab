"""The engine's own output, newest line last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.strip import Strip

from tuiapp.session.columns import LogLine
from tuiapp.tui.panes.base import Pane, Part, Scene
from tuiapp.tui.panes.lines import wrap
from tuiapp.tui.renderables.canvas import Canvas, fit
from tuiapp.tui.renderables.numbers import format_clock
from tuiapp.tui.renderables.palette import Ink, Palette

_S = 1_000_000_000
_INKS = {"ERROR": Ink.BAD, "CRITICAL": Ink.BAD, "WARNING": Ink.WARN}
_STAMP = 8
"""Cells of a line's time and the blank behind it."""
_MOST = 4
"""Rows one line may take."""


@dataclass(frozen=True, slots=True)
class LogLines:
    """Lines with their time in the run; long ones go on below, the newest are always there."""

    lines: Sequence[LogLine]
    empty: str = "the engine has not said anything yet"

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        if not self.lines:
            canvas.text(0, 0, fit(self.empty, width), Ink.DIM)
        for row, (stamp, text, ink) in enumerate(self._rows(width, height)):
            canvas.text(row, 0, stamp, Ink.FAINT)
            canvas.text(row, _STAMP, text, ink)
        return canvas.strips()

    def _rows(self, width: int, height: int) -> list[tuple[str, str, Ink]]:
        rows: list[tuple[str, str, Ink]] = []
        for line in reversed(self.lines):
            if len(rows) >= height:
                break
            stamp = format_clock(line.t_ns / _S, _STAMP - 1)
            ink = _INKS.get(line.level.upper(), Ink.TEXT)
            texts = wrap(line.text, width - _STAMP, _MOST) or [""]
            below = [("", text, ink) for text in texts[1:]]
            rows = [(stamp, texts[0], ink), *below, *rows]
        return rows[-height:] if height > 0 else []


class LogPane(Pane):
    """What the engine wrote, from its start to the cursor."""

    TITLE = "Engine log"

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        return ((LogLines(scene.view.log(height)), height),)
