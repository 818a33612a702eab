"""What every screen needs before it opens."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Mapping

from tuiapp.cli.console import say_trouble
from tuiapp.errors import UsageError

_MIN_COLUMNS, _MIN_ROWS = 60, 16


def check_screen(fps: float, theme: str | None, *, instead: str = "") -> None:
    """Refuse what no screen can be shown with.

    Args:
        instead: what to do without a screen, as a whole sentence.

    Raises:
        UsageError: there is no terminal, it is too small, or an option makes no sense.
    """
    check_look(fps, theme)
    # Textual reads keys from standard input and draws on standard error.
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if not all(stream and stream.isatty() for stream in streams):
        raise UsageError(
            "The screen needs a terminal for standard input, output and error.", instead
        )
    size = shutil.get_terminal_size()  # as Textual sees it
    if size.columns < _MIN_COLUMNS or size.lines < _MIN_ROWS:
        raise UsageError(
            f"The terminal is too small: {size.columns}×{size.lines}.",
            f"Make it {_MIN_COLUMNS}×{_MIN_ROWS} or larger (80×24 shows all that matters). "
            f"{instead}".strip(),
        )


def tell_faults(faults: Mapping[str, str]) -> None:
    """Say, once the screen is gone, which panes could not be drawn."""
    for title, fault in faults.items():
        advice = "This is a mistake of tuiapp's: please report it. No recording is touched by it."
        say_trouble(f"The pane {title!r} could not be drawn: {fault}.", advice)


def check_look(fps: float, theme: str | None) -> None:
    """Refuse options of the screen that make no sense, also where none will be shown.

    Raises:
        UsageError: one does not.
    """
    if not (math.isfinite(fps) and 0.1 <= fps <= 30):
        raise UsageError(f"--fps {fps:g} is out of range.", "Choose 0.1 to 30.")
    if theme is not None:
        _check_theme(theme)


def _check_theme(name: str) -> None:
    from textual.theme import BUILTIN_THEMES

    from tuiapp.tui.themes import ThemeLibrary

    known = {**ThemeLibrary().themes, **BUILTIN_THEMES}
    if name not in known:
        raise UsageError(f"There is no theme {name!r}.", f"Choose one of {', '.join(known)}.")
