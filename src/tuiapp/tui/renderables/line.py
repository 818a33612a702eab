"""Histories: lines in braille, areas in eighth blocks; one column is one step of time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from textual.strip import Strip

from tuiapp.tui.renderables.axis import Tick, place_labels, tick_label
from tuiapp.tui.renderables.blocks import BLOCKS, fill_levels
from tuiapp.tui.renderables.canvas import SPACE, Canvas, cells, clean
from tuiapp.tui.renderables.palette import Ink, Palette

_BRAILLE = 0x2800
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.uint32)
_POINTS = "•×+o*#"
"""One glyph a series where colours cannot tell them apart."""
_LIMIT, _AXIS, _END, _FULL, _SHADE = map(ord, "┈│┤█▒")
_ROUND = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
_MIN_PLOT, _LEGEND_ROWS = 12, 4


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Values, oldest first, nan where nothing is known; ``LineChart`` shows two a cell."""

    values: np.ndarray
    ink: Ink = Ink.WINDOW
    label: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class LineChart:
    """One or more series on one scale, the newest value at the right edge.

    Attributes:
        series: later ones are drawn over earlier ones.
        low, high: ends of the scale; without ``high`` a round number above the largest value.
        limit: a dashed line across.
        fill: shade what is under the first series.
        label: turns an end of the scale into text, at the left; None leaves the scale out.
        times: labels below, each with its place among the values; none keeps no row.
    """

    series: tuple[Series, ...]
    low: float = 0.0
    high: float | None = None
    limit: float | None = None
    fill: bool = False
    label: Callable[[float], str] | None = tick_label
    empty: str = "no data yet"
    times: tuple[Tick, ...] = ()

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        if width < 1 or height < 1 + bool(self.times):
            return Canvas(width, height, palette).strips()
        height -= bool(self.times)
        canvas = Canvas(width, height, palette)
        high = self._high()
        gutter = self._draw_scale(canvas, high)
        known = False
        for number, series in enumerate(self.series):
            rows, valid = self._dot_rows(series.values, 2 * (width - gutter), 4 * height, high)
            known |= bool(valid.any())
            if palette.coarse and len(self.series) > 1:
                _draw_points(canvas, rows, valid, gutter, number, series.ink)
            else:
                _draw_dots(canvas, rows, valid, gutter, series.ink, self.fill and not number)
        if self.limit is not None:
            self._draw_limit(canvas, gutter, high)
        self._draw_legend(canvas, gutter)
        if not known and self.empty:
            canvas.put_center((height - 1) // 2, self.empty, Ink.DIM)
        return canvas.strips() + self._times_row(width, gutter, palette)

    def _draw_legend(self, canvas: Canvas, gutter: int) -> None:
        """What each line is, over the oldest values, where that leaves most of them to be seen."""
        named = [series for series in self.series if series.label]
        room = sum(cells(clean(series.label)) + 1 for series in named)
        if canvas.height < _LEGEND_ROWS or room > (canvas.width - gutter) // 5:
            return
        col = gutter
        for series in named:
            col = canvas.text(0, col, f"{clean(series.label)} ", series.ink)

    def _times_row(self, width: int, gutter: int, palette: Palette) -> list[Strip]:
        if not self.times:
            return []
        row, plot = Canvas(width, 1, palette), width - gutter
        hidden = max(len(self.series[0].values) - 2 * plot, 0)
        ticks = [((place - hidden) // 2, text) for place, text in self.times]
        for column, text in place_labels(ticks, plot):
            row.text(0, gutter + column, text, Ink.DIM)
        return row.strips()

    def _high(self) -> float:
        if self.high is not None:
            return self.high
        tops = [np.asarray(series.values, np.float64) for series in self.series]
        finite = [values[np.isfinite(values)].max(initial=0.0) for values in tops]
        return self.low + _round_above(max([*finite, self.limit or 0.0]) - self.low)

    def _draw_scale(self, canvas: Canvas, high: float) -> int:
        """Write the ends of the scale; returns the width that took."""
        if self.label is None or canvas.height < 2:
            return 0
        ends = {0: clean(self.label(high)), canvas.height - 1: clean(self.label(self.low))}
        gutter = max(map(cells, ends.values())) + 2
        if canvas.width - gutter < _MIN_PLOT:
            return 0
        canvas.codes[:, gutter - 1], canvas.inks[:, gutter - 1] = _AXIS, Ink.FAINT
        for row, text in ends.items():
            canvas.put_right(row, gutter - 2, text, Ink.DIM)
            canvas.codes[row, gutter - 1] = _END
        return gutter

    def _dot_rows(
        self, values: np.ndarray, columns: int, dots: int, high: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Dot row from below, and whether known, for each dot column; +inf is drawn at the top."""
        recent = np.full(columns, np.nan)
        values = np.asarray(values, np.float64)[-columns:]
        recent[columns - len(values) :] = values
        valid = ~np.isnan(recent)
        span = high - self.low
        share = np.clip((np.where(valid, recent, self.low) - self.low) / (span or 1.0), 0, 1)
        return np.rint(share * (dots - 1)).astype(np.intp), valid

    def _draw_limit(self, canvas: Canvas, gutter: int, high: float) -> None:
        assert self.limit is not None
        dots = 4 * canvas.height
        row_from_below, _ = self._dot_rows(np.array([self.limit]), 1, dots, high)
        row = canvas.height - 1 - int(row_from_below[0]) // 4
        free = canvas.codes[row] == SPACE
        free[:gutter] = False
        canvas.codes[row, free], canvas.inks[row, free] = _LIMIT, Ink.SLO


def _round_above(span: float) -> float:
    """A round number not below ``span``; 1 for what is not positive."""
    if not 0 < span < math.inf:
        return 1.0
    power: float = 10.0 ** math.floor(math.log10(span))
    return next(power * digit for digit in (*_ROUND, 20) if power * digit >= span * (1 - 1e-9))


def _draw_dots(
    canvas: Canvas, rows: np.ndarray, valid: np.ndarray, gutter: int, ink: Ink, fill: bool
) -> None:
    before = np.concatenate((rows[:1], rows[:-1]))
    joined = valid & np.concatenate((valid[:1], valid[:-1]))
    low = np.where(joined & (before < rows), before + 1, rows)
    high = np.where(joined & (before > rows), before - 1, rows)
    if fill:
        low = np.zeros_like(low)
    heights = np.arange(4 * canvas.height - 1, -1, -1)[:, None]
    dots = (heights >= low) & (heights <= np.maximum(high, rows)) & valid
    grid = dots.reshape(canvas.height, 4, -1, 2)
    bits = np.einsum("rdck,dk->rc", grid, _BITS, dtype=np.uint32)
    plot = canvas.codes[:, gutter:]
    drawn = np.where(plot >= _BRAILLE, plot - _BRAILLE, 0) | bits
    some = bits > 0
    plot[some] = (drawn + _BRAILLE)[some]
    canvas.inks[:, gutter:][some] = ink


def _draw_points(
    canvas: Canvas, rows: np.ndarray, valid: np.ndarray, gutter: int, number: int, ink: Ink
) -> None:
    """One glyph a cell, at the newer of its two values."""
    columns = np.flatnonzero(valid[1::2])
    lines = canvas.height - 1 - rows[1::2][columns] // 4
    canvas.codes[lines, gutter + columns] = ord(_POINTS[number % len(_POINTS)])
    canvas.inks[lines, gutter + columns] = ink


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """One series as eighth blocks, one value a cell, the newest at the right edge.

    A known value shows at least ``▁`` (faint at zero); nan stays blank.

    Attributes:
        high: full height; the largest value when None.
        limit: values above it are drawn in ``ink_over``.
    """

    values: np.ndarray
    high: float | None = None
    limit: float | None = None
    ink: Ink = Ink.WINDOW
    ink_over: Ink = Ink.WARN

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        values = np.asarray(self.values, np.float64)[-width:] if width > 0 else np.empty(0)
        if height < 1 or not len(values):
            return canvas.strips()
        known = np.where(np.isnan(values), 0.0, np.maximum(values, 0.0))
        top = self.high or known[np.isfinite(known)].max(initial=0.0) or 1.0
        heights = np.rint(np.minimum(known / top, 1.0) * 8 * height).astype(np.intp)
        heights = np.where(np.isnan(values), 0, np.maximum(heights, 1))
        inks = np.where(known > 0, self.ink, Ink.FAINT)
        if self.limit is not None:
            inks[known > self.limit] = self.ink_over
        codes = BLOCKS[fill_levels(heights, height)]
        if palette.mono and self.limit is not None:
            codes[(codes == _FULL) & (known > self.limit)] = _SHADE
        canvas.codes[:, -len(values) :] = codes
        canvas.inks[:, -len(values) :] = inks
        return canvas.strips()
