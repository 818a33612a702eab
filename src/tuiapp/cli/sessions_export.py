"""``tuiapp sessions export``: a recording in another program's format."""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuiapp.cli.sessions_common import (
    STDOUT,
    add_file,
    add_output,
    add_verb,
    report,
    write,
)
from tuiapp.errors import UsageError
from tuiapp.registry import resolve
from tuiapp.words import clock_text

if TYPE_CHECKING:
    from tuiapp.session.view import View

_EXAMPLES = """\
  tuiapp sessions export run.tuiapp --to html
  tuiapp sessions export run.tuiapp --to png --at 1:30
  tuiapp sessions export run.tuiapp --to trace -o run-trace.json
  tuiapp sessions export run.tuiapp --to csv -o tables --force
  tuiapp sessions export run.tuiapp --to json -o - | jq .ttft_s.p99"""

FORMATS = ("text", "json", "csv", "parquet", "trace", "hdr", "vllm-bench", "html")
"""The names in ``exports.EXPORTS``, which is not loaded for a help page."""
PICTURES = {"svg": "tuiapp.tui.picture:write_svg", "png": "tuiapp.tui.picture:write_png"}
"""Pictures of the screen, ``write(view, path)``; exports know no screens."""


def add_parser(verbs: Any, name: str) -> None:
    """Register the verb."""
    parser = add_verb(verbs, name, "write a recording in another format", _EXAMPLES)
    add_file(parser)
    names = ", ".join((*FORMATS, *PICTURES))
    parser.add_argument("--to", required=True, metavar="FORMAT", help=names)
    parser.add_argument("--at", metavar="MOMENT", help="as things stood then (default: the end)")
    add_output(parser, required=False, default="the recording's name, here; - is standard output")
    parser.add_argument("--force", action="store_true", help="overwrite OUT, but no recording")


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    from tuiapp.session.library import find
    from tuiapp.session.reader import is_recording

    suffix = _suffix(args.to)
    path = find(args.file)
    target = args.output or Path(path.stem + suffix)
    if target == STDOUT:
        return _to_stdout(args, path)
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {target.parent}.", "Make it, or choose another.")
    if target.exists() and not args.force:
        raise UsageError(f"{target} exists already.", "Choose another with -o, or add --force.")
    if is_recording(target):
        raise UsageError(
            f"{target} is a recording, and is not overwritten.", "Choose another with -o."
        )
    _write(args, path, target)
    told = {"file": path, "format": args.to, "output": target}
    return report(args, told, f"{target}: {path.name} as {args.to}")


def _to_stdout(args: argparse.Namespace, path: Path) -> int:
    """Formats of one text can be piped on."""
    from tuiapp.exports import EXPORTS, export

    if args.to not in EXPORTS or EXPORTS[args.to].kind != "text" or args.json:
        what = "with --json" if args.json else f"as {args.to}"
        raise UsageError(f"Standard output is not written to {what}.", "Name a file with -o.")
    out = io.StringIO()
    export(args.to)(_view(path, args.at), out)
    write(out.getvalue())
    return 0


def _suffix(name: str) -> str:
    from tuiapp.exports import EXPORTS

    if name in EXPORTS:
        return EXPORTS[name].suffix
    if name in PICTURES:
        return f".{name}"
    known = ", ".join((*EXPORTS, *PICTURES))
    raise UsageError(f"There is no format {name!r}.", f"Choose one of {known}.")


def _write(args: argparse.Namespace, path: Path, target: Path) -> None:
    from tuiapp.exports import write_file

    view = _view(path, args.at)
    if args.to in PICTURES:
        draw: Callable[[View, Path], None] = resolve(PICTURES[args.to])
        draw(view, target)
    else:
        write_file(args.to, view, target, force=args.force)


def _view(path: Path, at: str | None) -> View:
    from dataclasses import replace

    from tuiapp.cli.sessions_common import moment_ns
    from tuiapp.cli.sessions_show import load_view
    from tuiapp.session.columns import TICK_NS
    from tuiapp.session.cut import range_of

    view = load_view(path)
    if at is None:
        return view
    start_ns = max(range_of(view.meta, view.cursor_ns).from_ns, 0)
    t_ns = moment_ns(at, start_ns, view.cursor_ns)
    if not start_ns <= t_ns <= view.cursor_ns:
        span = f"{clock_text(start_ns)} to {clock_text(view.cursor_ns)}"
        raise UsageError(f"--at {at} is outside the recording.", f"It holds {span}.")
    if t_ns < view.cursor_ns:  # on a whole tick, as on the screen
        t_ns = max((t_ns + 1) // TICK_NS * TICK_NS - 1, start_ns)
    return replace(view, cursor_ns=t_ns)
