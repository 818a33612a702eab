"""amdgpu's ``gpu_metrics`` file: a C structure whose layout goes by its two revision bytes.

Layouts are those of kgd_pp_interface.h in the kernel's amdgpu driver. Only the fields used here
are read, only of layouts listed here, and only when the file is as long as its header says.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tuiapp.collectors import throttle
from tuiapp.collectors.base import NEXT_SAMPLE
from tuiapp.errors import Unavailable

_HEADER = struct.Struct("<HBB")
_INDEPENDENT = {(1, 3): 112, (2, 2): 120, (2, 3): 120, (2, 4): 120}
"""Where ``indep_throttle_status`` stands, a u64."""
_RESIDENCY = {(1, 6): 104, (1, 7): 40, (1, 8): 40}
"""Where six u32 stand: a counter, then how much of it each throttler was active."""
_BANDWIDTH = {(1, 7): 16, (1, 8): 16}
"""Where ``mem_max_bandwidth`` stands, a u64 in GB/s."""
_THROTTLERS = (
    throttle.HW_SLOWDOWN,  # prochot
    throttle.POWER_CAP,  # ppt
    throttle.THERMAL,  # socket
    throttle.THERMAL,  # voltage regulators
    throttle.THERMAL,  # HBM
)
_UNKNOWN_U32, _UNKNOWN_U64 = (1 << 32) - 1, (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Metrics:
    """One reading of the file.

    Attributes:
        revision: (format, content); format 1 is a card or an accelerator, 2 and 3 graphics inside
            a processor.
        data: the whole of it.
    """

    revision: tuple[int, int]
    data: bytes

    @property
    def integrated(self) -> bool:
        """Graphics inside a processor. Accelerators built with CPU cores (MI300A) are not."""
        return self.revision[0] in (2, 3)

    @property
    def mem_bandwidth_bytes_per_s(self) -> float | None:
        """Of the GPU's memory at its highest clock; None when not told."""
        at = _BANDWIDTH.get(self.revision)
        if at is None or len(self.data) < at + 8:
            return None
        gb_per_s: int = struct.unpack_from("<Q", self.data, at)[0]
        return gb_per_s * 1e9 if 0 < gb_per_s < 1e6 else None

    def throttle_reasons(self, before: Metrics | None) -> int:
        """The mask of ``throttle``; newer accelerators only count, from one reading to the next.

        Raises:
            Unavailable: not told in a form that means the same on every chip, or not yet.
        """
        version = ".".join(map(str, self.revision))
        if (at := _INDEPENDENT.get(self.revision)) is not None and len(self.data) >= at + 8:
            status: int = struct.unpack_from("<Q", self.data, at)[0]
            if status != _UNKNOWN_U64:
                return throttle.from_amd(status)
        elif (at := _RESIDENCY.get(self.revision)) is not None and len(self.data) >= at + 24:
            return self._throttled_since(before, at)
        raise Unavailable(f"this GPU's metrics (version {version}) do not tell it")

    def _throttled_since(self, before: Metrics | None, at: int) -> int:
        now = struct.unpack_from("<6I", self.data, at)
        if before is None or before.revision != self.revision or len(before.data) < at + 24:
            raise Unavailable(NEXT_SAMPLE)
        then = struct.unpack_from("<6I", before.data, at)
        mask = 0
        for reason, old, new in zip(_THROTTLERS, then[1:], now[1:], strict=True):
            if new not in (old, _UNKNOWN_U32):
                mask |= reason
        return mask


def parse(data: bytes) -> Metrics:
    """Metrics from the file's bytes; Unavailable when they are none."""
    if len(data) < _HEADER.size:
        raise Unavailable("the GPU's metrics are empty")
    size, major, minor = _HEADER.unpack_from(data)
    if size > len(data) or size < _HEADER.size:
        raise Unavailable("the GPU's metrics are cut short")
    return Metrics((major, minor), data[:size])
