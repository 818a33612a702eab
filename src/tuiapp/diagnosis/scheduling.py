"""Does the engine get the CPU when it wants it?"""

from __future__ import annotations

from tuiapp.diagnosis.finding import FINE, WARN, Finding, fine, graded, unknown
from tuiapp.diagnosis.reading import (
    flag,
    host,
    is_guest,
    known,
    mapping,
    mean,
    number,
    percent,
    text,
    why,
)
from tuiapp.diagnosis.seen import Seen

STEAL = 0.01
"""More than one per cent taken by the hypervisor: bare metal has none, an undisturbed guest
0.01 to 0.1 %."""
NO_STEAL_TOLD = (
    "hyper",
    "microsoft",
    "vmware",
    "virtualbox",
    "oracle",
    "parallels",
    "bhyve",
    "tcg",
    "qemu",
)
"""Hypervisors that tell their guests no steal time unless asked to."""
THROTTLED = 0.01
"""Seconds held back by the CPU limit, a second. Any at all is a stall of up to 100 ms, the usual
period of a limit."""
WAIT_WARN, WAIT_BAD = 0.10, 0.30
"""Share of the time it could have run that the engine waited for a CPU. Own bounds."""
HARDLY_RUNS = 0.05
"""Threads of an engine that run or want to, below which their waits tell nothing. Own bound."""
PRESSURE_WARN, PRESSURE_BAD = 0.25, 0.50
"""The same for every task of the machine (PSI, some): 13 to 16 % in this project's undisturbed
recordings of a CPU engine on two cores, 99 % beside four endless loops."""
OTHERS_WARN, OTHERS_BAD = 0.10, 0.25
"""Share of all CPU time that goes to processes which are not the engine's. Own bounds."""
IRQ = 0.10
"""Share of CPU time in interrupts. Own bound."""


def steal(view: Seen) -> Finding:
    """CPU time the hypervisor gave to somebody else; what was measured counts before a sample."""
    shares = known(view, "cpu", "steal")
    tax = mapping(host(view), "tax")
    measured, took_s = number(tax, "steal"), number(tax, "took_s")
    if measured is not None:
        share = most = measured
        span = "while the tax was measured" if took_s is None else f"in {took_s:.1f} s"
        read = f"{percent(share)} of CPU time {span} (/proc/stat)"
    elif len(shares):
        share, most = float(shares.mean()), float(shares.max())
        read = f"{percent(share)} of CPU time, at most {percent(most)} in a sample (/proc/stat)"
    else:
        return unknown("steal", "steal", why(view, "cpu.steal"))
    hypervisor = text(mapping(host(view), "machine"), "hypervisor").lower()
    if most == 0 and is_guest(view) and any(name in hypervisor for name in NO_STEAL_TOLD):
        reason = f"0 in every sample (/proc/stat), but {hypervisor} may not tell it to guests"
        return unknown("steal", "steal", reason)
    title = f"steal {percent(share)}"
    severity = graded(share, 1.0, STEAL)
    if severity == FINE:
        return fine("steal", title, read)
    advice = "The hypervisor gives our CPUs to others: change the host, or take dedicated CPUs."
    return Finding("steal", severity, title, read, advice, 0.8)


def quota(view: Seen) -> Finding:
    """How long the CPU limit of our control group held threads back."""
    held = known(view, "cpu", "quota_throttled_s")
    limit = number(host(view), "cpu_quota_cores")
    if not len(held):
        reason = why(view, "host.cpu_quota_cores", otherwise="")
        if "cpu_quota_cores" in host(view) and limit is None and not reason:
            return fine("quota", "no CPU limit", "no limit over our control group (cpu.max)")
        return unknown("quota", "CPU limit", reason or why(view, "cpu.quota_throttled_s"))
    seconds = max((view.cursor_ns - max(view.window_start_ns, 0)) / 1e9, 1.0)
    share = float(held.sum()) / seconds
    granted = "" if limit is None else f" of {limit:.3g} cores"
    evidence = f"threads were held back {float(held.sum()):.2f} s in {seconds:.0f} s by a limit"
    evidence += f"{granted} (cgroup cpu.stat)"
    severity = graded(share, 0.0, THROTTLED)
    if severity == FINE:
        return fine("quota", "CPU limit not reached", evidence)
    advice = "Raise or remove the CPU limit: a thread that reaches it stands still for a period."
    return Finding("quota", severity, f"CPU limit, held {percent(share)}", evidence, advice, 0.85)


def run_wait(view: Seen) -> Finding:
    """How long the engine's threads waited for a CPU although they could have run."""
    waited, used = mean(view, "process", "run_wait_cores"), mean(view, "process", "cpu_cores")
    advice = "Give the engine cores of its own (taskset, cpusets), or more of them."
    if waited is not None and used is not None:
        share = waited / (waited + used) if waited + used > 0 else 0.0
        evidence = f"{waited:.2f} of the engine's threads waited on average while {used:.2f} ran"
        evidence += " (/proc/PID/task/*/schedstat)"
        severity = graded(share, WAIT_WARN, WAIT_BAD)
        if waited + used < HARDLY_RUNS:
            return fine("run_wait", "the engine hardly runs", evidence)
    else:
        avg10 = mean(view, "load", "psi_cpu_some_avg10")
        if avg10 is None:
            reason = why(view, "process.run_wait_cores", "load.psi_cpu_some_avg10")
            return unknown("run_wait", "run-queue wait", reason)
        share = avg10 / 100
        evidence = f"{percent(share)} of the time some task of the machine waited for a CPU "
        evidence += "(/proc/pressure/cpu); the engine's own wait is unknown"
        severity = graded(share, PRESSURE_WARN, PRESSURE_BAD)
    title = f"run-queue wait {percent(share)}"
    if severity == FINE:
        return fine("run_wait", title, evidence)
    return Finding("run_wait", severity, title, evidence, advice, 0.7)


def sessions(view: Seen) -> Finding | None:
    """Whether the kernel divides the CPU between terminal sessions before it does between threads.

    Nothing to tell where it does not, or where no header says so.
    """
    if not flag(host(view), "cpu_by_session"):
        return None
    avg10 = mean(view, "load", "psi_cpu_some_avg10")
    title = "CPU shared by session"
    evidence = "sched_autogroup_enabled is 1, no control group has a CPU share of its own"
    if avg10 is None:
        return unknown("sessions", title, why(view, "load.psi_cpu_some_avg10"))
    waited = f"; some task waited for a CPU {percent(avg10 / 100)} of the time (/proc/pressure/cpu)"
    if avg10 / 100 <= PRESSURE_WARN:
        return fine("sessions", title, evidence + waited)
    advice = "One busy thread of another session may take as much as the whole engine: measure with"
    advice += " sysctl kernel.sched_autogroup_enabled=0, or in a scope of its own (systemd-run)."
    return Finding("sessions", WARN, title, evidence + waited, advice, 0.5)


def neighbours(view: Seen) -> Finding | None:
    """CPU time of processes that are not the engine's; nothing to tell without an engine."""
    if "process" not in view.groups("process"):
        return None
    busy, cores = mean(view, "cpu", "total"), number(host(view), "cores_online")
    engine = mean(view, "process", "cpu_cores")
    if busy is None or engine is None or not cores or cores < 0:
        reason = why(view, "cpu.total", "process", "host.cores_online")
        return unknown("neighbours", "other processes", reason)
    own = mean(view, "process.app", "cpu_cores") or 0.0
    others = max(busy * cores - engine - own, 0.0)
    share = others / cores
    title = f"other processes {percent(share)} of CPU"
    evidence = f"{others:.2f} of {cores:.0f} CPUs beside the engine's {engine:.2f} (/proc/stat)"
    severity = graded(share, OTHERS_WARN, OTHERS_BAD)
    if severity == FINE:
        return fine("neighbours", title, evidence)
    advice = "Something else computes on this machine: end it, or give the engine its own cores."
    return Finding("neighbours", severity, title, evidence, advice, 0.75)


def interrupts(view: Seen) -> Finding:
    """CPU time spent on interrupts."""
    share = mean(view, "cpu", "irq")
    if share is None:
        return unknown("interrupts", "interrupts", why(view, "cpu.irq"))
    title = f"interrupts {percent(share)}"
    evidence = f"{percent(share)} of CPU time in hard and soft interrupts (/proc/stat)"
    if share <= IRQ:
        return fine("interrupts", title, evidence)
    advice = "Move the busiest interrupts (/proc/interrupts) off the engine's cores."
    return Finding("interrupts", WARN, title, evidence, advice, 0.3)
