"""The processes that descend from a child.

Standard library only: the engine's own watchdog uses it before anything else is imported.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from tuiapp.clock import sleep_s

MARKER = "TUIAPP_CHILD"
"""Environment variable that tells a child's descendants, even those in sessions of their own."""

_TRACKER = b"multiprocessing.resource_tracker"
_STOP_S, _POLL_S = 0.5, 0.005


def members(session: int, marker: str) -> list[int]:
    """Ids of living processes in ``session``, or started with ``MARKER=marker``."""
    mark = f"{MARKER}={marker}".encode()
    return [pid for pid in all_pids() if _belongs(pid, session, mark)]


def without_trackers(pids: Iterable[int]) -> list[int]:
    """``pids`` but Python's resource trackers.

    Those end by themselves once the others are gone, after removing what the others left in shared
    memory, even what nobody had time to see. Killing one makes that a leak.
    """
    return [pid for pid in pids if not _is_tracker(pid)]


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each of ``pids`` that still lives."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def strike(
    find: Callable[[], list[int]], number: signal.Signals, look: Callable[[list[int]], object]
) -> list[int]:
    """Send a signal to the processes that ``find`` lists, and return their ids.

    They are stopped before ``look`` is called with them, so that it sees everything they have made:
    the next thing each of them does is to take the signal.
    """
    pids = _stopped(find)
    look(pids)
    signal_all(pids, number)
    signal_all(pids, signal.SIGCONT)
    return pids


def all_pids() -> list[int]:
    """Ids of all processes that can be seen."""
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _stopped(find: Callable[[], list[int]]) -> list[int]:
    """What ``find`` lists, none of it running, unless that takes too long."""
    before: list[int] | None = None
    told: set[int] = set()
    for _ in range(round(_STOP_S / _POLL_S)):
        pids = find()
        running = [pid for pid in pids if pid not in told or not _is_stopped(pid)]
        if not running and pids == before:  # so nothing has been forked since the first list
            return pids
        before = None if running else pids
        signal_all(running, signal.SIGSTOP)
        told.update(running)
        if running:
            sleep_s(_POLL_S)
    return find()


def _is_stopped(pid: int) -> bool:
    """Whether each of its threads is stopped or has ended."""
    try:
        return all(_state(task / "stat") in b"TtZX" for task in Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return True


def _state(path: Path) -> bytes:
    try:
        return path.read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return b"X"


def _belongs(pid: int, session: int, mark: bytes) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        state, _, _, sid = stat.rpartition(b")")[2].split()[:4]
        if state in b"ZX":
            return False
        return int(sid) == session or mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # gone meanwhile, or somebody else's
        return False


def _is_tracker(pid: int) -> bool:
    try:
        return _TRACKER in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
