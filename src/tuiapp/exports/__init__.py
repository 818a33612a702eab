"""What a session can be written as. One format a file, one line here."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tuiapp.errors import SessionError, UsageError
from tuiapp.registry import resolve
from tuiapp.session.view import View


@dataclass(frozen=True, slots=True)
class Format:
    """A form a session can be written in.

    Attributes:
        target: ``"module:function"``, resolved on use; called with a view and what ``kind`` says.
        kind: ``text`` and ``binary`` take a stream, ``folder`` the path of a new, empty folder.
        suffix: what the file's or folder's name ends in.
        summary: a line for people.
    """

    target: str
    kind: Literal["text", "binary", "folder"]
    suffix: str
    summary: str


EXPORTS = {
    "text": Format(
        "tuiapp.exports.text_summary:write", "text", ".txt", "the result as a table for people"
    ),
    "json": Format(
        "tuiapp.exports.json_summary:write", "text", ".json", "the result as one JSON object"
    ),
    "csv": Format(
        "tuiapp.exports.csv_tables:write", "folder", "-csv", "a CSV file for every table"
    ),
    "parquet": Format(
        "tuiapp.exports.parquet_tables:write",
        "folder",
        "-parquet",
        "a Parquet file for every table",
    ),
    "html": Format(
        "tuiapp.exports.html_report:write",
        "text",
        ".html",
        "a report with interactive charts, in one file",
    ),
    "vllm-bench": Format(
        "tuiapp.exports.vllm_bench:write",
        "text",
        ".vllm-bench.json",
        "a result file of vllm bench serve",
    ),
    "trace": Format(
        "tuiapp.exports.trace:write", "text", ".trace.json", "a timeline for Perfetto or Chrome"
    ),
    "hdr": Format("tuiapp.exports.hdr_log:write", "text", ".hlog", "an HdrHistogram interval log"),
}

Export = Callable[[View, Any], None]


def export(name: str) -> Export:
    """The exporter called ``name``: ``write(view, out)``.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in EXPORTS:
        raise UsageError(f"There is no format {name!r}.", f"Choose one of {', '.join(EXPORTS)}.")
    found: Export = resolve(EXPORTS[name].target)
    return found


def write_file(name: str, view: View, path: Path, *, force: bool = False) -> None:
    """Write the session at the view's cursor to ``path``, all of it or nothing.

    Args:
        force: what is there already is replaced.

    Raises:
        UsageError: there is no such format, or something is at ``path``.
        SessionError: it cannot be written, or the session cannot be read.
    """
    write = export(name)
    if not force and os.path.lexists(path):
        raise UsageError(f"{path} exists already.", "Choose another name, or add --force.")
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        made = temporary / "made"
        _write(write, EXPORTS[name].kind, view, made)
        _refuse_other_folders(made, path)
        _place(made, path)
    except OSError as error:
        raise SessionError(f"Cannot write {path}: {error.strerror}.") from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                shutil.rmtree(temporary)


def _write(write: Export, kind: str, view: View, made: Path) -> None:
    if kind == "folder":
        made.mkdir()
        write(view, made)
    elif kind == "binary":
        with made.open("wb") as out:
            write(view, out)
    else:
        with made.open("w", encoding="utf-8", newline="") as text:
            write(view, text)


def _refuse_other_folders(made: Path, path: Path) -> None:
    """Only a folder of the tables that are written now may be replaced: nothing else in it is lost.

    Raises:
        UsageError: ``path`` is a folder that holds anything else.
    """
    if not path.is_dir() or not made.is_dir():
        return
    others = {entry.name for entry in path.iterdir()} - {entry.name for entry in made.iterdir()}
    if path.is_symlink() or others or any(entry.is_dir() for entry in path.iterdir()):
        what = "a link" if path.is_symlink() else "a folder with other things in it"
        raise UsageError(f"{path} is {what}.", "It is not replaced: choose another name.")


def _place(made: Path, path: Path) -> None:
    """Give what was made its name; a folder cannot replace another in one step."""
    if made.is_dir() and path.is_dir():
        shutil.rmtree(path)
    made.replace(path)
