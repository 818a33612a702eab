"""The GPUs in the answer of ``tuiapp host``, an object each for scripts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isnan
from typing import TYPE_CHECKING, Any

from tuiapp.collectors.nvml_path import is_virtual_function, sysfs_name
from tuiapp.collectors.recorded import TreeHost
from tuiapp.diagnosis.reading import probe_of
from tuiapp.machine.report import BARE_METAL
from tuiapp.words import held_back

if TYPE_CHECKING:
    from tuiapp.diagnosis.moment import Moment
    from tuiapp.machine.looking import Look

_MAKERS = {"10de": "NVIDIA", "1002": "AMD", "8086": "Intel", "1da3": "Habana", "1ed5": "Moore"}
_GAUGES = (
    "util", "mem_util", "mem_used_bytes", "mem_total_bytes", "power_w", "power_limit_w", "temp_c",
    "mem_temp_c", "temp_slowdown_c", "sm_clock_mhz", "sm_clock_max_mhz", "mem_clock_mhz",
    "throttle_reasons", "fan", "pstate", "pcie_gen", "pcie_width", "pcie_gen_max",
    "pcie_width_max", "other_bytes", "other_procs", "other_util",
)  # fmt: skip
_HEALTH = (
    "ecc_corrected", "ecc_uncorrected", "ecc_corrected_lifetime", "ecc_uncorrected_lifetime",
    "rows_remapped_corrected", "rows_remapped_uncorrected", "rows_remap_pending",
    "rows_remap_failed", "pages_retired_corrected", "pages_retired_uncorrected",
    "pages_retire_pending", "pcie_replays", "nvlink_crc_errors", "nvlink_replays",
    "nvlink_recoveries",
)  # fmt: skip
_INSTANCE = ("mem_used_bytes", "mem_total_bytes", "other_bytes", "other_procs")
_LISTED = 6
"""Processes of a device that are told one by one."""
_REFUSED = "not permitted"

Gpu = dict[str, Any]


def gpu_objects(seen: Moment, found: Look, reasons: Mapping[str, str]) -> list[Gpu]:
    """Facts of each GPU, its gauges now (None for unknown), what ails it, and what was refused.

    Those that no driver told of follow as the PCI bus shows them, where no driver tells of their
    maker's: it may show GPUs that belong to others.
    """
    host = seen.meta.get("host") or {}
    told = [
        _object(seen, gpu, reasons) for gpu in host.get("gpus") or () if isinstance(gpu, Mapping)
    ]
    return told + list(_on_the_bus(host, found, told))


def number(gpu: Mapping[str, Any], name: str) -> float | None:
    """A finite number under ``name``."""
    value = gpu.get(name)
    known = isinstance(value, int | float) and not isinstance(value, bool) and not isnan(value)
    return float(value) if known else None  # type: ignore[arg-type]


def instances(gpu: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    """Its MIG instances; None where MIG does not divide it."""
    mig = gpu.get("mig")
    if not isinstance(mig, Mapping) or not mig.get("enabled"):
        return None
    return [part for part in mig.get("instances") or () if isinstance(part, Mapping)]


def _object(seen: Moment, gpu: Mapping[str, Any], reasons: Mapping[str, str]) -> Gpu:
    group = f"gpu{gpu.get('index')}"
    refused = {
        field.removeprefix(f"{group}."): reason
        for field, reason in reasons.items()
        if field.startswith(f"{group}.") and _REFUSED in reason
    }
    mask = seen.gauge(group, "throttle_reasons")
    return {
        **gpu,
        **_gauges(seen, group, _GAUGES),
        "throttled_by": None if mask is None else held_back(int(mask)),
        "health": _gauges(seen, f"{group}.health", _HEALTH),
        "processes": _processes(seen, group),
        "mig": _with_gauges(seen, group, gpu),
        "trouble": reasons.get(group) or reasons.get(probe_of(gpu)) or None,
        "refused": refused,
    }


def _gauges(seen: Moment, group: str, names: tuple[str, ...]) -> dict[str, float | None]:
    """Without the digits that a unit's conversion adds."""
    found = ((name, seen.gauge(group, name)) for name in names)
    return {name: None if value is None else round(value, 4) for name, value in found}


def _processes(seen: Moment, group: str) -> list[dict[str, float | None]] | None:
    """The largest, each with its number as the driver counts them and its memory in bytes; None
    where they are unknown."""
    if seen.gauge(group, "other_procs") is None:
        return None
    slots = (
        _gauges(seen, f"{group}.procs", (f"p{at}_pid", f"p{at}_bytes")) for at in range(_LISTED)
    )
    return [
        {"pid": int(pid), "bytes": used}
        for pid, used in (s.values() for s in slots)
        if pid is not None
    ]


def _with_gauges(seen: Moment, group: str, gpu: Mapping[str, Any]) -> Any:
    """How MIG divides the GPU, each instance with what is in use of its memory now."""
    parts = instances(gpu)
    if parts is None:
        return gpu.get("mig")
    told = [
        {
            **part,
            **_gauges(seen, f"{group}.mig{at}", _INSTANCE),
            "processes": _processes(seen, f"{group}.mig{at}"),
        }
        for at, part in enumerate(parts)
    ]
    return {**gpu["mig"], "instances": told}


def _on_the_bus(host: Mapping[str, Any], found: Look, told: list[Gpu]) -> Iterator[Gpu]:
    """GPUs that no driver told of: what the PCI bus says, which is not how they are shared."""
    seen = host.get("pci_gpus")
    tree = TreeHost(found.tree)
    cards = [card for card in seen or () if isinstance(card, Mapping)]
    places = {sysfs_name(str(gpu.get("pci_bus_id"))) for gpu in told}
    vendors = {card.get("vendor") for card in cards if card.get("address") in places}
    if told and not vendors:
        return  # the bus shows none of them: it is not this system's
    taken = {gpu.get("index") for gpu in told}
    free = (at for at in range(len(cards) + len(told)) if at not in taken)
    for card in cards:
        if card.get("vendor") in vendors:
            continue
        path = "bare" if found.machine.machine == BARE_METAL else "unknown"
        if is_virtual_function(tree, card.get("address")):
            path = "sriov-vf"
        vendor, device = (str(card.get(key)).removeprefix("0x") for key in ("vendor", "device"))
        yield {
            "index": next(free),
            "name": f"{_MAKERS.get(vendor, 'maker')} {vendor}:{device}",
            "pci_bus_id": card.get("address"),
            "path": path,
            **dict.fromkeys(_GAUGES),
            "throttled_by": None,
            "health": dict.fromkeys(_HEALTH),
            "processes": None,
            "trouble": None,
            "refused": {},
        }
