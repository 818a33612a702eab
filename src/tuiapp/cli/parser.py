"""Argument parsing whose errors are sentences like all others, not pages of usage."""

from __future__ import annotations

import argparse
import re
from typing import Any, NoReturn

from tuiapp.errors import UsageError

_UNITS_S = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


class Parser(argparse.ArgumentParser):
    """Raises ``UsageError`` where argparse would print and end the process.

    Options cannot be shortened: a script must not change its meaning when an option is added.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            **{"formatter_class": argparse.RawDescriptionHelpFormatter, **settings},
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        what = message.removeprefix("argument ").rstrip(".")
        raise UsageError(f"{what}.", f"`{self.prog} --help` shows how to use it.")


def number(text: str) -> float:
    """A number; whether it makes sense is for those to say who use it."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None


def count(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None


def seconds(text: str) -> float:
    """A length of time: ``90``, ``90s``, ``2m``, ``1h``."""
    length_s = seconds_or_none(text)
    if not length_s:
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time; write 90, 90s, 2m or 1h")
    return length_s


def seconds_or_none(text: str) -> float:
    """A length of time, which may be 0."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip())
    if found is None or found[2] not in _UNITS_S:
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time; write 90, 90s, 2m or 1h")
    return float(found[1]) * _UNITS_S[found[2]]
