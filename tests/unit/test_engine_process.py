"""Child processes: started, heard, and ended with everything that descends from them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgpack
import pytest

from tuiapp.sources import SOURCES, descendants, source_class
from tuiapp.sources.memory_kills import MemoryKills
from tuiapp.sources.process import Child, Exit
from tuiapp.sources.shared_memory import SHM

ECHO = """
import os, sys
control, frames = int(sys.argv[-2]), int(sys.argv[-1])
print("ready", flush=True)
while data := os.read(control, 4096):
    os.write(frames, data)
"""
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print("ready", flush=True)
time.sleep(600)
"""


@asynccontextmanager
async def running(code: str) -> AsyncIterator[tuple[Child, asyncio.StreamReader]]:
    child = Child([sys.executable, "-c", code])
    output = await child.output()
    assert (await output.readline()).strip() == b"ready"
    try:
        yield child, output
    finally:
        await child.stop(0.1, 0.1)


def open_fds() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def test_control_goes_in_and_frames_come_out():
    async with running(ECHO) as (child, _):
        frames = await child.frames()
        assert child.send({"op": "pause"})
        assert msgpack.unpackb(await frames.read(100)) == {"op": "pause"}


async def test_closing_the_control_pipe_ends_a_child_in_order():
    async with running(ECHO) as (child, _):
        started = time.monotonic()
        await child.stop(grace_s=5)
        assert time.monotonic() - started < 4
        assert await child.exited() == Exit(0, None)
        assert not child.send({"op": "late"})


async def test_a_stubborn_child_and_its_runaway_descendant_are_killed():
    async with running(STUBBORN) as (child, _):
        pids = child.members()
        assert len(pids) == 2  # the grandchild leads a session of its own
        await child.stop(grace_s=0.1, term_s=0.1)
        assert (await child.exited()).signal == "SIGKILL"
        assert not any(map(alive, pids))


async def test_descendants_of_a_killed_child_are_still_found():
    async with running(STUBBORN) as (child, _):
        pids = child.members()
        os.kill(child.pid, signal.SIGKILL)
        assert await child.exited() == Exit(None, "SIGKILL")
        assert len(child.members()) == 1
        await child.stop(0, 0.1)
        assert not any(map(alive, pids))


async def test_a_cancelled_stop_goes_on():
    async with running(STUBBORN) as (child, _):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(child.stop(0.2, 0.2), 0.05)
        assert (await asyncio.wait_for(child.exited(), 10)).signal == "SIGKILL"


async def test_a_command_that_is_not_there_leaves_no_pipe_open():
    before = open_fds()
    for _ in range(3):
        with pytest.raises(FileNotFoundError):
            Child(["/no/such/python"])
    assert open_fds() <= before


async def test_a_child_that_nobody_listens_to_leaves_no_pipe_open():
    before = open_fds()
    child = Child([sys.executable, "-c", ""])
    await child.stop()
    assert open_fds() <= before


async def test_a_child_that_does_not_read_never_blocks_us():
    async with running("import time; print('ready', flush=True); time.sleep(600)") as (child, _):
        sent = [child.send({"op": "x", "pad": "y" * 1000}) for _ in range(200)]
        assert sent[0]
        assert not sent[-1]


LEAKY = """
import os, time
from multiprocessing import shared_memory
segment = shared_memory.SharedMemory(create=True, size=4096)
print("ready", flush=True)
print(segment.name, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("grace_s", [0.0, 5.0])
async def test_a_resource_tracker_lives_to_do_its_work(grace_s: float):
    async with running(LEAKY) as (child, output):
        path = SHM / (await output.readline()).decode().strip()
        assert path.exists()
        assert len(child.members()) == 2
        assert descendants.without_trackers(child.members()) == [child.pid]
        os.kill(child.pid, signal.SIGKILL)
        await child.stop(grace_s, 0)
        assert not path.exists()
        assert child.members() == []


def test_memory_kills_are_a_change_of_a_counter(tmp_path: Path):
    vmstat, gone = tmp_path / "vmstat", tmp_path / "gone"
    vmstat.write_text("nr_free 1\noom_kill 3\n")
    gone.write_text("oom 0\noom_kill 0\n")
    kills = MemoryKills([vmstat, gone, tmp_path / "never"])
    gone.unlink()
    assert not kills.seen()
    vmstat.write_text("nr_free 1\noom_kill 4\n")
    assert kills.seen()


@pytest.mark.parametrize("name", SOURCES)
def test_every_registered_source_is_a_source(name: str):
    source = source_class(name)
    assert all(callable(getattr(source, method)) for method in ("frames", "send", "aclose"))


UNABLE = """
import sys, time
from tuiapp.engine.control import Control

class Unable(Control):
    def _kill_others(self):
        raise PermissionError("no /proc here")

Unable(int(sys.argv[-2]))
print("ready", flush=True)
time.sleep(600)
"""


async def test_an_engine_child_that_cannot_clean_up_ends_all_the_same():
    async with running(UNABLE) as (child, _):
        await child.stop(grace_s=20)
        assert await child.exited() == Exit(1, None)
