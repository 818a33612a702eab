"""What container managers leave for the ones they shut in."""

from __future__ import annotations

import re

from tuiapp.machine.report import CERTAIN, LIKELY, WEAK
from tuiapp.machine.sources.base import Notes

NAMED = ("/run/host/container-manager", "/run/systemd/container")
_NAME = re.compile(r"[a-z][a-z0-9._-]{0,31}")
ALIASES = {"lxc-libvirt": "lxc", "containerd": "oci", "bwrap": "bubblewrap"}


def look(notes: Notes) -> None:
    """Read the managers' own names first, then the files that only they leave."""
    for path in NAMED:
        text = notes.text(path, quiet=True)
        if text:
            note_name(notes, path, text)
    if notes.tree.exists("/run/.containerenv"):
        proves = "podman, or what is built on it, leaves it"
        notes.add("/run/.containerenv", "exists", proves, "container=podman", CERTAIN)
    if notes.tree.exists("/.dockerenv"):
        proves = "Docker leaves it; so does the image of a virtual machine that was made from one"
        notes.add("/.dockerenv", "exists", proves, "container-mark=docker", WEAK)
    if notes.tree.exists("/.flatpak-info"):
        proves = "Flatpak leaves it"
        notes.add("/.flatpak-info", "exists", proves, "container-mark=bubblewrap", LIKELY)
    _note_first_process(notes)


def manager_name(text: str) -> str:
    """``text`` as a name; ``other`` where it is none."""
    name = ALIASES.get(text, text)
    return name if _NAME.fullmatch(name) else "other"


def note_name(notes: Notes, path: str, text: str) -> None:
    """Note the container manager that calls itself ``text``."""
    name = manager_name(text)
    proves = f"the manager calls itself {name}"
    notes.add(path, text, proves, f"container={name}", CERTAIN)


def _note_first_process(notes: Notes) -> None:
    comm = notes.text("/proc/1/comm", quiet=True)
    if comm == "bwrap":
        proves = "bubblewrap is the first process"
        notes.add("/proc/1/comm", comm, proves, "container=bubblewrap", LIKELY)
