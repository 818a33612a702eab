"""Takes what identifies a machine or its owner out of a captured file.

What detection and the probes of facts read stays; the rest of such a file is left out, because it
may say anything: a command line holds keys, a list of mounts the names of servers and people.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tuiapp.machine.sources.mounts import WATCHED

BLANK = "redacted"
BINARY = re.compile(r"/(?:raw|DMI|smbios_entry_point|dmi/tables|acpi/tables/\w+)")
_SERIALS = re.compile(
    r"(?:serial|serial[_-]number|uuid|asset_tag|hostname|machine-id|system-id|partition-name"
    r"|/address|/wwid)$",
    re.IGNORECASE,
)
_KEPT_TAGS = re.compile(
    rb"^(?:7783-7084-3265-9085-8269-3286-77|OracleCloud\.com|Amazon EC2|HUAWEICLOUD"
    rb"|OpenTelekomCloud)\s*$"
)
_LINES = re.compile(
    rb"(?im)^([ \t]*[\w. -]*(?:serial|uuid|sequence code|plant|lpar name|partition_name"
    rb"|system_id|extended name|vm\d\d name)[\w. \t]*[:=]).*$"
)
_IDENTIFICATION = re.compile(rb"(identification = )[0-9A-Fa-f]+")
_UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LONG_HEX = re.compile(rb"(?<![0-9a-fA-F])[0-9a-fA-F]{40,}(?![0-9a-fA-F])")
_MAC = re.compile(rb"(?<![0-9a-fA-F:])(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}(?![0-9a-fA-F:])")
_ENVIRONMENT = re.compile(
    rb"^(?:container|container_uuid|KUBERNETES_SERVICE_HOST|RUNPOD_\w+|WSL_\w+)="
)
_BUILDER = re.compile(rb"\((?!root@localhost\)|[^()]*icrosoft)[^()\s]+@[^()\s]+\)")
"""Who compiled the kernel: a person, where it was not a distribution."""
_STATUS = re.compile(rb"(?:Cpus_allowed(?:_list)?|Mems_allowed(?:_list)?|VxID|envID|Threads):")
_PARAMETER = re.compile(
    rb"(?:isolcpus|nohz_full|rcu_nocbs|mitigations|idle|processor\.max_cstate"
    rb"|intel_idle\.max_cstate|intel_pstate|amd_pstate|transparent_hugepage|iommu|intel_iommu"
    rb"|amd_iommu|nosmt|preempt|hugepages|hugepagesz|clocksource|tsc)(?:=[\w.,:+-]{1,100})?"
)
_MADE_UP_UUID = b"ffffffff-ffff-ffff-ffff-ffffffffffff"


def redact(path: str, data: bytes) -> bytes:
    """``data`` of ``path`` without what identifies a machine or a person."""
    for ending, rule in _FILES:
        if path.endswith(ending):
            data = rule(data)
            if path == _XEN_UUID:
                return data
            break
    else:
        if _SERIALS.search(path):
            return data if _KEPT_TAGS.match(data) or not data.strip() else f"{BLANK}\n".encode()
    data = _LINES.sub(rb"\1 " + BLANK.encode(), data)
    data = _UUID.sub(b"00000000-0000-0000-0000-000000000000", data)
    data = _MAC.sub(b"00:00:00:00:00:00", data)
    return _LONG_HEX.sub(lambda found: b"0" * len(found[0]), data)


def _environment(data: bytes) -> bytes:
    kept = [entry for entry in data.split(b"\0") if _ENVIRONMENT.match(entry)]
    return b"\0".join(entry.partition(b"=")[0] + b"=" + _kept_value(entry) for entry in kept)


def _kept_value(entry: bytes) -> bytes:
    name, _, value = entry.partition(b"=")
    return value if name == b"container" else BLANK.encode()


def _command_line(data: bytes) -> bytes:
    """The settings that a probe tells anyway."""
    words = data.partition(b" -- ")[0].split()
    return b" ".join(word for word in words if _PARAMETER.fullmatch(word)) + b"\n"


def _mounts(data: bytes) -> bytes:
    """The root, what managers lay over it, and the kernel's own; not the owner's disks."""
    watched = {place.encode() for place in WATCHED}
    kept = []
    for line in data.splitlines(keepends=True):
        place = (line.split(b" ", 5) + [b""] * 5)[4]
        if place in watched or place.startswith((b"/proc/", b"/sys/fs/cgroup")):
            kept.append(line)
    return b"".join(kept)


def _status(data: bytes) -> bytes:
    return b"".join(line for line in data.splitlines(keepends=True) if _STATUS.match(line))


def _xen_uuid(data: bytes) -> bytes:
    """Detection looks whether it is all zeros, or begins with ``ec2``; so the rest may go."""
    text = data.strip()
    if not text.strip(b"0-"):
        return data
    kept = 3 if text.lower().startswith(b"ec2") else 0
    return text[:kept] + _MADE_UP_UUID[kept:] + b"\n"


_XEN_UUID = "/sys/hypervisor/uuid"
_FILES: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("/environ", _environment),
    ("/proc/cmdline", _command_line),
    ("/mountinfo", _mounts),
    ("/status", _status),
    ("/proc/version", lambda data: _BUILDER.sub(b"(builder)", data)),
    ("/proc/cpuinfo", lambda data: _IDENTIFICATION.sub(rb"\g<1>000000", data)),
    (_XEN_UUID, _xen_uuid),
)
"""How a path ends, and what is kept of the file."""
