"""Mounts: a container's root lies in its manager's store, whatever its namespaces are."""

from __future__ import annotations

import re

from tuiapp.machine.report import CERTAIN, LIKELY
from tuiapp.machine.sources.base import Notes

PATH = "/proc/self/mountinfo"
MOST_LINES = 2000

STORES = (
    (r"/docker/(?:[\w.-]+/)*(?:overlay2?|vfs|btrfs|zfs|containers|aufs)/", "docker"),
    (r"/containers/storage/|/libpod/", "podman"),
    (r"/(?:lxc|lxd|incus)/(?:storage-pools/|containers/|rootfs|[^/]+/rootfs)", "lxc"),
    (r"/(?:apptainer|singularity)/mnt/session/", "apptainer"),
    (r"/containerd/|snapshotter\.v1\.", "oci"),
)
WATCHED = frozenset({"/", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf"})


def look(notes: Notes) -> None:
    """Look where the root, and the files that managers lay over it, come from."""
    text = notes.text(PATH, quiet=True) or ""
    seen: set[str] = set()
    for line in text.split("\n", MOST_LINES)[:MOST_LINES]:
        fields = line.split(" ")
        if len(fields) < 10 or "-" not in fields:
            continue
        if "fuse.lxcfs" in fields and fields[4].startswith("/proc/") and "lxcfs" not in seen:
            seen.add("lxcfs")
            proves = "lxcfs counts the processors for a container here"
            notes.add(f"{PATH} {fields[4]}", "fuse.lxcfs", proves, "container=lxc", LIKELY)
        if fields[4] not in WATCHED:
            continue
        if fields[4] == "/" and "kataShared" in fields[fields.index("-") + 1 :]:
            proves = "the root is shared into a virtual machine of its own by Kata"
            notes.add(f"{PATH} {fields[4]}", "kataShared", proves, "container=kata", CERTAIN)
        _note_store(notes, fields, seen)
    if notes.tree.exists("/run/kata-containers") and "kata" not in text:
        proves = "Kata's agent keeps its containers here"
        notes.add("/run/kata-containers", "exists", proves, "container=kata", LIKELY)


def _note_store(notes: Notes, fields: list[str], seen: set[str]) -> None:
    source = f"{fields[3]} {fields[-1]}"
    name = next((name for pattern, name in STORES if re.search(pattern, source)), None)
    if name and name not in seen:
        seen.add(name)
        proves = f"it lies in the store of {name}"
        notes.add(f"{PATH} {fields[4]}", source, proves, f"container-store={name}", LIKELY)
