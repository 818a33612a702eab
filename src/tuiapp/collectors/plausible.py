"""What a GPU's gauges can be at most: a value outside is no measurement, whatever file holds it."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan

_FILE = "the driver's file holds"
BYTES = (1.0, float(1 << 50), "bytes", "amount of memory")
_MHZ = "MHz", "clock"
BOUNDS: Mapping[str, tuple[float, float, str, str]] = {
    "util": (0, 1, "", "share of time"),
    "mem_util": (0, 1, "", "share of time"),
    "mem_used_bytes": (0, *BYTES[1:]),
    "mem_total_bytes": BYTES,
    "sm_clock_mhz": (0, 20_000, *_MHZ),
    "mem_clock_mhz": (0, 20_000, *_MHZ),
    "sm_clock_max_mhz": (1, 20_000, *_MHZ),
    "power_w": (0, 5_000, "W", "power"),
    "power_limit_w": (0, 5_000, "W", "power limit"),
    "temp_c": (-50, 200, "°C", "temperature"),
    "temp_slowdown_c": (1, 200, "°C", "temperature to slow down at"),
    "throttle_reasons": (0, (1 << 24) - 1, "", "set of reasons"),
    "fan": (0, 1, "of its full speed", "speed of a fan"),
    "pcie_gen": (1, 9, "", "generation of PCIe"),
    "pcie_gen_max": (1, 9, "", "generation of PCIe"),
    "pcie_width": (1, 64, "", "number of lanes"),
    "pcie_width_max": (1, 64, "", "number of lanes"),
}
"""Lowest, highest, unit and name of each gauge, far beyond all there is and was."""


def impossible(values: Mapping[str, float], who: str = _FILE) -> str:
    """Why ``values``, read together, are no measurements; empty where they may be.

    Args:
        who: who told them, and that it did: the beginning of a sentence.
    """
    for gauge, value in values.items():
        lowest, highest, unit, name = BOUNDS.get(gauge, (value, value, "", ""))
        if not (lowest <= value <= highest or isnan(value)):
            return no_such(value, name, unit, who)
    used, size = (values.get(f"mem_{which}_bytes", 0.0) for which in ("used", "total"))
    if used > size:
        return f"{who} {used:.0f} bytes in use of {size:.0f}, which cannot be"
    return ""


def no_such(value: float, name: str, unit: str = "", who: str = _FILE) -> str:
    """``the driver's file holds -5 bytes, which is no amount of memory``."""
    shown = f"{value:.0f}" if abs(value) < 1e7 and value == int(value) else f"{value:.4g}"
    return f"{who} {shown}{unit and f' {unit}'}, which is no {name}"
