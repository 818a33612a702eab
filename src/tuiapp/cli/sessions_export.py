"""``tuiapp sessions export``: a recording in another program's format."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from typing import Any

from tuiapp.cli.sessions_common import add_file, add_output, add_verb, report
from tuiapp.errors import UsageError

_EXAMPLES = """\
  tuiapp sessions export run.tuiapp --to html
  tuiapp sessions export run.tuiapp --to trace -o run-trace.json
  tuiapp sessions export run.tuiapp --to csv -o tables --force"""

FORMATS = ("text", "json", "csv", "parquet", "trace", "hdr", "vllm-bench", "html")


def add_parser(verbs: Any, name: str) -> None:
    """Register the verb."""
    parser = add_verb(verbs, name, "write a recording in another format", _EXAMPLES)
    add_file(parser)
    parser.add_argument("--to", required=True, metavar="FORMAT", help=", ".join(FORMATS))
    add_output(parser, required=False, default="the recording's name, here")
    parser.add_argument("--force", action="store_true", help="overwrite OUT")


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    from tuiapp.cli.sessions_show import load_view
    from tuiapp.session.library import find

    exports: Any = import_module("tuiapp.exports")
    if args.to not in exports.EXPORTS:
        raise UsageError(
            f"There is no format {args.to!r}.", f"Choose one of {', '.join(exports.EXPORTS)}."
        )
    path = find(args.file)
    target = args.output or Path(path.stem + exports.EXPORTS[args.to].suffix)
    if target.exists() and not args.force:
        raise UsageError(f"{target} exists already.", "Choose another with -o, or add --force.")
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {target.parent}.", "Make it, or choose another.")
    exports.write_file(args.to, load_view(path), target, force=args.force)
    told = {"file": path, "format": args.to, "output": target}
    return report(args, told, f"{target}: {path.name} as {args.to}")
