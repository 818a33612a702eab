"""Shared memory of processes that are ended: what is theirs goes, and nothing else."""

from __future__ import annotations

import asyncio
import mmap
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from tuiapp.sources import descendants
from tuiapp.sources.process import Child, Exit
from tuiapp.sources.shared_memory import SHM, Segments, in_use


@pytest.fixture
def path() -> Iterator[Path]:
    """A name in shared memory that nobody else has."""
    found = SHM / f"tuiapp_test_{secrets.token_hex(8)}"
    yield found
    for left in SHM.glob(f"*{found.name}*"):
        left.unlink()


def make(path: Path) -> None:
    path.write_bytes(bytes(4096))


@contextmanager
def holding(path: Path, how: str = "r+b", *, mapped: bool = True) -> Iterator[int]:
    """Another process that has a file open or mapped; gives its id."""
    code = (
        "import mmap, sys, time; file = open(sys.argv[1], sys.argv[2])\n"
        "if sys.argv[3] == 'True':\n"
        "    prot = mmap.PROT_READ | (mmap.PROT_WRITE if '+' in sys.argv[2] else 0)\n"
        "    kept = mmap.mmap(file.fileno(), 0, prot=prot); file.close()\n"
        "print(flush=True); time.sleep(600)"
    )
    argv = [sys.executable, "-c", code, str(path), how, str(mapped)]
    holder = subprocess.Popen(argv, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    yield holder.pid
    holder.kill()
    holder.wait()


@pytest.mark.parametrize("mapped", [True, False])
def test_what_an_ended_process_shared_is_removed(path: Path, *, mapped: bool):
    segments = Segments()
    make(path)
    with holding(path, mapped=mapped) as pid:
        segments.note([pid])
        assert segments.left() == {path: path.stat().st_ino}
        assert segments.remove() == []
        assert path.exists()
    assert segments.remove() == [path]
    assert not path.exists()
    assert segments.left() == {}


def test_a_process_that_is_ending_does_not_count(path: Path):
    segments = Segments()
    make(path)
    with holding(path) as pid:
        segments.note([pid])
        assert segments.remove(ending={pid}) == [path]


@pytest.mark.parametrize("mapped", [True, False])
def test_what_another_process_uses_is_left_alone(path: Path, *, mapped: bool):
    segments = Segments()
    make(path)
    with holding(path, "rb", mapped=mapped) as other:
        with holding(path) as pid:
            segments.note([pid])
        assert in_use(other) == {path.stat().st_ino}
        assert segments.remove() == []
    assert path.exists()


def test_what_was_there_before_is_left_alone(path: Path):
    make(path)
    segments = Segments()
    with holding(path) as pid:
        segments.note([pid])
    assert segments.remove() == []
    assert path.exists()


@pytest.mark.parametrize("mapped", [True, False])
def test_what_is_only_read_is_left_alone(path: Path, *, mapped: bool):
    segments = Segments()
    make(path)
    with holding(path, "rb", mapped=mapped) as pid:
        assert in_use(pid) == {path.stat().st_ino}
        segments.note([pid])
    assert segments.remove() == []
    assert path.exists()


def test_a_file_of_two_names_goes_with_both(path: Path):
    segments = Segments()
    make(path)
    os.link(path, other := path.with_name(path.name + "_other"))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0):
        segments.note([os.getpid()])
    assert set(segments.remove()) == {path, other}


def test_semaphores_are_known_though_they_are_mapped_under_another_name():
    segments = Segments()
    code = (
        "import multiprocessing, sys, time; s = multiprocessing.get_context('spawn').Semaphore();"
        "print(s._semlock.name, flush=True); time.sleep(600)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert holder.stdout is not None
    path = SHM / ("sem." + holder.stdout.readline().strip().lstrip("/"))
    segments.note([holder.pid])
    assert path in segments.left()
    holder.kill()
    holder.wait()
    segments.remove()
    assert not path.exists()


MAKING = """
import mmap, os, sys, time
os.fork()
kept = []
for number in range(900):  # a mapping keeps a descriptor, of which there may be 1024
    with open(f"{sys.argv[1]}_{os.getpid()}_{number}", "w+b") as file:
        file.truncate(4096)
        kept.append(mmap.mmap(file.fileno(), 4096))
    if number == 20:
        print(flush=True)
    time.sleep(0.0005)
time.sleep(600)
"""
FORKING = """
import os, time
print(flush=True)
for _ in range(300):
    if os.fork() == 0:
        time.sleep(600)
time.sleep(600)
"""
POLITE = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print(flush=True)
time.sleep(600)
"""


@asynccontextmanager
async def running(code: str, *args: str) -> AsyncIterator[Child]:
    child = Child([sys.executable, "-c", code, *args])
    output = await child.output()
    await output.readline()
    try:
        yield child
    finally:
        await child.stop(0, 0)


@pytest.mark.parametrize("term_s", [0.0, 5.0])
async def test_what_is_made_until_the_last_moment_is_removed(path: Path, term_s: float):
    async with running(MAKING, str(path)) as child:
        await child.stop(0, term_s)
        assert child.members() == []
        assert list(SHM.glob(f"{path.name}*")) == []


async def test_what_is_forked_until_the_last_moment_is_ended():
    async with running(FORKING) as child:
        await child.stop(0, 0)
        assert child.members() == []


async def test_a_process_that_was_stopped_to_be_looked_at_still_takes_its_signal():
    async with running(POLITE) as child:
        seen: list[int] = []
        struck = descendants.strike(child.members, signal.SIGTERM, seen.extend)
        assert struck == seen == [child.pid]
        assert await asyncio.wait_for(child.exited(), 10) == Exit(7, None)


async def test_a_process_is_stopped_while_it_is_looked_at():
    async with running(POLITE) as child:
        states: list[str] = []

        def look(pids: list[int]) -> None:
            stats = [Path(f"/proc/{pid}/stat").read_text() for pid in pids]
            states.extend(stat.rpartition(")")[2].split()[0] for stat in stats)

        descendants.strike(child.members, signal.SIGKILL, look)
        assert states == ["T"]
        assert await asyncio.wait_for(child.exited(), 10) == Exit(None, "SIGKILL")
