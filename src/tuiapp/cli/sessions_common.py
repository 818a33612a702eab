"""What the verbs of ``tuiapp sessions`` share: their options, moments, names and output."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from tuiapp.cli.console import drop_stdout
from tuiapp.errors import TuiappError, UsageError
from tuiapp.sources.lines import clean
from tuiapp.words import clock_text, plural

if TYPE_CHECKING:
    from tuiapp.session.verify import Lost

STDOUT = Path("-")
"""What ``-o -`` means."""
_WIDTH = 90
_MOST_S = 60 * 86_400


def add_verb(verbs: Any, name: str, summary: str, examples: str, more: str = "") -> Any:
    """A verb's parser, with ``--json``."""
    parser = verbs.add_parser(
        name,
        help=summary,
        description=fill(f"{summary[0].upper()}{summary[1:]}. {more}".strip(), _WIDTH),
        epilog=f"examples:\n{examples}",
    )
    parser.add_argument("--json", action="store_true", help="the result as JSON on stdout")
    return parser


def add_file(parser: Any, *, several: bool = False) -> None:
    """The argument FILE, as ``args.file``, or several of them as ``args.files``."""
    help_text = "a path, a recording's name, or the beginning of one"
    if several:
        parser.add_argument("files", metavar="FILE", nargs="+", help=help_text)
    else:
        parser.add_argument("file", metavar="FILE", help=help_text)


def add_output(parser: Any, *, required: bool = True, default: str = "") -> None:
    """The option ``-o OUT``."""
    text = "file to make; must not exist" + (f" (default: {default})" if default else "")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", required=required, help=text)


def free_output(path: Path) -> Path:
    """``path``, where a new file can be made.

    Raises:
        UsageError: it exists, or its folder does not.
    """
    if path == STDOUT:
        raise UsageError("A recording is not written to standard output.", "Name a file with -o.")
    if not path.name or path.is_dir():
        raise UsageError(f"{path} is a folder.", "Name a file in it with -o.")
    if path.exists():
        raise UsageError(f"{path} exists already.", "Choose another name with -o.")
    if not path.parent.is_dir():
        raise UsageError(
            f"There is no folder {path.parent}.", "Make it, or choose another with -o."
        )
    return path


def moment_ns(text: str, start_ns: int, end_ns: int) -> int:
    """Nanoseconds since the session's origin that ``1:30``, ``90s``, ``50%``, ``end`` mean.

    Args:
        start_ns, end_ns: what 0 % and 100 % are.

    Raises:
        UsageError: it is no moment.
    """
    from tuiapp.session.moments import length_s

    text = text.strip()
    if text in ("start", "end"):
        return start_ns if text == "start" else end_ns
    if text.endswith("%"):
        try:
            share = float(text[:-1]) / 100
        except ValueError:
            share = math.nan
        if 0 <= share <= 1:
            return end_ns if share == 1 else round(start_ns + share * (end_ns - start_ns))
        raise UsageError(f"{text} is no share of a recording.", "Write 0% to 100%.")
    seconds = length_s(text)
    if seconds is None:
        raise UsageError(f"{text!r} is no moment.", "Write 1:30, 90s, 2m or 50%.")
    return round(min(seconds, _MOST_S) * 1e9)


def size_text(size: int) -> str:
    """``1.2 MB``: bytes as a person reads them."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError


def emit(lines: Iterable[str]) -> None:
    """Lines on stdout; other people's words in them cannot steer the terminal."""
    write("".join(f"{clean(line)}\n" for line in lines))


def emit_json(value: Any) -> None:
    """One JSON value on stdout; infinities are null, for JSON has none."""
    write(json.dumps(_finite(value), indent=2, allow_nan=False) + "\n")


def write(text: str) -> None:
    """Text on stdout as it is.

    Raises:
        TuiappError: it cannot be written there.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_stdout()
        raise TuiappError(f"The result cannot be written: {error.strerror}.") from error


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def lost_json(lost: Lost) -> dict[str, Any]:
    """What could not be read, as JSON."""
    return {
        "what": lost.what,
        "from_s": lost.t0_ns / 1e9,
        "to_s": lost.t1_ns / 1e9,
        "offset": lost.offset,
        "bytes": lost.length,
        "blocks": lost.frames,
        "reason": lost.reason,
    }


def lost_line(lost: Lost) -> str:
    """The same as a line."""
    where = f"{clock_text(lost.t0_ns)} and {clock_text(lost.t1_ns)}"
    size = f", {plural(lost.length, 'byte')} from byte {lost.offset:,}" if lost.length else ""
    blocks = f", {plural(lost.frames, 'block')}" if lost.frames else ""
    return f"{lost.what} between {where}{blocks}{size}: {lost.reason}"


def report(args: argparse.Namespace, value: dict[str, Any], line: str) -> int:
    """Print the outcome of a verb in the form asked for; returns 0."""
    if args.json:
        emit_json(value)
    else:
        emit([line])
    return 0
