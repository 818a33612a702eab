"""Are there enough CPU cores, and do they run as fast as they can?"""

from __future__ import annotations

from tuiapp.diagnosis.finding import BAD, FINE, WARN, Finding, fine, unknown
from tuiapp.diagnosis.reading import NOT_TOLD, gpus_used, host, known, mapping, number, percent, why
from tuiapp.diagnosis.seen import Seen
from tuiapp.words import plural

CORES_BESIDE_GPUS = 2
"""Physical cores beside one for each GPU: arXiv 2603.22774 measured TTFT 1.4 to 5.4 times longer
on several GPUs with too few cores."""
IN_PASSING = "at most (timed every ten seconds)"
FEW_CORES = 0.55
"""Weight. Too few cores may cost more than anything else, but where they do, threads are seen to
wait or others to be in the way: what was measured comes first."""
LOW_BASE_SHARE, LOW_MAX_SHARE = 0.95, 0.7
"""A busy CPU under its nominal clock is held back; far under its highest one it may be saving
power. All-core turbo is seldom under 70 % of the single-core one. Own bounds."""
BUSY_FROM = 0.3
"""Share of CPU time in use, from which a clock counts as one under load."""


def cores(view: Seen) -> Finding:
    """Physical cores we may use, against two and one a GPU."""
    facts = host(view)
    found = number(facts, "cores_physical")
    kind = "physical cores"
    if found is None:
        found, kind = number(facts, "cores_logical"), "logical CPUs (how many cores is unknown)"
    if found is None:
        return unknown("cores", "cores", why(view, "host.cores_physical", otherwise=NOT_TOLD))
    quota = number(facts, "cpu_quota_cores")
    usable = found if quota is None else min(found, quota)
    devices = gpus_used(view)
    needed = CORES_BESIDE_GPUS + devices
    limit = "" if quota is None else f", of which the CPU limit grants {quota:.3g}"
    evidence = f"{found:.0f} {kind} (affinity and topology in /proc and /sys){limit}; {needed} are "
    evidence += f"needed for {plural(devices, 'GPU')}" if devices else "the least without a GPU"
    title = f"{usable:.3g} cores"
    if usable >= needed:
        return fine("cores", title, evidence)
    advice = f"Give the engine at least {needed} physical cores: {CORES_BESIDE_GPUS} and one a GPU."
    return Finding("cores", BAD, f"only {title}", evidence, advice, FEW_CORES)


def clock(view: Seen) -> Finding:
    """The clock under load, against what the CPU promises."""
    busy = known(view, "cpu", "total")
    now, how, worked = _clock_mhz(view)
    if now is None:
        return unknown("clock", "CPU clock", why(view, "cpu.freq_mhz"))
    base, most = (number(host(view), f"cpu_freq_{kind}_mhz") for kind in ("base", "max"))
    title, read = f"CPU clock {now / 1000:.2f} GHz", f"{now:.0f} MHz {how}"
    if not base and not most:
        reason = why(view, "tuning.cpu_freq_max_mhz", otherwise="its highest clock is not told")
        return unknown("clock", title, f"{read}, and nothing to compare it with: {reason}")
    if not worked and (not len(busy) or float(busy.mean()) < BUSY_FROM):
        return unknown("clock", title, f"{read}, but the CPUs were mostly idle, when clocks rest")
    under_base = bool(base) and now < LOW_BASE_SHARE * (base or 0)
    under_max = bool(most) and now < LOW_MAX_SHARE * (most or 0)
    against = f"nominal {base:.0f}" if base else f"at most {most:.0f}"
    evidence = f"{read}; {against} MHz (cpufreq)"
    evidence += "" if worked else f"; CPUs {percent(float(busy.mean()))} busy"
    if not (under_base or (under_max and not base)):
        return Finding("clock", FINE, title, evidence)
    advice = "Look for a power or thermal limit and the governor; else take a CPU with more clock."
    severity = BAD if under_base and how != IN_PASSING else WARN
    return Finding("clock", severity, f"{title}, low", evidence, advice, 0.5)


def _clock_mhz(view: Seen) -> tuple[float | None, str, bool]:
    """(MHz, how it was read, whether the core was kept at work for it).

    What was timed comes before what the kernel says: a guest is shown a constant.
    """
    if timed := number(mapping(host(view), "tax"), "core_clock_hz"):
        return timed / 1e6, "at work (timed)", True
    readings = known(view, "tax", "core_clock_hz")
    if len(readings):
        # A core that rests a little is slower: what it reached is what it can do.
        return float(readings.max()) / 1e6, IN_PASSING, False
    told = known(view, "cpu", "freq_mhz")
    return (float(told.mean()) if len(told) else None), "on average (cpufreq or cpuinfo)", False
