"""Whose memory and time it is: the engine's processes on a GPU, and the others'.

The driver lists processes by the numbers of the host. Inside a container these are not ours, or
the list is empty; then nothing is attributed to anybody, and the reason is told.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from tuiapp.collectors.base import NAN, Gauges, Host
from tuiapp.collectors.nvml_fields import first_supported
from tuiapp.collectors.proctree import read_stat

GAUGES = ("own_bytes", "other_bytes", "own_procs", "other_procs")
SLOTS = 6
"""Processes of a device that are listed one by one, the largest first."""
HIDDEN_FROM_BYTES = 256 << 20
"""Memory in use from which a list without processes is not believed."""
_FIRST_PID_NAMESPACE = "pid:[4026531836]"
_MOST_PARENTS = 64
_FORGET_EVERY = 64
"""Calls after which every process is looked at anew: numbers come again."""
NAMESPACE = (
    "the driver counts processes as the host does, and this container has numbers of its own"
)
HIDDEN = "memory is in use, but no compute process is listed"
HIDDEN_INSIDE = f"{HIDDEN}: inside a container they are hidden"
NO_MEMORY = "the driver does not say how much memory a process has"


class Process(NamedTuple):
    """A process on a GPU; ``used_bytes`` is NaN where the driver does not say."""

    pid: int
    used_bytes: float


class Owners:
    """Tells the engine's processes from others; keeps what it found for a while."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._known: dict[int, bool] = {}
        self._root: int | None = None
        self._calls = 0

    @property
    def namespaced(self) -> bool:
        """Our process numbers are not the host's; unknown counts as no."""
        with suppress(OSError):
            return self._host.link("/proc/self/ns/pid") != _FIRST_PID_NAMESPACE
        return False

    def watch(self, root: int) -> None:
        """From now on the engine is ``root`` and what belongs to it."""
        self._root = root
        self._known = {}

    def own(self, pids: Collection[int]) -> set[int]:
        """Those of ``pids`` that belong to the engine."""
        root = self._root
        if root is None:
            return set()
        self._calls += 1
        if self._calls % _FORGET_EVERY == 0:
            self._known = {}
        for pid in pids:
            if pid not in self._known:
                self._known[pid] = self._belongs(pid, root)
        return {pid for pid in pids if self._known[pid]}

    def _belongs(self, pid: int, root: int) -> bool:
        for _ in range(_MOST_PARENTS):
            if pid == root:
                return True
            stat = read_stat(self._host, pid) if pid > 1 else None
            if stat is None:
                return False
            if root in (stat.group, stat.session):
                return True
            pid = stat.parent
        return False


def running(nvml: Any, gpu: Any) -> list[Process]:
    """The compute processes on a device or MIG instance, the largest first."""
    found = first_supported(
        nvml,
        lambda: nvml.nvmlDeviceGetComputeRunningProcesses(gpu),
        lambda: nvml.nvmlDeviceGetComputeRunningProcesses_v2(gpu),
    )
    known = [Process(p.pid, NAN if p.usedGpuMemory is None else p.usedGpuMemory) for p in found]
    return sorted(known, key=lambda process: -process.used_bytes)


def attribute(
    processes: Sequence[Process], own: set[int], used_bytes: float, *, namespaced: bool
) -> tuple[Gauges, str]:
    """(gauges, why they are unknown): what the engine has of a GPU's memory, and what others have.

    Args:
        processes: all that the driver lists.
        own: numbers of the engine's.
        used_bytes: memory in use on the device; NaN when unknown.
        namespaced: our process numbers are not the host's.
    """
    if not processes and used_bytes >= HIDDEN_FROM_BYTES:
        return dict.fromkeys(GAUGES, NAN), HIDDEN_INSIDE if namespaced else HIDDEN
    if processes and not own and namespaced:
        return dict.fromkeys(GAUGES, NAN), NAMESPACE
    mine = [process.used_bytes for process in processes if process.pid in own]
    others = [process.used_bytes for process in processes if process.pid not in own]
    gauges = dict(
        zip(GAUGES, (sum(mine), sum(others), float(len(mine)), float(len(others))), strict=True)
    )
    silent = any(process.used_bytes != process.used_bytes for process in processes)
    return gauges, NO_MEMORY if silent else ""


def listed(processes: Sequence[Process], own: set[int]) -> Gauges:
    """The largest processes one by one: ``p0_pid``, ``p0_bytes``, ``p0_own``."""
    gauges: Gauges = {}
    for at in range(SLOTS):
        process = processes[at] if at < len(processes) else None
        gauges[f"p{at}_pid"] = float(process.pid) if process else NAN
        gauges[f"p{at}_bytes"] = process.used_bytes if process else NAN
        gauges[f"p{at}_own"] = float(process.pid in own) if process else NAN
    return gauges


def others_share(nvml: Any, gpu: Any, since_us: int, own: set[int]) -> tuple[float, int]:
    """(share of the SMs' time that others had, newest sample) since a sample.

    Raises:
        NVMLError: the driver does not say.
    """
    try:
        samples = nvml.nvmlDeviceGetProcessUtilization(gpu, since_us)
    except nvml.NVMLError as error:
        if error.value != nvml.NVML_ERROR_NOT_FOUND:
            raise
        return 0.0, since_us
    shares: dict[int, list[int]] = {}
    for sample in samples:
        if sample.timeStamp > since_us and sample.pid not in own:
            shares.setdefault(sample.pid, []).append(sample.smUtil)
    newest = max((sample.timeStamp for sample in samples), default=since_us)
    return sum(sum(found) / len(found) for found in shares.values()) / 100, max(newest, since_us)
