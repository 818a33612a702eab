"""A real agent, run until it has said enough."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any

from tuiapp.clock import Clock
from tuiapp.events import Frame, Kind
from tuiapp.sources.agent import AgentSource


class Seen:
    """What an agent has said so far."""

    def __init__(self) -> None:
        self.host: dict[str, Any] = {}
        self.rows: dict[str, list[dict[str, float]]] = defaultdict(list)
        self.reasons: list[tuple[str, str]] = []
        self.log: list[str] = []

    def take(self, frame: Frame) -> None:
        """Keep what a frame says."""
        columns = frame.columns
        if frame.kind == Kind.META:
            self.host.update(frame.attrs["host"])
        elif frame.kind == Kind.SAMPLES:
            row = {name: float(column[0]) for name, column in columns.items()}
            self.rows[frame.attrs["group"]].append(row)
        elif frame.kind == Kind.FACTS:
            value = json.loads(columns["value"][0])
            self.reasons.append((value["probe"], value["reason"]))
        elif frame.kind == Kind.LOG:
            self.log.extend(columns["text"])

    @property
    def gpu_groups(self) -> list[str]:
        """Whole devices."""
        return sorted(group for group in self.rows if group[3:].isdigit())


async def watch(
    env: dict[str, str],
    until: Callable[[Seen], bool],
    collectors: tuple[str, ...] = ("nvml",),
    orders: Sequence[dict[str, Any]] = (),
) -> Seen:
    """Run an agent, with ``orders`` for its collectors, until it has said enough."""
    seen = Seen()
    source = AgentSource(Clock(), interval_s=0.02, collectors=collectors, env=env)
    for order in orders:
        source.send(order)
    try:
        async with asyncio.timeout(60), aclosing(source.frames()) as frames:
            async for frame in frames:
                seen.take(frame)
                if until(seen):
                    break
    finally:
        await source.aclose()
    return seen


def samples(group: str, count: int) -> Callable[[Seen], bool]:
    """There are ``count`` rows of a group."""
    return lambda seen: len(seen.rows[group]) >= count
