"""GPUs in little space: a cell each, and the course of a gauge as a strip of blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from textual.strip import Strip

from tuiapp.tui.panes.arranged import Faded
from tuiapp.tui.panes.base import Part
from tuiapp.tui.panes.devices import Device, memory_words, number, percent, whole_or_none
from tuiapp.tui.panes.gpu_troubles import worst_words
from tuiapp.tui.panes.history import LEAST_NS, resample
from tuiapp.tui.panes.lines import TextLines
from tuiapp.tui.renderables.bar import Gauge, Gauges
from tuiapp.tui.renderables.blocks import BLOCKS
from tuiapp.tui.renderables.canvas import Canvas, fit
from tuiapp.tui.renderables.numbers import Field, NumberLines
from tuiapp.tui.renderables.palette import Ink, Palette

_FINE = 4
"""Steps of time whose mean a cell shows."""
_LEAST_STRIP = 3
_MEMORY_FROM = 30


def course(device: Device, name: str, cells: int, high: float = 1.0) -> str:
    """A gauge over the window, one block a cell, the newest at the right.

    Args:
        high: value that fills a cell.

    Returns:
        ``cells`` characters; blank where nothing is known, ``▁`` for zero.
    """
    if cells < 1 or not high > 0:
        return ""
    view = device.view
    reach = view.window_ns or max(view.cursor_ns, LEAST_NS)
    values = resample(view, device.group, name, reach, _FINE * cells).reshape(cells, _FINE)
    known = ~np.isnan(values)
    sums = np.where(known, values, 0.0).sum(axis=1)
    count = known.sum(axis=1)
    means = sums / np.maximum(count, 1)
    heights = np.clip(np.rint(means / high * 8), 1, 8).astype(np.intp)
    return "".join(map(chr, BLOCKS[np.where(count > 0, heights, 0)]))


@dataclass(frozen=True, slots=True)
class Course:
    """``course`` over the whole width, with a word in front."""

    device: Device
    name: str
    label: str
    high: float = 1.0
    ink: Ink = Ink.SERIES_2

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells; the first is used."""
        canvas = Canvas(width, height, palette)
        col = canvas.text(0, 0, self.label, Ink.DIM) + 1 if self.label else 0
        canvas.text(0, col, course(self.device, self.name, width - col, self.high), self.ink)
        return canvas.strips()


@dataclass(frozen=True, slots=True)
class DeviceCells:
    """A cell a device, in as few columns as the height allows: ``3 ▂▃▆█▇▇  75 %  61°``."""

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
            _draw_cell(canvas, row, column * (size + 2), size, device)
        return canvas.strips()


def divided(
    device: Device, width: int, rows: int, numbers: Sequence[tuple[Field, ...]]
) -> list[Part]:
    """A GPU in MIG slices: how full each is, for how busy they are nothing tells.

    Args:
        numbers: what is told of the whole GPU where rows are left.
    """
    instances, room = device.instances, max(rows - 1, 0)
    words, ink = worst_words([device], width)
    bars = len(instances) <= room
    head = TextLines((f"{device.group}: {device.mig or 'MIG'}; busy not told",), Ink.TEXT)
    if ink in (Ink.BAD, Ink.WARN) and (not bars or len(instances) == room):
        head = TextLines((f"{device.group}: {words}",), ink)  # the numbers would have said it
    parts: list[Part] = [(head, 1)]
    if bars:
        parts.append((Gauges(tuple(map(_slice, instances))), len(instances)))
        parts.append((NumberLines(tuple(numbers)), room - len(instances)))
    else:
        parts.append((Slices(tuple(instances)), room))
    return [(Faded(drawing) if device.dim else drawing, size) for drawing, size in parts]


def _slice(instance: Device) -> Gauge:
    name, used = instance.group.rpartition(".")[2], f"{percent(instance.memory)} %"
    return Gauge(name, instance.memory, used, _of(instance), 6, 0.95, 0.99, Ink.REST)


def _of(instance: Device) -> str:
    return memory_words(instance).replace(" of ", "/")


@dataclass(frozen=True, slots=True)
class Slices:
    """MIG slices in little space, several a row: ``0 18.0/19.5 GiB  1 0.90/19.5 GiB``."""

    found: tuple[Device, ...]

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        if height < 1 or not self.found:
            return canvas.strips()
        columns = -(-len(self.found) // height)
        size = (width + 2) // columns - 2
        for at, instance in enumerate(self.found):
            column, row = divmod(at, -(-len(self.found) // columns))
            col = canvas.text(
                row, column * (size + 2), instance.group.rpartition("mig")[2], Ink.DIM
            )
            told = _of(instance)
            if len(told) > (room := size + column * (size + 2) - col - 1):
                told = told.removesuffix(" GiB")
            words = told if len(told) <= room else f"{percent(instance.memory)} %"
            canvas.text(row, col + 1, fit(words, room), Ink.STRONG)
        return canvas.strips()


def _draw_cell(canvas: Canvas, row: int, col: int, size: int, device: Device) -> None:
    util, temp = device.gauge("util"), device.gauge("temp_c")
    bad = device.held_ink in (Ink.BAD, Ink.WARN)
    known = Ink.DIM if device.dim else Ink.STRONG
    start = canvas.text(row, col, f"{device.index:>1}", device.held_ink if bad else Ink.DIM) + 1
    right = col + size
    if size >= _MEMORY_FROM:
        canvas.put_right(row, right, f"{whole_or_none(percent(device.memory), 3)} % mem", Ink.DIM)
        right -= 10
    busy = f"{whole_or_none(percent(util), 4):>4} %"
    degrees = f"{whole_or_none(number(temp), 4):>4}°"
    strip = right - len(busy) - len(degrees) - start
    if strip >= _LEAST_STRIP and device.group in device.view.probe_reasons:
        canvas.text(row, start, fit(device.held[0][0].partition(" ")[0], strip), Ink.BAD)
    elif strip >= _LEAST_STRIP and device.mig and util is None:
        words = device.mig if size >= _MEMORY_FROM else f"MIG {percent(device.memory)} %"
        canvas.text(row, start, fit(words, strip + len(busy)), Ink.TEXT)
        canvas.text(row, right - len(degrees), degrees, Ink.DIM if device.dim else Ink.TEXT)
        return
    elif strip >= _LEAST_STRIP:
        ink = Ink.DIM if device.dim else device.held_ink if bad else Ink.SERIES_2
        canvas.text(row, start, course(device, "util", strip), ink)
    canvas.text(row, right - len(busy) - len(degrees), busy, known)
    canvas.text(row, right - len(degrees), degrees, Ink.DIM if device.dim else Ink.TEXT)
