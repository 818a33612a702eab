"""What the screens may ask of a run, going on or recorded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from tuiapp.clock import Clock, ReplayClock
from tuiapp.session.columns import Session


class RecordingStatus(Protocol):
    """Where the run is recorded, and how that goes."""

    @property
    def path(self) -> Path: ...
    @property
    def size(self) -> int: ...
    @property
    def failing(self) -> str: ...


class Recorded(Protocol):
    """A session with a recording, growing or not."""

    session: Session
    finished: bool

    @property
    def recording(self) -> RecordingStatus: ...
    def mark(self, text: str, t_ns: int | None = None) -> None: ...


class RunControl(Recorded, Protocol):
    """A run that is being recorded; the recorder answers to it."""

    clock: Clock

    @property
    def exit_facts(self) -> Mapping[str, Any]: ...
    def command(self, op: str, **values: Any) -> None: ...


class Playback(Recorded, Protocol):
    """A recording that is played; the player answers to it."""

    clock: ReplayClock
    growing: bool

    @property
    def start_ns(self) -> int: ...
    @property
    def end_ns(self) -> int: ...
    @property
    def read_ns(self) -> int: ...
    @property
    def damaged(self) -> int: ...
    async def read(self) -> None: ...
