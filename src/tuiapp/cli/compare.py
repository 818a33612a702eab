"""``tuiapp compare``: two hosts from their recorded runs, with a verdict that survives a rerun."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuiapp.cli.parser import number, seconds
from tuiapp.errors import UsageError

if TYPE_CHECKING:
    from tuiapp.compare.cost import Prices
    from tuiapp.compare.reading import Question

FORMATS = ("text", "json", "markdown", "html")
_EXAMPLES = """\
examples:
  tuiapp compare metal.tuiapp vm.tuiapp                two recordings: how they differ, no verdict
  tuiapp compare metal/ vs vm/                         all runs in two folders: verdicts
  tuiapp compare a1 a2 a3 a4 a5 vs b1 b2 b3 b4 b5 --margin 3%
  tuiapp compare base/ vs new/ --format markdown       for a pull request
  tuiapp compare metal/ vs vm/ --rate-a 4.10 --rate-b 2.90      and what the difference costs
  tuiapp compare noise/                                the two arms of `tuiapp trial --aa`

A recording is named by its path, its name in the library, or the beginning of one. A verdict
needs five runs a side, each a fresh engine start; ten are better. On a terminal a screen opens;
--format or --json write the result instead.

exit codes: 0 B is equivalent or better in all six quantities; 4 B is worse in one; 5 undecided;
1 a recording cannot be read; 2 wrong usage. Of two sweeps: at the middle one of their levels."""


def add_parser(commands: Any, name: str) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        name,
        help="compare two hosts from their recorded runs, with verdicts",
        description="Compare two hosts from their recorded runs: B against A, in six declared "
        "quantities.",
        usage="tuiapp compare A... vs B... [options]",
        epilog=_EXAMPLES,
    )
    parser.add_argument("runs", metavar="A... vs B...", nargs="*", help="recordings, or folders")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="write the result (default: on a terminal a screen, elsewhere text)",
    )
    parser.add_argument("--json", action="store_true", help="the same as --format json")
    parser.add_argument(
        "--margin",
        default="5%",
        metavar="M",
        help="differences smaller than this do not matter (default: 5%%)",
    )
    parser.add_argument(
        "--prices", type=Path, metavar="FILE", help="what both sides cost; see docs/compare.md"
    )
    for side in "ab":
        parser.add_argument(
            f"--rate-{side}",
            type=number,
            metavar="R",
            help=f"what an hour of {side.upper()} costs, where that is all there is to know",
        )
    parser.add_argument(
        "--session",
        type=seconds,
        metavar="TIME",
        help="with --rate-a and --rate-b: how long a machine serves that is started for it, whose "
        "cost with the measured cold start is told (default: 1h)",
    )
    parser.add_argument("--theme", metavar="NAME", help="colours; see docs/themes.md")


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    if args.engine_args:
        raise UsageError("`tuiapp compare` starts no engine: nothing can stand behind `--`.")
    sides = _arms(args.runs) or split(args.runs)
    margin = parse_margin(args.margin)
    prices = _prices(args)
    from tuiapp.compare.reading import Question
    from tuiapp.session.library import sessions_dir

    sweeps = _sweep_folders(sides)
    question = Question(
        (sweeps[:1], sweeps[1:]) if sweeps else _recordings(sides),
        margin,
        prices,
        sessions_dir().parent,
    )
    if _is_for_a_screen(args):
        return _show(question, args)
    return _write_sweeps(question, args) if sweeps else _write(question, args)


def _is_for_a_screen(args: argparse.Namespace) -> bool:
    """Nobody asked for text, and somebody sits there."""
    streams = (sys.stdin, sys.stdout)
    return args.format is None and not args.json and all(s and s.isatty() for s in streams)


def _recordings(sides: tuple[list[str], list[str]]) -> tuple[list[Path], list[Path]]:
    """The files of both sides.

    Raises:
        UsageError: one is not found, or stands on both sides.
    """
    from tuiapp.compare.runs import expand
    from tuiapp.session.library import find

    a, b = (expand([_place(word, find) for word in side]) for side in sides)
    both = {path.resolve() for path in a} & {path.resolve() for path in b}
    if both:
        raise UsageError(
            f"{min(both).name} stands on both sides.", "A run is compared with others."
        )
    return a, b


def _write(question: Question, args: argparse.Namespace) -> int:
    from tuiapp.cli.sessions_common import write
    from tuiapp.compare.reports import report

    found = question.read().answer
    write(report("json" if args.json else args.format or "text")(found))
    return found.comparison.exit_code


def _show(question: Question, args: argparse.Namespace) -> int:
    """The screen, until it is left; the exit code is that of the written forms."""
    from tuiapp.cli.screen import check_screen, tell_faults
    from tuiapp.tui.compare_app import CompareApp
    from tuiapp.tui.guard import guarded_terminal

    check_screen(1.0, args.theme, instead="Or write it: --format text.")
    with guarded_terminal():
        app = CompareApp(question, theme=args.theme)
        app.run()
    tell_faults(app.faults)
    if app.shown.failed is not None:
        raise app.shown.failed
    compared = app.shown.compared
    code = 5 if compared is None else compared.answer.comparison.exit_code
    return app.return_code or code


def _prices(args: argparse.Namespace) -> tuple[Prices, Prices] | None:
    """What both sides cost; None when nobody said.

    Raises:
        UsageError: half of it is missing, or it makes no sense.
    """
    from tuiapp.compare.cost import Prices
    from tuiapp.compare.prices import check_price, read_prices

    rates = args.rate_a, args.rate_b
    if args.session is not None and (args.prices is not None or rates == (None, None)):
        raise UsageError(
            "--session goes with --rate-a and --rate-b.", "In a --prices FILE it is session_s."
        )
    if args.prices is not None:
        if rates != (None, None):
            raise UsageError("--prices and --rate-a, --rate-b exclude each other.")
        return read_prices(args.prices)
    if rates == (None, None):
        return None
    if None in rates:
        raise UsageError(
            "A price of one side alone decides nothing.", "Give --rate-a and --rate-b."
        )
    a, b = (check_price(f"--rate-{side}", rate) for side, rate in zip("ab", rates, strict=True))
    length = {} if args.session is None else {"session_s": args.session}
    return Prices(a, **length), Prices(b, **length)


def _sweep_folders(sides: tuple[list[str], list[str]]) -> list[Path]:
    """The folders of the sweeps that stand on both sides; empty when runs are compared.

    Raises:
        UsageError: a sweep is compared with runs, or with one of something else.
    """
    from tuiapp.compare.design import SWEEP, read

    folders = [Path(side[0]) for side in sides if len(side) == 1 and Path(side[0]).is_dir()]
    designs = [(folder, read(folder)) for folder in folders]
    found = [(folder, plan) for folder, plan in designs if plan and plan.kind == SWEEP]
    if not found:
        return []
    if len(found) < 2:
        raise UsageError(f"{found[0][0]} is a sweep, the other side is none.")
    over = [plan.over for _, plan in found]
    if over[0] != over[1]:
        raise UsageError(
            f"One sweep steps {over[0]}, the other {over[1]}.", "Make both over the same."
        )
    return [folder for folder, _ in found]


def _write_sweeps(question: Question, args: argparse.Namespace) -> int:
    """Both tables, and the comparison at one level, whose exit code it is."""
    from tuiapp.cli.sessions_common import emit_json, write
    from tuiapp.compare import sweep_pages
    from tuiapp.compare.sweep_text import as_json, compared_text

    form = "json" if args.json else args.format or "text"
    compared = question.read()
    if form == "json":
        emit_json(as_json(compared.sweeps, compared))
    else:
        forms = {
            "text": compared_text, "markdown": sweep_pages.markdown, "html": sweep_pages.html,
        }  # fmt: skip
        write(forms[form](compared))
    return compared.answer.comparison.exit_code


def _arms(words: list[str]) -> tuple[list[str], list[str]] | None:
    """The recordings of both arms, where one trial that has two stands alone."""
    from tuiapp.compare.design import AA, DONE, read

    if len(words) != 1 or not Path(words[0]).is_dir():
        return None
    folder = Path(words[0])
    design = read(folder)
    if design is None or design.kind != AA:
        raise UsageError(
            f"{folder} is one side of a comparison.",
            "Write `tuiapp compare A... vs B...`; only an A/A trial has both sides in it.",
        )
    a, b = (
        [str(folder / run.file) for run in design.runs if run.arm == arm and run.outcome == DONE]
        for arm in "AB"
    )
    if not a or not b:
        raise UsageError(f"{folder} has no run of one arm yet.", "Go on with the trial.")
    return a, b


def _place(word: str, find: Any) -> Path:
    path = Path(word)
    return path if path.is_dir() else find(word)


def split(words: list[str]) -> tuple[list[str], list[str]]:
    """The words of both sides.

    Raises:
        UsageError: one of them is missing, or it is not clear where B begins.
    """
    advice = "Write `tuiapp compare A... vs B...`."
    if words.count("vs") > 1:
        raise UsageError("There are more than two sides.", advice)
    if "vs" in words:
        at = words.index("vs")
        a, b = words[:at], words[at + 1 :]
    elif len(words) == 2:
        a, b = words[:1], words[1:]
    elif len(words) > 2:
        raise UsageError("It is not clear where B begins.", advice)
    else:
        a, b = words, []
    if not a or not b:
        raise UsageError("A comparison needs two sides.", advice)
    return a, b


def parse_margin(text: str) -> float:
    """``5%`` or ``0.05`` as a share.

    Raises:
        UsageError: it is none, or outside 0.1 % to 100 %.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(%?)", text.strip())
    if found is None:
        raise UsageError(f"--margin {text} is no share.", "Write 5% or 0.05.")
    share = float(found[1]) / (100 if found[2] else 1)
    if not 0.001 <= share <= 1:
        raise UsageError(f"--margin {text} is out of range.", "Choose 0.1% to 100%.")
    return share
