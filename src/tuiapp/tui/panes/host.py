"""What the host is doing underneath: cores, memory, steal, load, the engine's processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from tuiapp.diagnosis import diagnose
from tuiapp.diagnosis.finding import BAD, Finding
from tuiapp.session.roofline import roofline
from tuiapp.session.view import View
from tuiapp.tui.panes.arranged import Beside, Faded, Stacked
from tuiapp.tui.panes.base import Key, Pane, Part, Scene
from tuiapp.tui.panes.devices import GPU_PROBES, devices
from tuiapp.tui.panes.gpu_troubles import gpu_fields
from tuiapp.tui.panes.hiccups import coincidence_lines, stall_brief, stall_line, stall_strip, steady
from tuiapp.tui.panes.history import LEAST_NS, last_seen, resample
from tuiapp.tui.panes.lines import TextLines, wrap
from tuiapp.tui.panes.processes import process_table
from tuiapp.tui.renderables.bar import CoreBars, Gauge, Gauges
from tuiapp.tui.renderables.canvas import Renderable, fit
from tuiapp.tui.renderables.line import LineChart, Series
from tuiapp.tui.renderables.numbers import Field, NumberLines, fit_fields, format_bytes
from tuiapp.tui.renderables.palette import Ink

_STEAL_BAD = 0.01
_NUMBERS = 52
"""Cells the numbers take where a history stands beside them."""
_MIN_HISTORY = 24
_ROOFLINE_FROM = 4
_TABLE_FROM = 20
"""Rows from which the engine's processes are listed one by one."""
_LABEL = 6
_WHY_SLOW = "why slow"
_WHY = 42
"""Cells the likeliest cause of a slow host may take in a line with other numbers."""
_NOTES, _LONG_NOTES = 36, 44
"""Cells from which gauges have room for words, and for all of them."""


class HostPane(Pane):
    """CPU and memory gauges, the engine's processes, cores, and history where there is room."""

    TITLE = "Host"
    EVERY = 2
    KEYS: ClassVar[tuple[Key, ...]] = (("w", "why slow", "screen.full_pane('findings')"),)
    FULL_KEYS = KEYS

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._steady: View | None = None
        self._cause: Finding | None = None
        self._reasons: Mapping[str, str] = {}

    def title(self, scene: Scene) -> str:
        host = scene.view.meta.get("host") or {}
        parts = (self.TITLE, last_seen(scene.view), host.get("cpu_model"), host.get("os"))
        return " · ".join(str(part) for part in parts if part)

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        self._settle(scene.view)
        below = self._below(scene.view, width)[: height // 3] if scene.full else []
        table = process_table(scene.view) if scene.full and height >= _TABLE_FROM else None
        listed = 0 if table is None else len(table.rows) + 2
        rows = height - len(below) - listed
        drawing: Renderable = Stacked(_parts(scene, self._cause, width, rows))
        drawn: list[Part] = [(drawing, rows)]
        if table is not None:
            drawn.append((table, listed))
        if scene.view.health.exit_facts:
            drawn = [(Faded(part), part_rows) for part, part_rows in drawn]
        return (*drawn, (TextLines(below, Ink.DIM), len(below)))

    def _settle(self, view: View) -> None:
        """Judge anew when the steady view is another one.

        What can no longer be read, a GPU that is lost, is told at once: it does not wait for the
        next steady view.
        """
        before, self._steady = self._steady, steady(view, self._steady)
        reasons, self._reasons = self._reasons, view.probe_reasons
        if self._steady is not before or self._reasons != reasons:
            told = self._steady if self._steady.probe_reasons == self._reasons else view
            self._cause = next(iter(diagnose(told)), None)

    def _below(self, view: View, width: int) -> list[str]:
        """What the numbers mean for the requests, and why some are unknown."""
        lines = coincidence_lines(self._steady or view)
        return [line for text in lines for line in wrap(text, width, 2)] + _reasons(view, width)


def _reasons(view: View, width: int) -> list[str]:
    """Why gauges and facts of the host are unknown; what has one reason stands together."""
    probes: dict[str, list[str]] = {}
    for probe, reason in view.probe_reasons.items():
        if not probe.startswith(GPU_PROBES):
            probes.setdefault(reason, []).append(probe)
    return [
        line
        for reason, names in probes.items()
        for line in wrap(f"{', '.join(names)} unknown: {reason}", width, 2 + len(names) // 2)
    ]


def _parts(scene: Scene, cause: Finding | None, width: int, height: int) -> Sequence[Part]:
    view = scene.view
    if height < 3:
        return ((NumberLines((_one_line(view, cause, width), _engine_line(view))), height),)
    if width >= _NUMBERS + _MIN_HISTORY and height >= 4:
        numbers = Stacked(_numbers(scene, cause, _NUMBERS, height))
        history = _history(view, width - _NUMBERS - 2)
        return ((Beside(numbers, history, _NUMBERS), height),)
    parts = list(_numbers(scene, cause, width, height))
    room = height - sum(rows for _, rows in parts)
    if room >= 2:
        parts.append((_history(view, width), room))
    return parts


def _numbers(scene: Scene, cause: Finding | None, width: int, height: int) -> Sequence[Part]:
    view = scene.view
    short = width < _LONG_NOTES
    gauges = Gauges((_cpu(view, short=short), _memory(view, short=short)))
    if width < _NOTES:
        gauges = Gauges(tuple(replace(gauge, note="") for gauge in gauges.gauges))
    lines = _lines(scene, cause, width, height, 2)
    if 2 + len(lines) > height:
        lines = _lines(scene, cause, width, height, 1)
    parts: list[Part] = [
        (gauges, 2),
        (NumberLines(tuple(lines)), len(lines)),
    ]
    room = height - 2 - len(lines)
    if room >= 1:
        cores = Beside(TextLines(("cores",), Ink.DIM), _cores(view), 5, gap=1)
        parts.append((cores, 1 if room < 4 else 2))
    return parts


def _lines(
    scene: Scene, cause: Finding | None, width: int, height: int, most: int
) -> list[tuple[Field, ...]]:
    """The numbers below the gauges, with ``most`` lines for the likeliest cause."""
    view = scene.view
    why = _why_slow(cause, width, lines=most)
    lines = [_engine_line(view), *why]
    if width < _NOTES:
        lines.append(_steal_line(view))
    bound = roofline(view, recent=True)
    if bound.words and (bound.device == "cpu" or not scene.gpu_pane) and height > _ROOFLINE_FROM:
        lines.append((Field("", bound.words, len(bound.words), keep=8, align="left"),))
    if not devices(view):
        lines.append(_no_gpu(view, width))
    last = len(why) if why and lines[-1] is why[-1] else 1
    if devices(view) and not scene.gpu_pane:
        lines.insert(0, gpu_fields(view))
    if stalls := stall_line(view):
        lines.insert(len(lines) - last, stalls)
    return lines


def _one_line(view: View, cause: Finding | None, width: int) -> tuple[Field, ...]:
    steal = view.gauge("cpu", "steal")
    used, total = view.gauge("memory", "used_bytes"), view.gauge("memory", "total_bytes")
    gpu = gpu_fields(view) if devices(view) else _no_gpu_in_brief(view)
    stalls = stall_strip(view)
    keep = 2 if devices(view) or stalls else 8  # these say as much
    first = (
        Field("cpu", _percent(view.gauge("cpu", "total")), 4, "%", keep=9, gap=2),
        Field("steal", _percent(steal), 4, "%", _steal_ink(steal), keep=8, gap=2),
        Field("mem", _percent(_share(used, total)), 4, "%", keep=7, gap=2),
        *(field for line in _why_slow(cause, _WHY, keep) for field in line),
    )
    line = (*first, *stalls, *gpu)
    if any(field.label == "stall" for field in fit_fields(line, width)):
        return line
    return (*first, *stall_brief(view), *gpu)


def _cpu(view: View, *, short: bool) -> Gauge:
    total, steal = view.gauge("cpu", "total"), view.gauge("cpu", "steal")
    load = view.gauge("load", "load1")
    note = f"steal {_percent(steal):>4} %"  # always as wide: the bar ends where the note begins
    if steal is not None and steal > _STEAL_BAD and not short:
        note += " ← hypervisor"
    elif not short:
        note += f"  load {'—' if load is None else f'{load:.1f}':<6}"
    return Gauge("cpu", total, f"{_percent(total)} %", note, value_width=6, ink=Ink.REST)


def _steal_line(view: View) -> tuple[Field, ...]:
    steal, load = view.gauge("cpu", "steal"), view.gauge("load", "load1")
    return (
        Field("steal", _percent(steal), 4, "%", _steal_ink(steal), keep=9, gap=2),
        Field("load", "—" if load is None else f"{load:.1f}", 5, ink=Ink.TEXT, keep=8, gap=2),
    )


def _memory(view: View, *, short: bool) -> Gauge:
    used, total = view.gauge("memory", "used_bytes"), view.gauge("memory", "total_bytes")
    fraction, size = _share(used, total), format_bytes(total, binary=True)
    note = f"of {size}" if short else f"{format_bytes(used, binary=True)} of {size}"
    return Gauge("mem", fraction, f"{_percent(fraction)} %", note, value_width=6, ink=Ink.REST)


def _why_slow(
    cause: Finding | None, width: int, keep: int = 8, lines: int = 1
) -> list[tuple[Field, ...]]:
    """The likeliest cause, where there is one, in at most so many lines."""
    if cause is None or not cause.is_cause:
        return []
    ink = Ink.BAD if cause.severity == BAD else Ink.WARN
    room = max(width - len(_WHY_SLOW) - 1, 1)
    first, *more = wrap(cause.title, room, lines) or [""]
    fields = [Field(_WHY_SLOW, first, len(first), ink=ink, keep=keep, gap=2, align="left")]
    indent = " " * (len(_WHY_SLOW) + 1)
    fields += [Field("", indent + line, len(indent + line), ink=ink, keep=keep) for line in more]
    return [(field,) for field in fields]


def _engine_line(view: View) -> tuple[Field, ...]:
    procs = view.gauge("process", "procs")
    gone = procs == 0  # what it used last says nothing of now
    cores = None if gone else view.gauge("process", "cpu_cores")
    own = view.gauge("process.app", "cpu_cores")
    rss = format_bytes(None if gone else view.gauge("process", "rss_bytes"), binary=True)
    return (
        Field("engine", "—" if cores is None else f"{cores:.2f}", 5, "cores", keep=9, gap=2),
        Field("rss", rss, 8, keep=8, gap=2),
        Field("procs", "—" if procs is None else f"{procs:.0f}", 3, keep=4, gap=2, ink=Ink.TEXT),
        Field("tuiapp", _percent(own), 4, "%", keep=5, gap=2, ink=Ink.TEXT),
    )


def _no_gpu(view: View, width: int = 60) -> tuple[Field, ...]:
    reason = view.probe_reasons.get("nvml", "").replace("NVML does not start", "NVML", 1)
    text = fit(f"none: {reason}" if reason else "not looked for yet", max(width - _LABEL, 1))
    return (Field("GPU", text, len(text), keep=3, gap=2, ink=Ink.TEXT, align="left"),)


def _no_gpu_in_brief(view: View) -> tuple[Field, ...]:
    """Why there is none goes first where a line is short."""
    (told,) = _no_gpu(view)
    word, _, reason = told.value.partition(": ")
    why = f"({reason})" if reason else ""
    brief = replace(told, value=word, width=len(word))
    return brief, replace(brief, label="", value=why, width=len(why), keep=1, gap=1)


def _cores(view: View) -> CoreBars:
    table = view.session.samples.get("cpu")
    names = [name for name in (table.names if table else ()) if name.startswith("core")]
    names.sort(key=lambda name: int(name[4:]) if name[4:].isdigit() else 0)
    values = [view.gauge("cpu", name) for name in names]
    return CoreBars(np.array([np.nan if value is None else value for value in values]))


def _history(view: View, width: int) -> LineChart:
    """CPU use and steal over the window, resampled to two points a cell."""
    points = 2 * max(width - 5, 1)
    reach = view.window_ns or max(view.cursor_ns, LEAST_NS)
    total, steal = (resample(view, "cpu", name, reach, points) for name in ("total", "steal"))
    stolen = bool((steal > _STEAL_BAD).any())
    return LineChart(
        (
            Series(total * 100, Ink.SERIES_0, "cpu %"),
            Series(steal * 100, Ink.BAD if stolen else Ink.DIM, "steal"),
        ),
        high=100.0,
        empty="no CPU sample in this stretch of time",
    )


def _share(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


def _percent(fraction: float | None) -> str:
    if fraction is None:
        return "—"
    return f"{fraction * 100:.1f}" if fraction < 0.0995 else f"{fraction * 100:.0f}"


def _steal_ink(steal: float | None) -> Ink:
    return Ink.BAD if steal is not None and steal > _STEAL_BAD else Ink.STRONG
