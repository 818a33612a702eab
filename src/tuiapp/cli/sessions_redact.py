"""``tuiapp sessions redact``: a copy that tells nothing of whose recording it is."""

from __future__ import annotations

import argparse
from typing import Any

from tuiapp.cli.console import say_trouble
from tuiapp.cli.sessions_common import (
    add_file,
    add_output,
    add_verb,
    emit,
    emit_json,
    free_output,
    lost_json,
)
from tuiapp.words import plural

_EXAMPLES = """\
  tuiapp sessions redact run.tuiapp -o for-others.tuiapp
  tuiapp sessions redact run.tuiapp --word acme --word falcon -o for-others.tuiapp"""


def add_parser(verbs: Any, name: str) -> None:
    """Register the verb."""
    more = (
        "Host and user names, paths, addresses of other machines, notes and the texts of marks "
        "are taken out; every number and every moment stays. Read the log of the copy before you "
        "publish it: nobody can know every name."
    )
    summary = "write a copy without names, paths and notes"
    parser = add_verb(verbs, name, summary, _EXAMPLES, more)
    add_file(parser)
    parser.add_argument(
        "--word", action="append", default=[], metavar="WORD", help="mask this, too; may repeat"
    )
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    from tuiapp.session.edit import redact
    from tuiapp.session.library import find

    path = find(args.file)
    verdict = redact(path, free_output(args.output), args.word)
    masked = {sort: len(values) for sort, values in verdict.identifying.items()}
    if verdict.lost:
        lost = plural(len(verdict.lost), "place")
        say_trouble(f"{path} cannot be read in {lost}: that is left out of the copy.")
    if args.json:
        lost_parts = [lost_json(lost) for lost in verdict.lost]
        emit_json({"file": path, "output": args.output, "masked": masked, "lost": lost_parts})
    else:
        told = ", ".join(f"{sort} ({count})" for sort, count in masked.items())
        emit([f"{args.output}: without {told}" if told else f"{args.output}: nothing to mask"])
    return 0
