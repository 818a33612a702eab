"""``tuiapp sessions import``: results of other programs as recordings."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tuiapp.cli.console import say_trouble
from tuiapp.cli.parser import count
from tuiapp.cli.sessions_common import add_output, add_verb, emit, emit_json, free_output
from tuiapp.errors import TuiappError, UsageError

_EXAMPLES = """\
  tuiapp sessions import result.json
  tuiapp sessions import result.json -o imported.tuiapp
  tuiapp sessions import sweep.json --part 3    the third of its runs only
  tuiapp sessions import results/*.json --json"""


def add_parser(verbs: Any, name: str) -> None:
    """Register the verb."""
    more = "What such a file does not tell stays unknown in the recording, which says so."
    parser = add_verb(verbs, name, "make recordings of other programs' results", _EXAMPLES, more)
    parser.add_argument("files", nargs="+", metavar="FILE", help="results of other programs")
    parser.add_argument(
        "--part", type=count, metavar="N", help="only the N-th run of a file (default: all of them)"
    )
    add_output(parser, required=False, default="the file's name, in your library")


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    if args.output is not None and len(args.files) > 1:
        raise UsageError("One -o cannot name several recordings.", "Import one file at a time.")
    imported, code = [], 0
    for file in args.files:
        try:
            imported += _import(Path(file).expanduser(), args.output, args.part)
        except TuiappError as error:
            if len(args.files) == 1:
                raise
            say_trouble(error.message, error.advice)
            code = max(code, error.exit_code)
    if args.json:
        emit_json(imported)
    else:
        emit(f"{one['output']}: from {one['file']} ({one['format']})" for one in imported)
    return code


def _import(path: Path, output: Path | None, part: int | None) -> list[dict[str, Any]]:
    """Make a recording of every run in a file, or of the ``part``-th one, from 1."""
    from tuiapp import imports
    from tuiapp.session.library import sessions_dir

    if not path.is_file():
        what = f"{path} is no file." if path.exists() else f"There is no file {path}."
        raise UsageError(what, "Name the results themselves.")
    form, runs = imports.detect(path), imports.parts(path)
    if part is not None and not 1 <= part <= len(runs):
        raise UsageError(f"{path} holds {len(runs)} runs, and no run {part}.", "Count from 1.")
    wanted = range(len(runs)) if part is None else [part - 1]
    if output is not None and len(wanted) > 1:
        raise UsageError(
            f"{path} holds {len(runs)} runs, and one -o cannot name them all.",
            "Choose one of them with --part N.",
        )
    if output is None:
        made = imports.into_folder(path, sessions_dir(), None if part is None else part - 1)
    else:
        imports.import_file(path, free_output(output), wanted[0])
        made = [(wanted[0], output)]
    return [
        {"file": path, "format": form, "run": runs[at], "output": target} for at, target in made
    ]
