"""What the host is doing underneath: cores, memory, steal, load, the engine's processes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tuiapp.session.view import View
from tuiapp.tui.panes.base import Pane, Part, Scene
from tuiapp.tui.renderables.bar import CoreBars, Gauge, Gauges
from tuiapp.tui.renderables.line import LineChart, Series
from tuiapp.tui.renderables.numbers import Field, NumberLines, format_bytes
from tuiapp.tui.renderables.palette import Ink

_S = 1_000_000_000
_STEAL_BAD = 0.01
_HISTORY_NS = 120 * _S


class HostPane(Pane):
    """CPU and memory gauges, the engine's processes, cores, and history where there is room."""

    TITLE = "Host"

    def title(self, scene: Scene) -> str:
        host = scene.view.meta.get("host", {})
        return " · ".join(
            str(part) for part in (self.TITLE, host.get("cpu_model"), host.get("os")) if part
        )

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        view = scene.view
        if height < 3:
            return ((NumberLines((_one_line(view), _engine_line(view))), height),)
        gauges = Gauges((_cpu(view), _memory(view)))
        lines = [_engine_line(view)]
        if not view.groups("gpu"):
            lines.append(_no_gpu(view))
        parts: list[Part] = [(gauges, 2), (NumberLines(tuple(lines)), len(lines))]
        room = height - 2 - len(lines)
        if room >= 1:
            cores = _cores(view)
            parts.append((cores, 1 if room < 4 else 2))
            room -= 1 if room < 4 else 2
        if room >= 2:
            parts.append((_history(view, width), room))
        return parts


def _one_line(view: View) -> tuple[Field, ...]:
    steal = view.gauge("cpu", "steal")
    used = view.gauge("memory", "used_bytes")
    total = view.gauge("memory", "total_bytes")
    gpu = () if view.groups("gpu") else _no_gpu(view)
    return (
        Field("cpu", _percent(view.gauge("cpu", "total")), 4, "%", keep=9, gap=0),
        Field("steal", _percent(steal), 4, "%", _steal_ink(steal), keep=8, gap=2),
        Field("mem", _percent(_share(used, total)), 4, "%", keep=7, gap=2),
        *gpu,
    )


def _cpu(view: View) -> Gauge:
    total, steal = view.gauge("cpu", "total"), view.gauge("cpu", "steal")
    load = view.gauge("load", "load1")
    note = f"steal {_percent(steal)} %  load {'—' if load is None else f'{load:.1f}'}"
    if steal is not None and steal > _STEAL_BAD:
        note += "  ← stolen by the hypervisor"
    return Gauge("cpu", total, f"{_percent(total)} %", note)


def _memory(view: View) -> Gauge:
    used, total = view.gauge("memory", "used_bytes"), view.gauge("memory", "total_bytes")
    fraction = _share(used, total)
    note = f"{format_bytes(used, binary=True)} of {format_bytes(total, binary=True)}"
    return Gauge("mem", fraction, f"{_percent(fraction)} %", note)


def _engine_line(view: View) -> tuple[Field, ...]:
    cores = view.gauge("process", "cpu_cores")
    procs = view.gauge("process", "procs")
    own = view.gauge("process.app", "cpu_cores")
    rss = format_bytes(view.gauge("process", "rss_bytes"), binary=True)
    return (
        Field("engine", "—" if cores is None else f"{cores:.2f}", 5, "cores", keep=9, gap=0),
        Field("rss", rss, 8, keep=8, gap=2),
        Field("procs", "—" if procs is None else f"{procs:.0f}", 3, keep=4, gap=2, ink=Ink.TEXT),
        Field("tuiapp", _percent(own), 4, "%", keep=5, gap=2, ink=Ink.TEXT),
    )


def _no_gpu(view: View) -> tuple[Field, ...]:
    reason = view.probe_reasons.get("nvml", "")
    text = f"none: {reason}" if reason else "not looked for yet"
    return (Field("GPU", text, min(len(text), 60), keep=3, gap=2, ink=Ink.TEXT, align="left"),)


def _cores(view: View) -> CoreBars:
    table = view.session.samples.get("cpu")
    names = [name for name in (table.names if table else ()) if name.startswith("core")]
    names.sort(key=lambda name: int(name[4:]) if name[4:].isdigit() else 0)
    values = [view.gauge("cpu", name) for name in names]
    return CoreBars(np.array([np.nan if value is None else value for value in values]))


def _history(view: View, width: int) -> LineChart:
    """CPU use and steal over the last minutes, resampled to two points a cell."""
    points = 2 * max(width - 5, 1)
    reach = view.window_ns or _HISTORY_NS
    return LineChart(
        (
            Series(resample(view, "cpu", "total", reach, points) * 100, Ink.SERIES_0, "cpu"),
            Series(resample(view, "cpu", "steal", reach, points) * 100, Ink.BAD, "steal"),
        ),
        high=100.0,
        empty="",
    )


def resample(view: View, group: str, name: str, reach_ns: int, points: int) -> np.ndarray:
    """A gauge on ``points`` equal steps up to the cursor: the newest value in each, else NaN."""
    step = max(reach_ns // points, 1)
    end = view.cursor_ns // step + 1
    t_ns, values = view.series(group, name, (end - points) * step - 1)
    out = np.full(points, np.nan)
    at = t_ns // step - (end - points)
    inside = (at >= 0) & (at < points)
    out[at[inside]] = values[inside]
    return out


def _share(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


def _percent(fraction: float | None) -> str:
    if fraction is None:
        return "—"
    return f"{fraction * 100:.1f}" if fraction < 0.0995 else f"{fraction * 100:.0f}"


def _steal_ink(steal: float | None) -> Ink:
    return Ink.BAD if steal is not None and steal > _STEAL_BAD else Ink.STRONG
