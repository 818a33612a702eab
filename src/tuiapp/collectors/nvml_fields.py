"""Which gauges NVML gives of a GPU, and how each is read.

Units are base units; shares are 0..1. PCIe traffic is in NVML's KB/s, taken as 1000 bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SLOW = 4
"""Stride of what changes slowly, and of what takes the driver long."""
STATIC = 20
"""Stride of limits, which hardly ever change."""
COSTLY = 16
"""Stride of calls in which the driver counts for 20 ms; one device at a time has its turn."""

Read = Callable[[Any, Any], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Field:
    """One call and the gauges it gives.

    Attributes:
        gauges: their names.
        read: (pynvml, handle) to their values; raises NVMLError.
        stride: call it at every n-th sample, and hold the values in between.
        later: not at the first sample, which would be a long one.
    """

    gauges: tuple[str, ...]
    read: Read
    stride: int = 1
    later: bool = False


def first_supported(nvml: Any, *calls: Callable[[], Any]) -> Any:
    """The result of the first call that this driver has; the last one's error."""
    for call in calls[:-1]:
        try:
            return call()
        except nvml.NVMLError as error:
            if error.value not in (
                nvml.NVML_ERROR_FUNCTION_NOT_FOUND,
                nvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH,
            ):
                raise
    return calls[-1]()


def _utilization(nvml: Any, gpu: Any) -> tuple[float, ...]:
    rates = nvml.nvmlDeviceGetUtilizationRates(gpu)
    return rates.gpu / 100, rates.memory / 100


def _memory(nvml: Any, gpu: Any) -> tuple[float, ...]:
    """Version 2 leaves out what the driver keeps to itself, as nvidia-smi does."""
    memory = first_supported(
        nvml,
        lambda: nvml.nvmlDeviceGetMemoryInfo(gpu, nvml.nvmlMemory_v2),
        lambda: nvml.nvmlDeviceGetMemoryInfo(gpu),
    )
    return float(memory.used), float(memory.total)


def _throttle_reasons(nvml: Any, gpu: Any) -> tuple[float, ...]:
    """Renamed in driver 535."""
    reasons = first_supported(
        nvml,
        lambda: nvml.nvmlDeviceGetCurrentClocksEventReasons(gpu),
        lambda: nvml.nvmlDeviceGetCurrentClocksThrottleReasons(gpu),
    )
    return (float(reasons),)


def _single(function: str, *constants: str, scale: float = 1.0) -> Read:
    """Reader of a function that returns one number; ``constants`` name its further arguments."""

    def read(nvml: Any, gpu: Any) -> tuple[float, ...]:
        call = getattr(nvml, function)
        if not constants:
            return (call(gpu) * scale,)
        return (call(gpu, *[getattr(nvml, name) for name in constants]) * scale,)

    return read


FIELDS: tuple[Field, ...] = (
    Field(("util", "mem_util"), _utilization),
    Field(("mem_used_bytes", "mem_total_bytes"), _memory),
    Field(("sm_clock_mhz",), _single("nvmlDeviceGetClockInfo", "NVML_CLOCK_SM")),
    Field(("mem_clock_mhz",), _single("nvmlDeviceGetClockInfo", "NVML_CLOCK_MEM"), SLOW),
    Field(("sm_clock_max_mhz",), _single("nvmlDeviceGetMaxClockInfo", "NVML_CLOCK_SM"), STATIC),
    Field(("power_w",), _single("nvmlDeviceGetPowerUsage", scale=1e-3)),
    Field(("power_limit_w",), _single("nvmlDeviceGetEnforcedPowerLimit", scale=1e-3), STATIC),
    Field(("temp_c",), _single("nvmlDeviceGetTemperature", "NVML_TEMPERATURE_GPU"), SLOW),
    Field(
        ("temp_slowdown_c",),
        _single("nvmlDeviceGetTemperatureThreshold", "NVML_TEMPERATURE_THRESHOLD_SLOWDOWN"),
        STATIC,
    ),
    Field(("throttle_reasons",), _throttle_reasons),
    Field(("fan",), _single("nvmlDeviceGetFanSpeed", scale=1e-2), SLOW),
    Field(("pcie_gen",), _single("nvmlDeviceGetCurrPcieLinkGeneration"), SLOW),
    Field(("pcie_gen_max",), _single("nvmlDeviceGetMaxPcieLinkGeneration"), STATIC),
    Field(("pcie_width",), _single("nvmlDeviceGetCurrPcieLinkWidth"), SLOW),
    Field(("pcie_width_max",), _single("nvmlDeviceGetMaxPcieLinkWidth"), STATIC),
    Field(("pstate",), _single("nvmlDeviceGetPerformanceState"), SLOW),
)
PCIE_FIELDS: tuple[Field, ...] = tuple(
    Field(
        (f"pcie_{way}_bytes_per_s",),
        _single("nvmlDeviceGetPcieThroughput", f"NVML_PCIE_UTIL_{way.upper()}_BYTES", scale=1e3),
        COSTLY,
        later=True,
    )
    for way in ("tx", "rx")
)
"""For drivers that do not count PCIe bytes (``nvml_counters``)."""
INSTANCE_FIELDS: tuple[Field, ...] = (
    Field(("util", "mem_util"), _utilization, STATIC),
    Field(("mem_used_bytes", "mem_total_bytes"), _memory, SLOW),
)
"""What is asked of a MIG instance."""
