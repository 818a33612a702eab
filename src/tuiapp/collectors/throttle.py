"""What holds a GPU's clocks back, in one mask for all makers: the gauge ``throttle_reasons``.

The lower bits are NVML's (nvmlClocksEventReasons). Where another maker's reason means the same to
whoever waits for the GPU it gets NVML's bit; what NVML has no bit for is above NVML's. Gauges are
single precision, which holds every mask below 1 << 24 exactly.
"""

from __future__ import annotations

from collections.abc import Iterable

POWER_CAP = 0x4
"""A power limit is enforced by lowering clocks."""
HW_SLOWDOWN = 0x8
"""A pin (PROCHOT, VRHOT) told the chip to slow down at once."""
THERMAL = 0x20
"""A temperature limit is enforced by lowering clocks."""
CURRENT_CAP = 0x1000
"""A current limit (TDC, EDC, IccMax) is enforced by lowering clocks."""
FIRMWARE = 0x2000
"""The firmware holds clocks back for reasons of its own (reliability, package power)."""


def _mask(bits: Iterable[int]) -> int:
    return sum(1 << bit for bit in bits)


# SMU_THROTTLER_*_BIT of amdgpu_smu.h: power 0-7, current 16-23, temperature 32-43, pins 44-47,
# others from 56. Bits between are not given out.
_AMD = (
    (_mask(range(16)), POWER_CAP),
    (_mask(range(16, 32)), CURRENT_CAP),
    (_mask(range(32, 44)), THERMAL),
    (_mask(range(44, 48)), HW_SLOWDOWN),
    (_mask(range(48, 64)), FIRMWARE),
)

INTEL = {
    "pl1": POWER_CAP,
    "pl2": POWER_CAP,
    "pl4": CURRENT_CAP,
    "thermal": THERMAL,
    "ratl": THERMAL,
    "prochot": HW_SLOWDOWN,
    "vr_thermalert": HW_SLOWDOWN,
    "vr_tdc": CURRENT_CAP,
}
"""Reasons as i915 and xe name their files, without what stands before."""


def from_amd(independent_status: int) -> int:
    """The mask of amdgpu's ASIC-independent throttle status."""
    return sum(reason for bits, reason in _AMD if independent_status & bits)
