"""``tuiapp sessions recover``: a clean copy of all that can be read of a damaged recording."""

from __future__ import annotations

import argparse
from typing import Any

from tuiapp.cli.sessions_common import (
    add_file,
    add_output,
    add_verb,
    emit,
    emit_json,
    free_output,
    lost_json,
    lost_line,
)
from tuiapp.words import plural

_EXAMPLES = """\
  tuiapp sessions recover crashed.tuiapp
  tuiapp sessions recover crashed.tuiapp -o saved.tuiapp

exit codes: 0 nothing was lost; 3 some was; 1 nothing can be saved; 2 wrong usage."""


def add_parser(verbs: Any, name: str) -> None:
    """Register the verb."""
    more = "The original stays as it is. Where blocks are lost, the copy says so."
    summary = "write a clean copy of all that can be read"
    parser = add_verb(verbs, name, summary, _EXAMPLES, more)
    add_file(parser)
    add_output(parser, required=False, default="FILE-recovered beside the original")


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    from tuiapp.session.edit import recover
    from tuiapp.session.library import find, free_path

    path = find(args.file)
    target = args.output or free_path(path.with_stem(f"{path.stem}-recovered"))
    verdict = recover(path, free_output(target))
    if args.json:
        emit_json(
            {
                "file": path,
                "output": target,
                "whole": verdict.whole,
                "blocks": verdict.frames,
                "lost": [lost_json(lost) for lost in verdict.lost],
                "missing_blocks": verdict.missing_frames,
                "torn_bytes": verdict.torn_bytes,
            }
        )
    else:
        emit(f"lost  {lost_line(lost)}" for lost in verdict.lost)
        if verdict.torn_bytes:
            emit([f"torn  {plural(verdict.torn_bytes, 'byte')} of an unfinished block"])
        what = "whole" if verdict.whole else "all that could be read"
        emit([f"{target}: {plural(verdict.frames, 'block')}, {what}"])
    return 0 if verdict.whole else 3
