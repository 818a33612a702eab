"""How long the threads of some processes waited for a CPU although they could have run."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from tuiapp.collectors.base import NAN, Host
from tuiapp.errors import Unavailable

_MOST_THREADS = 128
"""Threads looked at in one call; a file each, some 8 µs."""
_NS = 1e-9


@dataclass(slots=True)
class _Process:
    """One process: what its threads had waited when it was looked at, and how much a second."""

    at_s: float
    waits_ns: dict[str, int] = field(default_factory=dict)
    per_s: float = NAN


class RunWait:
    """Run-queue wait of a set of processes, from the second field of each thread's ``schedstat``.

    With many threads each call looks at some of the processes in turn; a process's share of the
    sum is then the one of its last two looks. What a thread waited before it was first seen, or
    after it was last seen, is lost.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._now_s = 0.0
        self._known: dict[int, _Process] = {}

    def cores(self, threads: Iterable[tuple[int, int]], dt_s: float) -> float:
        """Seconds waited a second, over all threads; NaN before the second look.

        Args:
            threads: process number and how many threads it has.
            dt_s: time since the call before.

        Raises:
            Unavailable: the kernel does not count it.
        """
        self._now_s += dt_s
        sizes = dict(threads)
        self._known = {pid: self._known[pid] for pid in self._known if pid in sizes}
        room = _MOST_THREADS
        for pid in sorted(sizes, key=self._last_s):
            self._look(pid)
            room -= sizes[pid]
            if room <= 0:
                break
        rates = [process.per_s for process in self._known.values()]
        known = [rate for rate in rates if rate == rate]
        return sum(known) if known else NAN

    def _last_s(self, pid: int) -> float:
        return self._known[pid].at_s if pid in self._known else -1.0

    def _look(self, pid: int) -> None:
        waits = self._waits(pid)
        if not waits:  # it has ended
            self._known.pop(pid, None)
            return
        before = self._known.get(pid)
        now = _Process(self._now_s, waits)
        if before is not None and self._now_s > before.at_s:
            waited = sum(
                max(0, wait - before.waits_ns[thread])
                for thread, wait in waits.items()
                if thread in before.waits_ns
            )
            now.per_s = waited * _NS / (self._now_s - before.at_s)
        self._known[pid] = now

    def _waits(self, pid: int) -> dict[str, int]:
        """Nanoseconds each thread has waited so far; empty when the process is gone."""
        folder = f"/proc/{pid}/task"
        try:
            threads = self._host.names(folder)
        except OSError:
            return {}
        waits = {}
        counted = False
        for thread in threads:
            with suppress(OSError, ValueError, IndexError):
                fields = self._host.read(f"{folder}/{thread}/schedstat").split()
                waits[thread] = int(fields[1])
                counted = counted or fields[2] != b"0"
        if threads and not counted:
            # "0 0 0" is what a kernel writes that does not count.
            raise Unavailable("the kernel does not count how long threads wait (schedstat)")
        return waits
