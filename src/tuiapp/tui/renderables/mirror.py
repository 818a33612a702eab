"""Two distributions mirrored on one axis: A stands on it, B hangs from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from textual.strip import Strip

from tuiapp.tui.renderables.axis import Tick, place_labels
from tuiapp.tui.renderables.blocks import BLOCKS, eighths, fill_levels, fit_columns
from tuiapp.tui.renderables.canvas import SPACE, Canvas, cells, clean
from tuiapp.tui.renderables.histogram import Marker
from tuiapp.tui.renderables.palette import Ink, Palette

INKS = (Ink.SERIES_0, Ink.SERIES_1)
"""What belongs to A, and to B."""
_RULE, _LINE, _SLO_LINE, _FULL = map(ord, "─│┊█")
_FEET = {(True, False): ord("┴"), (False, True): ord("┬"), (True, True): ord("┼")}
# Few terminals have hanging blocks but these: by eighths of a cell from above.
_HANGING = np.array([SPACE, *[ord("▔")] * 3, *[ord("▀")] * 3, *[_FULL] * 2], np.uint32)
# Without colours the two sides differ by their glyphs.
_SHADED = np.array([SPACE, *[ord("░")] * 3, *[ord("▒")] * 5], np.uint32)


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One of the two distributions.

    Attributes:
        name: drawn at the left of its labels.
        counts: a column each, as many as the width it will be drawn at.
        markers: quantiles with their values; where there is no room, the last goes first.
        below, above: counts left and right of the axis.
        note: at the right of its labels, where there is room.
    """

    name: str
    counts: np.ndarray
    markers: tuple[Marker, ...] = ()
    below: int = 0
    above: int = 0
    note: str = ""

    @property
    def shares(self) -> np.ndarray:
        """Of everything counted, the outside included, in each column."""
        counts = np.maximum(np.nan_to_num(self.counts, posinf=0.0), 0.0)
        return np.asarray(counts / max(counts.sum() + self.below + self.above, 1e-300))


@dataclass(frozen=True, slots=True, eq=False)
class Mirror:
    """Shares of A above the axis and of B below it, to one scale.

    Heights are square roots of shares (J. W. Tukey's rootogram): a tail that a few requests make
    can be seen beside a bulk of thousands.

    Rows from the top: A's labels (from five rows on), A's bars, the axis with its ticks (from three
    rows on), B's bars, B's labels; a row that is left stays empty at the bottom.

    Attributes:
        ticks: columns and labels of the axis.
        slo: first column beyond the limit; None draws none. It may lie outside.
        empty: said in the middle while neither side has counts.
    """

    a: Side
    b: Side
    ticks: tuple[Tick, ...] = ()
    slo: int | None = None
    empty: str = "no samples yet"

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        if width < 1 or height < 1:
            return canvas.strips()
        labels, axis = int(height >= 5), int(height >= 3)
        tall = (height - 2 * labels - axis) // 2
        middle = labels + tall
        above, below = self._heights(width, tall)
        _stand(canvas, above, labels, tall)
        _hang(canvas, below, middle + axis, tall, palette)
        if self.empty and not above.any() and not below.any():
            canvas.put_center(max(middle - 1, 0), self.empty, Ink.DIM)
        feet = labels + tall + axis + tall
        self._needles(canvas, self.a, range(labels, middle), palette, hanging=False)
        self._needles(canvas, self.b, range(middle + axis, feet), palette, hanging=True)
        if axis:
            self._draw_axis(canvas, middle)
        if labels:
            _label(canvas, 0, self.a, INKS[0])
            _label(canvas, feet, self.b, INKS[1])
        return canvas.strips()

    def _heights(self, width: int, tall: int) -> tuple[np.ndarray, np.ndarray]:
        """Eighths of a cell, both sides to one scale."""
        shares = [fit_columns(side.shares, width, align="left") for side in (self.a, self.b)]
        both = eighths(np.sqrt(np.concatenate(shares)), tall)
        return both[:width], both[width:]

    def _needles(
        self, canvas: Canvas, side: Side, rows: range, palette: Palette, *, hanging: bool
    ) -> None:
        """Quantiles as lines through the bars, the limit as one between them."""
        if self.slo is not None and 0 <= self.slo < canvas.width:
            for row in rows:
                if canvas.codes[row, self.slo] == SPACE:
                    canvas.codes[row, self.slo], canvas.inks[row, self.slo] = _SLO_LINE, Ink.SLO
        for marker in reversed(side.markers):
            if 0 <= marker.column < canvas.width:
                for row in rows:
                    _needle(canvas, row, marker, palette, hanging=hanging)

    def _draw_axis(self, canvas: Canvas, row: int) -> None:
        canvas.codes[row], canvas.inks[row] = _RULE, Ink.FAINT
        if self.slo is not None:
            canvas.inks[row, max(self.slo, 0) :] = Ink.RUN_OVER
        for start, label in place_labels(self.ticks, canvas.width, gap=3):
            canvas.text(row, start, label, Ink.TEXT)
        marked = [{m.column: m.ink for m in side.markers} for side in (self.a, self.b)]
        for column in {*marked[0], *marked[1]}:
            if 0 <= column < canvas.width and canvas.codes[row, column] == _RULE:
                canvas.codes[row, column] = _FEET[column in marked[0], column in marked[1]]
                canvas.inks[row, column] = marked[0].get(column, marked[1].get(column, Ink.FAINT))


def _stand(canvas: Canvas, heights: np.ndarray, top: int, tall: int) -> None:
    area = slice(top, top + tall)
    canvas.codes[area] = BLOCKS[fill_levels(heights, tall)]
    canvas.inks[area] = INKS[0]


def _hang(canvas: Canvas, heights: np.ndarray, top: int, tall: int, palette: Palette) -> None:
    """Bars from above: what is left free of a cell is drawn over the bar's own colour."""
    levels = fill_levels(heights, tall)[::-1]
    area = slice(top, top + tall)
    if palette.coarse:
        canvas.codes[area] = (_SHADED if palette.mono else _HANGING)[levels]
        canvas.inks[area] = INKS[1]
        return
    partly = (levels > 0) & (levels < 8)
    canvas.codes[area] = np.where(partly, BLOCKS[8 - levels], BLOCKS[levels])
    canvas.inks[area] = np.where(partly, palette.cut(INKS[1]), INKS[1])


def _needle(canvas: Canvas, row: int, marker: Marker, palette: Palette, *, hanging: bool) -> None:
    column, ink = marker.column, marker.ink
    code = int(canvas.codes[row, column])
    if code in (SPACE, _SLO_LINE):
        canvas.codes[row, column], canvas.inks[row, column] = _LINE, ink
    elif hanging and not palette.coarse and code != _FULL:
        canvas.inks[row, column] = palette.cut(ink)
    else:
        canvas.inks[row, column] = ink


def _label(canvas: Canvas, row: int, side: Side, ink: Ink) -> None:
    """The side's name, what lies outside, and each quantile's value at its line."""
    left = canvas.text(row, 0, side.name, ink) + 1
    if side.below:
        left = canvas.text(row, left, f"◂{side.below}", Ink.WARN) + 1
    right = canvas.width
    if side.above:
        right = canvas.put_right(row, right, f"{side.above}▸", Ink.WARN) - 1
    placed = _spread(side.markers, left, right, canvas.width)
    for start, marker in placed:
        left = canvas.text(row, start, marker.label, marker.ink) + 1
    if (note := clean(side.note)) and right - cells(note) > left:
        canvas.put_right(row, right, note, Ink.DIM)


def _spread(
    markers: Sequence[Marker], left: int, right: int, width: int
) -> list[tuple[int, Marker]]:
    """Each label as near to its column as the others allow, in the order of columns.

    Where not all fit, the last of ``markers`` is left out first.
    """
    kept = [marker for marker in markers if 0 <= marker.column < width and clean(marker.label)]
    while kept and sum(_size(marker) + 1 for marker in kept) - 1 > right - left:
        kept.pop()
    ordered = sorted(kept, key=lambda marker: marker.column)
    starts: list[int] = []
    for marker in ordered:
        starts.append(max(marker.column - _size(marker) // 2, left))
        left = starts[-1] + _size(marker) + 1
    for at in reversed(range(len(starts))):
        starts[at] = min(starts[at], right - _size(ordered[at]))
        right = starts[at] - 1
    return list(zip(starts, ordered, strict=True))


def _size(marker: Marker) -> int:
    return cells(clean(marker.label))
