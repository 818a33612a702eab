"""How a GPU reaches this system: bare, passed through, shared or sliced."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from tuiapp.collectors.base import Host
from tuiapp.collectors.card_path import OPEN, settled_by_machine
from tuiapp.collectors.guest import FLAG, is_guest

PATHS = ("bare", "passthrough", "vgpu", "mig", "sriov-vf", "unknown")
_BUS_ID = re.compile(r"([0-9a-f]{4,8}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])", re.IGNORECASE)
_OPEN = ("bare", "passthrough", "unknown")
"""Paths of a card of which NVML said none: how it is called then is a matter of the machine."""
Facts = dict[str, Any]


class GpuPath(NamedTuple):
    """How a GPU reaches this system, and how that is known.

    Attributes:
        path: one of ``PATHS``.
        confidence: ``certain``, ``likely`` or ``weak``; empty when the path is unknown.
        because: what it rests on, or why it is unknown: one clause.
        conflict: a sentence on what says otherwise, and what won; empty where nothing does.
    """

    path: str
    confidence: str
    because: str
    conflict: str = ""


def path_facts(
    host: Host, bus_id: str | None, virtualization: str | None, *, divided: bool
) -> Facts:
    """``path``, ``path_confidence``, ``path_because``, ``path_conflict``; ``card_path``, which is
    that of the whole card, whatever it is divided into; ``on_pci_bus``: sysfs has the device."""
    card = gpu_path(host, bus_id, virtualization, divided=False)
    own = gpu_path(host, bus_id, virtualization, divided=divided)
    return _facts(own, card) | {"on_pci_bus": _on_bus(host, bus_id)}


def _facts(own: GpuPath, card: GpuPath) -> Facts:
    return {
        "path": own.path,
        "path_confidence": own.confidence or None,
        "path_because": own.because,
        "path_conflict": card.conflict or None,
        "card_path": card.path,
    }


def gpu_path(
    host: Host, bus_id: str | None, virtualization: str | None, *, divided: bool
) -> GpuPath:
    """A vGPU is one whatever else holds, then a MIG slice, then a virtual function, then what the
    driver says. Where it says that nothing virtualizes the GPU, ``_unless_guest`` decides.

    Args:
        host: where sysfs and cpuinfo are read.
        bus_id: place on the PCI bus, as NVML writes it (``00000000:01:00.0``).
        virtualization: name of nvmlGpuVirtualizationMode_t.
        divided: MIG is on.
    """
    says = f"NVML's virtualization mode is {virtualization}"
    if virtualization == "vgpu":
        return GpuPath("vgpu", "certain", says)
    if divided:
        return GpuPath("mig", "certain", "MIG is on (NVML)")
    if is_virtual_function(host, bus_id):
        return GpuPath("sriov-vf", "certain", "sysfs links it to a physical function")
    if virtualization == "passthrough":
        return GpuPath("passthrough", "certain", says)
    if virtualization in ("host_vgpu", "host_vsga"):
        return GpuPath("bare", "certain", says)
    if virtualization == "none":
        return _unless_guest(is_guest(host), _on_bus(host, bus_id), FLAG)
    return GpuPath("unknown", "", says if virtualization else "NVML does not tell it")


def _unless_guest(guest: bool | None, on_bus: bool, sign: str) -> GpuPath:
    """The driver says that nothing virtualizes the GPU: bare, but in a guest nothing is.

    A hypervisor that passes a GPU through can hide from its driver, and does for drivers that
    would not start otherwise; nothing but a hypervisor makes the signs of a guest. So those win. A
    device on the guest's own bus that is no virtual function, vGPU or slice is passed through;
    where NVML names a place without a device (WSL, a masked /sys) it may reach us in another way.
    """
    if not guest:
        sure = "weak" if guest is None else "certain"
        return GpuPath("bare", sure, "NVML's virtualization mode is none")
    conflict = f"NVML says that nothing virtualizes this GPU; {sign} won: in a guest none is bare"
    if on_bus:
        because = "on the PCI bus of a guest, and neither virtual function, vGPU nor slice"
        return GpuPath("passthrough", "likely", because, conflict)
    why = "NVML says that nothing virtualizes it, yet this is a guest without it on the PCI bus"
    return GpuPath("unknown", "", why, conflict)


def settled(gpu: Mapping[str, Any], machine: Any, confidence: Any = None) -> Facts:
    """A GPU's facts, with its path by the verdict on the machine where the driver said none.

    The probe has the CPU's flag alone; the verdict knows guests that hide it, processors that have
    none, and partitions that own their hardware.

    Args:
        gpu: facts of any maker's.
        machine: the verdict; None as long as there is none.
        confidence: the verdict's.
    """
    if OPEN in gpu:
        return settled_by_machine(gpu, machine, confidence)
    told = dict(gpu)
    if gpu.get("virtualization") != "none" or gpu.get("card_path") not in _OPEN:
        return told
    guest = {"guest": True, "bare-metal": False, "host-partition": False}.get(str(machine))
    if guest is None:
        return told
    card = _unless_guest(guest, bool(gpu.get("on_pci_bus")), "the verdict on this machine")
    if card.path == gpu["card_path"] and gpu.get("path_confidence") != "weak":
        return told
    own = GpuPath("mig", "certain", str(gpu.get("path_because"))) if gpu["path"] == "mig" else card
    return told | _facts(own, card)


def _on_bus(host: Host, bus_id: str | None) -> bool:
    name = sysfs_name(bus_id) if bus_id else None
    with suppress(OSError):
        return name is not None and bool(host.names(f"/sys/bus/pci/devices/{name}"))
    return False


def sysfs_name(bus_id: str) -> str | None:
    """The PCI device's folder in sysfs; None for what is no place on the bus."""
    found = _BUS_ID.fullmatch(bus_id)
    if found is None:
        return None
    domain, bus, device, function = found.groups()
    return f"{int(domain, 16):04x}:{bus}:{device}.{function}".lower()


def is_virtual_function(host: Host, bus_id: str | None) -> bool:
    """SR-IOV made it: sysfs links it to its physical function. A guest does not see that link."""
    name = sysfs_name(bus_id) if bus_id else None
    if name is None:
        return False
    with suppress(OSError):
        return bool(host.link(f"/sys/bus/pci/devices/{name}/physfn"))
    return False
