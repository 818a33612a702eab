"""Probes of this host. A new one is one file here and one line in ``COLLECTORS``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuiapp.registry import resolve

if TYPE_CHECKING:
    from tuiapp.collectors.base import Collector

COLLECTORS: dict[str, str] = {
    "host": "tuiapp.collectors.host:HostCollector",
    "cpu": "tuiapp.collectors.cpu:CpuCollector",
    "memory": "tuiapp.collectors.memory:MemoryCollector",
    "load": "tuiapp.collectors.load:LoadCollector",
    "process": "tuiapp.collectors.process:ProcessCollector",
    "tuning": "tuiapp.collectors.tuning:TuningCollector",
    "machine": "tuiapp.collectors.machine:MachineCollector",
    "tax": "tuiapp.collectors.tax:TaxCollector",
    "hiccup": "tuiapp.collectors.hiccup:HiccupCollector",
    "nvml": "tuiapp.collectors.nvml:NvmlCollector",
    "amdgpu": "tuiapp.collectors.amdgpu:AmdgpuCollector",
    "intel_gpu": "tuiapp.collectors.intel_gpu:IntelGpuCollector",
}
"""Name to ``"module:Class"``, resolved on use: nothing is imported before it is needed."""


def collector_class(name: str) -> type[Collector]:
    """The class registered under ``name``; KeyError when there is none."""
    found: type[Collector] = resolve(COLLECTORS[name])
    return found
