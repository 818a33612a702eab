"""The engine child as a source: starts it, passes commands on, ends it without a trace.

The child is ``tuiapp/engine/bootstrap.py``, run by path in whatever Python has vLLM. This side
imports nothing of it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgpack

import tuiapp
from tuiapp.clock import Clock
from tuiapp.events import ENGINE_EXIT, ENGINE_INFO, ENGINE_PHASE, Frame, Kind, facts_frame
from tuiapp.session.decoder import Decoder
from tuiapp.sources.engine_config import EngineConfig, demo_dir, environment
from tuiapp.sources.engine_exit import exit_value, not_started
from tuiapp.sources.engine_log import EngineLog
from tuiapp.sources.lines import Lines, level
from tuiapp.sources.memory_kills import MemoryKills
from tuiapp.sources.process import Child, Exit

__all__ = ["EngineConfig", "EngineSource", "demo_dir"]

NAME = "engine"
_BOOTSTRAP = Path(tuiapp.__file__).parent / "engine" / "bootstrap.py"
_READ_BYTES = 1 << 18
_QUEUED_FRAMES = 256
_ROWS_A_TURN = 4096
_CLOSE_S, _TERM_S, _LAST_FRAMES_S = 6.0, 2.0, 1.0


class EngineSource:
    """Frames of one engine child. It is started by the first step of ``frames``.

    Commands (``send``): ``{"op": "rate", "value": R}``, ``{"op": "concurrency", "value": N}``,
    ``{"op": "pause"}``, ``{"op": "resume"}``, and ``{"op": "stop"}`` (optionally ``drain_s``): no
    more arrivals, drain, end. The last frame is always the one ENGINE_EXIT fact.

    Args:
        config: what to run.
        clock: the session's clock.
    """

    def __init__(self, config: EngineConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._python = config.engine_python or sys.executable
        self._sync = secrets.token_bytes(8)
        self._log = EngineLog()
        self._queue: asyncio.Queue[Frame | None] = asyncio.Queue(_QUEUED_FRAMES)
        self._child: Child | None = None
        self._scratch = ""
        self._memory_kills = MemoryKills()
        self._reaper: asyncio.Task[Exit] | None = None
        self._pumping: asyncio.Task[None] | None = None
        self._closer: asyncio.Task[None] | None = None
        self._asked_to_stop = False
        self._was_ready = False
        self._abandoned = False
        self._failure: Exception | None = None

    @property
    def pid(self) -> int | None:
        """The child's process, head of its session; None before it is started."""
        return self._child.pid if self._child else None

    async def frames(self) -> AsyncIterator[Frame]:
        if self._asked_to_stop:
            return
        spawn = self._fact(ENGINE_PHASE, {"phase": "spawn"})
        try:
            child = self._start()
        except OSError as error:
            yield spawn
            yield self._fact(ENGINE_EXIT, not_started(self._python, error))
            return
        self._queue.put_nowait(spawn)
        self._pumping = asyncio.create_task(self._pump(child))
        rows = 0
        try:
            while (frame := await self._queue.get()) is not None:
                yield frame
                rows += frame.rows
                if rows > _ROWS_A_TURN:
                    rows = 0
                    await asyncio.sleep(0)
            if self._failure is not None:
                raise self._failure
        finally:
            self._abandon()

    def send(self, command: Mapping[str, Any]) -> None:
        if command.get("op") == "stop":
            self._asked_to_stop = True
        if self._child is not None:
            self._child.send(command)

    async def aclose(self) -> None:
        """End the child at once; what is in flight counts as unfinished.

        A cancelled caller does not stop it.
        """
        self.send({"op": "stop", "drain_s": 0})
        if self._closer is None:
            self._closer = asyncio.get_running_loop().create_task(self._close())
        await asyncio.shield(self._closer)

    def _start(self) -> Child:
        self._scratch = tempfile.mkdtemp(prefix="tuiapp-engine-")
        packed = Path(msgpack.__file__).parent
        try:
            child = Child([self._python, str(_BOOTSTRAP), str(packed)], environment(self._scratch))
        except OSError:
            self._remove_scratch()
            raise
        self._child = child
        self._reaper = asyncio.create_task(self._reap(child))
        child.send(self._first_message())
        return child

    def _first_message(self) -> dict[str, Any]:
        config = self._config
        return {
            "origin_ns": self._clock.origin_ns,
            "sync": self._sync,
            "model": config.model,
            "engine_args": list(config.engine_args),
            "workload": dict(config.workload),
            "drain_s": config.drain_s,
            "demo_dir": config.demo_dir or str(demo_dir()),
            "engine": config.engine,
        }

    async def _pump(self, child: Child) -> None:
        """Everything the child says, then how it ended, then the end."""
        assert self._reaper is not None
        try:
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._pump_frames(child))
                pumps.create_task(self._pump_log(child))
            await self._put(self._exit_frame(await asyncio.shield(self._reaper)))
        except Exception as error:  # noqa: BLE001 - a task's boundary: frames() raises it
            self._failure = error
        await self._put(None)

    async def _pump_frames(self, child: Child) -> None:
        reader, decoder = await child.frames(), Decoder(self._sync)
        while data := await reader.read(_READ_BYTES):
            for frame in decoder.feed(data):
                if _says_ready(frame):
                    self._was_ready = True
                    await child.note_segments()
                await self._put(frame)

    async def _pump_log(self, child: Child) -> None:
        reader, lines = await child.output(), Lines()
        while data := await reader.read(_READ_BYTES):
            await self._take_lines(lines.feed(data))
        await self._take_lines(lines.finish())

    async def _take_lines(self, texts: Iterable[str]) -> None:
        kept = [text for text in texts if not self._log.take_report(text)]
        for text in kept:
            for what, value in self._log.read(text):
                if what == "phase":
                    await self._put(self._fact(ENGINE_PHASE, value))
                else:
                    await self._put(self._fact(ENGINE_INFO, value))
                    await self._put(self._meta(value))
        if kept:
            await self._put(self._log_frame(kept))

    async def _put(self, frame: Frame | None) -> None:
        if not self._abandoned:
            await self._queue.put(frame)

    def _abandon(self) -> None:
        """Nobody takes frames any more; go on reading, so that the child never waits for us."""
        self._abandoned = True
        while not self._queue.empty():
            self._queue.get_nowait()

    async def _reap(self, child: Child) -> Exit:
        """When the child has ended, end and remove what it left."""
        status = await child.exited()
        await child.stop(grace_s=0.5, term_s=1.0)
        self._remove_scratch()
        return status

    async def _close(self) -> None:
        if self._child is None or self._reaper is None:
            return
        try:
            await asyncio.wait_for(asyncio.shield(self._reaper), _CLOSE_S)
        except TimeoutError:
            await self._child.stop(grace_s=0, term_s=_TERM_S)
            await self._reaper
        if self._pumping is not None:
            await asyncio.wait((self._pumping,), timeout=_LAST_FRAMES_S)
            self._pumping.cancel()

    def _remove_scratch(self) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _exit_frame(self, status: Exit) -> Frame:
        value = exit_value(
            status,
            asked=self._asked_to_stop,
            ready=self._was_ready,
            log=self._log,
            memory_kills=self._memory_kills,
        )
        return self._fact(ENGINE_EXIT, value)

    def _fact(self, name: str, value: Mapping[str, Any]) -> Frame:
        return facts_frame(self._clock.now_ns(), name, json.dumps(value))

    def _meta(self, value: Mapping[str, Any]) -> Frame:
        now_ns = self._clock.now_ns()
        return Frame(Kind.META, now_ns, now_ns, attrs=value)

    def _log_frame(self, texts: list[str]) -> Frame:
        now_ns, count = self._clock.now_ns(), len(texts)
        columns = {
            "t_ns": [now_ns] * count,
            "source": [NAME] * count,
            "level": [level(text) for text in texts],
            "text": texts,
        }
        return Frame(Kind.LOG, now_ns, now_ns, columns)


def _says_ready(frame: Frame) -> bool:
    if frame.kind != Kind.FACTS or ENGINE_PHASE not in frame.columns["name"]:
        return False
    return any('"ready"' in value for value in frame.columns["value"])
