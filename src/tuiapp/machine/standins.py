"""Stand-ins for what identifies: the same for the same thing, in contents, links and names.

A control group's path is looked up again below /sys/fs/cgroup, so what is blanked in one place has
to be blanked alike in the other.
"""

from __future__ import annotations

import re

_UUID = re.compile(
    r"[0-9a-fA-F]{8}([-_])[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{12}"
)
_MAC = re.compile(r"(?<![0-9a-fA-F:])(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}(?![0-9a-fA-F:])")
_LONG_HEX = re.compile(r"(?<![0-9a-zA-Z])(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{32,}(?![0-9a-zA-Z])")
_HEX = re.compile(r"[0-9a-f]{12,}")
_OURS = re.compile(r"(?:pod)?0{3,}\d*")
_SEPARATORS = re.compile(r"(\\x2d|[-._@:])")
_KERNELS = re.compile(
    r"(?:cpu|cpuset|cpuacct|memory|pids|io|blkio|cgroup|hugetlb|misc|rdma)\.[\w.]+"
)
_WORDS = frozenset({
    "app", "apptainer", "aufs", "background", "besteffort", "blkio", "btrfs", "buildkit",
    "burstable", "conf", "conmon", "containerd", "containers", "cpu", "cpuacct", "cpuset", "cri",
    "crio", "default", "dev", "devices", "diff", "docker", "ecs", "etc", "freezer", "fs",
    "garden", "guaranteed", "home", "hostname", "hosts", "hugetlb", "incus", "init", "io", "kata",
    "kataShared", "kubepods", "l", "lib", "libpod", "local", "lxc", "lxcfs", "lxd", "machine",
    "machinectl", "memory", "merged", "misc", "mnt", "monitor", "nerdctl", "net_cls", "net_prio",
    "none", "nspawn", "overlay", "overlay2", "payload", "perf_event", "pids", "pod", "podman",
    "pools", "proc", "rdma", "resolv", "rootfs", "run", "sandbox", "scope", "service", "session",
    "share", "shared", "singularity", "slice", "snapshots", "snapshotter", "storage",
    "supervisor", "sys", "system", "systemd", "tmpfs", "unified", "user", "users", "v1", "v2",
    "var", "vfs", "work", "zfs",
})  # fmt: skip
"""Of managers and the kernel: they tell what shuts us in, and of nobody."""


class StandIns:
    """Remembers what stands for what."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._made: set[str] = set()

    def text(self, text: str) -> str:
        """``text`` with every UUID, hardware address and long number in hexadecimal replaced."""
        for pattern in (_UUID, _MAC, _LONG_HEX):
            text = pattern.sub(lambda found: self._digits(found[0]), text)
        return text

    def group(self, path: str) -> str:
        """A path of a control group or of a container's files: only words that managers and the
        kernel use stay, and their order."""
        return "/".join(self._part(part) for part in path.split("/"))

    def _part(self, part: str) -> str:
        if not part or _KERNELS.fullmatch(part):
            return part
        part = _UUID.sub(lambda found: self._digits(found[0]), part)
        return "".join(
            token if at % 2 else self._token(token)
            for at, token in enumerate(_SEPARATORS.split(part))
        )

    def _token(self, token: str) -> str:
        if not token or token in _WORDS or _OURS.fullmatch(token):
            return token
        if token.isdigit() and len(token) < 6:
            return token
        if all(word in _WORDS for word in token.split(",")):
            return token
        return self._digits(token) if _HEX.fullmatch(token) else self._name(token)

    def _digits(self, text: str) -> str:
        """Zeros in the same form, and a number at the end that tells two apart."""
        if text in self._made:
            return text
        if text not in self._known:
            number = str(len(self._known) + 1)
            zeros = re.sub(r"[0-9a-fA-F]", "0", text)
            self._known[text] = zeros[: -len(number)] + number
            self._made.add(self._known[text])
        return self._known[text]

    def _name(self, text: str) -> str:
        return self._known.setdefault(text, f"name{len(self._known) + 1}")
