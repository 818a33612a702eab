"""Words and numbers of a report: what a recording says passes ``escaped`` or ``script_json``."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Mapping
from typing import Any

UNKNOWN = "—"
_LONGEST = 300
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_IN_SCRIPT = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def clean(value: Any) -> str:
    """``value`` as text without control, direction and half characters, at most 300 long."""
    text = value if isinstance(value, str) else str(value)
    text = _UNSAFE.sub("\ufffd", text[: _LONGEST + 1])
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def escaped(value: Any) -> str:
    """``clean`` text for an element or a quoted attribute."""
    return html.escape(clean(value))


def script_json(value: Any) -> str:
    """JSON that can stand inside a ``<script>`` element: nothing in it can end that element.

    Raises:
        ValueError: there is a NaN or an infinity in it.
    """
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return text.translate(_IN_SCRIPT)


def mapping(value: Any) -> Mapping[str, Any]:
    """``value``, or nothing where a file holds something else under a known name."""
    return value if isinstance(value, Mapping) else {}


def milliseconds(seconds: float | None) -> str:
    """Three digits that count, in ms and without the unit; ``—`` where it is not known."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    ms = seconds * 1e3
    decimals = 3 if ms < 1 else 2 if ms < 10 else 1 if ms < 100 else 0
    return f"{ms:,.{decimals}f}"


def number(value: float | None, decimals: int = 1) -> str:
    """A number in groups of three; ``—`` where it is not known."""
    return UNKNOWN if value is None or not math.isfinite(value) else f"{value:,.{decimals}f}"


def duration(seconds: float) -> str:
    """``84.6 s``, ``12 min 05 s``, ``3 h 07 min``."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 120:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def clock(t_ns: float) -> str:
    """A moment since the session's origin: ``1:03.2``."""
    tenths = int(t_ns // 100_000_000)
    minutes, tenths = divmod(tenths, 600)
    return f"{minutes}:{tenths // 10:02d}.{tenths % 10}"
