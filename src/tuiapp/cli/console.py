"""What the command line says to people: on stderr, harmless, one sentence and what to do."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from tuiapp.sources.lines import clean

PREFIX = "tuiapp: "


def say(text: str) -> None:
    """One line. Other people's words may stand in it, so nothing of it can steer the terminal."""
    _print(f"{PREFIX}{clean(text)}")


def say_trouble(message: str, advice: str = "") -> None:
    """What is wrong and, below it, what to do about it."""
    say(message)
    if advice:
        _print(" " * len(PREFIX) + clean(advice))


def drop_stdout() -> None:
    """Nobody takes our output any more: keep Python from trying again, and complaining, at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print(text: str) -> None:
    with suppress(OSError):  # the terminal may be gone, and there is nowhere else to say so
        print(text, file=sys.stderr, flush=True)  # noqa: T201
