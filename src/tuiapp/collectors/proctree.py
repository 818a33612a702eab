"""A process and everything that belongs to it, read straight from /proc."""

from __future__ import annotations

from dataclasses import dataclass

from tuiapp.collectors.base import Host

_RESCAN = 30
"""Calls between two looks at every process; in between only at those that are new."""
_DEAD = b"ZX"


@dataclass(frozen=True, slots=True)
class Stat:
    """What /proc/<pid>/stat says (proc_pid_stat(5)); times in clock ticks."""

    pid: int
    state: bytes
    parent: int
    group: int
    session: int
    major_faults: int
    cpu_ticks: int
    threads: int
    start_ticks: int
    rss_pages: int
    name: str = ""

    @property
    def dead(self) -> bool:
        """Ended, though nobody has asked for its exit status yet."""
        return self.state in _DEAD


def read_stat(host: Host, pid: int) -> Stat | None:
    """The process as it is now; None when there is none, or it is hidden from us."""
    try:
        data = host.read(f"/proc/{pid}/stat")
        # The command's name is the second field, and may hold blanks and parentheses.
        end = data.rindex(b")")
        name, fields = data[data.index(b"(") + 1 : end], data[end + 2 :].split()
        numbers = [int(fields[place]) for place in range(1, 22)]
    except (OSError, ValueError, IndexError):  # ESRCH comes from the read itself
        return None
    return Stat(
        pid,
        fields[0],
        parent=numbers[0],
        group=numbers[1],
        session=numbers[2],
        major_faults=numbers[8],
        cpu_ticks=numbers[10] + numbers[11],
        threads=numbers[16],
        start_ticks=numbers[18],
        rss_pages=numbers[20],
        name=name.decode("utf-8", "replace"),
    )


def switches(host: Host, pid: int) -> tuple[int, int]:
    """(voluntary, involuntary) context switches of the process's main thread so far."""
    counts = [0, 0]
    try:
        lines = host.read(f"/proc/{pid}/status").split(b"\n")
        for line in lines[-6:]:
            name, _, value = line.partition(b":")
            if name.endswith(b"voluntary_ctxt_switches"):
                counts[name.startswith(b"non")] = int(value)
    except (OSError, ValueError):
        return 0, 0
    return counts[0], counts[1]


class ProcessTree:
    """The descendants of ``root``, and what shares its session or process group if it leads one.

    A process that leaves both by forking twice is missed if that takes less than a call's time.
    """

    def __init__(self, host: Host, root: int) -> None:
        self._host = host
        self._root = root
        self._seen: set[str] = set()
        self._members: set[int] = {root}
        self._calls = 0
        self.fresh: set[int] = set()
        """Members that were not there at the call before: all they used, they used since."""

    def read(self) -> list[Stat]:
        """The members alive or dead but unreaped, as they are now."""
        self._find()
        stats = [stat for pid in self._members if (stat := read_stat(self._host, pid))]
        self._members = {stat.pid for stat in stats}
        return stats

    def _find(self) -> None:
        full = self._calls % _RESCAN == 0
        self._calls += 1
        names = {name for name in self._host.names("/proc") if name.isdigit()}
        new = names if full else names - self._seen
        self._seen = names
        before = set(self._members)
        self._admit([stat for name in new if (stat := read_stat(self._host, int(name)))])
        self.fresh = set() if full else self._members - before

    def _admit(self, candidates: list[Stat]) -> None:
        """Children may come before their parents: go round until nobody is added."""
        members, root = self._members, self._root
        while True:
            others = []
            for stat in candidates:
                if stat.parent in members or root in (stat.group, stat.session):
                    members.add(stat.pid)
                else:
                    others.append(stat)
            if len(others) == len(candidates):
                return
            candidates = others
