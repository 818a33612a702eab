"""The result of a run as JSON (``docs/run-json.md``)."""

from __future__ import annotations

import json
from typing import IO

from tuiapp.exports.summary import summary
from tuiapp.session.view import View


def write(view: View, out: IO[str]) -> None:
    """One JSON object and a newline."""
    json.dump(summary(view), out, indent=2, allow_nan=False)
    out.write("\n")
