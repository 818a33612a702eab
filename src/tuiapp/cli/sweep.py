"""``tuiapp sweep``: latency and throughput against load, each level on a fresh engine."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from tuiapp.cli.console import say
from tuiapp.cli.run import HEADLESS_DURATION_S
from tuiapp.cli.trial import add_set, carry_out, check_runs, new_folder
from tuiapp.errors import UsageError

_EXAMPLES = """\
examples:
  tuiapp sweep --over rate=1,2,4,8,16 -o metal-load/
  tuiapp sweep --over concurrency=1,4,16 --slo voice --runs 3 -o vm-load/
  tuiapp sweep --over input-len=128,512,2048 --rate 2 -o lengths/
  tuiapp compare metal-load/ vs vm-load/            two hosts' sweeps beside each other

Levels are visited in an order drawn from the seed, once a round, so that a machine that drifts
does not look like one that saturates. An interrupted sweep goes on where it stopped.

exit codes: 0 all runs done; 1 a run failed; 2 wrong usage."""
_OVER = ("rate", "concurrency", "input-len")
_MOST_LEVELS = 50


def add_parser(commands: Any, name: str) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        name,
        help="step the load, find the knee and the highest load within the objectives",
        description="Measure at several loads, each on a freshly started engine; find the knee and "
        "the highest load that meets the objectives.",
        usage="tuiapp sweep [MODEL] --over WHAT=LEVELS -o FOLDER [options] [-- vLLM arguments]",
        epilog=_EXAMPLES,
    )
    group = add_set(parser, "sweep", "fresh starts a level", 1)
    group.add_argument(
        "--over", required=True, metavar="WHAT=LEVELS", help=f"{', '.join(_OVER)}; then levels"
    )
    group.add_argument("--json", action="store_true", help="the result as JSON on stdout")


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    over, levels = parse_over(args.over)
    check_runs(args)
    from tuiapp.cli.sessions_common import emit_json, write
    from tuiapp.cli.setup_run import make_workload
    from tuiapp.compare.design import plan_sweep
    from tuiapp.compare.sweep import read_sweep
    from tuiapp.compare.sweep_text import as_json, text

    for level in levels:  # what makes no sense is said before the first engine starts
        make_workload(at_level(args, over, level), HEADLESS_DURATION_S)
    base = make_workload(at_level(args, over, levels[0]), HEADLESS_DURATION_S)
    folder: Path = args.output
    design = new_folder(
        folder, lambda name: plan_sweep(name, base.digest(), over, levels, args.runs, base.seed)
    )
    say(f"{len(levels)} levels of {over}, {args.runs} runs each")
    done = carry_out(folder, design, lambda planned: at_level(args, over, planned.level))
    if done is None:
        return 1
    found = [read_sweep(folder, done)]
    if args.json:
        emit_json(as_json(found))
    else:
        write(text(found))
    return 0


def at_level(args: argparse.Namespace, over: str, level: float) -> argparse.Namespace:
    """The options of a run at one level."""
    changes: dict[str, Any] = {"rate": level}
    if over == "concurrency":
        changes = {"concurrency": int(level)}
    elif over == "input-len":
        changes = {"input_len": str(int(level))}
    return argparse.Namespace(**{**vars(args), **changes})


def parse_over(text: str) -> tuple[str, list[float]]:
    """``rate=1,2,4`` as what is stepped and its levels, rising.

    Raises:
        UsageError: it is none.
    """
    over, _, rest = text.partition("=")
    if over not in _OVER:
        raise UsageError(f"--over {text} steps nothing.", f"Write {' or '.join(_OVER)} = LEVELS.")
    try:
        levels = sorted({float(level) for level in rest.split(",")})
    except ValueError:
        raise UsageError(
            f"--over {text} has no levels.", f"Write numbers: --over {over}=1,2,4."
        ) from None
    if not all(math.isfinite(level) and level > 0 for level in levels):
        raise UsageError(f"--over {text} has a level that is not above 0.")
    if over != "rate" and any(level != int(level) for level in levels):
        raise UsageError(f"--over {text} needs whole numbers.")
    if not 2 <= len(levels) <= _MOST_LEVELS:
        raise UsageError(f"--over {text} needs 2 to {_MOST_LEVELS} levels.")
    return over, levels
