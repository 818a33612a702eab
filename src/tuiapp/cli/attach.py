"""``tuiapp attach``: watch a run that another tuiapp on this machine is recording."""

from __future__ import annotations

import argparse
from typing import Any

from tuiapp.cli.replay import add_options, play
from tuiapp.errors import SessionError

_EXAMPLES = """\
examples:
  tuiapp run --headless &                  a run without a screen, in a script or elsewhere
  tuiapp attach                            watch it: the newest run that is being recorded
  tuiapp attach runs/voice.tuiapp          another one

It is the replay of a recording that still grows, about a second behind: look back at any moment,
and the end key goes on with the newest. Leaving it does nothing to the run."""


def add_parser(commands: Any, name: str) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        name,
        help="watch a run that is being recorded on this machine",
        description="Watch a run that another tuiapp on this machine is recording.",
        usage="tuiapp attach [FILE] [options]",
        epilog=_EXAMPLES,
    )
    parser.add_argument(
        "file", metavar="FILE", nargs="?", help="its recording, or the start of its name"
    )
    add_options(parser, at="end")


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    from tuiapp.session import disk, library

    if args.file is not None:
        path = library.find(args.file)
        if not disk.is_being_written(path):
            raise SessionError(
                f"{path} is not being recorded.", f"Look at it with tuiapp replay {path}."
            )
        return play(path, args)
    folder = library.sessions_dir()
    found = library.growing(folder)
    if not found:
        raise SessionError(
            f"No run is being recorded in {folder}.",
            "Start one with tuiapp run, or name the file that one is recorded into.",
        )
    return play(found[0], args)
