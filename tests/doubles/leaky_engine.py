"""An engine that never comes up and makes shared memory all the time, of every kind.

``EngineConfig(engine=f"{__file__}:start")``; its one argument says who makes it: the engine child's
``main`` thread, or a ``helper`` process. Every file has ``name(pid of the engine child)`` in its
name.
"""

from __future__ import annotations

import _posixshmem
import mmap
import multiprocessing
import os
import subprocess
import sys
import time
from multiprocessing import shared_memory
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuiapp.engine.client import Launch

_MOST, _PAUSE_S = 400, 0.001
"""Of each kind. Two of them keep a descriptor each, and there may be no more than 1024."""


def name(pid: int) -> str:
    """What the names of an engine child's files contain."""
    return f"tuiapp_leaky_{pid}_"


def start(launch: Launch) -> None:
    """In the engine child."""
    launch.phase("config")
    launch.info({"model": {"name": "leaky"}})
    own = name(os.getpid())
    if "helper" in launch.engine_args:
        for _ in range(2):
            subprocess.Popen([sys.executable, str(Path(__file__)), own])
    else:
        make(own)
    time.sleep(600)


def make(own: str) -> None:
    """Segments that Python's resource tracker is told of, and segments that it is not."""
    multiprocessing.current_process()._config["semprefix"] = f"/{own}"  # type: ignore[attr-defined]
    spawning = multiprocessing.get_context("spawn")
    kept: list[object] = []
    for number in range(_MOST):
        label = f"{own}{os.getpid()}_{number}"
        kept.append(_untold(label + "_untold"))
        kept.append(shared_memory.SharedMemory(label, create=True, size=4096))
        kept.append(spawning.Semaphore())
        time.sleep(_PAUSE_S)
    time.sleep(600)


def _untold(label: str) -> mmap.mmap:
    """As a library in C makes one."""
    fd = _posixshmem.shm_open(f"/{label}", os.O_CREAT | os.O_EXCL | os.O_RDWR, mode=0o600)
    os.ftruncate(fd, 4096)
    mapped = mmap.mmap(fd, 4096)
    os.close(fd)
    return mapped


if __name__ == "__main__":
    make(sys.argv[1])
