"""``tuiapp sessions list``: the recordings, a line each."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuiapp.cli.sessions_common import add_verb, emit, emit_json, size_text
from tuiapp.clock import local_from_ns, utc_from_ns
from tuiapp.errors import UsageError
from tuiapp.words import clock_text

if TYPE_CHECKING:
    from tuiapp.session.entry import Entry

SORTS = (
    "date", "name", "host", "virtualization", "model", "load", "ttft", "tpot", "duration", "size",
)  # fmt: skip
_WIDEST = 40
_TROUBLES = ("unreadable", "damaged", "torn")
"""Conditions whose reasons are told under the table."""
_EXAMPLES = """\
  tuiapp sessions list
  tuiapp sessions list --sort ttft --filter "qwen chat"
  tuiapp sessions list ./results ../other/run.tuiapp --json | jq '.[] | .name, .ttft_p99_s'"""


def add_parser(verbs: Any, name: str) -> None:
    """Register the verb."""
    parser = add_verb(
        verbs,
        name,
        "list recordings, the newest first",
        _EXAMPLES,
        "Latencies are of the measured load, as p50/p99 in milliseconds; — stands for unknown.",
    )
    parser.add_argument(
        "places", nargs="*", metavar="PLACE", help="folders and files (default: your library)"
    )
    parser.add_argument("--sort", choices=SORTS, default="date", help="by what (default: date)")
    parser.add_argument("--reverse", action="store_true", help="the other way round")
    parser.add_argument("--filter", default="", metavar="WORDS", help="only those that hold them")


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    from tuiapp.session.library import entries_of, matching, sort

    found = sort(matching(entries_of(_paths(args.places)), args.filter), args.sort)
    if args.reverse:
        found.reverse()
    if args.json:
        emit_json([_as_json(entry) for entry in found])
    elif found:
        emit(_table(found))
    else:
        emit(["no recordings"])
    return 0


def _paths(places: list[str]) -> list[Path]:
    from tuiapp.session.library import files, sessions_dir

    if not places:
        return files(sessions_dir())
    paths: list[Path] = []
    for place in places:
        path = Path(place).expanduser()
        if not path.exists():
            raise UsageError(f"There is no file or folder {place}.")
        paths += files(path) if path.is_dir() else [path]
    return list(dict.fromkeys(paths))


def _as_json(entry: Entry) -> dict[str, Any]:
    kept = {key: value for key, value in asdict(entry).items() if not key.endswith("_ns")}
    kept["path"] = str(entry.path)
    created = entry.created_ns
    kept["created"] = None if created is None else utc_from_ns(created).isoformat()
    kept["whole"] = entry.whole
    values = {key: value for key, value in kept.items() if isinstance(value, float)}
    kept["infinite"] = [key for key, value in values.items() if math.isinf(value)]
    return {key: None if value == "" else value for key, value in kept.items()}


def _table(found: list[Entry]) -> list[str]:
    rows = [list(COLUMNS), *([cell(entry) for cell in COLUMNS.values()] for entry in found)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(COLUMNS))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    reasons = [
        f"{_word(entry.name)}: {entry.reason}" for entry in found if entry.condition in _TROUBLES
    ]
    return [*lines, "", *reasons] if reasons else lines


def _word(text: str) -> str:
    from tuiapp.sources.lines import clean

    text = clean(text) or "—"
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _date(entry: Entry) -> str:
    if entry.created_ns is None:
        return "—"
    return local_from_ns(entry.created_ns).strftime("%Y-%m-%d %H:%M")


def _pair(p50_s: float | None, p99_s: float | None) -> str:
    return f"{_ms(p50_s)}/{_ms(p99_s)}"


def _ms(seconds: float | None) -> str:
    if seconds is None:
        return "—"
    if math.isinf(seconds):
        return "∞"
    value = seconds * 1e3
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def _duration(entry: Entry) -> str:
    return "—" if entry.duration_s is None else clock_text(round(entry.duration_s * 1e9))


COLUMNS: dict[str, Callable[[Any], str]] = {
    "name": lambda entry: _word(entry.name),
    "date": _date,
    "host": lambda entry: _word(entry.host),
    "virtualization": lambda entry: _word(entry.virtualization),
    "model": lambda entry: _word(entry.model),
    "load": lambda entry: _word(entry.load),
    "TTFT ms": lambda entry: _pair(entry.ttft_p50_s, entry.ttft_p99_s),
    "TPOT ms": lambda entry: _pair(entry.tpot_p50_s, entry.tpot_p99_s),
    "duration": _duration,
    "size": lambda entry: size_text(entry.size),
    "state": lambda entry: entry.condition,
}
"""The table's columns: a title, and an entry's cell in it."""
