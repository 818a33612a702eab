"""An engine that delivers tokens exactly when its script says, without vllm.

It stands behind the driver's ``Engine`` in unit tests, and behind ``EngineSource`` in the real
child process (``EngineConfig(engine=f"{__file__}:start")``).
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import shared_memory
from typing import Any

from tuiapp.engine.client import Delivery, Launch
from tuiapp.engine.tap import CoreStamps
from tuiapp.events import Frame

NS = 1_000_000_000


@dataclass
class Script:
    """What the engine does.

    Attributes:
        delays_s: from request number and output length to the delay before each token.
        stall: while the clock is in [t0, t1) seconds after the first request, nothing comes.
        fails: numbers of requests that raise.
        dies_after: requests after which the engine is dead; None for never.
    """

    delays_s: Callable[[int, int], Sequence[float]] = lambda _req, n: [0.01] * n
    stall: tuple[float, float] = (0.0, 0.0)
    fails: frozenset[int] = frozenset()
    dies_after: int | None = None


@dataclass
class StubEngine:
    """Follows a script.

    ``due_ns`` keeps when each token of each request was to come, ``given_ns`` when it came.
    """

    script: Script = field(default_factory=Script)
    vocab_size: int = 1024
    max_model_len: int = 4096
    dead: str | None = None
    closed: bool = False
    due_ns: dict[int, list[int]] = field(default_factory=dict)
    given_ns: dict[int, list[int]] = field(default_factory=dict)
    started_ns: int | None = None

    async def generate(
        self, req_id: str, prompt_token_ids: Sequence[int], max_tokens: int
    ) -> AsyncIterator[Delivery]:
        req, now_ns = int(req_id), time.monotonic_ns()
        self.started_ns = self.started_ns or now_ns
        if req in self.script.fails:
            raise ValueError(f"request {req} is scripted to fail")
        if self.script.dies_after is not None and req >= self.script.dies_after:
            self.dead = "The stub died."
            raise RuntimeError("dead")
        due, given = self.due_ns.setdefault(req, []), self.given_ns.setdefault(req, [])
        at_ns = now_ns
        for number, delay_s in enumerate(self.script.delays_s(req, max_tokens)):
            at_ns = self._outside_stall(at_ns + round(delay_s * NS))
            due.append(at_ns)
            await self._until(at_ns)
            given.append(time.monotonic_ns())
            stamps = CoreStamps(now_ns, now_ns, at_ns, len(prompt_token_ids) // 2)
            yield 1, stamps if number == 0 else None

    async def _until(self, at_ns: int) -> None:
        await asyncio.sleep(max(0, at_ns - time.monotonic_ns()) / NS)

    def _outside_stall(self, at_ns: int) -> int:
        assert self.started_ns is not None
        t0, t1 = (self.started_ns + round(s * NS) for s in self.script.stall)
        return t1 if t0 <= at_ns < t1 else at_ns

    def info(self) -> Mapping[str, Any]:
        return {"engine": {"name": "stub"}}

    def steps(self) -> list[Frame]:
        return []

    def close(self) -> None:
        self.closed = True


def start(launch: Launch) -> StubEngine:
    """In the engine child. Engine arguments steer it: ``--fail``, ``--hang``, ``--helper``..."""
    args = list(launch.engine_args)
    launch.phase("config")
    launch.info({"model": {"name": launch.model or "stub"}})
    if "--helper" in args:
        _start_helper(ignores_term="--stubborn" in args)
    if "--fail" in args:
        raise ValueError("the stub is told to fail")
    if "--hang" in args:
        time.sleep(600)
    script = Script(delays_s=lambda _req, n: [0.005] * n)
    if "--dies" in args:
        script.dies_after = 5
    if "--chatty" in args:
        print("\x1b[31mINFO 01-01 00:00:00 [x.py:1] hello\x1b[0m", file=sys.stderr, flush=True)
    return StubEngine(script)


_HELPER = """
import signal, sys, time
from multiprocessing import shared_memory
if sys.argv[2] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
segment = shared_memory.SharedMemory(sys.argv[1])
print("helper ready", flush=True)
time.sleep(600)
"""


def _start_helper(*, ignores_term: bool) -> None:
    """A process with a shared memory segment, as vLLM's EngineCore has."""
    segment = shared_memory.SharedMemory(f"tuiapp_stub_{os.getpid()}", create=True, size=4096)
    temper = "stubborn" if ignores_term else "meek"
    helper = subprocess.Popen(
        [sys.executable, "-c", _HELPER, segment.name, temper], stdout=subprocess.PIPE
    )
    assert helper.stdout is not None
    helper.stdout.readline()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
