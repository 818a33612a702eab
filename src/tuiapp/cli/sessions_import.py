"""``tuiapp sessions import``: results of other programs as recordings."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from typing import Any

from tuiapp.cli.console import say_trouble
from tuiapp.cli.sessions_common import add_output, add_verb, emit, emit_json, free_output
from tuiapp.errors import TuiappError, UsageError

_EXAMPLES = """\
  tuiapp sessions import result.json
  tuiapp sessions import result.json -o imported.tuiapp
  tuiapp sessions import results/*.json --json"""


def add_parser(verbs: Any, name: str) -> None:
    """Register the verb."""
    more = "What such a file does not tell stays unknown in the recording, which says so."
    parser = add_verb(verbs, name, "make recordings of other programs' results", _EXAMPLES, more)
    parser.add_argument("files", nargs="+", metavar="FILE", help="results of other programs")
    add_output(parser, required=False, default="the file's name, in your library")


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    if args.output is not None and len(args.files) > 1:
        raise UsageError("One -o cannot name several recordings.", "Import one file at a time.")
    imported, code = [], 0
    for file in args.files:
        try:
            imported.append(_import(Path(file).expanduser(), args.output))
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


def _import(path: Path, output: Path | None) -> dict[str, Any]:
    from tuiapp.session.library import SUFFIX, free_path, sessions_dir

    imports: Any = import_module("tuiapp.imports")
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    form = imports.detect(path)
    if form is None:
        raise UsageError(f"{path} is in no format that can be imported.")
    if output is None:
        sessions_dir().mkdir(parents=True, exist_ok=True)
        output = free_path(sessions_dir() / f"{path.stem}{SUFFIX}")
    imports.import_file(path, free_output(output))
    return {"file": path, "format": str(form), "output": output}
