"""Made-up runs in every state the screen must show, and the screen's text as a person reads it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.doubles.synthetic import NS, READY_S, Load, cold_start, frames
from tuiapp.clock import FakeClock
from tuiapp.events import (
    CLIENT_LIMITED,
    ENGINE_EXIT,
    LOAD_STATE,
    PROBE_UNAVAILABLE,
    Frame,
    Kind,
    facts_frame,
    log_frame,
    mark_frame,
)
from tuiapp.session.columns import Session
from tuiapp.tui.app import MonitorApp

NEVER_FPS = 1e-4
"""A timer that does not fire in a test: redraws are asked for."""

HOST = {
    "hostname": "hel-07",
    "os": "Debian GNU/Linux 12 (bookworm)",
    "cpu_model": "AMD EPYC 9354 32-Core Processor",
}
NO_NVML = "libnvidia-ml.so.1 not found"
LOG = (
    ("INFO", "Initializing a V1 LLM engine (v0.32.0) with config: model='demo-llama'"),
    ("INFO", "Loading safetensors checkpoint shards: 100% Completed | 1/1"),
    ("WARNING", "Environment variable VLLM_CPU_KVCACHE_SPACE (GiB) is not set, using 4 by default"),
    ("INFO", "GPU KV cache size: 65,536 tokens"),
)


@dataclass
class FakeRecording:
    """Where a run would be recorded."""

    path: Path = Path("/nonexistent/run.tuiapp")
    size: int = 1_234_567
    failing: str = ""


@dataclass
class FakeRun:
    """What the screens ask of a run, answered from memory; keeps what it was told to do."""

    session: Session
    clock: FakeClock
    finished: bool = False
    recording: FakeRecording = field(default_factory=FakeRecording)
    exit_facts: Mapping[str, Any] = field(default_factory=dict)
    commands: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    noted: list[tuple[str, int | None]] = field(default_factory=list)

    def mark(self, text: str, t_ns: int | None = None) -> None:
        self.noted.append((text, t_ns))
        self.session.fold(mark_frame(self.clock.now_ns() if t_ns is None else t_ns, text))

    def command(self, op: str, **values: Any) -> None:
        self.commands.append((op, values))

    def fold(self, *more: Frame) -> FakeRun:
        """Let the session know ``more``."""
        for frame in more:
            self.session.fold(frame)
        return self

    def app(self, **options: Any) -> MonitorApp:
        """The monitor over this run; nothing moves unless told to."""

        async def stop() -> None:
            self.finished = True

        return MonitorApp(self, stop, **{"fps": NEVER_FPS, **options})


@lru_cache(maxsize=4)
def _frames(load: Load) -> tuple[Frame, ...]:
    return tuple(frames(load))


def fact(t_s: float, name: str, value: Any) -> Frame:
    return facts_frame(int(t_s * NS), name, json.dumps(value))


def meta(gpus: int = 0, **changes: Any) -> Frame:
    """The header a real run writes, as far as the screen reads it."""
    devices = [{"index": index, "name": "NVIDIA H100 80GB HBM3"} for index in range(gpus)]
    attrs: dict[str, Any] = {
        "model": {"name": "demo-llama"},
        "engine": {"name": "vLLM", "version": "0.32.0", "device": "cuda" if gpus else "cpu"},
        "host": {**HOST, "cores_logical": 2, "gpus": devices},
    }
    return Frame(Kind.META, 0, 0, attrs=attrs | changes)


def serving(until_s: float = 65.0, **load: Any) -> FakeRun:
    """A run in mid-load, a moment after ``until_s``."""
    session = _session(until_s, Load(**{"duration_s": 90.0, **load}))
    return FakeRun(deepcopy(session), FakeClock(int(until_s * NS)))


@lru_cache(maxsize=16)
def _session(until_s: float, load: Load) -> Session:
    run = FakeRun(Session(), FakeClock())
    run.fold(*(frame for frame in _frames(load) if frame.t1_ns <= until_s * NS), meta(load.gpus))
    run.fold(*(log_frame(NS * at, "engine", *line) for at, line in enumerate(LOG)))
    if not load.gpus:
        run.fold(unavailable("nvml", NO_NVML))
    return run.session


def unavailable(probe: str, reason: str) -> Frame:
    return fact(1, PROBE_UNAVAILABLE, {"probe": probe, "reason": reason})


def starting(now_s: float = 3.8) -> FakeRun:
    """The engine is loading weights."""
    run = FakeRun(Session(), FakeClock(int(now_s * NS)))
    begun = (frame for frame in cold_start(Load()) if frame.t0_ns <= now_s * NS)
    run.fold(*begun, meta(), unavailable("nvml", NO_NVML))
    return run.fold(*(log_frame(NS * (at + 1), "engine", *line) for at, line in enumerate(LOG[:2])))


def failed_start() -> FakeRun:
    """The engine could not start, and said why."""
    run = starting()
    reason = (
        "ValueError: No available memory for the cache blocks. Try increasing "
        "`gpu_memory_utilization` when initializing the engine."
    )
    advice = (
        "Lower --gpu-memory-utilization or --max-model-len, use a smaller or quantized model, or "
        "free memory."
    )
    value = {"code": 1, "signal": None, "expected": False, "reason": reason, "advice": advice}
    run.fold(log_frame(4 * NS, "engine", "ERROR", reason), fact(4.2, ENGINE_EXIT, value))
    run.clock.advance(int(2.2 * NS))
    run.finished, run.exit_facts = True, value
    return run


def stalled() -> FakeRun:
    """Requests are in flight; for eight seconds no token has come, and the driver is alive."""
    run = serving(61.0, stall=(50.0, 70.0))
    run.clock.advance(2 * NS)
    return run


def dead() -> FakeRun:
    """The engine was killed in mid-load, 35 seconds ago."""
    run = serving(55.0)
    reason = "The kernel killed the engine: memory ran out."
    advice = "Use a smaller model or KV cache, or free memory."
    value = {"code": None, "signal": "SIGKILL", "expected": False}
    run.exit_facts = value | {"reason": reason, "advice": advice}
    run.fold(fact(55.2, ENGINE_EXIT, run.exit_facts))
    run.clock.advance(35 * NS)
    run.finished = True
    return run


def client_limited() -> FakeRun:
    """The driver itself is late, and goes on being late."""
    limits = {"limited": True, "loop_lag_p99_s": 0.061, "schedule_lag_p99_s": 0.12}
    at = int(65.0 * NS)
    lags = {"t_ns": [at, at], "loop_lag_s": [0.061, 0.03], "loop_lag_10s_p99_s": [0.06, 0.061]}
    late = Frame(Kind.SAMPLES, at, at, lags, {"group": "driver"})
    return serving().fold(fact(40, CLIENT_LIMITED, limits), late)


def disk_full() -> FakeRun:
    """The recording cannot be written."""
    run = serving()
    run.recording.failing = "No space left on device"
    return run


def load_paused() -> FakeRun:
    """The load is held; the engine is idle."""
    return serving(60.0).fold(fact(59.9, LOAD_STATE, {"state": "paused", "rate": 6.0}))


def finished() -> FakeRun:
    """The run ended as planned."""
    run = serving(1e4, duration_s=60.0)
    end_s = run.session.end_ns / NS + 0.5
    run.exit_facts = {"code": 0, "signal": None, "expected": True, "reason": "", "advice": ""}
    run.fold(fact(end_s, ENGINE_EXIT, run.exit_facts))
    run.finished = True
    return run


def empty() -> FakeRun:
    """Nothing has been said at all."""
    return FakeRun(Session(), FakeClock())


def ready_without_requests() -> FakeRun:
    """The engine is up and no request has come yet."""
    return serving(READY_S + 0.01)


SCENES: dict[str, Callable[[], FakeRun]] = {
    "starting": starting,
    "failed_start": failed_start,
    "serving": serving,
    "stalled": stalled,
    "dead": dead,
    "client_limited": client_limited,
    "disk_full": disk_full,
    "load_paused": load_paused,
    "finished": finished,
    "empty": empty,
    "ready": ready_without_requests,
}


def screen_lines(app: MonitorApp) -> list[str]:
    """What the terminal shows, line by line, at its full width."""
    strips: Iterable[Any] = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip) for strip in strips]


def screen_text(app: MonitorApp) -> str:
    """What the terminal shows, without blanks at the ends of lines."""
    return "\n".join(line.rstrip() for line in screen_lines(app)) + "\n"
