"""``tuiapp sessions show``: the result of a recording, computed from the file alone."""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuiapp.cli.console import say_trouble
from tuiapp.cli.sessions_common import add_file, add_verb, write
from tuiapp.clock import NS_PER_S
from tuiapp.errors import SessionError, UsageError
from tuiapp.sources.lines import clean
from tuiapp.words import clock_text

if TYPE_CHECKING:
    from tuiapp.session.view import View

_EXAMPLES = """\
  tuiapp sessions show 20261124-101500-demo-llama
  tuiapp sessions show run.tuiapp --json | jq .ttft_s.p99
  tuiapp sessions show run.tuiapp --log          what the engine wrote, with the seconds"""


def add_parser(verbs: Any, name: str) -> None:
    """Register the verb."""
    more = "--json prints the object that `tuiapp run --headless --json` printed."
    parser = add_verb(verbs, name, "show the result of a recording", _EXAMPLES, more)
    add_file(parser)
    parser.add_argument("--log", action="store_true", help="the engine's log instead")


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    from tuiapp.exports import export
    from tuiapp.session.library import find

    if args.log and args.json:
        raise UsageError("--log and --json exclude each other.", "Leave one of them out.")
    view = load_view(find(args.file))
    out = io.StringIO()
    if args.log:
        write(
            "".join(
                f"{line.t_ns / NS_PER_S:9.3f}  {clean(line.text)}\n" for line in view.session.log
            )
        )
        return 0
    export("json" if args.json else "text")(view, out)
    write(out.getvalue())
    return 0


def load_view(path: Path) -> View:
    """The whole recording at ``path``, seen from its end; says on stderr what is missing of it.

    Raises:
        SessionError: it cannot be read, or holds nothing.
    """
    from tuiapp.session.disk import is_being_written
    from tuiapp.session.reader import Report, load
    from tuiapp.session.view import View

    report = Report()
    session = load(path, report)
    if not report.frames:
        raise SessionError(f"{path} holds no whole block.", "There is nothing to show.")
    if not report.whole:
        say_trouble(
            f"{path} is damaged: {report.missing} cannot be read.",
            "`tuiapp sessions verify` tells which.",
        )
    elif report.torn_bytes and not is_being_written(path):
        say_trouble(
            f"{path} was torn off in the middle of a block: what came later is not in it.",
            f"It ends at {clock_text(session.end_ns)}.",
        )
    return View(session, session.end_ns)
