"""The processes that descend from a child, and the shared memory they hold.

Standard library only: the engine's own watchdog uses it before anything else is imported.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

MARKER = "TUIAPP_CHILD"
"""Environment variable that tells a child's descendants, even those in sessions of their own."""

SHM = Path("/dev/shm")  # noqa: S108 - the kernel's place for POSIX shared memory
_TRACKER = b"multiprocessing.resource_tracker"


def members(session: int, marker: str) -> list[int]:
    """Ids of living processes in ``session``, or started with ``MARKER=marker``."""
    mark = f"{MARKER}={marker}".encode()
    return [pid for pid in _pids() if _belongs(pid, session, mark)]


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


def segments(pids: Iterable[int]) -> set[int]:
    """Inodes of the shared memory that processes ``pids`` have mapped.

    Not names: a semaphore is mapped under a temporary one and renamed.
    """
    return {inode for pid in pids for inode in _mapped(pid)}


def remove_segments(inodes: Collection[int], leaving: int = 0) -> list[Path]:
    """Delete the shared memory files that no living process maps any more.

    Args:
        inodes: what ended processes had mapped; files of other users are left alone.
        leaving: id of a process that is about to end and counts as gone.
    """
    ours = {inode: path for path in SHM.iterdir() if (inode := _own_inode(path)) in inodes}
    if not ours:
        return []
    alive = segments(pid for pid in _pids() if pid != leaving)
    gone = sorted(path for inode, path in ours.items() if inode not in alive)
    for path in gone:
        path.unlink(missing_ok=True)
    return gone


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


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


def _mapped(pid: int) -> set[int]:
    """Lines read ``address perms offset dev inode path``."""
    found = set()
    try:
        with Path(f"/proc/{pid}/maps").open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if f" {SHM}/" in line:
                    found.add(int(line.split(maxsplit=5)[4]))
    except OSError:
        return found
    return found


def _own_inode(path: Path) -> int:
    try:
        status = path.stat()
    except OSError:
        return 0
    return status.st_ino if status.st_uid == os.geteuid() else 0
