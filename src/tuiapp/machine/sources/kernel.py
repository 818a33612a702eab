"""What the kernel calls itself: WSL's, gVisor's, and those of shared-kernel containers."""

from __future__ import annotations

import re

from tuiapp.machine.report import CERTAIN, LIKELY
from tuiapp.machine.sources.base import Notes

RELEASE, VERSION, STATUS = "/proc/sys/kernel/osrelease", "/proc/version", "/proc/self/status"
_WSL = re.compile(r"(?i)[-.]microsoft\b|microsoft-standard|\bWSL\d?\b")
_WSL1 = re.compile(r"^\d+\.\d+\.\d+-\d+-Microsoft$")
GVISOR_BUILD = "#1 SMP Sun Jan 10 15:06:54 PST 2016"


def look(notes: Notes) -> None:
    """Read the release and the version, then the marks of OpenVZ and Linux-VServer."""
    release = notes.text(RELEASE, quiet=True) or ""
    version = notes.text(VERSION, quiet=True) or ""
    _note_wsl(notes, release, version)
    if "-gvisor" in version or GVISOR_BUILD in version:
        proves = "gVisor answers in the kernel's place"
        notes.add(VERSION, version, proves, "container=gvisor", CERTAIN)
    if "BrandZ virtual linux" in version:
        proves = "illumos answers in the kernel's place"
        notes.add(VERSION, version, proves, "container=illumos-lx", CERTAIN)
    _note_shared_kernels(notes)


def _note_wsl(notes: Notes, release: str, version: str) -> None:
    where, text = (RELEASE, release) if release else (VERSION, version.partition(" (")[0])
    # Azure's images have kernels of Microsoft's, too: "-azure", "azl", never this word.
    if not _WSL.search(text):
        return
    notes.add(where, text, "WSL's kernel", "container=wsl", CERTAIN)
    if _WSL1.fullmatch(release):
        proves = "WSL 1 is no kernel but a translator on Windows"
        notes.add(where, text, proves, "wsl=1", LIKELY)
    else:
        proves = "WSL 2 runs in a virtual machine of Hyper-V"
        notes.add(where, text, proves, "platform=hyperv", LIKELY)


def _note_shared_kernels(notes: Notes) -> None:
    if notes.tree.exists("/proc/vz") and not notes.tree.exists("/proc/bc"):
        proves = "OpenVZ shows its containers this, and its host /proc/bc as well"
        notes.add("/proc/vz", "exists", proves, "container=openvz", CERTAIN)
    status = notes.text(STATUS, quiet=True) or ""
    if found := re.search(r"^(?:VxID|s_context):\s*([1-9]\d*)$", status, re.MULTILINE):
        proves = "Linux-VServer gives each container a number"
        notes.add(f"{STATUS} VxID", found[1], proves, "container=linux-vserver", CERTAIN)
    if found := re.search(r"^envID:\s*([1-9]\d*)$", status, re.MULTILINE):
        proves = "OpenVZ gives each container a number"
        notes.add(f"{STATUS} envID", found[1], proves, "container=openvz", CERTAIN)
