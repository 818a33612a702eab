"""What a session can be written as. One format a file, one line here."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import IO

from tuiapp.session.view import View

EXPORTS = {
    "json": "tuiapp.exports.json_summary:write",
    "text": "tuiapp.exports.text_summary:write",
}

Export = Callable[[View, IO[str]], None]


def export(name: str) -> Export:
    """The exporter called ``name``: ``write(view, out)``."""
    module, _, attribute = EXPORTS[name].partition(":")
    found: Export = getattr(import_module(module), attribute)
    return found
