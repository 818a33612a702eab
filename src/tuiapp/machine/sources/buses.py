"""Buses, devices and clocks of paravirtual hardware, and of partitions that manage others."""

from __future__ import annotations

from tuiapp.machine.report import LIKELY, WEAK
from tuiapp.machine.sources.base import Notes
from tuiapp.machine.spelling import spelled

PARENTS = ("/sys/class/misc/mshv", "/dev/mshv")
VMBUS, VIRTIO = "/sys/bus/vmbus/devices", "/sys/bus/virtio/devices"


def look(notes: Notes) -> None:
    """List the devices of each bus; the bus alone says only what the kernel was built with."""
    if devices := notes.names(VMBUS, quiet=True):
        proves = "Hyper-V offers devices here"
        notes.add(VMBUS, f"{len(devices)} devices", proves, "device-model=hyperv", LIKELY)
    if devices := notes.names(VIRTIO, quiet=True):
        proves = "virtio devices, which some cards offer too"
        notes.add(VIRTIO, f"{len(devices)} devices", proves, "virtio=bus", WEAK)
    if path := next((one for one in PARENTS if notes.tree.exists(one)), None):
        proves = "Linux has it in partitions of Hyper-V that manage others"
        notes.add(path, "exists", proves, "parent=hyperv", LIKELY)
    for name in ("kvm-clock", "hyperv_clocksource", "xen"):
        _note_clock(notes, name)


def _note_clock(notes: Notes, name: str) -> None:
    path = "/sys/devices/system/clocksource/clocksource0/available_clocksource"
    offered = (notes.text(path, quiet=True) or "").split()
    if any(one.startswith(name) for one in offered):
        maker = {"kvm-clock": "kvm", "xen": "xen"}.get(name, "hyperv")
        proves = f"{spelled(maker)} offers a clock"
        notes.add(path, " ".join(offered), proves, f"clock={maker}", LIKELY)
