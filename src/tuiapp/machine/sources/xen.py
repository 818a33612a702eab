"""Xen: ``/sys/hypervisor``, ``/proc/xen``, its bus, and whether we are its dom0."""

from __future__ import annotations

import re

from tuiapp.machine.report import CERTAIN, LIKELY
from tuiapp.machine.sources.base import Notes

FEATURE_DOM0 = 1 << 11
NO_UUID = "00000000-0000-0000-0000-000000000000"


def look(notes: Notes) -> None:
    """Read what the kernel says of Xen; most machines have none of it."""
    kind = notes.text("/sys/hypervisor/type", quiet=True)
    if kind:
        fact = "xen=domain" if kind == "xen" else ""
        proves = "this kernel runs in a Xen domain" if fact else ""
        notes.add("/sys/hypervisor/type", kind, proves, fact, CERTAIN)
    _note_capabilities(notes)
    if kind == "xen":
        _note_features(notes)
        _note_uuid(notes)
    _note_bus(notes)


def _note_capabilities(notes: Notes) -> None:
    path = "/proc/xen/capabilities"
    text = notes.text(path, quiet=True)
    if text is not None and "control_d" in text:
        notes.add(path, text, "this is the control domain", "xen=dom0", CERTAIN)
    elif text is not None:
        notes.add(path, text or "(empty)", "this is an ordinary domain", "xen=domu", CERTAIN)
    elif notes.names("/proc/xen", quiet=True):
        notes.add("/proc/xen", "exists", "this kernel runs in a Xen domain", "xen=domain", CERTAIN)


def _note_features(notes: Notes) -> None:
    path = "/sys/hypervisor/properties/features"
    text = notes.text(path, quiet=True)
    if text and re.fullmatch(r"(?:0x)?[0-9a-fA-F]{1,16}", text) and int(text, 16) & FEATURE_DOM0:
        notes.add(path, text, "bit 11: this is the control domain", "xen=dom0", CERTAIN)
    elif text:
        notes.add(path, text, "bit 11 is off: an ordinary domain", "xen=domu", LIKELY)


def _note_bus(notes: Notes) -> None:
    """Any kernel that could run under Xen has the bus; only one that does fills it."""
    for folder in ("/sys/bus/xen/devices", "/sys/bus/xen/drivers"):
        if names := notes.names(folder, quiet=True):
            proves = "the kernel fills this bus in Xen domains only"
            notes.add(folder, " ".join(names[:8]), proves, "xen=domain", LIKELY)


def _note_uuid(notes: Notes) -> None:
    path = "/sys/hypervisor/uuid"
    text = notes.text(path, quiet=True)
    if text == NO_UUID:
        notes.add(path, "all zeros", "only the control domain has no identity", "xen=dom0", LIKELY)
    elif text and text.lower().startswith("ec2"):
        notes.add(path, "begins with ec2", "the identity is one of EC2's", "cloud=aws", LIKELY)
