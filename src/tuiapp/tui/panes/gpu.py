"""The GPUs: how busy, how full, how fast they may run, and what holds them back."""

from __future__ import annotations

from collections.abc import Sequence

from tuiapp.session.view import View
from tuiapp.tui.panes.base import Pane, Part, Scene
from tuiapp.tui.panes.host import resample
from tuiapp.tui.panes.start import TextLines
from tuiapp.tui.renderables.bar import Gauge, Gauges
from tuiapp.tui.renderables.line import LineChart, Series
from tuiapp.tui.renderables.numbers import Field, NumberLines, format_bytes, format_si
from tuiapp.tui.renderables.palette import Ink

_S = 1_000_000_000
_HISTORY_NS = 120 * _S

# nvmlClocksEventReasons of nvml.h; reasons that are no fault are dim.
_REASONS = (
    (0x0000000000000004, "power cap", Ink.WARN),
    (0x0000000000000008, "hw slowdown", Ink.BAD),
    (0x0000000000000010, "sync boost", Ink.DIM),
    (0x0000000000000020, "sw thermal", Ink.WARN),
    (0x0000000000000040, "hw thermal", Ink.BAD),
    (0x0000000000000080, "power brake", Ink.BAD),
    (0x0000000000000100, "display clocks", Ink.DIM),
    (0x0000000000000002, "clocks set", Ink.WARN),
    (0x0000000000000001, "idle", Ink.DIM),
)


class GpuPane(Pane):
    """Every device; fewer lines each when there are many."""

    TITLE = "GPU"

    def title(self, scene: Scene) -> str:
        names = [_facts(scene.view, group).get("name") for group in scene.view.groups("gpu")]
        known = list(dict.fromkeys(str(name) for name in names if name))
        count = f"{len(names)} × " if len(names) > 1 else ""
        return f"{self.TITLE} · {count}{', '.join(known)}" if known else self.TITLE

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        groups = scene.view.groups("gpu")
        if not groups:
            reason = scene.view.probe_reasons.get("nvml", "not looked for yet")
            return ((TextLines((f"none: {reason}",), Ink.TEXT), height),)
        rows = max(height // len(groups), 1)
        return [part for group in groups for part in _device(scene.view, group, width, rows)]


def _device(view: View, group: str, width: int, rows: int) -> list[Part]:
    lines = [_power(view, group), _clocks(view, group), _pcie(view, group), _state(view, group)]
    if rows < 3:
        return [(NumberLines((_compact(view, group), lines[3])[:rows]), rows)]
    gauges = Gauges((_util(view, group), _memory(view, group)))
    shown = lines[: rows - 2]
    parts: list[Part] = [(gauges, 2), (NumberLines(tuple(shown)), len(shown))]
    room = rows - 2 - len(shown)
    if room >= 2:
        parts.append((_history(view, group, width), room))
    return parts


def _facts(view: View, group: str) -> dict[str, object]:
    for found in view.meta.get("host", {}).get("gpus") or ():
        if isinstance(found, dict) and f"gpu{found.get('index')}" == group:
            return found
    return {}


def _compact(view: View, group: str) -> tuple[Field, ...]:
    memory = _ratio(view.gauge(group, "mem_used_bytes"), view.gauge(group, "mem_total_bytes"))
    return (
        Field(group, _percent(view.gauge(group, "util")), 4, "%", keep=9, gap=0),
        Field("mem", _percent(memory), 4, "%", keep=8, gap=2),
        Field("", _number(view.gauge(group, "power_w")), 4, "W", keep=7, gap=2),
        Field("", _number(view.gauge(group, "temp_c")), 3, "°C", keep=6, gap=2),
        Field("sm", _number(view.gauge(group, "sm_clock_mhz")), 4, "MHz", keep=5, gap=2),
    )


def _util(view: View, group: str) -> Gauge:
    util = view.gauge(group, "util")
    temp = f"{_number(view.gauge(group, 'temp_c'))} °C"
    return Gauge(group, util, f"{_percent(util)} %", temp, warn=2.0, bad=2.0)


def _memory(view: View, group: str) -> Gauge:
    used, total = view.gauge(group, "mem_used_bytes"), view.gauge(group, "mem_total_bytes")
    fraction = _ratio(used, total)
    note = f"{format_bytes(used, binary=True)} of {format_bytes(total, binary=True)}"
    return Gauge("mem", fraction, f"{_percent(fraction)} %", note, warn=0.95, bad=0.99)


def _power(view: View, group: str) -> tuple[Field, ...]:
    watts, limit = view.gauge(group, "power_w"), view.gauge(group, "power_limit_w")
    near = watts is not None and limit is not None and watts > 0.97 * limit
    ink = Ink.WARN if near else Ink.STRONG
    return (
        Field("power", _number(watts), 4, "W", ink, keep=9, gap=0),
        Field("of", _number(limit), 4, "W", Ink.TEXT, keep=8, gap=1),
    )


def _clocks(view: View, group: str) -> tuple[Field, ...]:
    return (
        Field("SM", _number(view.gauge(group, "sm_clock_mhz")), 4, "MHz", keep=9, gap=0),
        Field("of", _number(view.gauge(group, "sm_clock_max_mhz")), 4, ink=Ink.TEXT, keep=6, gap=1),
        Field("mem", _number(view.gauge(group, "mem_clock_mhz")), 5, "MHz", keep=7, gap=2),
    )


def _pcie(view: View, group: str) -> tuple[Field, ...]:
    link = (view.gauge(group, "pcie_gen"), view.gauge(group, "pcie_width"))
    best = (view.gauge(group, "pcie_gen_max"), view.gauge(group, "pcie_width_max"))
    worse = None not in (*link, *best) and link != best
    rates = (view.gauge(group, f"pcie_{way}_bytes_per_s") for way in ("tx", "rx"))
    sent, received = (format_si(rate) for rate in rates)
    return (
        Field("PCIe", _link(link), 7, ink=Ink.WARN if worse else Ink.STRONG, keep=9, gap=0),
        Field("of", _link(best), 7, ink=Ink.TEXT, keep=6, gap=1),
        Field("↑", sent, 5, "B/s", keep=5, gap=2, ink=Ink.TEXT),
        Field("↓", received, 5, "B/s", keep=5, gap=2, ink=Ink.TEXT),
    )


def _link(link: tuple[float | None, float | None]) -> str:
    gen, width = link
    return "—" if gen is None or width is None else f"{gen:.0f} × {width:.0f}"


def _state(view: View, group: str) -> tuple[Field, ...]:
    """What holds the clocks back, and how the card is divided."""
    mask = view.gauge(group, "throttle_reasons")
    if mask is None:
        reasons = view.probe_reasons
        lost = reasons.get(group) or reasons.get(f"{group}.throttle_reasons")
        text, ink = (lost, Ink.BAD) if lost else ("throttle reasons unknown", Ink.DIM)
    else:
        found = [(name, ink) for bit, name, ink in _REASONS if int(mask) & bit]
        text = ", ".join(name for name, _ in found) or "not throttled"
        ink = found[0][1] if found else Ink.GOOD
    facts = _facts(view, group)
    fields = [Field("", text, min(max(len(text), 13), 40), ink=ink, keep=9, gap=0, align="left")]
    mig = facts.get("mig")
    if isinstance(mig, dict) and mig.get("enabled"):
        slices = f"{len(mig.get('instances') or ())} slices"
        fields.append(Field("MIG", slices, 9, keep=7, gap=2, ink=Ink.ACCENT, align="left"))
    return tuple(fields)


def _history(view: View, group: str, width: int) -> LineChart:
    points = 2 * max(width - 5, 1)
    util = resample(view, group, "util", view.window_ns or _HISTORY_NS, points)
    return LineChart((Series(util * 100, Ink.SERIES_2, "util"),), high=100.0, fill=True, empty="")


def _ratio(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.0f}"


def _percent(fraction: float | None) -> str:
    return "—" if fraction is None else f"{fraction * 100:.0f}"
