"""What NVML says a GPU is. Serial numbers and UUIDs are never read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tuiapp.collectors.base import Host
from tuiapp.collectors.nvml_path import path_facts

Ask = Callable[..., Any]
"""(field, function, arguments) to its result, or None with the reason on record."""

_VIRTUALIZATION = ("none", "passthrough", "vgpu", "host_vgpu", "host_vsga")
_COMPUTE_MODES = ("default", "exclusive thread", "prohibited", "exclusive process")
_ARCHITECTURES = {
    2: "Kepler", 3: "Maxwell", 4: "Pascal", 5: "Volta", 6: "Turing", 7: "Ampere", 8: "Ada",
    9: "Hopper", 10: "Blackwell", 13: "Rubin",
}  # fmt: skip
_FEATURES = {1: "vGPU", 2: "RTX Virtual Workstation", 3: "Gaming", 4: "Compute", 5: "vGameDev"}
_P2P = (
    "ok", "chipset", "gpu", "topology", "disabled by driver setting", "not supported", "unknown",
)  # fmt: skip
_CC_ENVIRONMENTS = ("unavailable", "simulation", "production")
_MHZ, _MILLI, _MBPS = 1e6, 1e-3, 1e6
_TRANSFERS = 2
"""A clock: memory moves data on both edges. NVML's clock of GDDR memory is scaled to fit this."""


def system_facts(nvml: Any, ask: Ask) -> dict[str, Any]:
    """Versions of the driver, and whether its GPUs compute confidentially."""
    return {
        "nvidia_driver": ask("nvml.driver", nvml.nvmlSystemGetDriverVersion),
        "cuda_driver": ask("nvml.cuda", _cuda_version, nvml),
        "gpu_confidential": ask("nvml.confidential", _confidential, nvml),
    }


def gpu_facts(nvml: Any, gpu: Any, ask: Ask, host: Host) -> dict[str, Any]:
    """What holds for the run; None for what is unknown."""
    bus_id = ask("pci_bus_id", lambda: text_of(nvml.nvmlDeviceGetPciInfo(gpu).busId))
    virtualization = ask("virtualization", _virtualization, nvml, gpu)
    mig = ask("mig", _mig, nvml, gpu, ask)
    facts = {
        "name": ask("name", nvml.nvmlDeviceGetName, gpu),
        "pci_bus_id": bus_id,
        "virtualization": virtualization,
        "mig": mig,
        **path_facts(host, bus_id, virtualization, divided=bool(mig and mig["enabled"])),
        "architecture": ask("architecture", _architecture, nvml, gpu),
        "compute_capability": ask("compute_capability", _capability, nvml, gpu),
        "compute_mode": ask("compute_mode", _compute_mode, nvml, gpu),
        "persistence": ask("persistence", lambda: bool(nvml.nvmlDeviceGetPersistenceMode(gpu))),
        "ecc": ask("ecc", _ecc, nvml, gpu),
        **_power(nvml, gpu, ask),
        **_clocks(nvml, gpu, ask),
        **_memory(nvml, gpu, ask),
        "nvlink": ask("nvlink", _nvlink, nvml, gpu),
    }
    if virtualization == "vgpu":
        facts["licence"] = ask("licence", _licence, nvml, gpu)
    return facts


def text_of(value: Any) -> str:
    """A structure's string, which pynvml gives as bytes or as text."""
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)


def _cuda_version(nvml: Any) -> str:
    version = nvml.nvmlSystemGetCudaDriverVersion_v2()
    return f"{version // 1000}.{version % 1000 // 10}"


def _confidential(nvml: Any) -> dict[str, Any]:
    state = nvml.nvmlSystemGetConfComputeState()
    return {
        "enabled": bool(state.ccFeature),
        "environment": _named(_CC_ENVIRONMENTS, state.environment),
        "dev_tools": bool(state.devToolsMode),
    }


def _named(names: tuple[str, ...], value: int) -> str:
    return names[value] if 0 <= value < len(names) else f"code {value}"


def _virtualization(nvml: Any, gpu: Any) -> str:
    mode = nvml.nvmlDeviceGetVirtualizationMode(gpu)
    return _VIRTUALIZATION[mode] if mode < len(_VIRTUALIZATION) else f"mode {mode}"


def _architecture(nvml: Any, gpu: Any) -> str:
    number = nvml.nvmlDeviceGetArchitecture(gpu)
    return _ARCHITECTURES.get(number, f"code {number}")


def _capability(nvml: Any, gpu: Any) -> str:
    return "{}.{}".format(*nvml.nvmlDeviceGetCudaComputeCapability(gpu))


def _compute_mode(nvml: Any, gpu: Any) -> str:
    return _named(_COMPUTE_MODES, nvml.nvmlDeviceGetComputeMode(gpu))


def _ecc(nvml: Any, gpu: Any) -> dict[str, bool]:
    current, pending = nvml.nvmlDeviceGetEccMode(gpu)
    return {"enabled": bool(current), "pending": bool(pending)}


def _power(nvml: Any, gpu: Any, ask: Ask) -> dict[str, Any]:
    """Limits beside the enforced one, which is a gauge; watts."""
    bounds = ask("power_bounds", nvml.nvmlDeviceGetPowerManagementLimitConstraints, gpu)
    low, high = bounds or (None, None)
    default = ask("power_default_w", nvml.nvmlDeviceGetPowerManagementDefaultLimit, gpu)
    watts = (None if value is None else value * _MILLI for value in (default, low, high))
    return dict(zip(("power_default_w", "power_min_w", "power_max_w"), watts, strict=True))


def _clocks(nvml: Any, gpu: Any, ask: Ask) -> dict[str, Any]:
    """Clocks that somebody asked for, and those that hold when nobody does; MHz."""
    sm = nvml.NVML_CLOCK_SM
    return {
        "sm_clock_set_mhz": ask("sm_clock_set_mhz", nvml.nvmlDeviceGetApplicationsClock, gpu, sm),
        "sm_clock_default_mhz": ask(
            "sm_clock_default_mhz", nvml.nvmlDeviceGetDefaultApplicationsClock, gpu, sm
        ),
    }


def _memory(nvml: Any, gpu: Any, ask: Ask) -> dict[str, Any]:
    """Bus width, highest clock, and the bandwidth that follows from both."""
    bits = ask("mem_bus_bits", nvml.nvmlDeviceGetMemoryBusWidth, gpu)
    mhz = ask("mem_clock_max_mhz", nvml.nvmlDeviceGetMaxClockInfo, gpu, nvml.NVML_CLOCK_MEM)
    bandwidth = bits / 8 * mhz * _MHZ * _TRANSFERS if bits and mhz else None
    return {
        "mem_bus_bits": bits,
        "mem_clock_max_mhz": mhz,
        "mem_bandwidth_bytes_per_s": bandwidth,
    }


def _nvlink(nvml: Any, gpu: Any) -> dict[str, Any]:
    """Links by state, and the speed of one; NVMLError where there is no NVLink."""
    states = []
    for link in range(nvml.NVML_NVLINK_MAX_LINKS):
        try:
            states.append(bool(nvml.nvmlDeviceGetNvLinkState(gpu, link)))
        except nvml.NVMLError as error:
            if not states or error.value not in (
                nvml.NVML_ERROR_INVALID_ARGUMENT,
                nvml.NVML_ERROR_NOT_SUPPORTED,
            ):
                raise
            break
    return {"links": len(states), "active": sum(states), "speed_bytes_per_s": _speed(nvml, gpu)}


def _speed(nvml: Any, gpu: Any) -> float | None:
    found = nvml.nvmlDeviceGetFieldValues(gpu, [nvml.NVML_FI_DEV_NVLINK_SPEED_MBPS_COMMON])[0]
    known = found.nvmlReturn == 0 and found.value.uiVal
    return found.value.uiVal * _MBPS if known else None


def link_peers(nvml: Any, index: int, handles: Mapping[int, Any], ask: Ask) -> dict[str, Any]:
    """Whether this GPU can read the memory of each other one directly, by its index."""
    return {
        str(other): ask(f"gpu{index}.p2p", _peer, nvml, handles[index], handle)
        for other, handle in handles.items()
        if other != index
    }


def _peer(nvml: Any, gpu: Any, other: Any) -> str:
    # NVML_P2P_CAPS_INDEX_READ; pynvml has it as a tuple.
    return _named(_P2P, nvml.nvmlDeviceGetP2PStatus(gpu, other, 0))


def _licence(nvml: Any, gpu: Any) -> list[dict[str, Any]]:
    """Licensable features of a vGPU; one that is not licensed runs slowly on purpose."""
    found = nvml.nvmlDeviceGetGridLicensableFeatures(gpu)
    count = min(found.licensableFeaturesCount, nvml.NVML_GRID_LICENSE_FEATURE_MAX_COUNT)
    return [
        {
            "feature": _FEATURES.get(feature.featureCode, f"code {feature.featureCode}"),
            "licensed": bool(feature.featureState),
            "enabled": bool(feature.featureEnabled),
        }
        for feature in found.gridLicensableFeatures[:count]
    ]


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
            for instance in (instances(nvml, gpu) if enabled else ())
        ],
    }


def instances(nvml: Any, gpu: Any) -> Iterator[Any]:
    """Handles of a device's MIG instances, in order."""
    for index in range(nvml.nvmlDeviceGetMaxMigDeviceCount(gpu)):
        try:
            yield nvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, index)
        except nvml.NVMLError as error:
            # Places without an instance are not an error.
            if error.value != nvml.NVML_ERROR_NOT_FOUND:
                raise
