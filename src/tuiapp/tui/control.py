"""What the screens may ask of a run; the recorder of a live run answers to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from tuiapp.clock import Clock
from tuiapp.session.columns import Session


class RecordingStatus(Protocol):
    """Where the run is recorded, and how that goes."""

    @property
    def path(self) -> Path: ...
    @property
    def size(self) -> int: ...
    @property
    def failing(self) -> str: ...


class RunControl(Protocol):
    """A run that is being recorded."""

    session: Session
    clock: Clock
    finished: bool

    @property
    def recording(self) -> RecordingStatus: ...
    @property
    def exit_facts(self) -> Mapping[str, Any]: ...
    def mark(self, text: str, t_ns: int | None = None) -> None: ...
    def command(self, op: str, **values: Any) -> None: ...
