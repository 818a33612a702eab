"""What holds a GPU's clocks back."""

from __future__ import annotations

from tuiapp.diagnosis.finding import BAD, WARN, Finding, fine, unknown
from tuiapp.diagnosis.per_gpu import worst
from tuiapp.diagnosis.reading import Gpu, known, number, percent, share
from tuiapp.diagnosis.seen import Few, Seen

# nvmlClocksEventReasons of nvml.h; AMD's and Intel's reasons come in the same bits.
CLOCKS_SET, POWER_CAP = 0x2, 0x4
HW_SLOWDOWN, SW_THERMAL, HW_THERMAL, POWER_BRAKE = 0x8, 0x20, 0x40, 0x80
CURRENT_CAP = 0x1000
_GRAVE = (
    (POWER_BRAKE, "power brake"),
    (HW_THERMAL, "heat (hardware)"),
    (HW_SLOWDOWN, "hardware slowdown"),
    (SW_THERMAL, "heat (driver)"),
    (CURRENT_CAP, "current limit"),
)
RARE = 0.01
"""Share of samples under load up to which a slowdown is passed over."""
LOWERED = 0.98
"""The enforced power limit of the vendor's default; driver and board round. Own bound."""
CAPPED = 0.5
"""Share of samples under load. A GPU that computes all the time reaches its power limit by design,
so this alone says little. Own bound."""
LOW_CLOCK = 0.7
"""SM clock under load, of the highest: identical GPUs differ by up to 22 % (SC22, arXiv
2208.11035)."""
NEAR_SLOWDOWN_C = 3.0


def power(view: Seen) -> Finding | None:
    """The power limit, against the vendor's default, and how often it holds clocks back."""
    return worst(view, _power)


def _power(gpu: Gpu) -> Finding:
    limit, default = gpu.newest("power_limit_w"), number(gpu.facts, "power_default_w")
    held = gpu.held()
    if limit is not None and default and limit < LOWERED * default:
        evidence = f"limit {limit:.0f} W, the vendor's default {default:.0f} W ({gpu.source})"
        advice = "Somebody lowered the power limit: ask the provider, or change the host."
        return Finding("power", BAD, f"power limit {limit:.0f} W", evidence, advice, 0.55)
    if not held:
        return unknown("power", "power limit", gpu.not_loaded("throttle_reasons"))
    capped = share(held, POWER_CAP)
    usual = "unknown" if not default else f"{default:.0f} W"
    now = "unknown" if limit is None else f"{limit:.0f} W"
    evidence = f"held back by power in {percent(capped)} of samples under load; limit {now}, "
    evidence += f"default {usual} ({gpu.source})"
    if capped <= CAPPED:
        return fine("power", "power limit", evidence)
    advice = "Usual under full load; compare the clock with another host of the same GPU."
    return Finding(
        "power", WARN, f"power cap {percent(capped)} of the time", evidence, advice, 0.25
    )


def thermal(view: Seen) -> Finding | None:
    """Slowdowns by heat, by the power supply's brake, or by another pin of the hardware."""
    return worst(view, _thermal)


def _thermal(gpu: Gpu) -> Finding:
    held = gpu.held()
    temp, limit = gpu.newest("temp_c"), gpu.newest("temp_slowdown_c")
    warm = "" if temp is None else f"; {temp:.0f} °C"
    if limit is not None:
        warm += f", slows down at {limit:.0f} °C"
    if (found := _slowed(gpu, held, warm)) is not None:
        return found
    if temp is not None and limit is not None and temp >= limit - NEAR_SLOWDOWN_C:
        advice = "A little warmer, and it slows down: look at the cooling."
        return Finding("thermal", WARN, f"GPU at {temp:.0f} °C", warm.lstrip("; "), advice, 0.3)
    if not held:
        return unknown("thermal", "heat and brakes", gpu.not_loaded("throttle_reasons"))
    return fine("thermal", "heat and brakes", f"no slowdown under load ({gpu.source}){warm}")


def _slowed(gpu: Gpu, held: list[int], warm: str) -> Finding | None:
    """The gravest reason under load; where nothing tells the load, at all samples, which is less:
    an idle GPU that is held back delays nobody."""
    loadless = not len(known(gpu.view, gpu.group, "util"))
    masks, when = held, "samples under load"
    if loadless:
        found = known(gpu.view, gpu.group, "throttle_reasons")
        masks, when = [int(mask) for mask in found if 0 <= mask < 1 << 24], "samples, load unknown"
    for bit, name in _GRAVE if masks else ():
        slowed = share(masks, bit)
        if slowed <= RARE:
            continue
        title = f"GPU slowed by {name}"
        evidence = f"held back in {percent(slowed)} of {when} ({gpu.source}){warm}"
        if loadless:
            advice = "If it is so under load, cooling or power supply do not suffice."
            return Finding("thermal", WARN, title, evidence, advice, 0.45)
        advice = "Cooling or power supply do not suffice: change the host."
        return Finding("thermal", BAD, title, evidence, advice, 0.75)
    return None


def clocks(view: Seen) -> Finding | None:
    """Clocks that somebody set, and clocks that are low without a reason."""
    return worst(view, _clocks)


def _clocks(gpu: Gpu) -> Finding:
    wanted, default = (number(gpu.facts, f"sm_clock_{kind}_mhz") for kind in ("set", "default"))
    if wanted and default and wanted < default:
        evidence = f"set to {wanted:.0f} MHz, default {default:.0f} MHz (NVML)"
        return _set(evidence)
    held = gpu.held()
    if held and share(held, CLOCKS_SET) > RARE:
        return _set("the driver names a clock setting as what holds clocks back (NVML)")
    now, most = gpu.loaded("sm_clock_mhz", "sm_clock_max_mhz")
    if not now or min(most) <= 0:
        return unknown("clocks", "GPU clock", gpu.not_loaded("sm_clock_mhz", "sm_clock_max_mhz"))
    fast = Few(mhz / highest for mhz, highest in zip(now, most, strict=True)).mean()
    title = f"GPU clock {now.mean():.0f} MHz"
    evidence = f"{percent(fast)} of the highest, {most.max():.0f} MHz, under load ({gpu.source})"
    if fast >= LOW_CLOCK:
        return fine("clocks", title, evidence)
    advice = "Look at the power limit and the temperature; ask the provider for locked clocks."
    return Finding("clocks", WARN, f"{title}, low", evidence, advice, 0.4)


def _set(evidence: str) -> Finding:
    advice = "Ask the provider why; with the right to: nvidia-smi -rgc and -rac."
    return Finding("clocks", WARN, "GPU clocks are locked", evidence, advice, 0.5)
