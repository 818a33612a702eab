"""``tuiapp sessions rm``: recordings that nobody needs any more."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from tuiapp.cli.console import say, say_trouble
from tuiapp.cli.sessions_common import add_verb, emit, emit_json
from tuiapp.errors import TuiappError, UsageError
from tuiapp.words import plural

_EXAMPLES = """\
  tuiapp sessions rm 20261124-1015
  tuiapp sessions rm old-*.tuiapp --yes"""


def add_parser(verbs: Any, name: str) -> None:
    """Register the verb."""
    more = "It asks first; one that is being recorded always stays."
    parser = add_verb(verbs, name, "remove recordings", _EXAMPLES, more)
    parser.add_argument("files", nargs="+", metavar="FILE", help="paths or names of recordings")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    from tuiapp.session.library import delete, find

    paths = list(dict.fromkeys(find(file) for file in args.files))
    if not args.yes and not _agreed(paths):
        say("nothing was removed")
        return 1
    removed, code = [], 0
    for path in paths:
        try:
            delete(path)
        except TuiappError as error:
            say_trouble(error.message, error.advice)
            code = max(code, error.exit_code)
        else:
            removed.append(path)
    if args.json:
        emit_json({"removed": removed})
    else:
        emit(f"removed {path.name}" for path in removed)
    return code


def _agreed(paths: list[Path]) -> bool:
    """Ask on the terminal.

    Raises:
        UsageError: there is none.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("Nobody is there to be asked.", "Add --yes to remove without asking.")
    for path in paths:
        say(f"  {path}")
    say(f"Remove {'it' if len(paths) == 1 else plural(len(paths), 'recording')} for good? [y/N]")
    return sys.stdin.readline().strip().casefold() in ("y", "yes")
