"""Forms in which a comparison is written. A new one is one file and one line in ``FORMATS``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tuiapp.registry import resolve

if TYPE_CHECKING:
    from tuiapp.compare.answer import Answer

FORMATS: dict[str, str] = {
    "text": "tuiapp.compare.report_text:text",
    "json": "tuiapp.compare.report_json:text",
    "markdown": "tuiapp.compare.report_markdown:text",
    "html": "tuiapp.compare.report_html:text",
}
"""Name to ``"module:function"``, resolved on use."""


def report(name: str) -> Callable[[Answer], str]:
    """The function that writes the form ``name``; KeyError when there is none."""
    found: Callable[[Answer], str] = resolve(FORMATS[name])
    return found
