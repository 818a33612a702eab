"""A file of JSON from anywhere: bounded before it is read, and values out of it that make sense."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuiapp.errors import SessionError

MAX_BYTES = 1 << 29
MAX_VALUES = 64_000_000
"""Commas and brackets: how many Python objects a document can become."""
MAX_CONTAINERS = 8_000_000
_MAX_TEXT = 200
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class Document:
    """The JSON values in a file: one, or one a line.

    Attributes:
        values: at least one.
        spoilt: stretches of text between or behind them that are no JSON.
    """

    path: Path
    values: list[Any]
    spoilt: int = 0

    @classmethod
    def open(cls, path: Path) -> Document:
        """Read the file at ``path``.

        Raises:
            SessionError: it cannot be read, is too large, or holds no JSON.
        """
        values, spoilt = _parse(_text(path))
        if not values:
            raise SessionError(f"{path} holds no JSON.", "A result of another program is wanted.")
        return cls(path, values, spoilt)


def _text(path: Path) -> str:
    if path.exists() and not path.is_file():  # a pipe would never end
        raise SessionError(f"{path} is no file.")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SessionError(f"Cannot read {path}: {error.strerror}.") from error
    if len(data) > MAX_BYTES:
        limit = f"{MAX_BYTES >> 20} MiB"
        raise SessionError(f"{path} is larger than {limit}.", "Import a shorter run.")
    containers = data.count(b"[") + data.count(b"{")
    if containers > MAX_CONTAINERS or containers + data.count(b",") > MAX_VALUES:
        raise SessionError(f"{path} holds more values than can be read.", "Import a shorter run.")
    return data.decode("utf-8-sig", errors="replace")


def _parse(text: str) -> tuple[list[Any], int]:
    """(values one behind the other, stretches that are none).

    What is behind an error is read from the line after it on, so that no text is read twice.
    """
    decoder = json.JSONDecoder()
    values: list[Any] = []
    spoilt = at = 0
    while (at := _after_space(text, at)) < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except RecursionError:
            return values, spoilt + 1
        except ValueError as error:
            if not values:
                return values, 1
            spoilt += 1
            at = text.find("\n", getattr(error, "pos", at)) + 1 or len(text)
        else:
            values.append(value)
    return values, spoilt


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def number(value: Any, low: float = 0.0, high: float = math.inf) -> float | None:
    """``value`` when it is a finite number in [low, high], else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) and low <= found <= high else None


def count(value: Any, high: int) -> int | None:
    """``value`` when it is a whole number in [0, high], else None."""
    found = number(value, 0, high)
    return int(found) if found is not None and found == int(found) else None


def text(value: Any) -> str:
    """A short text, or nothing; halves of characters, which no file can hold, are replaced."""
    if not isinstance(value, str):
        return ""
    return value[:_MAX_TEXT].encode("utf-8", "replace").decode()


def inside(value: Any, *path: str) -> Any:
    """What stands at ``path`` in nested maps; None where one of them is missing."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
