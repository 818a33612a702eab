"""What is known of each GPU at the cursor, and all of them in one line."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tuiapp.diagnosis.gpu_lost import gone
from tuiapp.diagnosis.reading import probe_of
from tuiapp.events import DRIVER_SILENT
from tuiapp.session.health import in_flight
from tuiapp.session.view import View
from tuiapp.tui.renderables.canvas import fit
from tuiapp.tui.renderables.numbers import format_bytes, format_clock, format_duration
from tuiapp.tui.renderables.palette import Ink
from tuiapp.words import HELD_BACK, plural

HELD_CELLS = 13
GPU_PROBES = ("gpu", "nvml", "amdgpu", "intel_gpu")
"""How the names begin of what concerns GPUs alone."""
STALLED_NS = 3_000_000_000
"""Age of a device's newest sample from which it is no longer taken for alive."""
_NS = 1e9
_MIB, _GIB = 1 << 20, 1 << 30
_NEIGHBOUR_BYTES = 64 * _MIB
"""Less is a process that only looks."""
_NEIGHBOUR_SHARE = 0.02
_IDLE_NS = 3_000_000_000
_MOST_NAMES = 2
_BUSY = 0.05
_SOURCES = {"nvml": "NVML", "intel_gpu": "Intel's driver"}
_SHORTER = (
    ("the GPU is lost: it has ", ""),
    ("the GPU is gone: the kernel removed its device", "device removed"),
    ("the GPU is gone", "gone"),
)
"""What need not be said of a GPU that is called lost."""
_WEIGHTS = (
    ("permi", 1),
    ("not read", 4),
    ("no file for it", 3),
    ("not supported", 3),
    ("not known to", 3),
)
"""What is in a reason, and its place; all else comes second but for whole GPUs and permissions."""
_LEAST_WHY = 12
"""Cells of a reason from which a part of it is worth showing."""

_INKS = {"bad": Ink.BAD, "warn": Ink.WARN, "dim": Ink.DIM}
_REASONS = tuple((bit, name, _INKS[grave]) for bit, name, grave in HELD_BACK)
"""Reasons that are no fault are dim."""


@dataclass(frozen=True, slots=True)
class Device:
    """One GPU, or a MIG instance of one.

    Attributes:
        group: name of its samples, ``gpu0`` or ``gpu0.mig1``.
        held: what holds its clocks back, the gravest first; one entry when it is lost or unknown.
        facts: name, MIG and the like; may be empty.
        stalled_ns: when its newest sample was taken, where that is so long ago that the device
            cannot be called alive; None while it is.
        old: the gauges of that sample.
        why: what follows the words of ``held``, with its own sign in front: ``: not supported``.
    """

    view: View
    group: str
    held: tuple[tuple[str, Ink], ...]
    facts: Mapping[str, Any]
    stalled_ns: int | None = None
    old: Mapping[str, float] = field(default_factory=dict)
    why: str = ""

    def gauge(self, name: str) -> float | None:
        """The gauge at the cursor; of a stalled device, what it was last."""
        if self.stalled_ns is None:
            return self.view.gauge(self.group, name)
        value = self.old.get(name, math.nan)
        return None if math.isnan(value) else value

    def health(self, name: str) -> float | None:
        """A gauge of the error counters, which come every eight seconds."""
        return self.view.gauge(f"{self.group}.health", name)

    @property
    def index(self) -> str:
        return self.group.removeprefix("gpu")

    @property
    def lost(self) -> bool:
        """It cannot be read at all."""
        return self.group in self.view.probe_reasons

    @property
    def dim(self) -> bool:
        """Nothing of it is of this moment."""
        return self.stalled_ns is not None or self.lost

    @property
    def instances(self) -> list[Device]:
        """Its MIG instances."""
        return [
            Device(self.view, group, (), {}, *_stall(self.view, group))
            for group in self.view.groups(f"{self.group}.mig")
            if group.removeprefix(f"{self.group}.mig").isdigit()
        ]

    @property
    def neighbours(self) -> str:
        """What somebody else has of this GPU, in words; empty when nobody has anything."""
        used, share = self.gauge("other_bytes"), self.gauge("other_util")
        busy = share is not None and share > _NEIGHBOUR_SHARE
        if busy or (used is not None and used > _NEIGHBOUR_BYTES):
            time = f"{percent(share)} % busy" if busy else ""
            if used is None:
                return f"others keep it {time}"
            words = f"others have {format_bytes(used, binary=True)}"
            return f"{words}, {time}" if busy else words
        util = self.gauge("util") or 0.0
        known_own = self.gauge("own_procs") is not None and used == 0
        if util > _BUSY and not known_own and _engine_idle(self.view):
            return "busy while the engine idles"
        return ""

    @property
    def used_bytes(self) -> float | None:
        """Memory in use; of a divided GPU at least what its instances have in use."""
        own = self.gauge("mem_used_bytes")
        inside = total([instance.gauge("mem_used_bytes") for instance in self.instances])
        return own if inside is None else max(own or 0.0, inside)

    @property
    def memory(self) -> float | None:
        """Share of memory in use."""
        return ratio(self.used_bytes, self.gauge("mem_total_bytes"))

    @property
    def held_ink(self) -> Ink:
        return self.held[0][1] if self.held else Ink.GOOD

    @property
    def held_unknown(self) -> bool:
        """Whether it is held back, nothing tells."""
        return not self.dim and self.view.gauge(self.group, "throttle_reasons") is None

    def held_words(self, width: int | None = None) -> str:
        """Everything that holds it back; where that is too long, the gravest and how many more.

        Why it is lost or unknown is cut, or left out, before what is said is.
        """
        names = [name for name, _ in self.held] or ["not throttled"]
        text = ", ".join(names) + self.why
        if width is None or len(text) <= width:
            return text
        if self.why:
            return fit(text if width >= len(names[0]) + _LEAST_WHY else names[0], width)
        more = f" +{len(names) - 1}" if len(names) > 1 else ""
        return fit(names[0], width - len(more)) + more

    @property
    def mig(self) -> str:
        """How it is divided; empty when it is not."""
        found = self.facts.get("mig")
        if not isinstance(found, dict) or not found.get("enabled"):
            return ""
        slices = len(found.get("instances") or ())
        return f"MIG, {plural(slices, 'slice')}"


def devices(view: View) -> list[Device]:
    """Every GPU that was sampled; graphics inside a processor only where it is all there is."""
    known = (view.meta.get("host") or {}).get("gpus")
    facts = {
        f"gpu{found.get('index')}": found
        for found in (known if isinstance(known, list) else ())
        if isinstance(found, dict)
    }
    groups = [group for group in view.groups("gpu") if group.removeprefix("gpu").isdigit()]
    cards = [group for group in groups if not facts.get(group, {}).get("integrated")]
    return [_device(view, group, facts.get(group, {})) for group in cards or groups]


def _device(view: View, group: str, facts: Mapping[str, Any]) -> Device:
    since_ns, old = _stall(view, group)
    if since_ns is None:
        held, why = _held(view, group)
        return Device(view, group, held, facts, why=why)
    age = f" for {(_told_until_ns(view) - since_ns) // _NS:.0f} s"
    return Device(view, group, (("no answer", Ink.BAD),), facts, since_ns, old, age)


def _held(view: View, group: str) -> tuple[tuple[tuple[str, Ink], ...], str]:
    reasons = view.probe_reasons
    if group in reasons:
        since = format_clock(view.probe_since_ns.get(group, view.cursor_ns) / _NS)
        words = f"lost at {since}" if gone(reasons[group]) else f"unread since {since}"
        return ((words, Ink.BAD),), f": {_shorter(reasons[group])}"
    mask = view.gauge(group, "throttle_reasons")
    if mask is not None:
        return tuple((name, ink) for bit, name, ink in _REASONS if int(mask) & bit), ""
    why = reasons.get(f"{group}.throttle_reasons", "")
    return (("throttling unknown", Ink.DIM),), f": {why}" if why else ""


def _shorter(reason: str) -> str:
    for start, words in _SHORTER:
        if reason.startswith(start):
            return words + reason.removeprefix(start)
    return reason


def _stall(view: View, group: str) -> tuple[int | None, Mapping[str, float]]:
    """Since when a device has not been heard of, and its gauges then; (None, {}) while it is.

    After a run it is as it was at the end.
    """
    last = view.last_row(group)
    if last is None or _told_until_ns(view) - last[0] <= STALLED_NS:
        return None, {}
    return last


def _told_until_ns(view: View) -> int:
    """The cursor; of a run that is over, until when anything of the host was told."""
    if not view.health.exit_facts:
        return view.cursor_ns
    others = view.last_row("cpu")
    return view.health.since_ns if others is None else min(others[0], view.health.since_ns)


def stall_words(view: View, found: Sequence[Device]) -> str:
    """``NVML has not answered for 12 s``; empty while every device is heard of."""
    stalled = [device for device in found if device.stalled_ns is not None]
    if not stalled:
        return ""
    first = min(stalled, key=lambda device: device.stalled_ns or 0)
    probe = probe_of(first.facts)
    age = format_duration((_told_until_ns(view) - (first.stalled_ns or 0)) // _NS)
    which = "" if len(stalled) == len(found) else f" ({', '.join(d.group for d in stalled)})"
    reason = view.probe_reasons.get(probe, DRIVER_SILENT)
    name = _SOURCES.get(probe, probe)
    if reason == DRIVER_SILENT:
        return f"{name} has not answered for {age}{which}"
    return f"{name}: {reason}, for {age}{which}"


def _engine_idle(view: View) -> bool:
    """The engine is up, and for three seconds no request has been in flight."""
    if "ready" not in view.cold_start_s:
        return False
    if len(in_flight(view.session, view.cursor_ns)):
        return False
    ended_ns = view.session.ends.last_ns(view.cursor_ns)
    return ended_ns is None or ended_ns <= view.cursor_ns - _IDLE_NS


def unknown(view: View) -> list[str]:
    """Why gauges of GPUs are unknown, what matters most first.

    A sentence for those of one reason on the same GPUs.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for probe, reason in sorted(view.probe_reasons.items(), key=_by_number):
        group, _, gauge = probe.partition(".")
        if probe.startswith(GPU_PROBES):
            groups.setdefault((gauge, reason), []).append(group)
    gauges: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for (gauge, reason), names in groups.items():
        gauges.setdefault((tuple(names), reason), []).append(gauge)
    sources = {probe_of(device.facts) for device in devices(view)}
    told = [
        (
            _weight(names, found, reason, sources),
            f"{_told(names, [gauge for gauge in found if gauge])} unknown: {reason}",
        )
        for (names, reason), found in gauges.items()
    ]
    return [words for _, words in sorted(told, key=lambda each: each[0])]


def _weight(
    names: Sequence[str], gauges: Sequence[str], reason: str, sources: Collection[str]
) -> int:
    """Whole GPUs and their drivers first, last what never concerned a GPU that is there."""
    if "" in gauges:
        return 0 if any(name in sources or name.startswith("gpu") for name in names) else 4
    return next((weight for words, weight in _WEIGHTS if words in reason), 2)


def _by_number(told: tuple[str, str]) -> tuple[int, str]:
    group = told[0].partition(".")[0]
    return len(group), group


def _told(names: Sequence[str], gauges: Sequence[str]) -> str:
    """``gpu5.power_w``, ``gpu0, gpu1: power_w, temp_c``, ``8 GPUs: power_w``."""
    which = ", ".join(names) if len(names) <= _MOST_NAMES else f"{len(names)} GPUs"
    if not gauges:
        return which
    return (
        f"{which}.{gauges[0]}"
        if len(names) == len(gauges) == 1
        else f"{which}: {', '.join(gauges)}"
    )


def total(values: Sequence[float | None]) -> float | None:
    """Sum of what is known; None when nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def mean(values: Sequence[float | None]) -> float | None:
    """Mean of what is known; None when nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def ratio(part: float | None, whole: float | None) -> float | None:
    """``part`` of ``whole``; None when either is unknown."""
    return part / whole if part is not None and whole else None


def number(value: float | None) -> str:
    """Without decimals."""
    return "—" if value is None else f"{value:.0f}"


def percent(fraction: float | None) -> str:
    """Whole per cent, without the sign."""
    return "—" if fraction is None else f"{fraction * 100:.0f}"


def whole_or_none(text: str, size: int) -> str:
    """A number, or ``…`` where it is longer than its field: cut, it would be another number."""
    return text if len(text) <= size else "…"


def memory_words(device: Device) -> str:
    """``55.9 of 74.5 GiB``, ``0.10 of 79.6 GiB``."""
    used, size = device.used_bytes, device.gauge("mem_total_bytes")
    if used is None and size is None:
        return "—"
    first = format_bytes(used, binary=True)
    second = format_bytes(size, binary=True)
    if used is not None and second.endswith("GiB"):
        first = first.removesuffix(" GiB") if used >= _GIB else f"{used / _GIB:.2f}"
    return f"{first} of {second}"


def below(link: tuple[float | None, ...], best: tuple[float | None, ...]) -> bool:
    """A PCIe link is known to be narrower or slower than it could be."""
    return None not in (*link, *best) and link != best


def link_words(gen: float | None, width: float | None) -> str:
    """``5 × 16``: PCIe generation and lanes."""
    return "—" if gen is None or width is None else f"{gen:.0f} × {width:.0f}"
