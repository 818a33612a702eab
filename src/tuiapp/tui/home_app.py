"""The terminal application of the home screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from textual.screen import Screen

from tuiapp.tui.app import ThemedApp
from tuiapp.tui.screens.home import Choice, HomeScreen


class HomeApp(ThemedApp[Choice]):
    """Shows this user's recordings; its result is what was chosen.

    Args:
        folder: where the recordings are.
        host: facts of this host.
        check_run: raises a ``TuiappError`` for a run's command line that will not do.
        selected: the recording to stand on at first.
    """

    PALETTE_KEY = "ctrl+p"  # the slash is the filter's

    def __init__(
        self,
        folder: Path,
        host: Mapping[str, Any],
        check_run: Callable[[str], object],
        selected: Path | None = None,
    ) -> None:
        super().__init__(fps=1.0, theme=None)
        self._shown = folder, host, check_run, selected

    def first_screen(self) -> Screen[None]:
        return HomeScreen(*self._shown)
