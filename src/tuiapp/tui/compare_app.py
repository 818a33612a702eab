"""The terminal application of a comparison."""

from __future__ import annotations

from textual.screen import Screen

from tuiapp.compare.reading import Question
from tuiapp.tui.app import ThemedApp
from tuiapp.tui.screens.compare import CompareScreen


class CompareApp(ThemedApp[None]):
    """Shows two sides of recorded runs.

    Args:
        question: what is compared.
        fps: redraws a second.
        theme: name of the theme to begin with.
    """

    def __init__(self, question: Question, *, fps: float = 4.0, theme: str | None = None) -> None:
        super().__init__(fps=fps, theme=theme)
        self.shown = CompareScreen(question, fps)

    def first_screen(self) -> Screen[None]:
        return self.shown
