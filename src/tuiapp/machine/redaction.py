"""Takes what identifies a machine or its owner out of a captured file.

What detection and the probes of facts read stays; the rest of such a file is left out, because it
may say anything: a command line holds keys, a list of mounts the names of servers and people.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tuiapp.machine.sources.apptainer import VARIABLES as APPTAINER
from tuiapp.machine.sources.cloud import TAGS
from tuiapp.machine.sources.clouds import PROVIDERS as CLOUDS
from tuiapp.machine.sources.environment import PROVIDERS
from tuiapp.machine.sources.manager import manager_name
from tuiapp.machine.sources.mounts import WATCHED
from tuiapp.machine.standins import StandIns

BLANK = "redacted"
BINARY = re.compile(r"/(?:raw|DMI|smbios_entry_point|dmi/tables|acpi/tables/\w+)")
_SERIALS = re.compile(
    r"(?:serial|serial[_-]number|uuid|asset_tag|hostname|machine-id|system-id|partition-name"
    r"|/address|/wwid)$",
    re.IGNORECASE,
)
_LINES = re.compile(
    rb"(?im)^([ \t]*[\w. -]*(?:serial|uuid|sequence code|plant|lpar name|partition_name"
    rb"|system_id|extended name|vm\d\d name|asset tag)[\w. \t]*[:=]).*$"
)
_IDENTIFICATION = re.compile(rb"(identification = )[0-9A-Fa-f]+")
_VARIABLES = "|".join((*PROVIDERS, *APPTAINER))
_ENVIRONMENT = re.compile(
    rb"^(?:container|container_uuid|KUBERNETES_SERVICE_HOST|RUNPOD_\w+|WSL_\w+|%b)="
    % _VARIABLES.encode()
)
_BUILDER = re.compile(rb"\((?!root@localhost\)|[^()]*icrosoft)[^()\s]+@[^()\s]+\)")
"""Who compiled the kernel: a person, where it was not a distribution."""
_STATUS = re.compile(rb"(?:Cpus_allowed(?:_list)?|Mems_allowed(?:_list)?|VxID|envID|Threads):")
_PARAMETER = re.compile(
    rb"(?:isolcpus|nohz_full|rcu_nocbs|mitigations|idle|processor\.max_cstate"
    rb"|intel_idle\.max_cstate|intel_pstate|amd_pstate|transparent_hugepage|iommu|intel_iommu"
    rb"|amd_iommu|nosmt|preempt|hugepages|hugepagesz|clocksource|tsc)(?:=[\w.,:+-]{1,100})?"
)
_FIRST = (b"systemd", b"init", b"bwrap", b"bash", b"sh", b"tini", b"docker-init", b"dumb-init",
          b"catatonit", b"s6-svscan", b"runit", b"busybox")  # fmt: skip
_DISTRIBUTION = re.compile(rb"(?:NAME|PRETTY_NAME|ID|ID_LIKE|VERSION(?:_ID|_CODENAME)?)=")
_SOURCE = re.compile(
    r"overlay|none|tmpfs|proc|sysfs|cgroup2?|lxcfs|kataShared|systemd|/dev/[a-z0-9]+"
)
_LAYERS = frozenset({"lowerdir", "upperdir", "workdir"})
"""Options of a mount in which a manager's store shows; others hold addresses and names."""
_GROUP_OPTION = re.compile(r"[a-z_]+|name=systemd")
_MADE_UP_UUID = b"ffffffff-ffff-ffff-ffff-ffffffffffff"


def redact(path: str, data: bytes, names: StandIns | None = None) -> bytes:
    """``data`` of ``path`` without what identifies a machine or a person.

    Args:
        names: of the whole capture; new ones, when left out.
    """
    names = names or StandIns()
    for ending, rule in _FILES:
        if path.endswith(ending):
            data = rule(data, names)
            if rule in (_xen_uuid, _tag):
                return data
            break
    else:
        if _SERIALS.search(path):
            return data if not data.strip() else f"{BLANK}\n".encode()
    data = _LINES.sub(rb"\1 " + BLANK.encode(), data)
    # latin-1 takes every byte as it is and back.
    return names.text(data.decode("latin-1")).encode("latin-1")


def member_name(path: str, names: StandIns) -> str:
    """The name of a captured file."""
    if path.startswith(_GROUPS):
        return _GROUPS + names.group(path.removeprefix(_GROUPS))
    return names.text(path)


def _environment(data: bytes, _: StandIns) -> bytes:
    kept = [entry for entry in data.split(b"\0") if _ENVIRONMENT.match(entry)]
    return b"\0".join(entry.partition(b"=")[0] + b"=" + _kept_value(entry) for entry in kept)


def _kept_value(entry: bytes) -> bytes:
    name, _, value = entry.partition(b"=")
    return _manager(value) if name == b"container" else BLANK.encode()


def _manager(data: bytes, _: StandIns | None = None) -> bytes:
    """A container manager's name, and nothing behind it."""
    first = data.decode("latin-1").strip().partition("\n")[0]
    return manager_name(first).encode()


def _first_process(data: bytes, _: StandIns) -> bytes:
    """Detection knows one name; the usual ones tell nothing of the owner."""
    name = data.strip()
    return (name if name in _FIRST else b"other") + b"\n"


def _release(data: bytes, _: StandIns) -> bytes:
    return b"".join(line for line in data.splitlines(keepends=True) if _DISTRIBUTION.match(line))


def _command_line(data: bytes, _: StandIns) -> bytes:
    """The settings that a probe tells anyway."""
    words = data.partition(b" -- ")[0].split()
    return b" ".join(word for word in words if _PARAMETER.fullmatch(word)) + b"\n"


def _group_lines(data: bytes, names: StandIns) -> bytes:
    """``/proc/PID/cgroup``: the path behind the second colon."""
    kept = []
    for line in data.decode("latin-1").splitlines():
        head, colon, path = line.partition(":/")
        kept.append(head + (colon + names.group(path) if colon else ""))
    return "".join(f"{line}\n" for line in kept).encode("latin-1")


def _mounts(data: bytes, names: StandIns) -> bytes:
    """The root, what managers lay over it, and the kernel's own; not the owner's disks.

    Of what is kept, paths in the root and in options lose their names, and so does the source of
    anything that is no file system of the kernel's: it may be a server. Of the options stay the
    layers, whether it can be written, and a control group's controllers.
    """
    kept = []
    for line in data.decode("latin-1").splitlines():
        fields = line.split(" ")
        if len(fields) < 10 or "-" not in fields:
            continue
        place, dash = fields[4], fields.index("-")
        if place not in WATCHED and not place.startswith(("/proc/", "/sys/fs/cgroup")):
            continue
        fields[3] = names.group(fields[3])
        if len(fields) > dash + 2 and not _SOURCE.fullmatch(fields[dash + 2]):
            fields[dash + 2] = BLANK
        options = _mount_options(" ".join(fields[dash + 3 :]), fields[dash + 1], names)
        kept.append(" ".join((*fields[: dash + 3], *options)))
    return "".join(f"{line}\n" for line in kept).encode("latin-1")


def _mount_options(text: str, kind: str, names: StandIns) -> list[str]:
    """The options as one field; none where there was none."""
    kept = []
    for option in text.split(","):
        name, equals, value = option.partition("=")
        if name in _LAYERS and equals:
            kept.append(f"{name}=" + ":".join(names.group(path) for path in value.split(":")))
        elif option in ("rw", "ro") or (
            kind in ("cgroup", "cgroup2") and _GROUP_OPTION.fullmatch(option)
        ):
            kept.append(option)
    return [",".join(kept) or "rw"] if text else []


def _status(data: bytes, _: StandIns) -> bytes:
    return b"".join(line for line in data.splitlines(keepends=True) if _STATUS.match(line))


def _tag(data: bytes, _: StandIns) -> bytes:
    """What detection knows a provider by is no secret; what stands behind it may be."""
    tag = data.decode("latin-1").strip()
    known = [found[0] for pattern in _TAGS if (found := pattern.match(tag)) and found[0]]
    longest = max(known, key=len, default="")
    if tag == longest and not _NUMBER.match(tag):
        return data
    words = (_NUMBER.sub("0", longest), "" if tag == longest else BLANK)
    return " ".join(filter(None, words)).encode("latin-1") + b"\n"


def _xen_uuid(data: bytes, _: StandIns) -> bytes:
    """Detection looks whether it is all zeros, or begins with ``ec2``; so the rest may go."""
    text = data.strip()
    if not text.strip(b"0-"):
        return data
    kept = 3 if text.lower().startswith(b"ec2") else 0
    return text[:kept] + _MADE_UP_UUID[kept:] + b"\n"


_GROUPS = "/sys/fs/cgroup"
_TAGS = (
    *(re.compile(pattern) for field, pattern, _ in TAGS if field == "chassis_asset_tag"),
    *(pattern for pattern, _ in CLOUDS),
)
_NUMBER = re.compile(r"^\d+(?=\.zstack)")
_XEN_UUID = "/sys/hypervisor/uuid"
_FILES: tuple[tuple[str, Callable[[bytes, StandIns], bytes]], ...] = (
    ("/chassis_asset_tag", _tag),
    ("/environ", _environment),
    ("/proc/cmdline", _command_line),
    ("/mountinfo", _mounts),
    ("/cgroup", _group_lines),
    ("/proc/1/comm", _first_process),
    ("/run/host/container-manager", _manager),
    ("/run/systemd/container", _manager),
    ("/os-release", _release),
    ("/status", _status),
    ("/proc/version", lambda data, _: _BUILDER.sub(b"(builder)", data)),
    ("/proc/cpuinfo", lambda data, _: _IDENTIFICATION.sub(rb"\g<1>000000", data)),
    (_XEN_UUID, _xen_uuid),
)
"""How a path ends, and what is kept of the file."""
