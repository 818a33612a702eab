"""Lines out of a child's output: bounded, harmless, one a progress bar."""

from __future__ import annotations

import re

MAX_LINE = 2000
"""Characters kept of a line."""

_MAX_PENDING = 1 << 16
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS and other strings
    r"|\x1b[ -/]*[0-~]?"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
# Control characters, and those that reorder or hide text.
_HARMFUL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_LEVEL = re.compile(r"^(?:\([^)]*\) )?(DEBUG|INFO|WARNING|ERROR|CRITICAL)\b")
_TROUBLE = re.compile(r"^Traceback \(most recent call last\)|^[A-Z]\w*(?:Error|Exception)\b: ")
_WARNING = re.compile(r"\w*Warning: ")


class Lines:
    """Cuts bytes into lines. What a progress bar overwrote is left out."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that ``data`` completes, cleaned; empty ones are left out."""
        *whole, rest = (self._pending + data).split(b"\n")
        if len(rest) > _MAX_PENDING or b"\r" in rest:
            rest = rest[rest.rfind(b"\r", 0, -1) + 1 :][-_MAX_PENDING:]
        self._pending = rest
        return [line for line in map(_last_state, whole) if line]

    def finish(self) -> list[str]:
        """The last line, if it had no end."""
        return self.feed(b"\n")


def clean(text: str) -> str:
    """``text`` without escape sequences and control characters, at most ``MAX_LINE`` long."""
    plain = _HARMFUL.sub("", _ESCAPES.sub("", text[: 4 * MAX_LINE]).replace("\t", "    ")).rstrip()
    return plain if len(plain) <= MAX_LINE else plain[: MAX_LINE - 1] + "…"


def level(text: str) -> str:
    """``debug``, ``info``, ``warning``, ``error`` or ``critical``, as the line itself says."""
    if match := _LEVEL.match(text):
        return match[1].lower()
    if _TROUBLE.match(text):
        return "error"
    return "warning" if _WARNING.search(text) else "info"


def _last_state(line: bytes) -> str:
    states = [state for state in line.split(b"\r") if state.strip()]
    return clean(states[-1].decode(errors="replace")) if states else ""
