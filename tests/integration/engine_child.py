"""Helpers of the tests that start a real engine child: collect, look around, watch it go."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tuiapp.clock import Clock
from tuiapp.events import ENGINE_EXIT, ENGINE_PHASE, LOAD_STATE, Frame, Kind
from tuiapp.sources import descendants
from tuiapp.sources.engine import EngineConfig, EngineSource
from tuiapp.sources.shared_memory import Segments

STUB = f"{Path(__file__).parents[1] / 'doubles' / 'stub_engine.py'}:start"
LOAD = {"rate": 40.0, "warmup": 2, "prompt": "16", "output": "8", "seed": 5}


@dataclass
class Heard:
    """Everything a source has said so far."""

    frames: list[Frame] = field(default_factory=list)

    def facts(self, name: str) -> list[tuple[int, Any]]:
        return [
            (t_ns, json.loads(value))
            for frame in self.frames
            if frame.kind == Kind.FACTS
            for t_ns, known, value in zip(
                frame.columns["t_ns"], frame.columns["name"], frame.columns["value"], strict=True
            )
            if known == name
        ]

    @property
    def phases(self) -> list[str]:
        return [value["phase"] for _, value in self.facts(ENGINE_PHASE)]

    @property
    def states(self) -> list[str]:
        return [value["state"] for _, value in self.facts(LOAD_STATE)]

    @property
    def exits(self) -> list[dict[str, Any]]:
        return [value for _, value in self.facts(ENGINE_EXIT)]

    @property
    def log(self) -> list[str]:
        return [t for f in self.frames if f.kind == Kind.LOG for t in f.columns["text"]]

    def column(self, kind: Kind, name: str) -> np.ndarray:
        found = [f.columns[name] for f in self.frames if f.kind == kind and name in f.columns]
        return np.concatenate(found) if found else np.array([])

    def requests(self) -> dict[str, np.ndarray]:
        """The newest row of every request, by number."""
        frames = [frame for frame in self.frames if frame.kind == Kind.REQUESTS]
        if not frames:
            return {}
        columns = {
            name: np.concatenate([frame.columns[name] for frame in frames])
            for name in frames[0].columns
        }
        _, last = np.unique(columns["req"][::-1], return_index=True)
        rows = len(columns["req"]) - 1 - last
        return {name: column[rows] for name, column in columns.items()}

    def tokens(self) -> int:
        return int(self.column(Kind.TOKENS, "n").sum())


class Listener:
    """A source and what it says, taken in the background."""

    def __init__(self, config: EngineConfig) -> None:
        self.source = EngineSource(config, Clock())
        self.heard = Heard()
        self.task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for frame in self.source.frames():
            self.heard.frames.append(frame)

    async def until(self, condition: Callable[[Heard], Any], bound_s: float = 30.0) -> None:
        end = time.monotonic() + bound_s
        while not condition(self.heard):
            assert time.monotonic() < end, (self.heard.phases, self.heard.log[-20:])
            assert not self.task.done(), self.heard.exits
            await asyncio.sleep(0.02)

    async def end(self, bound_s: float = 30.0) -> Heard:
        await asyncio.wait_for(self.task, bound_s)
        return self.heard

    async def close(self) -> Heard:
        await self.source.aclose()
        await asyncio.wait_for(self.task, 10)
        return self.heard

    def members(self) -> list[int]:
        assert self.source._child is not None
        return self.source._child.members()


class Traces:
    """What engines leave on this machine: shared memory, and files in their temporary folder.

    Only of those started under it: others may run on this machine at the same time.
    """

    def __init__(self, temp: Path) -> None:
        self._temp = temp
        self._segments = Segments()

    def note(self, pids: Iterable[int]) -> None:
        """Remember the shared memory that ``pids`` use now."""
        self._segments.note(pids)

    def end(self, find: Callable[[], list[int]]) -> None:
        """End what ``find`` lists, whatever state it is in, and remove its shared memory."""
        while living := descendants.without_trackers(find()):
            descendants.strike(lambda: living, signal.SIGKILL, self.note)
            gone(living)
        gone(find())  # trackers too: by themselves, because they have work to do
        self._segments.remove()

    def left(self, bound_s: float = 5.0) -> set[Path]:
        """What is still there; gives it a moment to go."""
        end = time.monotonic() + bound_s
        while (left := self._now()) and time.monotonic() < end:
            time.sleep(0.05)
        return left

    def _now(self) -> set[Path]:
        # torch's compiled kernels are kept from run to run.
        files = set(self._temp.iterdir()) - set(self._temp.glob("torchinductor_*"))
        return files | set(self._segments.left())


def living(pids: Iterable[int]) -> list[int]:
    """Those of ``pids`` that are neither gone nor zombies."""
    found = []
    for pid in pids:
        with suppress(OSError):
            stat = Path(f"/proc/{pid}/stat").read_text()
            if stat.rpartition(")")[2].split()[0] not in "ZX":
                found.append(pid)
    return found


def gone(pids: Iterable[int], bound_s: float = 5.0) -> bool:
    """Whether all of ``pids`` end within the bound."""
    pids, end = list(pids), time.monotonic() + bound_s
    while living(pids):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def named(pids: Iterable[int], title: str) -> list[int]:
    """Those of ``pids`` whose command line contains ``title``."""
    found = []
    for pid in pids:
        with suppress(OSError):
            if title.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found
