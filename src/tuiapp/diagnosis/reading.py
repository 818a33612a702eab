"""What rules read: facts and gauges of a view, whatever a recording may hold in their place.

A header comes from a file that anybody may have made: a value of another type than expected is
unknown, and text is cut and cleaned before it becomes evidence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import isfinite, prod
from typing import Any

from tuiapp.diagnosis.seen import Few, Seen, Values
from tuiapp.events import MOST_VALUE

NOT_SAMPLED = "no sample of it in this stretch of time"
NOT_TOLD = "nothing tells it here"
_MOST_ITEMS, _MOST_CPUS = 64, 8192
_LONGEST = 80
"""Characters of a name that somebody else chose."""
_SENTENCE = 400
"""Characters of a sentence of our own, which quotes such names; no more, for a recording may hold
anything in its place. What shows it cuts by width."""
_PROBES = {"amdgpu": "amdgpu", "i915": "intel_gpu", "xe": "intel_gpu"}
"""What reads the GPUs of a driver; all else is NVML's."""
_GPU = re.compile(r"gpu\d{1,4}")


def host(view: Seen) -> Mapping[str, Any]:
    """Facts of the host."""
    return mapping(view.meta, "host")


def mapping(facts: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A mapping under ``name``; an empty one where there is none."""
    value = facts.get(name)
    return value if isinstance(value, Mapping) else {}


def items(facts: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The mappings of a list under ``name``."""
    value = facts.get(name)
    found = value[:_MOST_ITEMS] if isinstance(value, list | tuple) else ()
    return [item for item in found if isinstance(item, Mapping)]


def number(facts: Mapping[str, Any], name: str) -> float | None:
    """A finite number under ``name``."""
    value = facts.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -MOST_VALUE < value < MOST_VALUE else None


def flag(facts: Mapping[str, Any], name: str) -> bool | None:
    """Yes or no under ``name``."""
    value = facts.get(name)
    return value if isinstance(value, bool) else None


def text(facts: Mapping[str, Any], name: str) -> str:
    """Printable text under ``name``, at most 80 characters; empty when there is none."""
    value = facts.get(name)
    return printable(value) if isinstance(value, str) else ""


def sentence(facts: Mapping[str, Any], name: str) -> str:
    """A printable sentence of this program's own under ``name``, at most 400 characters."""
    value = facts.get(name)
    return printable(value, _SENTENCE) if isinstance(value, str) else ""


def printable(value: str, most: int = _LONGEST) -> str:
    """``value`` without what could not be shown, at most ``most`` characters."""
    kept = "".join(sign if sign.isprintable() else " " for sign in value[: most + 1]).strip()
    return kept if len(kept) <= most else kept[: most - 1] + "…"


def reason_words(reason: str) -> str:
    """Why a probe could not read something, as it told: printable, at most 400 characters."""
    return printable(str(reason), _SENTENCE)


def cpus(listed: str) -> frozenset[int]:
    """The CPUs of a kernel list such as ``0-3,8``; empty for what is none."""
    found: set[int] = set()
    for part in listed.split(","):
        first, _, last = part.strip().partition("-")
        low, high = first.strip(), (last or first).strip()
        if not (low.isdecimal() and high.isdecimal() and len(low + high) <= 12):
            return frozenset()
        if int(high) >= _MOST_CPUS:
            return frozenset()
        found.update(range(int(low), int(high) + 1))
    return frozenset(found)


def known(view: Seen, group: str, name: str) -> Values:
    """The known values of a gauge over the window, oldest first."""
    return view.known(group, name)


def mean(view: Seen, group: str, name: str) -> float | None:
    """Mean of a gauge over the window."""
    values = known(view, group, name)
    return float(values.mean()) if len(values) else None


def newest(view: Seen, group: str, name: str) -> float | None:
    """The last known value of a gauge in the window."""
    values = known(view, group, name)
    return float(values[-1]) if len(values) else None


def increase(counts: Values) -> float:
    """By how much a counter grew in all; where it begins anew it did not shrink."""
    steps = (float(counts[at] - counts[at - 1]) for at in range(1, len(counts)))
    return sum(step for step in steps if step > 0)


def share(masks: Sequence[int], bit: int) -> float:
    """In how many of ``masks`` ``bit`` is set, 0 to 1; not of none."""
    return sum(mask & bit != 0 for mask in masks) / len(masks)


def why(view: Seen, *fields: str, otherwise: str = NOT_SAMPLED) -> str:
    """Why fields (``cpu.steal``, ``tuning.governor``) are unknown, as their probe told."""
    for field in fields:
        name = field
        while name:
            if reason := view.probe_reasons.get(name):
                return reason_words(reason)
            name = name.rpartition(".")[0]
    return otherwise


def percent(share: float) -> str:
    """``3.1 %``."""
    return f"{share * 100:.1f} %" if share < 0.0995 else f"{share * 100:.0f} %"


def is_guest(view: Seen) -> bool | None:
    """A hypervisor schedules our CPUs; None when that is not known."""
    machine = text(mapping(host(view), "machine"), "machine")
    if machine in ("guest", "bare-metal", "host-partition"):
        return machine == "guest"
    # The flag proves a hypervisor; its absence proves nothing.
    return True if flag(host(view), "cpuinfo_hypervisor") else None


class Gpu:
    """One GPU: its facts, and its gauges over the window.

    Attributes:
        group: name of its samples, ``gpu0``.
        facts: what holds for the run; may be empty.
        label: in front of titles where there are several; else empty.
    """

    BUSY_FROM = 0.3
    """Share of time with a kernel running, from which a sample counts as one under load."""

    def __init__(self, view: Seen, group: str, facts: Mapping[str, Any], label: str) -> None:
        self.view, self.group, self.facts, self.label = view, group, facts, label

    @property
    def source(self) -> str:
        """Who told its gauges: NVML, or the driver whose files do."""
        return text(self.facts, "driver") or "NVML"

    def loaded(self, *names: str) -> list[Few]:
        """Gauges, at the samples under load where all of them are known."""
        rows = self.view.rows(self.group, "util", *names)
        kept = [row[1:] for row in rows if row[0] >= self.BUSY_FROM and all(map(isfinite, row))]
        return [Few(column) for column in zip(*kept, strict=True)] or [Few() for _ in names]

    def why(self, *names: str) -> str:
        """Why gauges are unknown; NVML tells of more than other drivers' files do."""
        told = NOT_SAMPLED if self.source == "NVML" else "not read for this driver"
        return why(self.view, *(f"{self.group}.{name}" for name in names), otherwise=told)

    def not_loaded(self, *names: str) -> str:
        """Why ``loaded`` gave nothing."""
        util = known(self.view, self.group, "util")
        if not len(util):
            return why(self.view, f"{self.group}.util", otherwise="how busy it is, is unknown")
        if float(util.max()) < self.BUSY_FROM:
            return f"the GPU was never busy in this stretch of time (at most {percent(util.max())})"
        return self.why(*names)

    def newest(self, name: str, part: str = "") -> float | None:
        """The last known value of a gauge, of ``part`` (``health``) of its groups."""
        return newest(self.view, self.group + (f".{part}" if part else ""), name)

    def held(self) -> list[int]:
        """What held its clocks back at the samples under load: masks of NVML's bits."""
        return [int(mask) for mask in self.loaded("throttle_reasons")[0] if 0 <= mask < 1 << 24]


def probe_of(facts: Mapping[str, Any]) -> str:
    """The probe that reads a GPU: ``nvml``, ``amdgpu`` or ``intel_gpu``."""
    return text(facts, "source") or _PROBES.get(text(facts, "driver"), "nvml")


def gpus(view: Seen) -> list[Gpu]:
    """Every GPU that was sampled, in order; graphics inside a CPU where there is nothing else."""
    told = {f"gpu{found.get('index')}": found for found in items(host(view), "gpus")}
    every = [name for name in view.groups("gpu") if _GPU.fullmatch(name)]
    cards = [name for name in every if not flag(told.get(name, {}), "integrated")]
    groups = cards or every
    several = len(groups) > 1
    return [
        Gpu(view, group, told.get(group, {}), f"{group}: " if several else "") for group in groups
    ]


def gpus_used(view: Seen) -> int:
    """How many GPUs the engine uses; all there are, where no engine says."""
    engine = mapping(view.meta, "engine")
    if text(engine, "device") == "cpu":
        return 0
    parts = [number(engine, f"{kind}_parallel") for kind in ("tensor", "pipeline", "data")]
    if engine and parts[0] is not None:
        wanted = prod(part for part in parts if part is not None and 1 <= part <= 1024)
        return int(min(wanted, 1024))
    told = items(host(view), "gpus")
    cards = [found for found in told if not flag(found, "integrated")]
    return max(len(gpus(view)), len(cards or told))


def listed(words: Sequence[str], most: int = 5) -> str:
    """``a, b and 3 more``."""
    shown = ", ".join(words[:most])
    return shown if len(words) <= most else f"{shown} and {len(words) - most} more"
