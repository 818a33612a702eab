"""What the engine's processes, and our own, take from the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tuiapp.collectors.base import NAN, Collector, Gauges, Host
from tuiapp.collectors.proctree import ProcessTree, Stat, read_stat, switches
from tuiapp.collectors.runwait import RunWait
from tuiapp.errors import Unavailable

MOST_PROCESSES = 8


@dataclass(frozen=True, slots=True)
class Used:
    """What a process has used since it began; ``start_ticks`` tells two with one id apart."""

    start_ticks: int
    cpu_ticks: int = 0
    major_faults: int = 0
    vol_ctxt: int = 0
    invol_ctxt: int = 0


class ProcessCollector(Collector):
    """Groups ``process`` (the tree of a watched process, added up), ``process.tree`` (each of it)
    and ``process.app`` (our own process).

    Orders: ``{"op": "watch", "pid": N}`` and ``{"op": "watch_app", "pid": N}``.

    - ``cpu_cores``: CPU seconds per second. What a process used between the last sample and its
      end is lost.
    - ``rss_bytes``: sum of resident sets; memory two processes share is counted twice.
    - ``vol_ctxt``, ``invol_ctxt``, ``major_faults``: how many since the sample before; switches
      are those of the processes' main threads, where the engine's loops run.
    - ``run_wait_cores``: threads that could have run and waited for a CPU, on average.

    In ``process.tree``, for each of the eight largest: ``p0_pid``, ``p0_parent``, ``p0_cpu_cores``,
    ``p0_rss_bytes``, ``p0_threads``, ``p1_pid`` and so on, the watched one first. The fact
    ``engine_processes`` names them by pid.
    """

    name = "process"
    groups = ("process", "process.tree", "process.app")
    every = 2

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._engine: _Usage | None = None
        self._app: int | None = None
        self._app_before: Stat | None = None
        self._names: dict[str, str] = {}

    def open(self) -> None:
        try:
            self.host.names("/proc")
        except OSError as error:
            raise Unavailable("/proc cannot be read") from error

    def command(self, message: Mapping[str, Any]) -> None:
        pid = message.get("pid")
        if not isinstance(pid, int) or pid <= 0:
            return
        if message.get("op") == "watch":
            self._engine = _Usage(self.host, pid)
        elif message.get("op") == "watch_app":
            self._app = pid
            self._app_before = read_stat(self.host, pid)

    def sample(self, dt_s: float) -> dict[str, Gauges]:
        samples = {}
        if self._engine is not None:
            samples["process"] = self._engine.gauges(dt_s)
            samples["process"]["run_wait_cores"] = self.gauge(
                "process.run_wait_cores", partial(self._engine.run_wait_cores, dt_s)
            )
            samples["process.tree"] = self._engine.each(dt_s)
            if not samples["process"]["procs"]:
                self.unknown(
                    "process", f"process {self._engine.root} has ended or is hidden from us"
                )
        if self._app is not None:
            samples["process.app"] = self._app_gauges(self._app, dt_s)
        return samples

    def news(self) -> dict[str, Any]:
        """The names of the tree's processes, when there are others than before."""
        names = {} if self._engine is None else self._engine.names()
        if names == self._names:
            return {}
        self._names = names
        return {"engine_processes": names}

    def _app_gauges(self, pid: int, dt_s: float) -> Gauges:
        before, now = self._app_before, read_stat(self.host, pid)
        self._app_before = now
        if now is None:
            self.unknown("process.app", f"process {pid} cannot be read")
            return {"cpu_cores": NAN, "rss_bytes": NAN}
        ticks = now.cpu_ticks - before.cpu_ticks if before else NAN
        return {
            "cpu_cores": ticks / self.host.clock_hz / dt_s,
            "rss_bytes": float(now.rss_pages * self.host.page_bytes),
        }


class _Usage:
    """A process tree's use of the machine between two calls."""

    def __init__(self, host: Host, root: int) -> None:
        self.root = root
        self._host = host
        self._tree = ProcessTree(host, root)
        self._before: dict[int, Used] = {}
        self._alive: list[Stat] = []
        self._spent: dict[int, int] = {}
        self._run_wait = RunWait(host)
        self._measure()

    def run_wait_cores(self, dt_s: float) -> float:
        """Of the processes ``gauges`` found last."""
        return self._run_wait.cores([(stat.pid, stat.threads) for stat in self._alive], dt_s)

    def gauges(self, dt_s: float) -> Gauges:
        stats, used = self._measure()
        alive = self._alive = [stat for stat in stats if not stat.dead]
        return {
            "cpu_cores": used.cpu_ticks / self._host.clock_hz / dt_s,
            "rss_bytes": float(sum(stat.rss_pages for stat in alive) * self._host.page_bytes),
            "threads": float(sum(stat.threads for stat in alive)),
            "procs": float(len(alive)),
            "vol_ctxt": float(used.vol_ctxt),
            "invol_ctxt": float(used.invol_ctxt),
            "major_faults": float(used.major_faults),
        }

    def each(self, dt_s: float) -> Gauges:
        """The largest processes that ``gauges`` found last, the root first."""
        gauges: Gauges = {}
        for slot, stat in enumerate(self._largest()):
            ticks = self._spent.get(stat.pid, 0)
            gauges |= {
                f"p{slot}_pid": float(stat.pid),
                f"p{slot}_parent": float(stat.parent),
                f"p{slot}_cpu_cores": ticks / self._host.clock_hz / dt_s,
                f"p{slot}_rss_bytes": float(stat.rss_pages * self._host.page_bytes),
                f"p{slot}_threads": float(stat.threads),
            }
        return gauges

    def names(self) -> dict[str, str]:
        """What the same processes are called, by pid."""
        return {str(stat.pid): stat.name for stat in self._largest()}

    def _largest(self) -> list[Stat]:
        by_size = sorted(self._alive, key=lambda stat: (stat.pid != self.root, -stat.rss_pages))
        return sorted(by_size[:MOST_PROCESSES], key=lambda stat: (stat.pid != self.root, stat.pid))

    def _measure(self) -> tuple[list[Stat], Used]:
        """The tree's processes, and what they used since the last call."""
        stats = self._tree.read()
        now = {stat.pid: self._used(stat) for stat in stats}
        cpu = faults = voluntary = involuntary = 0
        spent: dict[int, int] = {}
        self._spent = spent
        for pid, used in now.items():
            before = self._baseline(pid, used)
            spent[pid] = used.cpu_ticks - before.cpu_ticks
            cpu += spent[pid]
            faults += used.major_faults - before.major_faults
            voluntary += max(0, used.vol_ctxt - before.vol_ctxt)
            involuntary += max(0, used.invol_ctxt - before.invol_ctxt)
        self._before = now
        return stats, Used(0, cpu, faults, voluntary, involuntary)

    def _used(self, stat: Stat) -> Used:
        counts = (0, 0) if stat.dead else switches(self._host, stat.pid)
        return Used(stat.start_ticks, stat.cpu_ticks, stat.major_faults, *counts)

    def _baseline(self, pid: int, used: Used) -> Used:
        before = self._before.get(pid)
        if before is not None and before.start_ticks == used.start_ticks:
            return before
        return Used(used.start_ticks) if pid in self._tree.fresh else used
