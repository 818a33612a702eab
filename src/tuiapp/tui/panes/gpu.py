"""The GPUs: how busy, how full, how fast they may run, and what holds them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from textual.strip import Strip

from tuiapp.session.roofline import roofline
from tuiapp.session.view import View
from tuiapp.tui.panes.arranged import Faded, Stacked
from tuiapp.tui.panes.base import Pane, Part, Scene
from tuiapp.tui.panes.devices import (
    Device,
    devices,
    held_field,
    link_words,
    mean,
    memory_words,
    number,
    percent,
    total,
    unknown,
)
from tuiapp.tui.panes.history import LEAST_NS, last_seen, resample
from tuiapp.tui.panes.lines import TextLines, wrap
from tuiapp.tui.renderables.bar import Gauge, Gauges, draw_bar
from tuiapp.tui.renderables.blocks import left_bar
from tuiapp.tui.renderables.canvas import Canvas
from tuiapp.tui.renderables.line import LineChart, Series
from tuiapp.tui.renderables.numbers import Field, NumberLines, format_si
from tuiapp.tui.renderables.palette import Ink, Palette
from tuiapp.tui.renderables.table import Column, Table

_LEAST_ROWS = 3
"""Rows a device takes in a block of its own."""
_TABLE_FROM = 60
_MOST_HISTORY = 6
_BAR = 6
_HELD = 20
_COLUMNS = (
    Column("gpu", "gpu", 4, "left", priority=9),
    Column("util", "busy", _BAR + 6, "left", priority=9),
    Column("memory", "memory", 16, priority=8),
    Column("power", "power W", 11, priority=7),
    Column("temp", "°C", 3, priority=6),
    Column("sm", "SM MHz", 12, priority=4),
    Column("pcie", "PCIe", 6, priority=3),
    Column("rates", "↑ ↓ B/s", 13, priority=2),
    Column("held", "held back by", 13, "left", priority=8, grow=True),
)


class GpuPane(Pane):
    """Every device: a block each where there is room, else a row or a cell each."""

    TITLE = "GPU"

    def title(self, scene: Scene) -> str:
        found = devices(scene.view)
        names = list(dict.fromkeys(str(d.facts["name"]) for d in found if d.facts.get("name")))
        count = f"{len(found)} × " if len(found) > 1 else ""
        named = f"{count}{', '.join(names)}" if names else ""
        return " · ".join(part for part in (self.TITLE, last_seen(scene.view), named) if part)

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        found = devices(scene.view)
        if not found:
            reason = scene.view.probe_reasons.get("nvml", "not looked for yet")
            return ((TextLines(wrap(f"none: {reason}", width), Ink.TEXT), height),)
        reasons = [line for why in unknown(scene.view) for line in wrap(why, width, 2)]
        below = reasons[: max(height - _LEAST_ROWS, 0) // 2] if scene.full else []
        bound = roofline(scene.view, recent=True)
        if bound.words and bound.device == "gpu" and height > _LEAST_ROWS + len(found):
            below = [*wrap(bound.words, width), *below]
        rows = height - len(below)
        drawing = Stacked(_parts(found, width, rows))
        over = bool(scene.view.health.exit_facts)
        return (
            (Faded(drawing) if over else drawing, rows),
            (TextLines(below, Ink.DIM), len(below)),
        )


def _parts(found: Sequence[Device], width: int, height: int) -> Sequence[Part]:
    each = height // len(found)
    if each >= _LEAST_ROWS and (len(found) <= 2 or width < _TABLE_FROM):
        return [part for device in found for part in _block(device, width, each)]
    if width >= _TABLE_FROM and height > len(found):
        table = Table(_COLUMNS, [_row(device) for device in found])
        return [(table, len(found) + 1), *_histories(found, width, height - len(found) - 1)]
    summary = _summary(found)[: max(height - 1, 0)]
    return [
        (DeviceCells(tuple(found)), height - len(summary)),
        (NumberLines(tuple(summary)), len(summary)),
    ]


def _block(device: Device, width: int, rows: int) -> list[Part]:
    lines = [_power(device), _clocks(device), _pcie(device), *_divided(device)]
    shown = lines[: rows - 2]
    parts: list[Part] = [(Gauges((_util(device), _memory(device))), 2)]
    parts.append((NumberLines(tuple(shown)), len(shown)))
    room = rows - 2 - len(shown)
    return [*parts, *_histories([device], width, room)] if room else parts


def _util(device: Device) -> Gauge:
    util = device.gauge("util")
    note = f"{number(device.gauge('temp_c'))} °C"
    return Gauge(device.group, util, f"{percent(util)} %", note, 6, 2.0, 2.0, Ink.REST)


def _memory(device: Device) -> Gauge:
    value, note = f"{percent(device.memory)} %", memory_words(device)
    return Gauge("mem", device.memory, value, note, 6, 0.95, 0.99, Ink.REST)


def _power(device: Device) -> tuple[Field, ...]:
    watts, limit = device.gauge("power_w"), device.gauge("power_limit_w")
    near = watts is not None and limit is not None and watts > 0.97 * limit
    return (
        Field("power", number(watts), 4, "W", Ink.WARN if near else Ink.STRONG, keep=9, gap=2),
        Field("of", number(limit), 4, "W", Ink.TEXT, keep=5, gap=1),
        held_field(device),
    )


def _clocks(device: Device) -> tuple[Field, ...]:
    return (
        Field("SM", number(device.gauge("sm_clock_mhz")), 4, "MHz", keep=9, gap=2),
        Field("of", number(device.gauge("sm_clock_max_mhz")), 4, ink=Ink.TEXT, keep=6, gap=1),
        Field("mem", number(device.gauge("mem_clock_mhz")), 5, "MHz", keep=7, gap=2),
    )


def _pcie(device: Device) -> tuple[Field, ...]:
    link = (device.gauge("pcie_gen"), device.gauge("pcie_width"))
    best = (device.gauge("pcie_gen_max"), device.gauge("pcie_width_max"))
    worse = None not in (*link, *best) and link != best
    sent, received = _rates(device)
    ink = Ink.WARN if worse else Ink.STRONG
    return (
        Field("PCIe", link_words(*link), 6, ink=ink, keep=9, gap=2),
        Field("of", link_words(*best), 6, ink=Ink.TEXT, keep=6, gap=1),
        Field("↑", sent, 5, keep=5, gap=2, ink=Ink.TEXT),
        Field("↓", received, 5, "B/s", keep=4, gap=1, ink=Ink.TEXT),
    )


def _rates(device: Device) -> tuple[str, str]:
    sent, received = (device.gauge(f"pcie_{way}_bytes_per_s") for way in ("tx", "rx"))
    return format_si(sent), format_si(received)


def _divided(device: Device) -> list[tuple[Field, ...]]:
    text = device.mig
    return [(Field("", text, len(text), ink=Ink.ACCENT, keep=9, align="left"),)] if text else []


def _row(device: Device) -> tuple[str | tuple[str, Ink], ...]:
    util = device.gauge("util")
    bar = "╌" * _BAR if util is None else left_bar(round(min(max(util, 0.0), 1.0) * _BAR * 8))
    watts, limit = number(device.gauge("power_w")), number(device.gauge("power_limit_w"))
    clock, most = number(device.gauge("sm_clock_mhz")), number(device.gauge("sm_clock_max_mhz"))
    held = ", ".join(part for part in (device.held_words(), device.mig) if part)
    return (
        device.group,
        (f"{bar:<{_BAR}} {percent(util):>3} %", Ink.DIM if util is None else Ink.TEXT),
        memory_words(device),
        (f"{watts} of {limit}", Ink.STRONG),
        number(device.gauge("temp_c")),
        f"{clock} of {most}",
        link_words(device.gauge("pcie_gen"), device.gauge("pcie_width")),
        "  ".join(_rates(device)),
        (held, device.held_ink),
    )


def _summary(found: Sequence[Device]) -> list[tuple[Field, ...]]:
    """Sums over all devices, and how many are held back."""
    power = total([device.gauge("power_w") for device in found])
    limit = total([device.gauge("power_limit_w") for device in found])
    held = [device for device in found if device.held_ink in (Ink.BAD, Ink.WARN)]
    words = f"{len(held)} held: {held[0].held_words(_HELD)}" if held else "not throttled"
    ink = held[0].held_ink if held else Ink.GOOD
    return [
        (
            Field("mem", percent(mean([d.memory for d in found])), 3, "%", keep=8, gap=2),
            Field("power", format_si(power), 4, "W", keep=9, gap=2),
            Field("of", format_si(limit), 4, "W", Ink.TEXT, keep=5, gap=1),
        ),
        (Field("", words, _HELD + 9, ink=ink, keep=9, align="left"),),
    ]


@dataclass(frozen=True, slots=True)
class DeviceCells:
    """A cell a device, in as few columns as the height allows: ``3 █████▌  75 %  61°``."""

    found: tuple[Device, ...]

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        if not self.found or height < 1:
            return canvas.strips()
        columns = -(-len(self.found) // height)
        size = (width + 2) // columns - 2
        for at, device in enumerate(self.found):
            column, row = divmod(at, -(-len(self.found) // columns))
            _draw_cell(canvas, row, column * (size + 2), size, device, palette)
        return canvas.strips()


def _draw_cell(
    canvas: Canvas, row: int, col: int, size: int, device: Device, palette: Palette
) -> None:
    util, temp = device.gauge("util"), device.gauge("temp_c")
    ink = device.held_ink if device.held_ink in (Ink.BAD, Ink.WARN) else Ink.REST
    start = canvas.text(row, col, f"{device.index:>1}", Ink.DIM) + 1
    numbers = f"{percent(util):>4} %{number(temp):>4}°"
    bar = col + size - len(numbers) - start
    if bar >= 2:
        draw_bar(canvas, row, start, bar, util, ink, palette)
    canvas.text(row, col + size - len(numbers), numbers[:6], Ink.STRONG)
    canvas.text(row, col + size - 5, numbers[6:], Ink.TEXT)


def _histories(found: Sequence[Device], width: int, rows: int) -> list[Part]:
    """How busy the devices were over the window; of several, their mean."""
    if rows < 2:
        return []
    view = found[0].view
    points = 2 * max(width - 5, 1)
    return [(_history(view, found, points), min(rows, _MOST_HISTORY))]


def _history(view: View, found: Sequence[Device], points: int) -> LineChart:
    reach = view.window_ns or max(view.cursor_ns, LEAST_NS)
    util = np.stack([resample(view, device.group, "util", reach, points) for device in found])
    series = Series(util.mean(axis=0) * 100, Ink.SERIES_2, "busy")
    return LineChart((series,), high=100.0, fill=True, empty="no GPU sample in this stretch")
