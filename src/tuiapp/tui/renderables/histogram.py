"""The distribution of one latency: the last window over the whole run, on one axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from textual.strip import Strip

from tuiapp.tui.renderables.axis import Tick, place_labels
from tuiapp.tui.renderables.blocks import BLOCKS, Scale, eighths, fill_levels, fit_columns
from tuiapp.tui.renderables.canvas import SPACE, Canvas, cells, clean
from tuiapp.tui.renderables.palette import Ink, Palette

# Without colours the run is drawn in dots and shade: two tones need two glyphs there.
_SHADES = np.array([0x20, *[ord("·")] * 3, *[ord("░")] * 5], np.uint32)
_RULE, _TICK, _LINE, _SLO_LINE = map(ord, "─┴│┊")
_NOTHING, _WINDOW, _RUN, _BOTH = range(4)


@dataclass(frozen=True, slots=True)
class Marker:
    """A quantile: its column, a short label such as ``p99 86``, its ink."""

    column: int
    label: str
    ink: Ink = Ink.P50


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Counts per column, both arrays each drawn to its own peak.

    A column without a count stays blank; one with any count shows at least ``▁``. Rows from the
    top: bars (the first is kept free for labels where there are four), a rule with ticks from
    eight rows on, tick labels from three rows on.

    Attributes:
        window, run: counts a column, of the last window and of the whole run; one entry a cell of
            the width they will be drawn at.
        ticks: columns and labels of the axis.
        markers: quantiles; where labels collide, the later in the tuple yields.
        slo: first column beyond the limit; None draws none. It may lie outside.
        below, above: counts left and right of the axis.
        scale: ``log`` lifts the tails.
        empty: said in the middle while there are no counts at all.
    """

    window: np.ndarray
    run: np.ndarray
    ticks: tuple[Tick, ...] = ()
    markers: tuple[Marker, ...] = ()
    slo: int | None = None
    slo_label: str = "SLO"
    below: int = 0
    above: int = 0
    scale: Scale = "linear"
    empty: str = "no samples yet"

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        if width < 1 or height < 1:
            return canvas.strips()
        axis, rule = height >= 3, height >= 8
        bars = height - axis - rule
        if not self._draw_bars(canvas, bars, palette) and self.empty:
            canvas.put_center((bars - 1) // 2, self.empty, Ink.DIM)
        self._draw_lines(canvas, bars)
        if rule:
            self._draw_rule(canvas, bars)
        if axis:
            self._draw_axis(canvas, height - 1)
        return canvas.strips()

    def _draw_bars(self, canvas: Canvas, bars: int, palette: Palette) -> bool:
        """Draw both distributions; whether there was anything to draw."""
        width = canvas.width
        window, run = (fit_columns(a, width, align="left") for a in (self.window, self.run))
        tall = bars - (bars >= 4)
        front = fill_levels(eighths(window, tall, self.scale), tall)
        back = fill_levels(eighths(run, tall, self.scale), tall)
        kinds = _layer(front, back, two_tone=not palette.mono)
        beyond = (np.arange(width) >= (width if self.slo is None else self.slo)).astype(np.intp)
        shades = _SHADES if palette.mono else BLOCKS
        area = slice(bars - tall, bars)
        canvas.codes[area] = np.where(kinds == _RUN, shades[back], BLOCKS[front])
        canvas.inks[area] = _inks(palette)[beyond, kinds]
        return bool(back[-1].any() or front[-1].any())

    def _draw_lines(self, canvas: Canvas, bars: int) -> None:
        """Lines of SLO and quantiles down to the bars, with labels beside their upper ends."""
        lines = [(m.column, m.label, m.ink, _LINE) for m in self.markers]
        if self.slo is not None:
            lines.insert(0, (self.slo, self.slo_label, Ink.SLO, _SLO_LINE))
        lines = [line for line in lines if 0 <= line[0] < canvas.width]
        for column, _, ink, glyph in reversed(lines):
            free = canvas.codes[:bars, column] != SPACE
            reach = int(free.argmax()) if free.any() else bars
            canvas.codes[:reach, column] = glyph
            canvas.inks[:reach, column] = ink
        for column, label, ink, _ in lines:
            _label_line(canvas, column, label, ink)

    def _draw_rule(self, canvas: Canvas, row: int) -> None:
        canvas.codes[row], canvas.inks[row] = _RULE, Ink.FAINT
        if self.slo is not None:
            canvas.inks[row, max(self.slo, 0) :] = Ink.RUN_OVER
        for column, _ in self.ticks:
            if 0 <= column < canvas.width:
                canvas.codes[row, column] = _TICK
        feet = [(marker.column, marker.ink) for marker in self.markers]
        for column, ink in [*feet, (-1 if self.slo is None else self.slo, Ink.SLO)]:
            if 0 <= column < canvas.width:
                canvas.codes[row, column], canvas.inks[row, column] = ord("┻"), ink

    def _draw_axis(self, canvas: Canvas, row: int) -> None:
        left = canvas.text(row, 0, f"◂{self.below} ", Ink.WARN) if self.below else 0
        right = canvas.width
        if self.above and (beyond := f" {self.above}▸") and left + len(beyond) <= right:
            right = canvas.put_right(row, right, beyond, Ink.WARN)
        for start, label in place_labels(self.ticks, canvas.width, gap=2):
            if left <= start and start + cells(label) <= right:
                canvas.text(row, start, label, Ink.DIM)


def _layer(front: np.ndarray, back: np.ndarray, *, two_tone: bool) -> np.ndarray:
    """Which of the two distributions each cell shows.

    A cell has two tones, yet both tops may end in it, over nothing. Then the choice with the
    smallest error in eighths wins: window alone, run alone, or window on a full cell of run. The
    lowest row never drops the window, so that no tail of it is hidden.
    """
    kinds = np.where(front > 0, _WINDOW, np.where(back > 0, _RUN, _NOTHING))
    if not two_tone:
        return kinds
    split = (front > 0) & (back > front)
    rest, missing = back - front, 8 - back
    run_only = split & (front < np.minimum(rest, missing))
    run_only[-1] = False
    kinds[split & ((back == 8) | (missing < rest))] = _BOTH
    kinds[run_only] = _RUN
    return kinds


def _inks(palette: Palette) -> np.ndarray:
    """Style numbers by [beyond the SLO, kind]."""
    both = palette.on(Ink.WINDOW, Ink.RUN)
    both_over = palette.on(Ink.WINDOW_OVER, Ink.RUN_OVER)
    return np.array(
        [
            [Ink.TEXT, Ink.WINDOW, Ink.RUN, both],
            [Ink.TEXT, Ink.WINDOW_OVER, Ink.RUN_OVER, both_over],
        ],
        np.uint16,
    )


def _label_line(canvas: Canvas, column: int, label: str, ink: int) -> None:
    """Write a label beside a line in the top row, right of it if there is room, else left."""
    label = clean(label)
    size = cells(label)
    for start in (column + 1, column - size):
        room = canvas.codes[0, max(start - 1, 0) : start + size + 1]
        own = 0 <= column < canvas.width and canvas.codes[0, column] != SPACE
        if start >= 0 and start + size <= canvas.width and (room != SPACE).sum() <= own:
            canvas.text(0, start, label, ink)
            return
