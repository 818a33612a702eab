"""What the child says about its own failure: one line on stderr, which the source takes out.

A line and not a frame, because it must also work where numpy or msgpack are missing.
"""

from __future__ import annotations

import json
import os

from tuiapp.errors import TuiappError

PREFIX = "tuiapp-report: "


def report(error: TuiappError, *, see_log: bool = False) -> None:
    """Say why the child ends; ``see_log`` when the log tells the cause better than we can."""
    text = json.dumps({"reason": error.message, "advice": error.advice, "see_log": see_log})
    os.write(2, f"\n{PREFIX}{text}\n".encode())
