"""``tuiapp sessions merge``: the parts of one recording become one again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tuiapp.cli.sessions_common import add_output, add_verb, free_output, report
from tuiapp.errors import UsageError
from tuiapp.words import clock_text

_EXAMPLES = """\
  tuiapp sessions merge first-half.tuiapp second-half.tuiapp -o run.tuiapp"""


def add_parser(verbs: Any, name: str) -> None:
    """Register the verb."""
    more = (
        "They must be of one run and hold no moment twice; a stretch that none of them holds is "
        "marked as lost."
    )
    summary = "put parts of one recording together again"
    parser = add_verb(verbs, name, summary, _EXAMPLES, more)
    parser.add_argument("files", nargs="+", metavar="FILE", help="parts, in any order")
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    from tuiapp.session.cut import merge_parts
    from tuiapp.session.library import find

    paths = [find(file) for file in args.files]
    if len(paths) < 2:
        raise UsageError("One recording alone cannot be merged.", "Name the other parts as well.")
    kept = merge_parts(paths, free_output(args.output))
    missing_s = _missing_s(args.output)
    whole = kept.is_whole and not missing_s
    start_ns = max(kept.from_ns, 0)
    told = {
        "files": paths,
        "output": args.output,
        "from_s": start_ns / 1e9,
        "to_s": kept.to_ns / 1e9,
        "whole_run": whole,
        "missing_s": missing_s,
    }
    line = f"{args.output}: {clock_text(start_ns)} to {clock_text(kept.to_ns)}"
    what = f", without {missing_s:.1f} s that no part holds" if missing_s else ""
    return report(args, told, line + (", the whole run" if whole else what))


def _missing_s(path: Path) -> float:
    """Seconds between the parts that none of them held."""
    from tuiapp.events import Kind
    from tuiapp.session.cut import UNMERGED
    from tuiapp.session.file import SessionFile

    with SessionFile(path) as file:
        gaps = [gap for gap in file.frames([Kind.GAP]) if gap.attrs.get("reason") == UNMERGED]
    return sum(gap.t1_ns - gap.t0_ns for gap in gaps) / 1e9
