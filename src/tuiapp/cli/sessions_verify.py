"""``tuiapp sessions verify``: whether a recording is whole, and whom it tells of."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from tuiapp.cli.sessions_common import (
    add_file,
    add_verb,
    emit,
    emit_json,
    lost_json,
    lost_line,
    size_text,
)
from tuiapp.errors import SessionError
from tuiapp.words import clock_text, plural

if TYPE_CHECKING:
    from tuiapp.session.verify import Verdict

_MOST_LINES = 20
_EXAMPLES = """\
  tuiapp sessions verify run.tuiapp
  tuiapp sessions verify *.tuiapp
  tuiapp sessions verify run.tuiapp --json | jq .identifying

exit codes: 0 whole; 3 something is lost; 1 it cannot be read at all; 2 wrong usage."""


def add_parser(verbs: Any, name: str) -> None:
    """Register the verb."""
    more = (
        "Every block is read. It also tells what names, paths and notes the file holds. --json "
        "prints one object, or a list of them for several files."
    )
    parser = add_verb(verbs, name, "check whether a recording is whole", _EXAMPLES, more)
    add_file(parser, several=True)


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    from tuiapp.session.library import find
    from tuiapp.session.verify import verify

    verdicts = []
    for path in [find(file) for file in args.files]:
        verdict = verify(path)
        if not verdict.frames:
            raise SessionError(f"{path} holds no whole block.", "Nothing can be read of it.")
        verdicts.append(verdict)
        if not args.json:
            emit(_lines(verdict))
    if args.json:
        told = [_as_json(verdict) for verdict in verdicts]
        emit_json(told if len(told) > 1 else told[0])
    return 0 if all(verdict.whole for verdict in verdicts) else 3


def _as_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "file": verdict.path,
        "format": ".".join(map(str, verdict.version)),
        "bytes": verdict.size,
        "blocks": verdict.frames,
        "whole": verdict.whole,
        "being_recorded": verdict.growing,
        "index": verdict.indexed,
        "lost": [lost_json(lost) for lost in verdict.lost],
        "missing_blocks": verdict.missing_frames,
        "torn_bytes": verdict.torn_bytes,
        "gaps": [_gap_json(gap) for gap in verdict.gaps],
        "identifying": verdict.identifying,
    }


def _gap_json(gap: dict[str, Any]) -> dict[str, Any]:
    return {
        "from_s": gap["t0_ns"] / 1e9,
        "to_s": gap["t1_ns"] / 1e9,
        "batches": gap.get("frames"),
        "reason": str(gap.get("reason", "")),
    }


def _lines(verdict: Verdict) -> list[str]:
    what = f"{plural(verdict.frames, 'block')}, {size_text(verdict.size)}"
    state = "whole" if verdict.whole else "NOT WHOLE"
    lines = [f"{verdict.path.name}: {state}, {what}, format {'.'.join(map(str, verdict.version))}"]
    lines += [f"lost       {lost_line(lost)}" for lost in verdict.lost]
    if verdict.torn_bytes:
        lines.append(f"torn       {plural(verdict.torn_bytes, 'byte')} of an unfinished block")
    lines.append(f"index      {_index(verdict)}")
    for gap in map(_gap_json, verdict.gaps):
        span = " to ".join(clock_text(round(gap[end] * 1e9)) for end in ("from_s", "to_s"))
        lines.append(f"gap        {span}, {_batches(gap['batches'])}: {gap['reason']}")
    return lines + _identifying(verdict)


def _batches(count: object) -> str:
    return f"{count} batch" if count == 1 else f"{count} batches"


def _index(verdict: Verdict) -> str:
    if verdict.indexed:
        return "there"
    if verdict.growing:
        return "not yet: it is being recorded"
    return "none: the recording was not closed in order"


def _identifying(verdict: Verdict) -> list[str]:
    if not verdict.identifying:
        return ["identifying  nothing was found"]
    lines = []
    for sort, values in verdict.identifying.items():
        lines += [f"identifying  {sort}: {value}" for value in values[:_MOST_LINES]]
        if len(values) > _MOST_LINES:
            lines.append(f"identifying  {sort}: and {len(values) - _MOST_LINES} more")
    return lines
