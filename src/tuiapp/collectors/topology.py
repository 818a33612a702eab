"""How the CPUs and the memory of this machine are laid out, as sysfs shows it."""

from __future__ import annotations

from typing import Any

from tuiapp.collectors.base import Host
from tuiapp.collectors.host import parse_list
from tuiapp.errors import Unavailable

_CPU = "/sys/devices/system/cpu"
_NODE = "/sys/devices/system/node"
_MOST_NODES, _MOST_CACHES = 64, 8
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def first_cpu(host: Host) -> int:
    """The first CPU this process may run on; Unavailable when nothing tells."""
    allowed = parse_list(cpus_allowed(host))
    if not allowed:
        raise Unavailable("the list of CPUs we may run on is empty")
    return allowed[0]


def cpus_allowed(host: Host) -> str:
    """CPUs this process, and what it starts, may run on, as the kernel writes lists: ``0-3,8``."""
    for line in host.text("/proc/self/status").splitlines():
        name, _, value = line.partition(":")
        if name == "Cpus_allowed_list":
            return value.strip()
    raise Unavailable("/proc/self/status holds no Cpus_allowed_list")


def sockets(host: Host) -> int:
    """Physical packages with a CPU online."""
    online = parse_list(host.text(f"{_CPU}/online"))
    return len({host.text(f"{_CPU}/cpu{cpu}/topology/physical_package_id") for cpu in online})


def numa_nodes(host: Host) -> list[dict[str, Any]]:
    """The nodes with their CPUs and memory, in order."""
    numbers = parse_list(host.text(f"{_NODE}/online"))[:_MOST_NODES]
    return [
        {
            "node": node,
            "cpus": host.text(f"{_NODE}/node{node}/cpulist"),
            "memory_total_bytes": _node_bytes(host.text(f"{_NODE}/node{node}/meminfo")),
        }
        for node in numbers
    ]


def _node_bytes(meminfo: str) -> int | None:
    for line in meminfo.splitlines():
        words = line.split()
        if "MemTotal:" in words and len(words) >= 2 and words[-2].isdigit():
            return int(words[-2]) << 10
    return None


def caches(host: Host) -> dict[str, Any]:
    """Sizes by level of the first CPU we may run on, and which CPUs share its last level."""
    folder = f"{_CPU}/cpu{first_cpu(host)}/cache"
    found: dict[str, Any] = {}
    shared = {}
    for name in sorted(host.names(folder))[: 2 * _MOST_CACHES]:
        if not name.startswith("index") or host.text(f"{folder}/{name}/type") == "Instruction":
            continue
        level = host.text(f"{folder}/{name}/level")
        found[f"l{level}_bytes"] = _size_bytes(host.text(f"{folder}/{name}/size"))
        shared[level] = host.text(f"{folder}/{name}/shared_cpu_list")
    if not found:
        raise Unavailable(f"{folder} lists no cache")
    return found | {"last_level_cpus": shared[max(shared)]}


def _size_bytes(text: str) -> int | None:
    digits, unit = text[:-1], _UNITS.get(text[-1:])
    return int(digits) * unit if unit and digits.isdigit() else None
