"""Everything that can go wrong on purpose.

A ``TuiappError`` carries one clear sentence on what is wrong (``message``) and one on what to do
(``advice``). Only ``cli`` turns them into exit codes.
"""

from __future__ import annotations


class TuiappError(Exception):
    """Base of every error a user may see.

    Args:
        message: what is wrong, one sentence without a traceback.
        advice: what to do about it; may be empty.
    """

    exit_code = 1

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".rstrip()


class UsageError(TuiappError):
    """The command line, or a value given in it, does not fit."""

    exit_code = 2


class EngineError(TuiappError):
    """The engine could not start, or ended by itself."""


class SessionError(TuiappError):
    """A session file cannot be written or read."""


class Unavailable(TuiappError):  # noqa: N818 - an answer, not an error
    """A probe cannot read here; ``message`` says why. A normal answer, not a fault."""
