"""Whether a hypervisor runs below this kernel, as far as two of its files tell, for GPUs' paths.

The verdict on the machine weighs far more signals (``tuiapp.machine``); a driver's probe has only
these at hand, and they are the ones that drivers go by.
"""

from __future__ import annotations

from contextlib import suppress

from tuiapp.collectors.base import Host
from tuiapp.machine.sources.cpuinfo import fields, x86_flags

FLAG = "the hypervisor flag in /proc/cpuinfo"
_ROOT_PARTITION = "/sys/class/misc/mshv"
"""The device with which Hyper-V's own partition, and a guest that was given its rights, makes
guests."""


def is_guest(host: Host) -> bool | None:
    """The CPU says that it runs under a hypervisor, and we are not Xen's own domain.

    None where this processor has no such flag, its file cannot be read, or this may be Hyper-V's
    own partition.
    """
    return guest_sign(host)[0]


def guest_sign(host: Host) -> tuple[bool | None, str]:
    """(what ``is_guest`` says, the clause that it rests on)."""
    with suppress(OSError):
        if "control_d" in host.text("/proc/xen/capabilities"):
            return False, "Xen's control domain owns the hardware"
    with suppress(OSError):
        host.names(_ROOT_PARTITION)
        return None, "whether this is Hyper-V's own partition or a guest, its driver cannot tell"
    try:
        text = host.read("/proc/cpuinfo")[:16384].decode("utf-8", "replace")
    except OSError:
        return None, "/proc/cpuinfo could not be read, which tells whether this is a guest"
    flags = x86_flags(fields(text))
    if not flags:
        return None, "nothing that the driver shows tells whether this is a guest"
    on = "hypervisor" in flags
    return on, FLAG if on else "the CPU tells of no hypervisor"
