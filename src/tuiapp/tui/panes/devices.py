"""What is known of each GPU at the cursor, and all of them in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuiapp.session.view import View
from tuiapp.tui.renderables.canvas import fit
from tuiapp.tui.renderables.numbers import Field, format_bytes
from tuiapp.tui.renderables.palette import Ink

HELD_CELLS = 13
GPU_PROBES = ("gpu", "nvml", "amdgpu", "intel_gpu")
"""How the names begin of what concerns GPUs alone."""

# nvmlClocksEventReasons of nvml.h and, from 0x1000, collectors.throttle, the gravest first; reasons
# that are no fault are dim.
_REASONS = (
    (0x0000000000000008, "hw slowdown", Ink.BAD),
    (0x0000000000000040, "hw thermal", Ink.BAD),
    (0x0000000000000080, "power brake", Ink.BAD),
    (0x0000000000000004, "power cap", Ink.WARN),
    (0x0000000000000020, "sw thermal", Ink.WARN),
    (0x0000000000001000, "current cap", Ink.WARN),
    (0x0000000000002000, "firmware", Ink.WARN),
    (0x0000000000000002, "clocks set", Ink.WARN),
    (0x0000000000000010, "sync boost", Ink.DIM),
    (0x0000000000000100, "display clocks", Ink.DIM),
    (0x0000000000000001, "idle", Ink.DIM),
)


@dataclass(frozen=True, slots=True)
class Device:
    """One GPU.

    Attributes:
        group: name of its samples, ``gpu0``.
        held: what holds its clocks back, the gravest first; one entry with a reason when unknown.
        facts: name, MIG and the like; may be empty.
    """

    view: View
    group: str
    held: tuple[tuple[str, Ink], ...]
    facts: Mapping[str, Any]

    def gauge(self, name: str) -> float | None:
        return self.view.gauge(self.group, name)

    @property
    def index(self) -> str:
        return self.group.removeprefix("gpu")

    @property
    def memory(self) -> float | None:
        """Share of memory in use."""
        return ratio(self.gauge("mem_used_bytes"), self.gauge("mem_total_bytes"))

    @property
    def held_ink(self) -> Ink:
        return self.held[0][1] if self.held else Ink.GOOD

    def held_words(self, width: int | None = None) -> str:
        """Everything that holds it back; where that is too long, the gravest and how many more."""
        names = [name for name, _ in self.held]
        text = ", ".join(names) or "not throttled"
        if width is None or len(text) <= width:
            return text
        more = f" +{len(names) - 1}" if len(names) > 1 else ""
        return fit(names[0], width - len(more)) + more

    @property
    def mig(self) -> str:
        """How it is divided; empty when it is not."""
        found = self.facts.get("mig")
        if not isinstance(found, dict) or not found.get("enabled"):
            return ""
        slices = len(found.get("instances") or ())
        return f"MIG, {slices} slice{'' if slices == 1 else 's'}"


def devices(view: View) -> list[Device]:
    """Every GPU that was sampled; graphics inside a processor only where it is all there is."""
    known = (view.meta.get("host") or {}).get("gpus")
    facts = {
        f"gpu{found.get('index')}": found
        for found in (known if isinstance(known, list) else ())
        if isinstance(found, dict)
    }
    groups = view.groups("gpu")
    cards = [group for group in groups if not facts.get(group, {}).get("integrated")]
    return [
        Device(view, group, _held(view, group), facts.get(group, {})) for group in cards or groups
    ]


def _held(view: View, group: str) -> tuple[tuple[str, Ink], ...]:
    mask = view.gauge(group, "throttle_reasons")
    if mask is not None:
        return tuple((name, ink) for bit, name, ink in _REASONS if int(mask) & bit)
    reasons = view.probe_reasons
    if group in reasons:
        return ((f"lost: {reasons[group]}", Ink.BAD),)
    why = reasons.get(f"{group}.throttle_reasons", "")
    return ((f"throttling unknown: {why}" if why else "throttling unknown", Ink.DIM),)


def unknown(view: View) -> list[str]:
    """Why gauges of GPUs are unknown, one sentence each."""
    return [
        f"{probe} unknown: {reason}"
        for probe, reason in view.probe_reasons.items()
        if probe.startswith(GPU_PROBES)
    ]


def gpu_fields(view: View) -> tuple[Field, ...]:
    """All GPUs in one line: means, the hottest, and the one held back most."""
    found = devices(view)
    label = "GPU" if len(found) == 1 else f"{len(found)} GPU"
    hottest = max((t for d in found if (t := d.gauge("temp_c")) is not None), default=None)
    worst = min(found, key=lambda device: _rank(device.held_ink))
    return (
        Field(label, percent(mean([d.gauge("util") for d in found])), 4, "%", keep=9, gap=2),
        Field("mem", percent(mean([d.memory for d in found])), 4, "%", keep=6, gap=2),
        Field("", number(hottest), 3, "°C", ink=Ink.TEXT, keep=5, gap=2),
        held_field(worst),
    )


def _rank(ink: Ink) -> int:
    return (Ink.BAD, Ink.WARN, Ink.DIM, Ink.GOOD).index(ink)


def held_field(device: Device) -> Field:
    """What holds a device back."""
    words = device.held_words(HELD_CELLS)
    return Field("", words, HELD_CELLS, ink=device.held_ink, keep=7, gap=2, align="left")


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


def memory_words(device: Device) -> str:
    """``55.9 of 74.5 GiB``."""
    used, size = device.gauge("mem_used_bytes"), device.gauge("mem_total_bytes")
    first = format_bytes(used, binary=True)
    second = format_bytes(size, binary=True)
    if first.endswith("GiB") and second.endswith("GiB"):
        first = first.removesuffix(" GiB")
    return f"{first} of {second}"


def link_words(gen: float | None, width: float | None) -> str:
    """``5 × 16``: PCIe generation and lanes."""
    return "—" if gen is None or width is None else f"{gen:.0f} × {width:.0f}"
