"""Fixtures of the tests that start an engine child."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.integration.engine_child import Heard, Listener, Traces
from tuiapp.sources.engine import EngineConfig

RATE, FASTER = 6.0, 18.0
REAL_LOAD = {
    "arrival": "constant",
    "rate": RATE,
    "warmup": 4,
    "prompt": "uniform:32-96",
    "output": "24",
    "seed": 7,
}
SMALL = ("--max-model-len", "1024", "--max-num-seqs", "16")
"""Engine arguments that make the demo model's engine start a little faster."""


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traces]:
    """A temporary folder of the test's own; short, because socket paths are bounded."""
    temp = Path(tempfile.mkdtemp(prefix="tui-"))
    monkeypatch.setenv("TMPDIR", str(temp))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield Traces(temp)
    monkeypatch.undo()
    shutil.rmtree(temp, ignore_errors=True)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where whole runs of the program keep the demo model: made once a session."""
    return tmp_path_factory.mktemp("cache")


@dataclass
class EngineRun:
    """One life of the real engine: ten seconds of load, a faster rate, a pause, a stop."""

    heard: Heard
    pids: list[int]
    paused_ns: tuple[int, int]
    faster_ns: int
    left: set[Path]


@pytest.fixture(scope="session")
def engine_run() -> EngineRun:
    """Made once: every test of the session looks at the same run."""
    if find_spec("vllm") is None:
        pytest.skip("vllm is not installed")
    temp, before = Path(tempfile.mkdtemp(prefix="tui-")), os.environ.get("TMPDIR")
    os.environ["TMPDIR"], tempfile.tempdir = str(temp), None
    try:
        return asyncio.run(_live(Traces(temp)))
    finally:
        tempfile.tempdir = None
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before
        shutil.rmtree(temp, ignore_errors=True)


async def _live(traces: Traces) -> EngineRun:
    listener = Listener(EngineConfig(engine_args=SMALL, workload=REAL_LOAD, drain_s=20))
    try:
        return await _steer(listener, traces)
    finally:
        await listener.source.aclose()


async def _steer(listener: Listener, traces: Traces) -> EngineRun:
    source, clock = listener.source, listener.source._clock
    await listener.until(lambda heard: "running" in heard.states, 200)
    pids = listener.members()
    traces.note(pids)
    await asyncio.sleep(10)
    source.send({"op": "pause"})
    await listener.until(lambda heard: "paused" in heard.states)
    paused_ns = clock.now_ns()
    await asyncio.sleep(1.5)
    resumed_ns = clock.now_ns()
    source.send({"op": "resume"})
    source.send({"op": "rate", "value": FASTER})
    await asyncio.sleep(2)
    source.send({"op": "stop"})
    heard = await listener.end(60)
    return EngineRun(heard, pids, (paused_ns, resumed_ns), resumed_ns, traces.left())
