"""Does the machine have memory enough?"""

from __future__ import annotations

from tuiapp.diagnosis.finding import BAD, FINE, Finding, fine, graded, unknown
from tuiapp.diagnosis.reading import known, mean, percent, why
from tuiapp.diagnosis.seen import Seen

SWAP_BYTES_PER_S = 1 << 20
"""More than a stray page now and then. Own bound."""
PRESSURE_WARN, PRESSURE_BAD = 0.01, 0.10
"""Share of time in which some task waited for memory (PSI). Own bounds."""


def memory(view: Seen) -> Finding:
    """Swapping, and time spent waiting for memory."""
    rates = [mean(view, "memory", f"swap_{way}_bytes_per_s") for way in ("in", "out")]
    pressure = known(view, "memory", "psi_some_avg10")
    swapped = sum(rate for rate in rates if rate is not None)
    waited = float(pressure.mean()) / 100 if len(pressure) else None
    if None in rates and waited is None:
        reason = why(view, "memory.swap_in_bytes_per_s", "memory.psi_some_avg10")
        return unknown("memory", "memory pressure", reason)
    parts = []
    if None not in rates:
        parts.append(f"{swapped / 2**20:.1f} MiB/s swapped (/proc/vmstat)")
    if waited is not None:
        parts.append(f"tasks waited for memory {percent(waited)} of the time (/proc/pressure)")
    severity = FINE if waited is None else graded(waited, PRESSURE_WARN, PRESSURE_BAD)
    title = "memory pressure" if waited is None else f"memory pressure {percent(waited)}"
    if swapped > SWAP_BYTES_PER_S:
        severity, title = BAD, f"swapping {swapped / 2**20:.1f} MiB/s"
    if severity == FINE:
        return fine("memory", title, "; ".join(parts))
    advice = "Memory is short: end other programs, lower the KV cache, or take more memory."
    return Finding("memory", severity, title, "; ".join(parts), advice, 0.85)
