"""Does the machine save power at the cost of latency?"""

from __future__ import annotations

from tuiapp.diagnosis.finding import WARN, Finding, fine, unknown
from tuiapp.diagnosis.reading import NOT_TOLD, flag, host, items, number, text, why
from tuiapp.diagnosis.seen import Seen

GOVERNOR_FINE = ("performance",)
HARDWARE_DRIVERS = ("intel_pstate", "amd-pstate-epp", "amd_pstate_epp")
"""With these "powersave" leaves the clock to the hardware, and the energy preference decides."""
PREFERENCE_FINE = ("performance", "balance_performance")
EXIT_LATENCY_US = 50
"""Waking up from a deeper idle state takes longer than the timer's own slack of 50 µs. Intel's C6
takes some 130 µs (intel_idle of the Linux kernel), deep states of other CPUs up to 1 ms."""


def governor(view: Seen) -> Finding:
    """Who sets the CPU's clock, and how eagerly."""
    facts = host(view)
    name, driver = text(facts, "governor"), text(facts, "cpufreq_driver")
    preference = text(facts, "energy_preference")
    if not name:
        reason = why(view, "tuning.governor", otherwise=NOT_TOLD)
        reason += "; what a guest does not see, its host sets"
        return unknown("governor", "governor", reason)
    title = f"governor {name}"
    evidence = f"{name}, driver {driver or 'unknown'} (cpufreq)"
    if preference:
        evidence += f", energy preference {preference}"
    hardware = driver in HARDWARE_DRIVERS and preference in PREFERENCE_FINE
    turned_off = flag(facts, "boost") is False
    if (name in GOVERNOR_FINE or hardware) and not turned_off:
        return fine("governor", title, evidence)
    advice = "Set the governor to performance: cpupower frequency-set -g performance."
    if turned_off:
        title, evidence = f"{title}, no boost", f"{evidence}; boost is switched off"
        advice = "Switch boost on, and set the governor to performance."
    return Finding("governor", WARN, title, evidence, advice, 0.35)


def idle_states(view: Seen) -> Finding:
    """How long the CPU takes to wake up from the deepest idle state it may enter."""
    states = items(host(view), "idle_states")
    if not states:
        reason = why(view, "tuning.idle_states", otherwise=NOT_TOLD)
        return unknown("idle_states", "idle states", f"{reason}; a guest sees none of the host's")
    latencies = [
        (latency, text(state, "name"))
        for state in states
        if flag(state, "enabled") is not False
        and (latency := number(state, "exit_latency_us")) is not None
    ]
    if not latencies:
        return unknown("idle_states", "idle states", "no state tells its exit latency (cpuidle)")
    latency, name = max(latencies)
    driver = text(host(view), "idle_driver") or "unknown"
    title = f"idle state {name}, {latency:.0f} µs"
    evidence = f"the deepest of {len(latencies)} enabled states takes {latency:.0f} µs to leave "
    evidence += f"(cpuidle, driver {driver})"
    if latency <= EXIT_LATENCY_US:
        return fine("idle_states", title, evidence)
    advice = "Forbid deep idle states: cpupower idle-set -D 50, or processor.max_cstate=1."
    return Finding("idle_states", WARN, title, evidence, advice, 0.25)
