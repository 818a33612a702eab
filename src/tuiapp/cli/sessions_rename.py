"""``tuiapp sessions rename``: another name for a recording."""

from __future__ import annotations

import argparse
from typing import Any

from tuiapp.cli.sessions_common import add_file, add_verb, report

_EXAMPLES = """\
  tuiapp sessions rename 20261124-101500-demo-llama quiet-host"""


def add_parser(verbs: Any, name: str) -> None:
    """Register the verb."""
    more = "It stays in its folder and keeps its suffix; another file is never overwritten."
    parser = add_verb(verbs, name, "give a recording another name", _EXAMPLES, more)
    add_file(parser)
    parser.add_argument("name", metavar="NAME", help="the new name, without folders")


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    from tuiapp.session.library import find, rename

    path = find(args.file)
    new = rename(path, args.name)
    if new == path:
        return report(args, {"from": path, "file": new}, f"{path.name} is already called that")
    return report(args, {"from": path, "file": new}, f"{path.name} is now {new.name}")
