"""Control groups: managers put each container into one of its own, named after it."""

from __future__ import annotations

import re

from tuiapp.machine.report import CERTAIN, LIKELY
from tuiapp.machine.sources.base import Notes

PATHS = ("/proc/self/cgroup", "/proc/1/cgroup")
MOST_LINES = 100

NAMES = (
    (r"(?:^|/)docker[-/][0-9a-f]{12,64}(?:\.scope)?(?:/|$)", "docker"),
    (r"(?:^|/)libpod-[0-9a-f]{12,64}(?:\.scope)?(?:/|$)", "podman"),
    (r"(?:^|/)crio-[0-9a-f]{12,64}(?:\.scope)?(?:/|$)", "crio"),
    (r"(?:^|/)lxc(?:/|\.payload[./])[^/]+", "lxc"),
    (r"(?:^|/)machine\.slice/[^/]+/payload(?:/|$)", "systemd-nspawn"),
    (r"(?:^|/)garden/", "garden"),
)
RUNNERS = (
    (r"(?:^|/)kubepods(?:[.\-/]|$)|cri-containerd[-:][0-9a-f]{12,64}", "kubernetes"),
    (r"(?:^|/)(?:ecs|buildkit|nerdctl|default)/[0-9a-f-]{12,64}(?:/|$)", "oci"),
    # Below any parent, for that can be chosen: engines give containers a number of 256 bits.
    (r"/[0-9a-f]{64}(?:/|$)", "oci"),
)
"""Not ``system.slice/docker.service``: that is the manager itself, on the host."""


def look(notes: Notes) -> None:
    """Look for a container's own group above us, or above the first process."""
    seen: set[str] = set()
    for path in PATHS:
        text = notes.text(path, quiet=True) or ""
        for line in text.split("\n", MOST_LINES)[:MOST_LINES]:
            group = line.split(":", 2)[-1]
            _note_group(notes, path, group, seen)


def _note_group(notes: Notes, path: str, group: str, seen: set[str]) -> None:
    for pattern, name in NAMES:
        if name not in seen and re.search(pattern, group):
            seen.add(name)
            proves = f"{name} names its containers' groups so"
            notes.add(path, group, proves, f"container={name}", CERTAIN)
    for pattern, name in RUNNERS:
        if name not in seen and re.search(pattern, group):
            seen.add(name)
            proves = f"{name} names its containers' groups so"
            notes.add(path, group, proves, f"container-runner={name}", LIKELY)
