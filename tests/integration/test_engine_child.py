"""The real engine child around a scripted engine: its life, its death, and what is left after."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import venv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.doubles import leaky_engine
from tests.integration.engine_child import LOAD, STUB, Heard, Listener, Traces, gone
from tuiapp.events import ENGINE_INFO, Kind, Status
from tuiapp.sources import descendants
from tuiapp.sources.engine import EngineConfig
from tuiapp.sources.shared_memory import SHM

LATE_NS = 60_000_000


def config(*args: str, **workload: object) -> EngineConfig:
    return EngineConfig(engine=STUB, engine_args=args, workload={**LOAD, **workload}, drain_s=5)


def serving(heard: Heard) -> bool:
    return heard.tokens() > 20


async def test_a_whole_run(traces: Traces):
    heard = await Listener(config("--chatty", requests=30)).end()
    assert heard.phases == ["spawn", "import", "config", "ready"]
    assert heard.states == ["warmup", "running", "draining", "done"]
    assert heard.exits == [
        {"code": 0, "signal": None, "expected": True, "reason": "", "advice": ""}
    ]
    assert "engine.exit" in heard.frames[-1].columns["name"]
    assert "INFO 01-01 00:00:00 [x.py:1] hello" in heard.log
    rows = heard.requests()
    assert rows["req"].tolist() == list(range(32))
    assert (rows["status"] == Status.OK).all()
    assert (rows["t_sent_ns"] - rows["t_sched_ns"])[2:].max() < LATE_NS
    assert heard.tokens() == 32 * 8
    groups = {f.attrs["group"] for f in heard.frames if f.kind == Kind.SAMPLES}
    assert groups == {"driver"}
    loop_lag_s = heard.column(Kind.SAMPLES, "loop_lag_s")
    assert np.nanmax(loop_lag_s) < 1
    assert {"model": {"name": "stub"}} in [value for _, value in heard.facts(ENGINE_INFO)]
    assert traces.left() == set()


async def test_the_same_seed_gives_the_same_arrivals():
    runs = [await Listener(config(requests=15)).end() for _ in range(2)]
    gaps = [np.diff(heard.requests()["t_sched_ns"][2:]).tolist() for heard in runs]
    assert gaps[0] == gaps[1]


async def test_commands_reach_the_driver():
    listener = Listener(config(arrival="constant"))
    await listener.until(serving)
    listener.source.send({"op": "rate", "value": 100.0})
    listener.source.send({"op": "pause"})
    await listener.until(lambda heard: "paused" in heard.states)
    sent = len(listener.heard.requests()["req"])
    await asyncio.sleep(0.5)
    assert len(listener.heard.requests()["req"]) <= sent + 1
    listener.source.send({"op": "resume"})
    await listener.until(lambda heard: heard.states[-1] == "running")
    await listener.until(lambda heard: len(heard.requests()["req"]) > sent + 20)
    listener.source.send({"op": "stop"})
    heard = await listener.end()
    assert np.diff(heard.requests()["t_sched_ns"])[-1] == 10_000_000
    assert (heard.requests()["status"] == Status.OK).all()
    assert heard.exits[0]["expected"]


async def test_a_start_that_fails_says_why(traces: Traces):
    heard = await Listener(config("--fail", "--helper")).end()
    assert heard.exits[0]["reason"] == "ValueError: the stub is told to fail"
    assert heard.exits[0]["code"] == 1
    assert not heard.exits[0]["expected"]
    assert not any("tuiapp-report" in line for line in heard.log)
    assert any("Traceback" in line for line in heard.log)
    assert traces.left() == set()


async def test_an_engine_that_dies_fails_its_requests_and_ends_the_child():
    heard = await Listener(config("--dies")).end()
    assert heard.exits[0]["reason"] == "The stub died."
    assert not heard.exits[0]["expected"]
    assert heard.requests()["status"][-1] == Status.FAILED


async def test_a_workload_that_makes_no_sense():
    heard = await Listener(config(rate=-1)).end()
    assert heard.exits[0]["reason"].startswith("The rate must be a number above 0")


async def test_kill_9_of_the_child_leaves_nothing(traces: Traces):
    listener = Listener(config("--helper", "--stubborn"))
    await listener.until(serving)
    pids = listener.members()
    traces.note(pids)
    assert len(pids) >= 2
    os.kill(listener.source.pid or 0, signal.SIGKILL)
    heard = await listener.end()
    assert heard.exits == [
        {
            "code": None,
            "signal": "SIGKILL",
            "expected": False,
            "reason": "The engine's process was killed by SIGKILL.",
            "advice": heard.exits[0]["advice"],
        }
    ]
    assert gone(pids)
    assert traces.left() == set()


PARENT = """
import asyncio, sys
from tuiapp.clock import Clock
from tuiapp.events import Kind
from tuiapp.sources.engine import EngineConfig, EngineSource
from tests.integration.engine_child import LOAD

async def main():
    config = EngineConfig(engine=sys.argv[1], engine_args=tuple(sys.argv[3:]), workload=LOAD)
    source = EngineSource(config, Clock())
    async for frame in source.frames():
        starting = frame.kind == Kind.META and sys.argv[2] == "start"
        if starting or frame.kind == Kind.TOKENS:
            print(*source._child.members(), flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("moment", ["start", "load"])
def test_kill_9_of_the_parent_leaves_nothing(moment: str, traces: Traces):
    args = ["--helper", "--stubborn", *(["--hang"] if moment == "start" else [])]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, STUB, moment, *args], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    line = parent.stdout.readline()
    pids = [int(pid) for pid in line.split()]
    assert pids
    if moment == "start":
        time.sleep(0.5)  # into the hang, with its helper
        pids = _session(pids[0])
        assert len(pids) >= 2
    traces.note(pids)
    parent.kill()
    parent.wait()
    assert gone(pids, 4)
    assert traces.left() == set()


def _session(leader: int) -> list[int]:
    return descendants.members(leader, "")


MAKERS = ["main", "helper"]


def leaky(maker: str) -> EngineConfig:
    return EngineConfig(engine=f"{leaky_engine.__file__}:start", engine_args=(maker,))


def made(pid: int) -> list[Path]:
    return sorted(SHM.glob(f"*{leaky_engine.name(pid)}*"))


async def making(listener: Listener) -> int:
    """Until the engine child has begun to make shared memory; gives its id."""
    await listener.until(lambda heard: len(made(listener.source.pid or 0)) > 10)
    assert listener.source.pid is not None
    return listener.source.pid


@pytest.mark.parametrize("maker", MAKERS)
async def test_closing_while_shared_memory_is_made_leaves_none(maker: str, traces: Traces):
    listener = Listener(leaky(maker))
    pid = await making(listener)
    heard = await listener.close()
    assert heard.exits[0]["expected"]
    assert made(pid) == []
    assert traces.left() == set()


@pytest.mark.parametrize("maker", MAKERS)
def test_kill_9_of_the_parent_while_shared_memory_is_made_leaves_none(maker: str, traces: Traces):
    config = leaky(maker)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, config.engine, "start", maker],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline().split()[0])
        end = time.monotonic() + 20
        while len(made(pid)) <= 10:
            assert time.monotonic() < end
            time.sleep(0.01)
        pids = _session(pid)
    finally:
        parent.kill()
        parent.wait()
    assert gone(pids, 10)
    assert made(pid) == []
    assert traces.left() == set()


async def test_kill_9_of_the_child_while_its_helpers_make_shared_memory_leaves_none():
    listener = Listener(leaky("helper"))
    pid = await making(listener)
    os.kill(pid, signal.SIGKILL)
    heard = await listener.end()
    assert heard.exits[0]["signal"] == "SIGKILL"
    assert made(pid) == []


MOMENTS = {
    "spawn": ((), lambda heard: "spawn" in heard.phases),
    "import": ((), lambda heard: "import" in heard.phases),
    "loading": (("--hang", "--helper"), lambda heard: "config" in heard.phases),
    "stubborn": (("--hang", "--helper", "--stubborn"), lambda heard: "config" in heard.phases),
    "load": (("--helper",), serving),
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_closing_at_any_moment_leaves_nothing(moment: str, traces: Traces):
    args, condition = MOMENTS[moment]
    listener = Listener(config(*args))
    await listener.until(condition)
    pids = listener.members()
    traces.note(pids)
    heard = await listener.close()
    assert len(heard.exits) == 1
    assert heard.exits[0]["expected"]
    assert gone(pids)
    assert traces.left() == set()


async def test_closing_while_draining_cuts_what_is_in_flight():
    listener = Listener(config(output="2000", requests=3, warmup=0))
    await listener.until(lambda heard: "draining" in heard.states)
    heard = await listener.close()
    assert (heard.requests()["status"] == Status.CUT).all()
    assert heard.states[-1] == "done"


@pytest.mark.parametrize("moment", ["import", "load"])
async def test_a_cancelled_listener_and_a_cancelled_close_leave_nothing(
    moment: str, traces: Traces
):
    args, condition = MOMENTS[moment]
    listener = Listener(config(*args))
    await listener.until(condition)
    pids = listener.members()
    traces.note(pids)
    listener.task.cancel()
    closing = asyncio.create_task(listener.source.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    await listener.source.aclose()
    assert gone(pids)
    assert traces.left() == set()


async def test_closing_before_the_start_starts_nothing():
    listener = Listener(config())
    await listener.source.aclose()
    heard = await listener.end()
    assert heard.frames == []
    assert listener.source.pid is None


async def test_a_python_that_cannot_be_run():
    heard = await Listener(EngineConfig(engine_python="/no/such/python", workload=LOAD)).end()
    assert heard.exits[0]["reason"] == "/no/such/python cannot be run: No such file or directory."
    assert "--engine-python" in heard.exits[0]["advice"]


async def test_a_python_without_vllm_or_anything(tmp_path: Path):
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    heard = await Listener(EngineConfig(engine_python=python, workload=LOAD)).end()
    assert heard.exits[0]["reason"] == f"vllm is not installed in {python}."
    assert heard.exits[0]["code"] == 1


async def test_a_python_that_has_neither_tuiapp_nor_msgpack(tmp_path: Path):
    venv.create(tmp_path / "other", with_pip=False, symlinks=True)
    packages = next((tmp_path / "other").glob("lib/python*/site-packages"))
    for found in Path(np.__file__).parents[1].glob("numpy*"):
        (packages / found.name).symlink_to(found)
    python = str(tmp_path / "other" / "bin" / "python")
    for name in ("tuiapp", "msgpack", "platformdirs", "psutil"):
        assert subprocess.run([python, "-c", f"import {name}"], capture_output=True).returncode
    heard = await Listener(replace(config(requests=5), engine_python=python)).end()
    assert heard.exits[0]["expected"], heard.exits
    assert heard.tokens() == 7 * 8


async def test_a_python_that_is_too_old(tmp_path: Path):
    fake = tmp_path / "python"
    bootstrap = "import sys; sys.version_info = (3, 9, 1); import runpy; sys.argv.pop(0);"
    fake.write_text(
        f"#!{sys.executable}\nimport sys\n{bootstrap}\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    fake.chmod(0o755)
    heard = await Listener(EngineConfig(engine_python=str(fake), workload=LOAD)).end()
    assert "is Python 3.9; the engine child needs 3.11 or newer." in heard.exits[0]["reason"]


async def test_a_model_that_is_not_there():
    heard = await Listener(EngineConfig(model="/no/such/model", workload=LOAD)).end()
    assert heard.exits[0]["reason"] == "There is no model at /no/such/model."
