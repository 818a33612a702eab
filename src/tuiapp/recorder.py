"""One loop: sources → file and columns."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tuiapp.clock import Clock
from tuiapp.events import (
    ENGINE_EXIT,
    PROBE_UNAVAILABLE,
    RECORDING,
    Frame,
    Kind,
    facts_frame,
    mark_frame,
)
from tuiapp.session.columns import Session
from tuiapp.session.redaction import Redaction
from tuiapp.session.writer import SessionWriter
from tuiapp.sources import Source

_WATCH_S = 0.5
_TEXTS: dict[int, str] = {Kind.LOG: "text", Kind.FACTS: "value"}
"""Columns in which words of other programs stand."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Where the run is recorded, and how that goes."""

    path: Path
    size: int
    failing: str


class Recorder:
    """Folds every frame of every source into the session and appends it to the file.

    The run lasts until ``engine`` says nothing more; then the other sources are closed. The
    recorder never waits for whoever looks at the session.

    Args:
        session: the columns to grow.
        writer: the file to grow; closed by ``run``.
        clock: the session's clock.
        engine: the source that decides how long the run lasts and takes commands.
        others: sources that go along with it.
        redaction: masks secrets in what other programs print; none are known when left out.
    """

    def __init__(
        self,
        session: Session,
        writer: SessionWriter,
        clock: Clock,
        engine: Source,
        others: Sequence[Source] = (),
        redaction: Redaction | None = None,
    ) -> None:
        self.session = session
        self.clock = clock
        self._writer = writer
        self._engine = engine
        self._others = tuple(others)
        self._redaction = redaction or Redaction({})
        self._failing = ""
        self.finished = False
        self._closed = asyncio.Event()

    @property
    def recording(self) -> Recording:
        return Recording(self._writer.path, self._writer.size, self._writer.failing)

    @property
    def exit_facts(self) -> Mapping[str, Any]:
        """What ENGINE_EXIT said; empty while the engine runs."""
        exits = [fact for fact in self.session.facts if fact.name == ENGINE_EXIT]
        return exits[-1].value if exits and isinstance(exits[-1].value, dict) else {}

    def take(self, frame: Frame) -> None:
        """Record one frame and show it."""
        if column := _TEXTS.get(frame.kind):
            texts = [self._redaction.text(text) for text in frame.columns[column]]
            frame = replace(frame, columns={**frame.columns, column: texts})
        self._writer.put(frame)
        self.session.fold(frame)

    def describe(self, attrs: Mapping[str, Any]) -> None:
        """Merge ``attrs`` into the session's meta."""
        now_ns = self.clock.now_ns()
        self.take(Frame(Kind.META, now_ns, now_ns, attrs=attrs))

    def mark(self, text: str, t_ns: int | None = None) -> None:
        """Note a moment; now, when ``t_ns`` is left out."""
        self.take(mark_frame(self.clock.now_ns() if t_ns is None else t_ns, text))

    def command(self, op: str, **values: Any) -> None:
        """Tell the engine's driver something; see ``sources.engine``."""
        self._engine.send({"op": op, **values})

    async def stop(self) -> None:
        """End the engine now, record how it ended, and return when nothing of the run is left."""
        await self._engine.aclose()
        await self._closed.wait()

    async def run(self) -> None:
        """Record until the engine has ended, then close everything."""
        tasks = [asyncio.create_task(self._drain_beside(source)) for source in self._others]
        tasks.append(asyncio.create_task(self._watch()))
        try:
            await self._drain(self._engine)
        finally:
            await self._close(tasks)

    async def _drain(self, source: Source) -> None:
        async for frame in source.frames():
            self.take(frame)

    async def _drain_beside(self, source: Source) -> None:
        """The run goes on without a source that fails, and says that it does."""
        try:
            await self._drain(source)
        except Exception as error:  # noqa: BLE001 - a task's boundary: the reason is recorded
            probe = type(source).__name__
            value = {"probe": probe, "reason": f"{type(error).__name__}: {error}"}
            self.take(facts_frame(self.clock.now_ns(), PROBE_UNAVAILABLE, json.dumps(value)))

    async def _close(self, tasks: list[asyncio.Task[None]]) -> None:
        sources = (self._engine, *self._others)
        await asyncio.gather(*(source.aclose() for source in sources), return_exceptions=True)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(self._writer.close)
        self._note_recording()
        self.finished = True
        self._closed.set()

    async def _watch(self) -> None:
        """Show the engine's process to the other sources, and turn trouble with the disk into a
        fact, so that a replay shows it too."""
        watched = None
        while True:
            await asyncio.sleep(_WATCH_S)
            if self._engine.pid is not None and watched is None:
                watched = self._engine.pid
                for source in self._others:
                    source.send({"op": "watch", "pid": watched})
            self._note_recording()

    def _note_recording(self) -> None:
        failing = self._writer.failing
        if failing != self._failing:
            self._failing = failing
            state = {"state": "failing" if failing else "resumed", "reason": failing}
            self.take(facts_frame(self.clock.now_ns(), RECORDING, json.dumps(state)))
