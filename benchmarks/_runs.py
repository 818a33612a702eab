"""Real engine runs in this process: the engine child, its driver, and what they recorded."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from _measure import cpu_s
from tuiapp.clock import Clock
from tuiapp.events import ENGINE_EXIT, LOAD_STATE, Frame, Kind
from tuiapp.session.columns import Session
from tuiapp.sources.engine import EngineConfig, EngineSource
from tuiapp.workload.spec import Workload

ENGINE_ARGS = (
    "--enforce-eager", "--max-model-len", "2048", "--kv-cache-memory-bytes", "536870912",
)  # fmt: skip


@dataclass
class Bare:
    """A run that nobody watched: its session, and the CPU its own process took under load."""

    session: Session
    child_cpu_s: float


def bare(workload: Workload, engine: str = "vllm") -> Bare:
    """Run a workload with nothing beside it: no screen, no probes, no file.

    Frames are kept as they come and folded when the engine has ended.

    Raises:
        SystemExit: the engine failed.
    """
    return asyncio.run(_bare(workload, engine))


async def _bare(workload: Workload, engine: str) -> Bare:
    config = EngineConfig(workload=workload.to_dict(), engine_args=ENGINE_ARGS, engine=engine)
    source = EngineSource(config, Clock())
    kept: list[Frame] = []
    used = {"running": 0.0, "done": 0.0}
    async for frame in source.frames():
        kept.append(frame)
        state = _load_state(frame)
        if state in used and not used[state] and source.pid is not None:
            used[state] = cpu_s(source.pid)
    await source.aclose()
    session = Session()
    for frame in kept:
        session.fold(frame)
    ended = [fact.value for fact in session.facts if fact.name == ENGINE_EXIT]
    if not ended or not ended[-1].get("expected"):
        raise SystemExit(f"the engine failed: {ended}")
    return Bare(session, used["done"] - used["running"])


def _load_state(frame: Frame) -> str:
    if frame.kind != Kind.FACTS or frame.columns["name"][0] != LOAD_STATE:
        return ""
    value: dict[str, Any] = json.loads(frame.columns["value"][0])
    return str(value.get("state"))
