"""Where signals come from. A new one is one file here and one line in ``SOURCES``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuiapp.registry import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuiapp.machine.sources.base import Notes

SOURCES: dict[str, str] = {
    "cpuid": "tuiapp.machine.sources.cpuid:look",
    "cpuinfo": "tuiapp.machine.sources.cpuinfo:look",
    "xen": "tuiapp.machine.sources.xen:look",
    "dmi": "tuiapp.machine.sources.dmi:look",
    "smbios": "tuiapp.machine.sources.smbios:look",
    "devicetree": "tuiapp.machine.sources.devicetree:look",
    "s390": "tuiapp.machine.sources.s390:look",
    "power": "tuiapp.machine.sources.power:look",
    "sparc": "tuiapp.machine.sources.sparc:look",
    "acpi": "tuiapp.machine.sources.acpi:look",
    "pci": "tuiapp.machine.sources.pci:look",
    "buses": "tuiapp.machine.sources.buses:look",
    "lscpu": "tuiapp.machine.sources.lscpu:look",
    "manager": "tuiapp.machine.sources.manager:look",
    "apptainer": "tuiapp.machine.sources.apptainer:look",
    "cgroup": "tuiapp.machine.sources.cgroup:look",
    "mounts": "tuiapp.machine.sources.mounts:look",
    "namespaces": "tuiapp.machine.sources.namespaces:look",
    "kernel": "tuiapp.machine.sources.kernel:look",
    "environment": "tuiapp.machine.sources.environment:look",
    "cloud": "tuiapp.machine.sources.cloud:look",
    "confidential": "tuiapp.machine.sources.confidential:look",
}
"""Name to ``"module:function"``, resolved on use; the order is the one of the table."""


def source(name: str) -> Callable[[Notes], None]:
    """The function registered under ``name``; KeyError when there is none."""
    found: Callable[[Notes], None] = resolve(SOURCES[name])
    return found
