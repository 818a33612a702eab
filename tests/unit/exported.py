"""Recordings to export, and what an exporter makes of them, for tests."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tuiapp.events import Frame
from tuiapp.exports import export
from tuiapp.session.columns import Session
from tuiapp.session.reader import load
from tuiapp.session.view import View
from tuiapp.session.writer import SessionWriter

FIXTURE = Path(__file__).parent.parent / "fixtures" / "sessions" / "v1.1.tuiapp"


def recorded(path: Path, given: Iterable[Frame]) -> Session:
    """Frames, written to ``path`` and loaded from there."""
    writer = SessionWriter(path)
    for frame in given:
        writer.put(frame)
    writer.close()
    return load(path)


def text_of(name: str, session: Session, cursor_ns: int | None = None) -> str:
    out = io.StringIO()
    export(name)(View(session, session.end_ns if cursor_ns is None else cursor_ns), out)
    return out.getvalue()


def strict_json(text: str) -> Any:
    """JSON as the standard has it: bytes of UTF-8, no NaN and no infinity."""

    def refuse(word: str) -> Any:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text.encode("utf-8"), parse_constant=refuse)
