"""Ctrl-C in the moments in which Python would lose it."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import signal, sys, weakref
from tuiapp.cli.interrupts import end_at_once

{before}
class Thing:
    pass

thing = Thing()
seen = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGINT))
del thing
print("went on")
"""


def _ran(before: str) -> tuple[int, str]:
    program = [sys.executable, "-c", _PROGRAM.format(before=before)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("before", "ends"),
    [
        ("end_at_once()", (130, "")),
        ("end_at_once(lambda: print('last words', flush=True))", (130, "last words\n")),
        ("signal.signal(signal.SIGINT, signal.SIG_IGN); end_at_once()", (0, "went on\n")),
        ("", (0, "went on\n")),  # Python's own answer, which is why
    ],
)
def test_it_ends_the_program_where_an_exception_would_be_dropped(
    before: str, ends: tuple[int, str]
) -> None:
    assert _ran(before) == ends
