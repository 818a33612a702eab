"""``tuiapp sessions cut``: a range of time as a recording of its own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tuiapp.cli.sessions_common import (
    add_file,
    add_output,
    add_verb,
    free_output,
    moment_ns,
    report,
)
from tuiapp.errors import UsageError
from tuiapp.words import clock_text

_EXAMPLES = """\
  tuiapp sessions cut run.tuiapp --from 1:30 --to 2:00 -o burst.tuiapp
  tuiapp sessions cut run.tuiapp --to 50% -o first-half.tuiapp"""


def add_parser(verbs: Any, name: str) -> None:
    """Register the verb."""
    more = (
        "Moments keep the time they had. Requests in flight at the beginning are kept, and so is "
        "what the range cannot be understood without."
    )
    summary = "write a range of time of a recording to a new one"
    parser = add_verb(verbs, name, summary, _EXAMPLES, more)
    add_file(parser)
    parser.add_argument(
        "--from", dest="start", default="0%", metavar="T", help="1:30, 90s, 50%% (default: 0%%)"
    )
    parser.add_argument("--to", default="100%", metavar="T", help="the same (default: 100%%)")
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    from tuiapp.session.cut import cut
    from tuiapp.session.library import find

    path = find(args.file)
    from_ns, to_ns = _range(path, args.start, args.to)
    kept = cut(path, from_ns, to_ns, free_output(args.output))
    start_ns = max(kept.from_ns, 0)
    told = {
        "file": path,
        "output": args.output,
        "from_s": start_ns / 1e9,
        "to_s": kept.to_ns / 1e9,
    }
    line = f"{args.output}: {clock_text(start_ns)} to {clock_text(kept.to_ns)} of {path.name}"
    return report(args, told, line)


def _range(path: Path, start: str, end: str) -> tuple[int, int]:
    """The range (from, to] that is asked for.

    Raises:
        UsageError: there is nothing in it.
    """
    from tuiapp.session.cut import held
    from tuiapp.session.file import SessionFile

    with SessionFile(path) as file:
        whole = held(file)
    first_ns = max(whole.from_ns, 0)
    from_ns, to_ns = (moment_ns(text, first_ns, whole.to_ns) for text in (start, end))
    if from_ns >= whole.to_ns or to_ns <= whole.from_ns:
        option = f"--from {start}" if from_ns >= whole.to_ns else f"--to {end}"
        reach = f"{clock_text(first_ns)} to {clock_text(whole.to_ns)}"
        raise UsageError(f"{option} is outside {path.name}.", f"It reaches from {reach}.")
    if from_ns >= to_ns:
        raise UsageError(
            f"--from {start} is not before --to {end}.", "Give the earlier moment first."
        )
    return from_ns if from_ns > 0 else -1, to_ns
