"""``tuiapp trial``: the experiment done properly, several fresh engine starts of one load."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuiapp.cli.console import say, say_trouble
from tuiapp.cli.parser import count
from tuiapp.cli.run import HEADLESS_DURATION_S, add_engine, add_load, add_model
from tuiapp.errors import UsageError

if TYPE_CHECKING:
    from tuiapp.compare.design import Design, Planned

_EXAMPLES = """\
examples:
  tuiapp trial --runs 5 -o metal/                     five fresh starts of the demo model
  tuiapp trial my/model --preset voice --runs 10 -o vm/
  tuiapp compare metal/ vs vm/                        the verdict on two such folders
  tuiapp trial --aa --runs 5 -o noise/                this host against itself: its own noise

Every run has the same arrivals, lengths and tokens (--seed). A trial that was interrupted goes on
where it stopped when it is started again with the same folder and load.

exit codes: 0 all runs done; 1 a run failed; 2 wrong usage."""
_MOST_RUNS = 100


def add_parser(commands: Any, name: str) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        name,
        help="several fresh engine starts of one load, for a comparison with a verdict",
        description="Make several runs of one seeded load, each on a freshly started engine, and "
        "record them as one set.",
        usage="tuiapp trial [MODEL] -o FOLDER [options] [-- any vLLM engine argument]",
        epilog=_EXAMPLES,
    )
    group = add_set(parser, "trial", "fresh starts an arm", 5)
    group.add_argument(
        "--aa", action="store_true", help="two arms of the same host, interleaved: its own noise"
    )


def add_set(parser: Any, title: str, runs: str, default: int) -> Any:
    """The options of a set of runs; returns the group of its own ones."""
    add_model(parser)
    group = parser.add_argument_group(title)
    group.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", required=True, help="where the runs go"
    )
    group.add_argument(
        "--runs", type=count, default=default, metavar="N", help=f"{runs} (default: {default})"
    )
    add_load(parser.add_argument_group("load"))
    add_engine(parser.add_argument_group("engine"))
    return group


def check_runs(args: argparse.Namespace) -> None:
    """Raise ``UsageError`` for a number of runs that makes no sense."""
    if not 1 <= args.runs <= _MOST_RUNS:
        raise UsageError(f"--runs {args.runs} is out of range.", f"Choose 1 to {_MOST_RUNS}.")


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    check_runs(args)
    from tuiapp.cli.setup_run import make_workload
    from tuiapp.compare.design import AA, ONE, plan

    folder: Path = args.output
    digest = make_workload(args, HEADLESS_DURATION_S).digest()
    kind = AA if args.aa else ONE
    design = new_folder(folder, lambda name: plan(name, kind, digest, args.runs))
    done = carry_out(folder, design, lambda _: args)
    return 1 if done is None else _conclude(folder, done)


def new_folder(folder: Path, make: Callable[[str], Design]) -> Design:
    """The folder's plan, which may be carried out in part, or a new one in an empty folder.

    Args:
        make: gives the plan wanted, for a name.

    Raises:
        UsageError: the folder holds something else, or a plan that is not the one wanted.
        SessionError: it cannot be written.
    """
    from tuiapp.compare.design import read, save

    found = read(folder) if folder.is_dir() else None
    if found is not None:
        if not found.is_like(make(found.name)):
            raise UsageError(
                f"{folder} holds a trial of another load or size.",
                "Choose another folder, or start it with the options it was begun with.",
            )
        return found
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is no empty folder.", "Choose another with -o.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"Cannot make {folder}: {error.strerror}.") from error
    design = make(re.sub(r"[^\w.-]+", "-", folder.resolve().name)[:60] or "trial")
    save(folder, design)
    return design


def carry_out(
    folder: Path, design: Design, options: Callable[[Planned], argparse.Namespace]
) -> Design | None:
    """Make the runs that are left; None when one failed.

    Args:
        options: of a run.
    """
    from tuiapp.compare.design import DONE, save

    left = [planned for planned in design.runs if planned.outcome != DONE]
    if len(left) < len(design.runs):
        say(f"{len(design.runs) - len(left)} of {len(design.runs)} runs are there already")
    for planned in left:
        what = f"{design.over} {planned.level:g}" if design.over else f"arm {planned.arm}"
        say(f"run {planned.order + 1} of {len(design.runs)}, {what}")
        outcome = _make(folder, design, planned, options(planned))
        design = design.with_outcome(planned, outcome)
        save(folder, design)
        if outcome != DONE:
            say_trouble(
                "It stops here: a run failed.",
                "Start it again with the same options to go on from this run.",
            )
            return None
    return design


def _make(folder: Path, design: Design, planned: Planned, args: argparse.Namespace) -> str:
    """Make one run; returns its outcome."""
    from tuiapp.cli.headless import exit_code, record, say_what_failed
    from tuiapp.compare.design import DONE, FAILED

    path = folder / planned.file
    if path.exists():
        path.unlink()  # of an attempt that failed or was interrupted; it is not part of the trial
    values = {**vars(args), "output": path, "json": False, "headless": True}
    view = record(argparse.Namespace(**values), design.header(planned))
    say_what_failed(view)
    return FAILED if exit_code(view) == 1 else DONE


def _conclude(folder: Path, design: Design) -> int:
    """Say what the trial found of the host's own noise, and keep it."""
    from tuiapp.cli.sessions_common import write
    from tuiapp.compare.answer import answer
    from tuiapp.compare.comparison import compare
    from tuiapp.compare.design import AA
    from tuiapp.compare.noise import host_key, keep, learn
    from tuiapp.compare.report_text import text
    from tuiapp.compare.runs import read_run
    from tuiapp.session.library import sessions_dir

    runs = [read_run(folder / planned.file) for planned in design.runs]
    noise = learn(runs, design.name, aa=design.kind == AA)
    if noise is not None and (key := host_key(runs[0])):
        try:
            keep(sessions_dir().parent, key, noise)
        except OSError as error:
            say_trouble(f"The host's noise cannot be kept: {error.strerror}.")
    if design.kind == AA:
        arms = [
            [run for run, planned in zip(runs, design.runs, strict=True) if planned.arm == arm]
            for arm in "AB"
        ]
        write(text(answer(compare(arms[0], arms[1]))))
    write("".join(_noise_lines(noise)))
    return 0


def _noise_lines(noise: Any) -> list[str]:
    from tuiapp.compare.quantities import FAMILY

    if noise is None:
        return ["One run tells nothing of the noise between runs.\n"]
    lines = [f"this host's own noise from run to run, {noise.runs} runs (standard deviation):\n"]
    lines += [
        f"  {quantity.title:<16} {noise.spread[quantity.name]:6.1%}\n"
        for quantity in FAMILY
        if quantity.name in noise.spread
    ]
    return lines
