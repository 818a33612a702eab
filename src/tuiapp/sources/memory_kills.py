"""Whether the kernel has killed for want of memory since a moment."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_VMSTAT = Path("/proc/vmstat")
_CGROUP = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")


class MemoryKills:
    """Counts out-of-memory kills of the host and of this process's control group.

    Args:
        files: where the counters are; found by themselves when left out.
    """

    def __init__(self, files: Iterable[Path] | None = None) -> None:
        self._files = tuple(_files() if files is None else files)
        self._before = self._counts()

    def seen(self) -> bool:
        """Whether there was one since this object was made."""
        now = self._counts()
        return any(now[path] > count for path, count in self._before.items() if path in now)

    def _counts(self) -> dict[Path, int]:
        counts = {path: _count(path) for path in self._files}
        return {path: count for path, count in counts.items() if count is not None}


def _files() -> list[Path]:
    return [_VMSTAT, _CGROUP / "memory.events", *_own()]


def _own() -> list[Path]:
    try:
        lines = _OWN_CGROUP.read_text().splitlines()
    except OSError:
        return []
    return [
        _CGROUP / line.partition("::")[2].lstrip("/") / "memory.events"
        for line in lines
        if line.startswith("0::")
    ]


def _count(path: Path) -> int | None:
    try:
        lines = path.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    except (OSError, ValueError, IndexError, StopIteration):
        return None
