"""``tuiapp demo``: replay a recording that comes with the program, with no engine installed."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from typing import Any

from tuiapp.cli.replay import add_options, play

_EXAMPLES = """\
examples:
  tuiapp demo                    the first sample, in the replay
  tuiapp demo --list             what there is, how it was recorded, how to record it again
  tuiapp demo bursty --speed 4   another one, faster"""
_WIDTH = 88


def add_parser(commands: Any, name: str) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        name,
        help="replay a sample recording; no engine needed",
        description="Replay a recording that comes with tuiapp. Needs no engine and no GPU.",
        usage="tuiapp demo [NAME] [options]",
        epilog=_EXAMPLES,
    )
    parser.add_argument("sample", nargs="?", metavar="NAME", help="which one (default: the first)")
    parser.add_argument("--list", action="store_true", help="say what there is")
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    from tuiapp.session.samples import sample, samples

    if not args.list:
        return play(sample(args.sample).path, args)
    fill = textwrap.TextWrapper(
        min(shutil.get_terminal_size().columns, _WIDTH),
        initial_indent="  ",
        subsequent_indent="  ",
        break_on_hyphens=False,
        break_long_words=False,
    ).fill
    for found in samples():
        print(found.name)  # noqa: T201
        for text in (found.shows, found.recorded, f"Again: {found.command}"):
            print(fill(text))  # noqa: T201
    return 0
