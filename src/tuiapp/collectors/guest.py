"""Whether a hypervisor runs below this kernel, as far as two of its files tell, for GPUs' paths.

The verdict on the machine weighs far more signals (``tuiapp.machine``); a driver's probe has only
these at hand, and they are the ones that drivers go by.
"""

from __future__ import annotations

from contextlib import suppress

from tuiapp.collectors.base import Host

FLAG = "the hypervisor flag in /proc/cpuinfo"
_ROOT_PARTITION = "/sys/class/misc/mshv"
"""The device with which Hyper-V's own partition, and a guest that was given its rights, makes
guests."""


def is_guest(host: Host) -> bool | None:
    """The CPU says that it runs under a hypervisor, and we are not Xen's own domain.

    None where this processor has no such flag, its file cannot be read, or this may be Hyper-V's
    own partition.
    """
    try:
        text = host.read("/proc/cpuinfo")[:16384].decode("utf-8", "replace")
    except OSError:
        return None
    with suppress(OSError):
        if "control_d" in host.text("/proc/xen/capabilities"):
            return False
    with suppress(OSError):
        host.names(_ROOT_PARTITION)
        return None
    for line in text.splitlines():
        if line.startswith("flags"):
            return "hypervisor" in line.split()
    return None
