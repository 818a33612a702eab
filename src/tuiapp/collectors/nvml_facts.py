"""What NVML says a GPU is. Serial numbers and UUIDs are never read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Ask = Callable[..., Any]
"""(field, function, arguments) to its result, or None with the reason on record."""

_VIRTUALIZATION = ("none", "passthrough", "vgpu", "host_vgpu", "host_vsga")


def gpu_facts(nvml: Any, gpu: Any, ask: Ask) -> dict[str, Any]:
    """Name, place, virtualization mode and MIG instances; None for what is unknown."""
    return {
        "name": ask("name", nvml.nvmlDeviceGetName, gpu),
        "pci_bus_id": ask("pci_bus_id", lambda: nvml.nvmlDeviceGetPciInfo(gpu).busId),
        "virtualization": ask("virtualization", _virtualization, nvml, gpu),
        "mig": ask("mig", _mig, nvml, gpu, ask),
    }


def _virtualization(nvml: Any, gpu: Any) -> str:
    mode = nvml.nvmlDeviceGetVirtualizationMode(gpu)
    return _VIRTUALIZATION[mode] if mode < len(_VIRTUALIZATION) else f"mode {mode}"


def _mig(nvml: Any, gpu: Any, ask: Ask) -> dict[str, Any]:
    current, pending = nvml.nvmlDeviceGetMigMode(gpu)
    enabled = current == nvml.NVML_DEVICE_MIG_ENABLE
    return {
        "enabled": enabled,
        "pending": pending == nvml.NVML_DEVICE_MIG_ENABLE,
        "instances": [
            {
                "name": ask("mig", nvml.nvmlDeviceGetName, instance),
                "gpu_instance": ask("mig", nvml.nvmlDeviceGetGpuInstanceId, instance),
                "compute_instance": ask("mig", nvml.nvmlDeviceGetComputeInstanceId, instance),
                "memory_total_bytes": ask(
                    "mig", lambda i: int(nvml.nvmlDeviceGetMemoryInfo(i).total), instance
                ),
            }
            for instance in (_instances(nvml, gpu) if enabled else ())
        ],
    }


def _instances(nvml: Any, gpu: Any) -> Iterator[Any]:
    for index in range(nvml.nvmlDeviceGetMaxMigDeviceCount(gpu)):
        try:
            yield nvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, index)
        except nvml.NVMLError as error:
            # Places without an instance are not an error.
            if error.value != nvml.NVML_ERROR_NOT_FOUND:
                raise
