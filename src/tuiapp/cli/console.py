"""What the command line says to people: on stderr, harmless, one sentence and what to do."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

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


@contextmanager
def working(what: str) -> Iterator[None]:
    """While the body runs, and on a terminal only: a line on stderr after the first second, with
    how long it has taken so far. It is gone when the body ends."""
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    line = threading.Thread(target=_tell, args=(clean(what), done), daemon=True)
    line.start()
    try:
        yield
    finally:
        done.set()
        line.join()


def _tell(what: str, done: threading.Event) -> None:
    seconds = 0
    while not done.wait(1.0):
        seconds += 1
        _write(f"\r\x1b[K{PREFIX}{what} … {seconds} s")
    if seconds:
        _write("\r\x1b[K")


def _write(text: str) -> None:
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


def drop_stdout() -> None:
    """Nobody takes our output any more: keep Python from trying again, and complaining, at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print(text: str) -> None:
    with suppress(OSError):  # the terminal may be gone, and there is nowhere else to say so
        print(text, file=sys.stderr, flush=True)  # noqa: T201
