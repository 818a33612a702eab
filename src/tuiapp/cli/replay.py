"""``tuiapp replay``: look at a recording as if it happened now."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from tuiapp.cli.parser import number
from tuiapp.errors import UsageError

_EXAMPLES = """\
examples:
  tuiapp replay run.tuiapp                 from the start of the load, as fast as it was
  tuiapp replay run.tuiapp --at 1:30       from a moment: 1:30, 90s, 50%, start, end, 14:03:22
  tuiapp replay run.tuiapp --speed 16      sixteen times as fast
  tuiapp replay 20261124                   a recording of this user's, by the start of its name

keys: space plays and stands still, ← → move, g goes to a moment, < > change the speed,
  [ ] e o u t step to marks, errors, SLO misses, outliers and GPU throttling, r loops,
  m notes, ? explains everything."""

MIN_SPEED, MAX_SPEED = 0.05, 1000.0


def add_parser(commands: Any, name: str) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        name,
        help="look at a recording as if it happened now",
        description="Look at a recording as if it happened now: the live screen, under a clock "
        "that can be moved.",
        usage="tuiapp replay FILE [options]",
        epilog=_EXAMPLES,
    )
    parser.add_argument("file", metavar="FILE", help="a recording, or the start of its name")
    add_options(parser)


def add_options(parser: Any, at: str | None = None) -> None:
    """What every replay can be told.

    Args:
        at: where it begins unless told otherwise; None for the start of the load.
    """
    begins = f"where to begin (default: {at or 'the start of the load'})"
    parser.add_argument("--at", metavar="MOMENT", default=at, help=begins)
    parser.add_argument(
        "--speed", type=number, default=1.0, metavar="X", help="how fast (default: 1)"
    )
    parser.add_argument("--paused", action="store_true", help="stand still at first")
    parser.add_argument(
        "--fps",
        type=number,
        default=4.0,
        metavar="HZ",
        help="redraws a second; of most panes half as many (default: 4)",
    )
    parser.add_argument("--theme", metavar="NAME", help="colours; see docs/themes.md")


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    from tuiapp.session.library import find

    return play(find(args.file), args)


def play(path: Path, args: argparse.Namespace) -> int:
    """Show the recording at ``path`` until it is left."""
    from tuiapp.cli.screen import check_screen, tell_faults

    if not (math.isfinite(args.speed) and MIN_SPEED <= args.speed <= MAX_SPEED):
        raise UsageError(f"--speed {args.speed} is out of range.", "Choose 0.05 to 1000.")
    check_screen(args.fps, args.theme)
    from tuiapp.player import Player
    from tuiapp.session.moments import parse_moment
    from tuiapp.tui.guard import guarded_terminal
    from tuiapp.tui.replay_app import ReplayApp

    with guarded_terminal():
        player = Player(path)
        try:
            created = player.session.meta.get("created_ns")
            at_ns = player.opening_ns
            if args.at is not None:
                wall_ns = created if isinstance(created, int) else None
                at_ns = parse_moment(args.at, 0, player.end_ns, wall_ns, start_ns=player.start_ns)
            player.clock.speed = args.speed
            player.clock.seek(at_ns)
            if not args.paused and (at_ns < player.end_ns or player.growing):
                player.clock.play()
            app = ReplayApp(player, fps=args.fps, theme=args.theme)
            app.run()
        finally:
            player.close()
    tell_faults(app.faults)
    return app.return_code or 0
