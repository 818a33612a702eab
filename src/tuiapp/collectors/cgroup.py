"""Limits of the control group this process is in: version 1, version 2, or both side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tuiapp.collectors.base import Host
from tuiapp.errors import Unavailable

_UNLIMITED_BYTES = 1 << 60
"""Version 1 writes "no limit" as the largest whole number of pages, which differs by machine."""


@dataclass(frozen=True, slots=True)
class Level:
    """A control group on the way from ours to the root: its directory and its version."""

    path: str
    version: int


@dataclass(frozen=True, slots=True)
class CpuQuota:
    """A CPU limit: the group that has it, and how many CPUs' time it grants."""

    level: Level
    cores: float


def levels(host: Host, controller: str) -> list[Level]:
    """Our group and those above it that are visible here, ours first.

    Raises:
        Unavailable: no control group file system with this controller is visible.
    """
    try:
        version, group = _group(host.text("/proc/self/cgroup"), controller)
        mount, mount_root = _mount(host.text("/proc/self/mountinfo"), controller, version)
    except OSError as error:
        raise Unavailable("the control group of this process cannot be read") from error
    inner = group.removeprefix(mount_root.rstrip("/")).strip("/")
    parts = inner.split("/") if inner and ".." not in inner else []
    return [
        Level("/".join((mount, *parts[:depth])), version) for depth in range(len(parts), -1, -1)
    ]


def cpu_quota(host: Host) -> CpuQuota | None:
    """The tightest CPU limit over us, None when there is none; Unavailable like ``levels``."""
    quotas = [
        CpuQuota(level, cores)
        for level in levels(host, "cpu")
        if (cores := _quota_cores(host, level)) is not None
    ]
    return min(quotas, key=lambda quota: quota.cores, default=None)


def shares_cpu(host: Host) -> bool:
    """Whether a control group of our own sets our share of the CPU; Unavailable like ``levels``.

    Told from files that only groups below the root have, or only the root has (cgroups(7)): in a
    container our own group is called ``/``, too.
    """
    return any(_below_root(host, level) for level in levels(host, "cpu"))


def _below_root(host: Host, level: Level) -> bool:
    if level.version == 2:
        return bool(_read(host, f"{level.path}/cpu.max"))
    of_root = _read(host, f"{level.path}/cgroup.sane_behavior")
    return not of_root and bool(_read(host, f"{level.path}/cpu.shares"))


def throttled_s(host: Host, level: Level) -> float:
    """Seconds the group's threads have been held back by its CPU limit, summed over CPUs."""
    key, per_s = ("throttled_usec", 1e6) if level.version == 2 else ("throttled_time", 1e9)
    for line in host.text(f"{level.path}/cpu.stat").splitlines():
        name, _, value = line.partition(" ")
        if name == key:
            return int(value) / per_s
    raise Unavailable(f"{level.path}/cpu.stat holds no {key}")


def memory_limit_bytes(host: Host) -> int | None:
    """The tightest memory limit over us, None when there is none; Unavailable like ``levels``."""
    limits = []
    for level in levels(host, "memory"):
        name = "memory.max" if level.version == 2 else "memory.limit_in_bytes"
        limit = _read(host, f"{level.path}/{name}")
        if limit.isdigit() and int(limit) < _UNLIMITED_BYTES:
            limits.append(int(limit))
    return min(limits, default=None)


def memory_left_bytes(host: Host) -> int | None:
    """What the limits over us leave to use, None without a limit; Unavailable like ``levels``."""
    left = []
    for level in levels(host, "memory"):
        names = ("memory.max", "memory.current")
        if level.version == 1:
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
        limit, used = (_read(host, f"{level.path}/{name}") for name in names)
        if limit.isdigit() and used.isdigit() and int(limit) < _UNLIMITED_BYTES:
            left.append(max(int(limit) - int(used), 0))
    return min(left, default=None)


def _quota_cores(host: Host, level: Level) -> float | None:
    if level.version == 2:
        quota, _, period = _read(host, f"{level.path}/cpu.max").partition(" ")
    else:
        quota = _read(host, f"{level.path}/cpu.cfs_quota_us")
        period = _read(host, f"{level.path}/cpu.cfs_period_us")
    if not (quota.isdigit() and period.isdigit() and int(period)):
        return None
    return int(quota) / int(period)


def _read(host: Host, path: str) -> str:
    """The file's text; empty when it is not there, as in a root group."""
    try:
        return host.text(path)
    except OSError:
        return ""


def _group(cgroup: str, controller: str) -> tuple[int, str]:
    """(version, path of our group); where both versions are mounted, a controller is in one."""
    unified = None
    for line in cgroup.splitlines():
        hierarchy, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller in controllers.split(","):
            return 1, path
        if hierarchy == "0":
            unified = path
    if unified is None:
        raise Unavailable(f"no control group with the {controller} controller")
    return 2, unified


def _mount(mountinfo: str, controller: str, version: int) -> tuple[str, str]:
    """(mount point, group at the mount point); see proc_pid_mountinfo(5)."""
    for point, root, kind, options in _mounts(mountinfo):
        if version == 2 and kind == "cgroup2":
            return point, root
        if version == 1 and kind == "cgroup" and controller in options:
            return point, root
    raise Unavailable(f"no control group file system with the {controller} controller is mounted")


def _mounts(mountinfo: str) -> Iterator[tuple[str, str, str, list[str]]]:
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        fields, rest = left.split(), right.split()
        if len(fields) >= 5 and len(rest) >= 3:
            yield fields[4], fields[3], rest[0], rest[2].split(",")
