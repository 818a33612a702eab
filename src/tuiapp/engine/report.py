"""What the child says about its own failure: one line on stderr, which the source takes out.

A line and not a frame, because it must also work where numpy or msgpack are missing.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress

from tuiapp.errors import TuiappError
from tuiapp.sources.engine_log import REPORT

_MOST = 600


def report(error: TuiappError, *, see_log: bool = False) -> None:
    """Say why the child ends; ``see_log`` when the log may tell the cause better."""
    words = {"reason": _line(error.message), "advice": _line(error.advice), "see_log": see_log}
    with suppress(BrokenPipeError):  # nobody is there to hear it
        os.write(2, f"\n{REPORT}{json.dumps(words, ensure_ascii=False)}\n".encode())


def _line(text: str) -> str:
    return " ".join(text.split())[:_MOST]
