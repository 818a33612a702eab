"""The host agent as a source: what this machine is and does, sampled in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from tuiapp.clock import Clock
from tuiapp.events import PROBE_UNAVAILABLE, Frame, facts_frame, log_frame
from tuiapp.session.decoder import Decoder
from tuiapp.sources.process import Child, Exit

NAME = "agent"
INTERVAL_S = 0.5
_READ_BYTES = 1 << 16
_MAX_LINES = 100
_MAX_LINE = 2000
_ENVIRONMENT = {
    # numpy would otherwise start a thread a core for linear algebra that nobody does here.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}


class AgentSource:
    """Frames of the host agent. It is started by the first step of ``frames``.

    Orders (``send``): ``{"op": "watch", "pid": N}`` for the engine's process tree. Those that come
    before the start wait for it. When the agent cannot start, or ends by itself, that is a fact
    about the probe ``agent``; the run goes on without it.

    Args:
        clock: the session's clock.
        interval_s: time between two samples of the fastest probes.
        collectors: names of the probes to run; all, when left out.
        env: variables set for the agent on top of this process's environment.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        interval_s: float = INTERVAL_S,
        collectors: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._clock = clock
        self._env = {**_ENVIRONMENT, **(env or {})}
        self._sync = secrets.token_bytes(8)
        self._orders: list[Mapping[str, Any]] = [
            {
                "origin_ns": clock.origin_ns,
                "sync": self._sync,
                "interval_s": interval_s,
                "collectors": None if collectors is None else list(collectors),
            },
            {"op": "watch_app", "pid": os.getpid()},
        ]
        self._child: Child | None = None
        self._closed = False
        self._lines: deque[str] = deque(maxlen=_MAX_LINES)
        self._last_line = ""

    @property
    def pid(self) -> int | None:
        """The agent's process; None before it is started."""
        return self._child.pid if self._child else None

    async def frames(self) -> AsyncIterator[Frame]:
        if self._closed:
            return
        try:
            self._child = Child([sys.executable, "-m", "tuiapp.agent"], self._env)
        except OSError as error:
            yield self._unavailable(f"the host agent cannot be started: {error.strerror}")
            return
        for order in self._orders:
            self._child.send(order)
        self._listener = asyncio.create_task(self._listen(self._child))
        decoder, reader = Decoder(self._sync), await self._child.frames()
        while data := await reader.read(_READ_BYTES):
            for frame in decoder.feed(data):
                yield frame
            while self._lines:
                yield log_frame(self._clock.now_ns(), NAME, "info", self._lines.popleft())
        status = await self._child.exited()
        if not self._closed:
            await self._listener
            yield self._unavailable(self._epitaph(status))

    def send(self, command: Mapping[str, Any]) -> None:
        if self._child is None:
            self._orders.append(dict(command))
        else:
            self._child.send(command)

    async def aclose(self) -> None:
        self._closed = True
        if self._child is not None:
            await self._child.stop()

    async def _listen(self, child: Child) -> None:
        """Keep the agent's own words: a library it loads may have some."""
        reader = await child.output()
        rest = ""
        while data := await reader.read(_READ_BYTES):
            *lines, rest = (rest + data.decode("utf-8", "replace")).split("\n")
            self._lines.extend(line.rstrip()[:_MAX_LINE] for line in lines)
            rest = rest[:_MAX_LINE]
            self._last_line = next(filter(None, reversed(self._lines)), self._last_line)

    def _epitaph(self, status: Exit) -> str:
        how = f"by {status.signal}" if status.signal else f"with exit code {status.code}"
        last = f" ({self._last_line})" if self._last_line else ""
        return f"the host agent has ended {how}{last}"

    def _unavailable(self, reason: str) -> Frame:
        value = json.dumps({"probe": NAME, "reason": reason})
        return facts_frame(self._clock.now_ns(), PROBE_UNAVAILABLE, value)
