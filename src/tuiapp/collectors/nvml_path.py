"""How a GPU reaches this system: bare, passed through, shared or sliced."""

from __future__ import annotations

import re
from contextlib import suppress

from tuiapp.collectors.base import Host

PATHS = ("bare", "passthrough", "vgpu", "mig", "sriov-vf", "unknown")
_BUS_ID = re.compile(r"([0-9a-f]{4,8}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])", re.IGNORECASE)


def gpu_path(host: Host, bus_id: str | None, virtualization: str | None, *, divided: bool) -> str:
    """One of ``PATHS``.

    A vGPU is one whatever else holds, then a MIG slice, then a virtual function, then what the
    driver says. It calls a GPU bare when it sees no hypervisor; where the CPU's flags show one,
    that is not believed.

    Args:
        host: where sysfs and cpuinfo are read.
        bus_id: place on the PCI bus, as NVML writes it (``00000000:01:00.0``).
        virtualization: name of nvmlGpuVirtualizationMode_t.
        divided: MIG is on.
    """
    if virtualization == "vgpu":
        return "vgpu"
    if divided:
        return "mig"
    if is_virtual_function(host, bus_id):
        return "sriov-vf"
    if virtualization == "passthrough":
        return "passthrough"
    if virtualization in ("none", "host_vgpu", "host_vsga"):
        return "unknown" if virtualization == "none" and _sees_hypervisor(host) else "bare"
    return "unknown"


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


def _sees_hypervisor(host: Host) -> bool:
    with suppress(OSError):
        for line in host.read("/proc/cpuinfo")[:16384].split(b"\n"):
            if line.startswith(b"flags"):
                return b" hypervisor" in line
    return False
