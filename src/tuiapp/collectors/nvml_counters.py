"""Values that NVML hands out many at a time: nvmlDeviceGetFieldValues.

One call takes as long as its slowest driver query, whatever the number of values.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tuiapp.collectors.base import NAN, Gauges

FAST, HEALTH = 2, 16
"""Strides of the two lists."""
_ALL_LINKS = 0xFFFFFFFF
_KIB = 1024.0
_NS, _MILLI = 1e-9, 1e-3
_FUNCTION_NOT_FOUND = 13


class _Any(ctypes.Union):
    _fields_ = (
        ("dVal", ctypes.c_double),
        ("uiVal", ctypes.c_uint),
        ("ulVal", ctypes.c_ulong),
        ("ullVal", ctypes.c_ulonglong),
        ("sllVal", ctypes.c_longlong),
        ("siVal", ctypes.c_int),
        ("usVal", ctypes.c_ushort),
    )


class _FieldValue(ctypes.Structure):
    """nvmlFieldValue_t. pynvml's own is four times as slow to read."""

    _fields_ = (
        ("field_id", ctypes.c_uint32),
        ("scope_id", ctypes.c_uint32),
        ("time_us", ctypes.c_int64),
        ("latency_us", ctypes.c_int64),
        ("value_type", ctypes.c_uint),
        ("result", ctypes.c_uint),
        ("value", _Any),
    )


@dataclass(frozen=True, slots=True)
class Value:
    """One field of NVML.

    Attributes:
        gauge: its name here; several values of one name are added up.
        field: NVML's constant without ``NVML_FI_DEV_``.
        kind: ``level`` as it is, ``rate`` per second, ``since`` we began to watch.
        all_links: summed over a device's NVLinks, by the driver.
        quiet: something else is asked when it is unknown, so no reason is given.
    """

    gauge: str
    field: str
    scale: float = 1.0
    kind: Literal["level", "rate", "since"] = "level"
    all_links: bool = False
    quiet: bool = False


TRAFFIC: tuple[Value, ...] = (
    Value("mem_temp_c", "MEMORY_TEMP"),
    Value("pcie_tx_bytes_per_s", "PCIE_COUNT_TX_BYTES", kind="rate", quiet=True),
    Value("pcie_rx_bytes_per_s", "PCIE_COUNT_RX_BYTES", kind="rate", quiet=True),
    Value("nvlink_tx_bytes_per_s", "NVLINK_THROUGHPUT_DATA_TX", _KIB, "rate", all_links=True),
    Value("nvlink_rx_bytes_per_s", "NVLINK_THROUGHPUT_DATA_RX", _KIB, "rate", all_links=True),
)
ERRORS: tuple[Value, ...] = (
    Value("ecc_corrected", "ECC_SBE_VOL_TOTAL"),
    Value("ecc_uncorrected", "ECC_DBE_VOL_TOTAL"),
    Value("ecc_corrected_lifetime", "ECC_SBE_AGG_TOTAL"),
    Value("ecc_uncorrected_lifetime", "ECC_DBE_AGG_TOTAL"),
    Value("rows_remapped_corrected", "REMAPPED_COR"),
    Value("rows_remapped_uncorrected", "REMAPPED_UNC"),
    Value("rows_remap_pending", "REMAPPED_PENDING"),
    Value("rows_remap_failed", "REMAPPED_FAILURE"),
    Value("pages_retired_corrected", "RETIRED_SBE"),
    Value("pages_retired_uncorrected", "RETIRED_DBE"),
    Value("pages_retire_pending", "RETIRED_PENDING"),
    Value("pcie_replays", "PCIE_REPLAY_COUNTER"),
    Value("nvlink_crc_errors", "NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL"),
    Value("nvlink_crc_errors", "NVLINK_CRC_DATA_ERROR_COUNT_TOTAL"),
    Value("nvlink_replays", "NVLINK_REPLAY_ERROR_COUNT_TOTAL"),
    Value("nvlink_recoveries", "NVLINK_RECOVERY_ERROR_COUNT_TOTAL"),
    Value("energy_j", "TOTAL_ENERGY_CONSUMPTION", _MILLI, "since"),
    Value("held_power_s", "PERF_POLICY_POWER", _NS, "since"),
    Value("held_thermal_s", "PERF_POLICY_THERMAL", _NS, "since"),
    Value("held_board_s", "PERF_POLICY_BOARD_LIMIT", _NS, "since"),
    Value("held_reliability_s", "PERF_POLICY_RELIABILITY", _NS, "since"),
)


class Counters:
    """One device's values of one list, and what differences count from.

    Args:
        library: libnvidia-ml, loaded.
        nvml: pynvml, for its structures and errors.
    """

    def __init__(self, library: Any, nvml: Any, values: Sequence[Value]) -> None:
        # Not through pynvml: it drops the call's own result, and a lost GPU would read as zeros.
        self._call = getattr(library, "nvmlDeviceGetFieldValues", None)
        self._nvml = nvml
        self._first: dict[str, float] = {}
        self._last: dict[str, tuple[float, float]] = {}
        self._keep(values)

    def _keep(self, values: Sequence[Value]) -> None:
        self.values = list(values)
        self._slots = (_FieldValue * len(self.values))()
        for slot, value in zip(self._slots, self.values, strict=True):
            slot.field_id = getattr(self._nvml, f"NVML_FI_DEV_{value.field}")
            slot.scope_id = _ALL_LINKS if value.all_links else 0

    def read(self, gpu: Any, now_s: float, refused: Callable[[Value, int], bool]) -> Gauges:
        """The gauges; NaN for what is unknown.

        Args:
            gpu: the device's handle.
            now_s: seconds since some moment, for rates.
            refused: told each value that the driver does not give, and why (nvmlReturn_t);
                True when it never will.

        Raises:
            NVMLError: the whole call failed.
        """
        if not self.values:
            return {}
        result = self._call(gpu, len(self._slots), self._slots) if self._call else None
        if result:
            raise self._nvml.NVMLError(result)
        gauges: Gauges = {}
        kept = []
        for slot, value in zip(self._slots, self.values, strict=True):
            error = slot.result if self._call else _FUNCTION_NOT_FOUND
            known = error == 0
            number = self._of_kind(value, _number(slot) * value.scale, now_s) if known else NAN
            before = gauges.get(value.gauge, NAN)
            gauges[value.gauge] = before + number if before == before else number
            if known or not refused(value, error):
                kept.append(value)
        if len(kept) < len(self.values):
            self._keep(kept)
        return gauges

    def _of_kind(self, value: Value, number: float, now_s: float) -> float:
        if value.kind == "level":
            return number
        if value.kind == "since":
            return number - self._first.setdefault(value.field, number)
        before, then_s = self._last.get(value.field, (number, now_s))
        self._last[value.field] = number, now_s
        # A counter that went back has wrapped, or the driver began anew.
        fair = now_s > then_s and number >= before
        return (number - before) / (now_s - then_s) if fair else NAN


def _number(slot: _FieldValue) -> float:
    """The value in the member that nvmlValueType_t names."""
    kind, members = slot.value_type, _Any._fields_
    return float(getattr(slot.value, members[kind][0])) if kind < len(members) else NAN
