"""The terminal application of a replay."""

from __future__ import annotations

from textual.screen import Screen

from tuiapp.tui.app import ThemedApp
from tuiapp.tui.control import Playback
from tuiapp.tui.screens.replay import ReplayScreen


class ReplayApp(ThemedApp[None]):
    """Shows a recording.

    Args:
        playback: what is played.
        fps: redraws a second.
        theme: name of the theme to begin with.
    """

    def __init__(self, playback: Playback, *, fps: float = 4.0, theme: str | None = None) -> None:
        super().__init__(fps=fps, theme=theme)
        self.playback = playback

    def first_screen(self) -> Screen[None]:
        return ReplayScreen(self.playback, self.fps)
