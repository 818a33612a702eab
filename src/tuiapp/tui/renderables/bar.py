"""Horizontal gauges, stacked bars, and a bar a core."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from textual.strip import Strip

from tuiapp.tui.renderables.blocks import BLOCKS, LEFT_BLOCKS, fill_levels
from tuiapp.tui.renderables.canvas import Canvas, cells, clean, fit
from tuiapp.tui.renderables.numbers import UNKNOWN
from tuiapp.tui.renderables.palette import Ink, Palette

_MIN_BAR = 4
_PART_GLYPHS = "█░▓▒"
"""Glyphs of neighbouring parts where colours cannot tell them apart."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """A share of something limited: ``cpu  ██████▌      81 %  steal 0.4 %``.

    Attributes:
        fraction: 0..1; None or nan when unknown: no bar, and ``note`` should say why.
        value: the number in words, right-aligned in ``value_width``.
        warn, bad: from here on the bar changes its ink.
    """

    label: str
    fraction: float | None
    value: str = ""
    note: str = ""
    value_width: int = 5
    warn: float = 0.8
    bad: float = 0.95
    ink: Ink = Ink.WINDOW

    @property
    def level_ink(self) -> Ink:
        """The ink for the present fraction."""
        fraction = self.fraction or 0.0
        return Ink.BAD if fraction >= self.bad else Ink.WARN if fraction >= self.warn else self.ink


@dataclass(frozen=True, slots=True)
class Gauges:
    """Gauges under each other, their bars aligned.

    Attributes:
        bar_width: cells of the bars; None takes what labels, values and notes leave.
    """

    gauges: tuple[Gauge, ...]
    bar_width: int | None = None

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        if not self.gauges:
            return canvas.strips()
        label = max(cells(clean(gauge.label)) for gauge in self.gauges)
        value = max(gauge.value_width for gauge in self.gauges)
        note = max(cells(clean(gauge.note)) for gauge in self.gauges)
        free = width - label - value - 2
        rest = max(free - (note + 2 if note else 0), 2 * _MIN_BAR)
        bar = min(rest if self.bar_width is None else self.bar_width, free)
        for row, gauge in enumerate(self.gauges[: max(height, 0)]):
            _draw_gauge(canvas, row, gauge, label, bar if bar >= _MIN_BAR else -1, value, palette)
        return canvas.strips()


def _draw_gauge(
    canvas: Canvas, row: int, gauge: Gauge, label: int, bar: int, value: int, palette: Palette
) -> None:
    canvas.text(row, 0, gauge.label, Ink.DIM)
    known = gauge.fraction is not None and not math.isnan(gauge.fraction)
    if bar > 0:
        fraction = gauge.fraction if known and gauge.fraction is not None else None
        draw_bar(canvas, row, label + 1, bar, fraction, gauge.level_ink, palette)
    end = label + 1 + bar + 1 + value
    text = gauge.value if known or gauge.value else UNKNOWN
    ink = Ink.DIM if not known else Ink.STRONG if gauge.level_ink is gauge.ink else gauge.level_ink
    canvas.put_right(row, end, fit(text, value), ink)
    canvas.text(row, end + 2, fit(gauge.note, canvas.width - end - 2), Ink.DIM)


def draw_bar(
    canvas: Canvas,
    row: int,
    col: int,
    width: int,
    fraction: float | None,
    ink: Ink,
    palette: Palette,
) -> None:
    """A bar of ``width`` cells on its track; None draws a dotted track: unknown, not empty."""
    if fraction is None:
        canvas.text(row, col, "╌" * width, Ink.FAINT)
        return
    eighths = round(min(max(fraction, 0.0), 1.0) * width * 8)
    whole, part = divmod(max(eighths, 1 if fraction > 0 else 0), 8)
    on_track = palette.on(ink, Ink.TRACK)
    rest = col + whole + bool(part)
    canvas.text(row, col, "█" * whole, ink)
    if palette.coarse:
        canvas.text(row, rest, "·" * (col + width - rest), Ink.FAINT)
        canvas.text(row, col + whole, LEFT_BLOCKS[part] if part else "", ink)
        return
    canvas.text(row, rest, " " * (col + width - rest), on_track)
    canvas.text(row, col + whole, LEFT_BLOCKS[part] if part else "", on_track)


@dataclass(frozen=True, slots=True)
class Part:
    """A share of a stacked bar; ``value`` in any unit, None unknown; ``text`` is its number."""

    label: str
    value: float | None
    text: str
    ink: Ink


@dataclass(frozen=True, slots=True)
class StackedBar:
    """Parts of a whole in one bar, and a legend below it (beside it, in one row)."""

    parts: tuple[Part, ...]

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        if height < 1 or width < 1:
            return canvas.strips()
        legend = sum(cells(clean(part.label + part.text)) + 6 for part in self.parts)
        if height >= 2:
            draw_parts(canvas, 0, 0, width, self.parts, palette)
            self._draw_legend(canvas, 1, 0, palette)
        else:
            bar = width - legend if width - legend >= _MIN_BAR else 0
            draw_parts(canvas, 0, 0, bar, self.parts, palette)
            self._draw_legend(canvas, 0, bar + 1 if bar else 0, palette)
        return canvas.strips()

    def _draw_legend(self, canvas: Canvas, row: int, col: int, palette: Palette) -> None:
        for number, part in enumerate(self.parts):
            glyph = _PART_GLYPHS[number % len(_PART_GLYPHS)] if palette.coarse else "■"
            size = cells(clean(part.label + part.text)) + 3
            if col + size > canvas.width:
                return
            col = canvas.text(row, col, glyph, part.ink) + 1
            col = canvas.text(row, col, part.label, Ink.DIM) + 1
            col = canvas.text(row, col, part.text, Ink.STRONG) + 3


def draw_parts(
    canvas: Canvas, row: int, col: int, width: int, parts: Sequence[Part], palette: Palette
) -> None:
    """Parts beside each other over ``width`` cells, boundaries to an eighth of a cell."""
    shares = [(part.value or 0.0, part.ink) for part in parts]
    shares = [(value, ink) for value, ink in shares if 0 < value < math.inf]
    total = sum(value for value, _ in shares)
    if total <= 0:
        canvas.text(row, col, "╌" * width, Ink.FAINT)
        return
    done, edge = 0.0, 0
    order = {part.ink: number for number, part in enumerate(parts)}
    for index, (value, ink) in enumerate(shares):
        done += value
        whole, part = divmod(round(done / total * width * 8), 8)
        last = index == len(shares) - 1
        if palette.coarse or last:
            whole, part = (width if last else whole + (part >= 4)), 0
        glyph = _PART_GLYPHS[order[ink] % len(_PART_GLYPHS)] if palette.coarse else "█"
        canvas.text(row, col + edge, glyph * (whole - edge), ink)
        edge = max(edge, whole)
        if part and edge == whole:
            ground = shares[index + 1][1]
            canvas.text(row, col + whole, LEFT_BLOCKS[part], palette.on(ink, ground))
            edge = whole + 1


@dataclass(frozen=True, slots=True, eq=False)
class CoreBars:
    """A small upright bar a core.

    Up to ``width`` cores share the whole height; more make several lines of lower bars, and where
    even that is too narrow, one bar shows the busiest of a group of neighbours.

    Attributes:
        busy: fractions 0..1, nan for a core that is off line.
    """

    busy: np.ndarray
    warn: float = 0.8
    bad: float = 0.95

    def group(self, width: int, height: int) -> int:
        """Cores that one bar stands for at this size."""
        return max(-(-len(self.busy) // max(width * height, 1)), 1)

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        if not len(self.busy) or width < 1 or height < 1:
            return canvas.strips()
        busy = self._grouped(self.group(width, height))
        lines = -(-len(busy) // width)
        each, tall = -(-len(busy) // lines), height // lines
        pitch = min(width // each, 4)
        for line in range(lines):
            part = busy[line * each : (line + 1) * each]
            self._draw_line(canvas, part, slice(line * tall, (line + 1) * tall), pitch)
        return canvas.strips()

    def _grouped(self, group: int) -> np.ndarray:
        busy = np.asarray(self.busy, np.float64)
        padded = np.full(-(-len(busy) // group) * group, np.nan)
        padded[: len(busy)] = busy
        rows = padded.reshape(-1, group)
        known = np.where(np.isnan(rows), -1.0, rows).max(axis=1)
        return np.where(known < 0, np.nan, known)

    def _draw_line(self, canvas: Canvas, busy: np.ndarray, rows: slice, pitch: int) -> None:
        tall = rows.stop - rows.start
        unknown = np.isnan(busy)
        share = np.clip(np.where(unknown, 0.0, busy), 0.0, 1.0)
        heights = np.maximum(np.rint(share * tall * 8).astype(np.intp), 1)
        inks = np.where(share < 0.02, Ink.FAINT, Ink.WINDOW)
        inks[share >= self.warn] = Ink.WARN
        inks[share >= self.bad] = Ink.BAD
        codes = BLOCKS[fill_levels(heights, tall)]
        codes[-1, unknown], inks[unknown] = ord("×"), Ink.DIM
        for offset in range(max(pitch - 1, 1)):
            columns = np.arange(len(busy)) * pitch + offset
            canvas.codes[rows, columns] = codes
            canvas.inks[rows, columns] = inks
