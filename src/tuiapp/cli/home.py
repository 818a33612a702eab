"""``tuiapp`` alone: the home screen, and what is chosen there."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuiapp.tui.screens.home import Choice

RunCommand = Callable[[list[str]], int]
"""Parses and runs a whole command line."""


def run_home(command: RunCommand, check: Callable[[list[str]], object]) -> int:
    """Show the home screen until it is left; what is chosen there runs and comes back to it.

    Args:
        command: runs a command line of this program.
        check: raises a ``TuiappError`` for one that makes no sense.
    """
    from tuiapp.cli.console import say_trouble
    from tuiapp.cli.screen import check_screen
    from tuiapp.errors import TuiappError

    check_screen(1.0, None)
    selected: Path | None = None
    while True:
        choice = _choose(selected, lambda text: check(["run", *_words(text)]))
        if choice is None:
            return 0
        selected = choice.path
        try:
            command(_command(choice))
        except TuiappError as error:
            say_trouble(error.message, error.advice)
            _wait()
        else:
            if choice.what == "run":
                _wait()


def _choose(selected: Path | None, check: Callable[[str], object]) -> Choice | None:
    from tuiapp.session.library import sessions_dir
    from tuiapp.tui.guard import guarded_terminal
    from tuiapp.tui.home_app import HomeApp

    with guarded_terminal():
        app = HomeApp(sessions_dir(), _host(), check, selected)
        choice: Choice | None = app.run()
        return choice


def _host() -> dict[str, Any]:
    from tuiapp.collectors.base import Host
    from tuiapp.collectors.host import HostCollector
    from tuiapp.machine.badge import badge
    from tuiapp.machine.looking import look

    return {**HostCollector(Host()).facts(), "virtualization": badge(look().machine)}


def _words(text: str) -> list[str]:
    from tuiapp.errors import UsageError

    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{error}.", "Close the quotes.") from error


def _command(choice: Choice) -> list[str]:
    if choice.what in ("attach", "replay"):
        return [choice.what, str(choice.path)]
    if choice.what == "demo":
        return ["demo"]
    return ["run", *_words(choice.text)]


def _wait() -> None:
    """The result stays until it was read."""
    try:
        input("\nenter goes back to the recordings ")
    except (EOFError, KeyboardInterrupt):
        return
