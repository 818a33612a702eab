"""``tuiapp sessions annotate``: a note on a recording, or on a moment of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tuiapp.cli.sessions_common import add_file, add_verb, moment_ns, report
from tuiapp.errors import UsageError
from tuiapp.words import clock_text

_LONGEST = 2_000
_EXAMPLES = """\
  tuiapp sessions annotate quiet-host "same rack as noisy-host, nothing else running"
  tuiapp sessions annotate quiet-host --at 1:30 "backup job begins"
"""


def add_parser(verbs: Any, name: str) -> None:
    """Register the verb."""
    more = "What is there stays as it is: notes are appended. A later note replaces the earlier."
    parser = add_verb(verbs, name, "write a note on a recording", _EXAMPLES, more)
    add_file(parser)
    parser.add_argument("text", metavar="TEXT", help="the note; empty takes it away")
    parser.add_argument("--at", metavar="T", help="mark a moment instead: 1:30, 90s, 50%%")


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    from tuiapp.session import library

    path = library.find(args.file)
    if len(args.text) > _LONGEST:
        raise UsageError(f"The note is longer than {_LONGEST} characters.")
    if args.at is None:
        library.annotate(path, args.text)
        return report(args, {"file": path, "note": args.text}, f"noted in {path.name}")
    t_ns = _moment(path, args.at)
    library.mark(path, t_ns, args.text)
    told = {"file": path, "t_s": t_ns / 1e9, "text": args.text}
    return report(args, told, f"marked {clock_text(t_ns)} in {path.name}")


def _moment(path: Path, text: str) -> int:
    from tuiapp.session.cut import held
    from tuiapp.session.file import SessionFile

    with SessionFile(path) as file:
        kept = held(file)
    start_ns = max(kept.from_ns, 0)
    t_ns = moment_ns(text, start_ns, kept.to_ns)
    if not start_ns <= t_ns <= kept.to_ns:
        raise UsageError(
            f"{path.name} holds nothing at {clock_text(t_ns)}: it reaches from "
            f"{clock_text(start_ns)} to {clock_text(kept.to_ns)}."
        )
    return t_ns
