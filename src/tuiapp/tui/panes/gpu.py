"""The GPUs: how busy, how full, how fast they may run, and what holds them back."""

from __future__ import annotations

from collections.abc import Sequence

from tuiapp.session.roofline import roofline
from tuiapp.session.view import View
from tuiapp.tui.panes.arranged import Beside, Faded, Stacked
from tuiapp.tui.panes.base import Pane, Part, Scene
from tuiapp.tui.panes.devices import (
    HELD_CELLS,
    Device,
    below,
    devices,
    link_words,
    mean,
    memory_words,
    number,
    percent,
    stall_words,
    total,
    unknown,
)
from tuiapp.tui.panes.gpu_cells import Course, DeviceCells, divided
from tuiapp.tui.panes.gpu_history import histories, multiples
from tuiapp.tui.panes.gpu_tables import (
    due_words,
    health_table,
    process_rows,
    process_table,
    process_width,
    rates,
    work_table,
)
from tuiapp.tui.panes.gpu_troubles import Grave, counted, words_field
from tuiapp.tui.panes.history import last_seen
from tuiapp.tui.panes.lines import TextLines, wrap, wrap_each
from tuiapp.tui.renderables.bar import Gauge, Gauges
from tuiapp.tui.renderables.canvas import fit
from tuiapp.tui.renderables.numbers import Field, NumberLines, format_clock
from tuiapp.tui.renderables.palette import Ink
from tuiapp.words import plural

_LEAST_ROWS = 3
"""Rows a device takes in a block of its own."""
_TABLE_FROM = 60
_BETWEEN = 2
"""Cells between the processes and the charts."""
_LEAST_REASONS = 3
_MORE_REASONS = "more reasons for unknown values ({}): no room here"
_LOOSE_FROM = 6
"""Rows beside both tables from which an empty one stands between them."""
_CELL_ROWS = 4
"""Rows that cells get before the second line of sums does."""
_WORDS = 36
_LONG_NOTE = 40
_BESIDE = 14
"""Cells of the one number that stays beside words."""


class GpuPane(Pane):
    """Every device: a block each where there is room, else a row or a cell each."""

    TITLE = "GPU"
    EVERY = 2

    def title(self, scene: Scene) -> str:
        found = devices(scene.view)
        names = list(dict.fromkeys(str(d.facts["name"]) for d in found if d.facts.get("name")))
        count = f"{len(found)} × " if len(found) > 1 else ""
        named = f"{count}{', '.join(names)}" if names else ""
        when = _last_told(found) or last_seen(scene.view)
        return " · ".join(part for part in (self.TITLE, when, named) if part)

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        found = devices(scene.view)
        if not found:
            reason = scene.view.probe_reasons.get("nvml", "not looked for yet")
            return ((TextLines(wrap(f"none: {reason}", width), Ink.TEXT), height),)
        silent = wrap(stall_words(scene.view, found), width, 2) if height > _LEAST_ROWS else []
        bound = roofline(scene.view, recent=True)
        told = bound.words and bound.device == "gpu" and height > _LEAST_ROWS + len(found)
        below = wrap(bound.words, width) if told else []
        rows = height - len(silent) - len(below)
        parts = _full(scene.view, found, width, rows) if scene.full else _parts(found, width, rows)
        drawing = Stacked(parts)
        over = bool(scene.view.health.exit_facts) or all(d.stalled_ns is not None for d in found)
        return (
            (TextLines(silent, Ink.BAD), len(silent)),
            (Faded(drawing) if over else drawing, rows),
            (TextLines(below, Ink.DIM), len(below)),
        )


def _last_told(found: Sequence[Device]) -> str:
    """When what is shown was told, where no device is of this moment."""
    told = [device.stalled_ns for device in found if device.stalled_ns is not None]
    whole = bool(found) and len(told) == len(found)
    return f"as of {format_clock(max(told) / 1e9)}" if whole else ""


def _full(view: View, found: Sequence[Device], width: int, height: int) -> list[Part]:
    """Everything: work, links and errors, processes, history where there is room, reasons."""
    lines = len(found) + sum(len(device.instances) for device in found) + 1
    parts: list[Part] = [(work_table(found, width), min(lines, height))]
    gap = 1 if height - lines - len(found) >= _LOOSE_FROM else 0
    parts += [(TextLines(()), gap), (health_table(found), len(found) + 1), (TextLines(()), gap)]
    left = height - sum(rows for _, rows in parts)
    due, reasons, processes = due_words(found), unknown(view), process_rows(found)
    table, needed = process_table(processes, found), len(processes) + 1 if processes else 2
    told = min(sum(len(wrap(why, width, 2)) for why in (*due, *reasons)), _LEAST_REASONS)
    if left - told <= len(found) < left - min(told, 1):
        told = left - len(found) - 1  # a row each is worth more than every reason
    charts = multiples(found, width - process_width() - _BETWEEN, left - told)
    if charts is not None:
        rows = left - told
        listed: list[Part] = [(table, rows)] if processes else [(table, 2), (TextLines(()), rows)]
        parts.append((Beside(Stacked(listed), charts, process_width(), gap=_BETWEEN), rows))
    else:
        least = min(told, 1) + (needed > left)
        rows = min(needed, max(left // 2, 2))
        rows = rows if rows <= left - least else 0
        parts.append((table, rows))
    left = height - sum(rows for _, rows in parts)
    hidden = len(processes) - max(rows - 1, 0)
    rest = _rest(hidden, due, reasons, width, left)
    return [*parts, (TextLines(rest, Ink.DIM), max(left, 0))]


def _rest(
    hidden: int, due: Sequence[str], reasons: Sequence[str], width: int, rows: int
) -> list[str]:
    """What the tables do not tell: what ``due`` is, why values are unknown, what has no room."""
    processes = f"{hidden} process{'es' if hidden > 1 else ''}" if hidden > 0 else ""
    why = f"{plural(len(reasons), 'reason')} for unknown values" if reasons else ""
    lines = [f"{processes} not listed: no room here"] if processes else []
    explained = [line for words in due for line in wrap(words, width, 2)]
    needed = len(lines) + bool(why)
    if needed > rows:
        return [fit(f"{' and '.join(filter(None, (processes, why)))}: no room here", width)]
    if needed + len(explained) <= rows:
        lines += explained
    return [*lines, *wrap_each(reasons, width, rows - len(lines), _MORE_REASONS)]


def _parts(found: Sequence[Device], width: int, height: int) -> Sequence[Part]:
    each = height // len(found)
    if each >= _LEAST_ROWS and (len(found) <= 2 or width < _TABLE_FROM):
        return [part for device in found for part in _block(device, width, each)]
    rows = len(found) + sum(len(device.instances) for device in found) + 1
    if width >= _TABLE_FROM and height >= rows:
        return [(work_table(found, width), rows), *histories(found, width, height - rows)]
    summary = _summary(found, width)[: max(height - _CELL_ROWS, 1 if height > 1 else 0)]
    columns = -(-len(found) // max(height - len(summary), 1))
    cells = -(-len(found) // columns)
    return [
        (DeviceCells(tuple(found)), cells),
        (NumberLines(tuple(summary)), len(summary)),
        *histories(found, width, height - cells - len(summary)),
    ]


def _block(device: Device, width: int, rows: int) -> list[Part]:
    """Bars, the course of the last while, and as many lines of numbers as there is room for."""
    if device.instances:
        whole = [_power(device, width), _clocks(device), _pcie(device)]
        return divided(device, width, rows, whole)
    if rows == _LEAST_ROWS:
        return _small_block(device, width)
    lines = [_power(device, width), *_words(device), _clocks(device), _pcie(device)]
    shown = lines[: max(rows - 3, 1)]
    room = rows - 2 - len(shown)
    past = histories([device], width, room) or [(_course(device), room)]
    numbers: Part = (NumberLines(tuple(shown)), len(shown))
    return _fade(device, [(Gauges((_util(device), _memory(device, width))), 2), *past, numbers])


def _small_block(device: Device, width: int) -> list[Part]:
    memory = Field("mem", percent(device.memory), 3, "%", keep=8, gap=2)
    watts = Field("", number(device.gauge("power_w")), 4, "W", keep=6, gap=2)
    line = (memory, watts, *_held_last(device, width))
    if device.lost:
        line = _held_last(device, width)
    bar = Gauges((_util(device),))
    words = NumberLines(((_words(device) or [line])[0],))
    return _fade(device, [(bar, 1), (_course(device), 1), (words, 1)])


def _held_last(device: Device, width: int) -> tuple[Field, ...]:
    """The gravest trouble behind the numbers; alone in its line where none is known."""
    room = width if device.lost else max(width - _BESIDE, HELD_CELLS)
    return (words_field([device], room, (Grave.SHARED,)),)


def _course(device: Device) -> Course:
    """How busy it was; its clock where that is not told."""
    most = device.gauge("sm_clock_max_mhz")
    if device.gauge("util") is None and device.gauge("sm_clock_mhz") is not None and most:
        return Course(device, "sm_clock_mhz", "SM", most)
    return Course(device, "util", "busy")


def _fade(device: Device, parts: Sequence[Part]) -> list[Part]:
    """Of a device that is not heard of, nothing looks alive."""
    return [(Faded(drawing) if device.dim else drawing, rows) for drawing, rows in parts]


def _util(device: Device) -> Gauge:
    util = device.gauge("util")
    note = f"{number(device.gauge('temp_c'))} °C"
    return Gauge(device.group, util, f"{percent(util)} %", note, 6, 2.0, 2.0, Ink.REST)


def _memory(device: Device, width: int) -> Gauge:
    value, note = f"{percent(device.memory)} %", memory_words(device)
    if width < _LONG_NOTE:
        note = note.replace(" of ", "/")
    return Gauge("mem", device.memory, value, note, 6, 0.95, 0.99, Ink.REST)


def _power(device: Device, width: int) -> tuple[Field, ...]:
    held = _held_last(device, width)
    if device.lost:
        return held
    watts, limit = device.gauge("power_w"), device.gauge("power_limit_w")
    near = watts is not None and limit is not None and watts > 0.97 * limit
    return (
        Field("power", number(watts), 4, "W", Ink.WARN if near else Ink.STRONG, keep=9, gap=2),
        *_limit(limit, Field("of", number(limit), 4, "W", Ink.TEXT, keep=5, gap=1)),
        *held,
    )


def _limit(value: float | None, field: Field) -> tuple[Field, ...]:
    """Of what nobody tells the limit, none is shown."""
    return () if value is None else (field,)


def _words(device: Device) -> list[tuple[Field, ...]]:
    """Whoever else uses it, and how it is divided."""
    words = ((device.neighbours, Ink.WARN), (device.mig, Ink.ACCENT))
    return [
        (Field("", fit(text, _WORDS), min(len(text), _WORDS), ink=ink, keep=9, align="left"),)
        for text, ink in words
        if text
    ]


def _clocks(device: Device) -> tuple[Field, ...]:
    most, memory = device.gauge("sm_clock_max_mhz"), device.gauge("mem_clock_mhz")
    return (
        Field("SM", number(device.gauge("sm_clock_mhz")), 4, "MHz", keep=9, gap=2),
        *_limit(most, Field("of", number(most), 4, ink=Ink.TEXT, keep=6, gap=1)),
        *_limit(memory, Field("mem", number(memory), 5, "MHz", keep=7, gap=2)),
    )


def _pcie(device: Device) -> tuple[Field, ...]:
    link = (device.gauge("pcie_gen"), device.gauge("pcie_width"))
    best = (device.gauge("pcie_gen_max"), device.gauge("pcie_width_max"))
    sent, _, received = rates(device, "pcie").partition("  ")
    moved = (
        ()
        if sent == "—"
        else (
            Field("↑", sent, 5, keep=5, gap=2, ink=Ink.TEXT),
            Field("↓", received, 5, "B/s", keep=4, gap=1, ink=Ink.TEXT),
        )
    )
    ink = Ink.WARN if below(link, best) else Ink.STRONG
    return (
        Field("PCIe", link_words(*link), 6, ink=ink, keep=9, gap=2),
        *_limit(best[0], Field("of", link_words(*best), 6, ink=Ink.TEXT, keep=6, gap=1)),
        *moved,
    )


def _summary(found: Sequence[Device], width: int) -> list[tuple[Field, ...]]:
    """Sums over all devices, and the gravest trouble of any."""
    drawn = [(device.gauge("power_w"), device.gauge("power_limit_w")) for device in found]
    known = [(w, limit) for (w, limit), d in zip(drawn, found, strict=True) if not d.lost]
    pairs = [(w, limit) for w, limit in known if w is not None and limit is not None]
    watts, limits = (total([pair[at] for pair in pairs]) for at in (0, 1))
    of_how_many = counted(found, len(pairs))
    power = [_power_field(watts, limits)]
    if of_how_many:
        cells = len(of_how_many)
        power.append(Field("", of_how_many, cells, ink=Ink.DIM, keep=8, gap=2, align="left"))
    return [
        (Field("mem", percent(mean([d.memory for d in found])), 3, "%", keep=7, gap=2), *power),
        (words_field(found, width),),
    ]


def _power_field(watts: float | None, limit: float | None) -> Field:
    """``power 3.8 of 4.9 kW``; watts where that is less than a kilowatt."""
    size, unit = (1e3, "kW") if (limit or 0.0) >= 1e3 else (1.0, "W")
    drawn, most = (_scaled(value, size) for value in (watts, limit))
    return Field("power", f"{drawn} of {most}", 10, unit, keep=9, gap=2)


def _scaled(value: float | None, size: float) -> str:
    if value is None:
        return "—"
    return f"{value / size:.1f}" if size > 1 and value < 99.95 * size else f"{value / size:.0f}"
