"""Latency over time: how many requests fell into each bin in each moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from textual.strip import Strip

from tuiapp.tui.renderables.axis import Tick, place_labels
from tuiapp.tui.renderables.blocks import BLOCKS
from tuiapp.tui.renderables.canvas import SPACE, Canvas, cells, clean
from tuiapp.tui.renderables.palette import HEAT_LEVELS, Ink, Palette

_UPPER, _LOWER, _FULL, _ABSENT, _DASH, _AXIS, _TICK = map(ord, "▀▄█╱┄│┤")
_SHADES = np.array([SPACE, *map(ord, "░▒▓█")], np.uint32)
_MIN_PLOT = 12
"""Columns below which the labels at the left give way to the picture."""
STALL_LEVELS = 8
_STALLS_FROM = 5
_LOWEST_STALL_S, _STALL_DECADES = 0.002, 2
_LONGEST_DRAWN_S = 1e3
_LONG_STALL = 5
"""Height from which a stall is drawn as bad: 20 ms."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment worth a sign under the map: a note, a failure."""

    column: int
    glyph: str = "⚑"
    ink: Ink = Ink.ACCENT


def stall_levels(longest_s: np.ndarray) -> np.ndarray:
    """Heights 0..8 of stalls, by their logarithm: 1 up to 2 ms, 5 from 20 ms, 8 from 112 ms.

    One scale for all, so that two recordings look alike where they are alike.
    """
    known = np.minimum(np.nan_to_num(longest_s, nan=0.0), _LONGEST_DRAWN_S)
    decades = np.log10(np.maximum(known, _LOWEST_STALL_S) / _LOWEST_STALL_S)
    levels = 1 + np.floor(decades / _STALL_DECADES * STALL_LEVELS + 1e-9).astype(np.intp)
    return np.where(known > 0, np.minimum(levels, STALL_LEVELS), 0)


def stall_text(longest_s: np.ndarray) -> str:
    """The same heights as text, a character a value; ``╱`` where nobody watched."""
    glyphs = np.where(np.isnan(longest_s), _ABSENT, BLOCKS[stall_levels(longest_s)])
    return "".join(map(chr, glyphs))


def plot_rows(height: int, *, marks: bool, times: bool, stalls: bool = False) -> int:
    """Rows of a map ``height`` rows high that are left for cells; two bins fit each exactly."""
    feet = (marks and height >= 3) + (times and height >= 4) + (stalls and height >= _STALLS_FROM)
    return height - feet


@dataclass(frozen=True, slots=True, eq=False)
class Heatmap:
    """Two bins a cell (half blocks), colour by the logarithm of the count.

    Attributes:
        counts: bins × columns, lowest latency and oldest moment first; a column of nan is a time
            nobody measured (hatched), unlike one of zeros.
        labels: bins and their values, at the left.
        slo: first bin beyond the limit; None draws none. It may lie outside.
        marks: signs in a row of their own; None keeps no row, an empty tuple an empty one.
        marks_label: what that row shows.
        times: columns and labels of the time axis; empty keeps no row.
        peak: count drawn hottest; the largest shown when None. Give it to keep colours steady.
        stalls: longest stall of the host in each column, seconds; 0 for none, nan where nobody
            watched. None keeps no row.
    """

    counts: np.ndarray
    labels: tuple[Tick, ...] = ()
    slo: int | None = None
    marks: tuple[Mark, ...] | None = None
    marks_label: str = ""
    times: tuple[Tick, ...] = ()
    peak: float | None = None
    empty: str = "no samples yet"
    stalls: np.ndarray | None = None
    stalls_label: str = ""

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        rows = plot_rows(
            height,
            marks=self.marks is not None,
            times=bool(self.times),
            stalls=self.stalls is not None,
        )
        gutter = self._gutter(width)
        if width < 1 or rows < 1:
            return canvas.strips()
        levels, absent = self._levels(width - gutter, rows)
        self._draw_cells(canvas, levels, absent, gutter, palette)
        if not levels.any() and not absent.any() and self.empty:
            canvas.put_center((rows - 1) // 2, self.empty, Ink.DIM)
        self._draw_scale(canvas, rows, gutter)
        self._draw_feet(canvas, rows, gutter)
        return canvas.strips()

    def _gutter(self, width: int) -> int:
        texts = [clean(text) for _, text in self.labels]
        if self.marks is not None:
            texts.append(clean(self.marks_label))
        if self.stalls is not None:
            texts.append(clean(self.stalls_label))
        gutter = max(map(cells, texts), default=0)
        gutter += 2 if gutter else 0
        return gutter if width - gutter >= _MIN_PLOT else 0

    def _half_of(self, bin_number: int, rows: int) -> int:
        """Half row (from below) that a bin is drawn in."""
        bins = max(len(self.counts), 1)
        merged = -(-bins // (2 * rows))
        return bin_number // merged * max(2 * rows // bins, 1)

    def _levels(self, columns: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Heat levels, half rows × columns from the top left, and which columns are absent.

        Bins are merged, or repeated, by whole factors only: unequal merging makes false stripes.
        """
        halves = 2 * rows
        counts = np.atleast_2d(np.asarray(self.counts, np.float64))[:, -columns:]
        bins, shown = counts.shape
        levels = np.zeros((halves, columns), np.intp)
        absent = np.zeros(columns, np.bool_)
        if not bins or not shown:
            return levels, absent
        absent[-shown:] = np.isnan(counts).all(axis=0)
        counts = np.where(counts > 0, counts, 0.0)
        merged = -(-bins // halves)
        if merged > 1:
            counts = np.add.reduceat(counts, np.arange(0, bins, merged), axis=0)
        else:
            counts = np.repeat(counts, halves // bins, axis=0)
        levels[-len(counts) :, -shown:] = _heat(counts, self.peak)[::-1]
        return levels, absent

    def _draw_cells(
        self,
        canvas: Canvas,
        levels: np.ndarray,
        absent: np.ndarray,
        gutter: int,
        palette: Palette,
    ) -> None:
        upper, lower = levels[::2], levels[1::2]
        plot = (slice(0, len(upper)), slice(gutter, None))
        if palette.coarse:
            hottest = np.maximum(upper, lower)
            canvas.codes[plot] = _SHADES[-(-hottest * 4 // HEAT_LEVELS)]
            canvas.inks[plot] = Ink.WINDOW
        else:
            glyphs = np.where(upper == 0, _LOWER, _UPPER)
            glyphs[upper == lower] = _FULL
            some = (upper > 0) | (lower > 0)
            front, back = np.where(upper == 0, lower, upper), np.where(upper == 0, upper, lower)
            numbers = palette.heat_base() + front * (HEAT_LEVELS + 1) + back
            canvas.codes[plot] = np.where(some, glyphs, SPACE)
            canvas.inks[plot] = np.where(some, numbers, Ink.TEXT)
        canvas.codes[plot][:, absent] = _ABSENT
        canvas.inks[plot][:, absent] = Ink.FAINT

    def _draw_scale(self, canvas: Canvas, rows: int, gutter: int) -> None:
        taken = set()
        if self.slo is not None and 0 <= self.slo <= len(self.counts):
            row = rows - 1 - self._half_of(self.slo, rows) // 2
            if row >= 0:
                free = canvas.codes[row] == SPACE
                free[:gutter] = False
                canvas.codes[row, free], canvas.inks[row, free] = _DASH, Ink.SLO
        if not gutter:
            return
        canvas.codes[:rows, gutter - 1], canvas.inks[:rows, gutter - 1] = _AXIS, Ink.FAINT
        for bin_number, text in self.labels:
            row = rows - 1 - self._half_of(bin_number, rows) // 2
            if 0 <= row < rows and row not in taken:
                taken.add(row)
                canvas.put_right(row, gutter - 2, text, Ink.DIM)
                canvas.codes[row, gutter - 1] = _TICK

    def _draw_feet(self, canvas: Canvas, row: int, gutter: int) -> None:
        shown = np.shape(self.counts)[-1] if np.ndim(self.counts) == 2 else 0
        first = canvas.width - shown
        if self.stalls is not None and canvas.height >= _STALLS_FROM:
            self._draw_stalls(canvas, row, gutter)
            row += 1
        if self.marks is not None and row < canvas.height:
            if gutter:
                canvas.put_right(row, gutter - 2, self.marks_label, Ink.DIM)
            for mark in self.marks:
                if first + mark.column >= gutter:
                    canvas.text(row, first + mark.column, mark.glyph[:1], mark.ink)
            row += 1
        if self.times and row < canvas.height:
            ticks = [(first + column - gutter, text) for column, text in self.times]
            for start, text in place_labels(ticks, canvas.width - gutter, gap=2):
                canvas.text(row, gutter + start, text, Ink.DIM)

    def _draw_stalls(self, canvas: Canvas, row: int, gutter: int) -> None:
        if gutter:
            canvas.put_right(row, gutter - 2, self.stalls_label, Ink.DIM)
        longest = np.asarray(self.stalls, np.float64)[-max(canvas.width - gutter, 1) :]
        levels, absent = stall_levels(longest), np.isnan(longest)
        place = (row, slice(canvas.width - len(longest), None))
        inks = np.where(levels >= _LONG_STALL, Ink.BAD, Ink.WARN)
        canvas.codes[place] = np.where(absent, _ABSENT, BLOCKS[levels])
        canvas.inks[place] = np.where(absent, Ink.FAINT, inks)


def _heat(counts: np.ndarray, peak: float | None) -> np.ndarray:
    """Levels 0 (nothing) to ``HEAT_LEVELS``; anything at all is at least 1."""
    finite = np.where(np.isfinite(counts), counts, 0.0)
    top = np.log1p(peak if peak and peak > 0 else finite.max(initial=0.0))
    if not top > 0:
        return np.where(counts > 0, 1, 0)
    share = np.minimum(np.log1p(counts) / top, 1.0)
    return np.where(counts > 0, np.maximum((share * HEAT_LEVELS).astype(np.intp), 1), 0)
