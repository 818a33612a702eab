"""Does the machine stand still now and then, and what does leaving the guest cost?"""

from __future__ import annotations

from tuiapp.diagnosis.finding import FINE, WARN, Finding, fine, graded, unknown
from tuiapp.diagnosis.reading import (
    NOT_SAMPLED,
    NOT_TOLD,
    host,
    is_guest,
    known,
    mapping,
    number,
    why,
)
from tuiapp.diagnosis.seen import Seen

P99_WARN_S, P99_BAD_S = 1e-3, 5e-3
"""An undisturbed nested guest woke up 0.3 ms late at p99, 50 µs of it the timer's slack."""
LONGEST_WARN_S, LONGEST_BAD_S = 0.02, 0.1
"""A stall as long as a token takes shows in TPOT; one of 100 ms misses the strictest common
objective on TTFT by itself."""
EXIT_WARN_S = 2e-6
"""CPUID, which always leaves a guest: 0.06 µs on bare metal, 0.5 to 1.2 µs with one hypervisor
below, 3.8 µs measured where hypervisors are nested."""
_EXIT_NAMES = ("cpuid_exit_s", "cpuid_exit_p50_s", "cpuid_p50_s")
_METER = " in the middle one of {} stretches"


def jitter(view: Seen) -> Finding:
    """How late a process wakes up that only sleeps."""
    p99s, longest = known(view, "hiccup", "p99_s"), known(view, "hiccup", "max_s")
    if len(p99s) and len(longest):
        middle = float((p99s if len(p99s) < 3 else sorted(p99s))[len(p99s) // 2])
        return _jitter(middle, float(longest.max()), _METER.format(len(p99s)), "hiccup meter")
    tax = mapping(host(view), "tax")
    p99, slowest = (number(tax, f"wakeup_{name}_s") for name in ("p99", "p999"))
    if p99 is not None and slowest is not None:
        return _jitter(p99, slowest, "", "some hundred sleeps of 1 ms, timed")
    reason = why(view, "hiccup", otherwise=f"{NOT_SAMPLED}; `tuiapp host --tax` measures it")
    return unknown("jitter", "wake-up jitter", reason)


def _jitter(middle: float, most: float, which: str, source: str) -> Finding:
    title = f"host stalls up to {most * 1e3:.1f} ms"
    evidence = f"a sleeping process woke up {middle * 1e3:.2f} ms late at p99{which}, "
    evidence += f"{most * 1e3:.1f} ms at most ({source})"
    grades = {
        graded(middle, P99_WARN_S, P99_BAD_S),
        graded(most, LONGEST_WARN_S, LONGEST_BAD_S),
    }
    severity = next(grade for grade in ("bad", "warn", "fine") if grade in grades)
    if severity == FINE:
        return fine("jitter", title, evidence)
    advice = "Compare with the machine at rest: stalls that stay are the host's, not the load's."
    return Finding("jitter", severity, title, evidence, advice, 0.6)


def vm_exit(view: Seen) -> Finding | None:
    """What one exit to the hypervisor takes; nothing to tell on bare metal."""
    tax = mapping(host(view), "tax")
    cost = next((found for name in _EXIT_NAMES if (found := number(tax, name)) is not None), None)
    if cost is None:
        if is_guest(view) is False:
            return None
        reason = why(view, "tax", otherwise=f"{NOT_TOLD}; `tuiapp host --tax` measures it")
        return unknown("vm_exit", "cost of a VM exit", reason)
    title = f"VM exit {cost * 1e6:.2f} µs"
    evidence = f"the CPUID instruction takes {cost * 1e6:.2f} µs (timed)"
    if cost <= EXIT_WARN_S:
        return fine("vm_exit", title, evidence)
    advice = "As slow as under nested hypervisors: interrupts and timers cost several times more."
    return Finding("vm_exit", WARN, title, evidence, advice, 0.3)
