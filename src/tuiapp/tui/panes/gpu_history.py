"""The course of GPUs over the window: one line of all, or small multiples of each one's gauges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuiapp.session.view import View
from tuiapp.tui.panes.arranged import Beside, Columns, Faded, Stacked
from tuiapp.tui.panes.base import Part
from tuiapp.tui.panes.devices import Device, number
from tuiapp.tui.panes.history import LEAST_NS, resample
from tuiapp.tui.panes.lines import TextLines
from tuiapp.tui.renderables.canvas import Renderable
from tuiapp.tui.renderables.line import Area, LineChart, Series
from tuiapp.tui.renderables.palette import Ink

_MOST_HISTORY = 6
_LEAST_ROWS = 4
"""Rows of a chart with a title of its own."""
_LEAST_WIDE, _LEAST_NARROW = 24, 12
"""Cells of a chart with a title of its own; of one in a row of charts."""
_LOOSE_FROM = 4
"""Rows a GPU from which an empty one stands between two."""
_NAME, _GAP = 5, 2


@dataclass(frozen=True, slots=True)
class Metric:
    """A gauge that has a chart.

    Attributes:
        gauge: its name; ``times`` turns its unit into the title's.
        most: the gauge that is the top of the scale, and the scale itself for a share.
        high: the top of the scale where ``most`` is empty or unknown.
        share: per cent of ``most`` are drawn.
    """

    title: str
    gauge: str
    ink: Ink
    most: str = ""
    high: float | None = None
    times: float = 1.0
    share: bool = False


METRICS = (
    Metric("busy %", "util", Ink.SERIES_2, high=100.0, times=100.0),
    Metric("power W", "power_w", Ink.SERIES_0, most="power_limit_w"),
    Metric("memory %", "mem_used_bytes", Ink.SERIES_1, most="mem_total_bytes", share=True),
    Metric("°C", "temp_c", Ink.SERIES_0, high=100.0),
    Metric("SM MHz", "sm_clock_mhz", Ink.SERIES_2, most="sm_clock_max_mhz"),
)
"""The most telling first: those are shown where not all fit."""


def multiples(found: Sequence[Device], width: int, rows: int) -> Renderable | None:
    """A chart a gauge of each GPU; None where there is no room for a row of each."""
    if width < _NAME + _LEAST_NARROW + _GAP:
        return None
    told = [metric for metric in METRICS if any(_is_known(device, metric) for device in found)]
    lines = min(rows // max(len(found), 1) // _LEAST_ROWS, len(told))
    if lines > 1 or (lines and len(found) == 1):
        return _blocks(found, told, width, rows, lines)
    each = (rows - 1) // max(len(found), 1)
    if not told or each < 1:
        return None
    return _matrix(found, told[: (width - _NAME) // (_LEAST_NARROW + _GAP)], width, each)


def _is_known(device: Device, metric: Metric) -> bool:
    """Of some moment of the window."""
    view, group = device.view, device.group
    names = (metric.gauge, metric.most) if metric.share else (metric.gauge,)
    return all(np.isfinite(view.series(group, name, _after(view))[1]).any() for name in names)


def _blocks(
    found: Sequence[Device], told: Sequence[Metric], width: int, rows: int, lines: int
) -> Renderable:
    """Of each GPU several lines of charts, each with its title."""
    most = max((width + _GAP) // (_LEAST_WIDE + _GAP), 1)
    columns = min(-(-len(told) // lines), most)
    shown = told[: columns * lines]
    tall = rows // len(found) // -(-len(shown) // columns)
    parts: list[Part] = []
    for device in found:
        for first in range(0, len(shown), columns):
            some = shown[first : first + columns]
            blank: list[Renderable] = [TextLines(())] * (columns - len(some))
            charts = [_titled(device, metric, width // columns, tall) for metric in some]
            parts.append((_fade(device, Columns((*charts, *blank), _GAP)), tall))
    return Stacked(parts)


def _titled(device: Device, metric: Metric, width: int, rows: int) -> Renderable:
    title = TextLines((f"{device.group} {metric.title}",), Ink.DIM)
    return Stacked([(title, 1), (_chart(device, metric, width, rows - 1), rows - 1)])


def _matrix(found: Sequence[Device], shown: Sequence[Metric], width: int, each: int) -> Renderable:
    """A row a GPU and a column a gauge, under one head."""
    cells = (width - _NAME) // len(shown)
    rows = each - 1 if each >= _LOOSE_FROM else each
    head = Columns([TextLines((metric.title,), Ink.DIM) for metric in shown], _GAP)
    parts: list[Part] = [(Beside(TextLines(()), head, _NAME, gap=1), 1)]
    for device in found:
        charts = Columns([_chart(device, metric, cells, rows) for metric in shown], _GAP)
        line = Beside(TextLines((device.group,), Ink.DIM), charts, _NAME, gap=1)
        parts += [(_fade(device, line), rows), (TextLines(()), each - rows)]
    return Stacked(parts)


def _fade(device: Device, drawing: Renderable) -> Renderable:
    return Faded(drawing) if device.dim else drawing


def _chart(device: Device, metric: Metric, width: int, rows: int) -> Renderable:
    """Values in the unit of the metric's title, up to its limit."""
    points = width if rows == 1 else 2 * width
    view = device.view
    values = _values(device, metric, points) * metric.times
    limits = view.series(device.group, metric.most, _after(view))[1]
    known = limits[np.isfinite(limits)]
    most = float(known[-1]) if len(known) else None  # of a GPU that is lost, what it was last
    high = most or metric.high
    if metric.share:
        values, high = values / (most or np.nan) * 100.0, 100.0
    if rows == 1:
        return Area(values, high=high, ink=metric.ink)
    series = (Series(values, metric.ink),)
    return LineChart(series, high=high, fill=True, label=number, empty="unknown")


def _values(device: Device, metric: Metric, points: int) -> np.ndarray:
    """A gauge's course; of a divided GPU's memory at least what its instances have in use."""
    view, reach = device.view, _reach(device.view)
    own = resample(view, device.group, metric.gauge, reach, points)
    if metric.gauge != "mem_used_bytes" or not device.instances:
        return own
    groups = [instance.group for instance in device.instances]
    inside = np.stack([resample(view, group, metric.gauge, reach, points) for group in groups])
    held = np.where(np.isnan(inside).all(axis=0), np.nan, np.nansum(inside, axis=0))
    return np.asarray(np.fmax(own, held))


def histories(found: Sequence[Device], width: int, rows: int) -> list[Part]:
    """How busy the devices were over the window; of several, their mean."""
    if rows < 2:
        return []
    view, points = found[0].view, 2 * max(width - 5, 1)
    reach = _reach(view)
    util = np.stack([resample(view, device.group, "util", reach, points) for device in found])
    series = Series(util.mean(axis=0) * 100, Ink.SERIES_2, "busy")
    empty = "no GPU sample in this stretch"
    chart = LineChart((series,), high=100.0, fill=True, empty=empty)
    return [(chart, min(rows, _MOST_HISTORY))]


def _after(view: View) -> int:
    return view.cursor_ns - _reach(view)


def _reach(view: View) -> int:
    return view.window_ns or max(view.cursor_ns, LEAST_NS)
