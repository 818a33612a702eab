"""The strip under a replay: a whole session in one, two or three lines, and where one stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from textual.strip import Strip

from tuiapp.session.overview import Overview
from tuiapp.tui.renderables.axis import Tick
from tuiapp.tui.renderables.blocks import BLOCKS, eighths
from tuiapp.tui.renderables.canvas import Canvas
from tuiapp.tui.renderables.palette import Ink, Palette

CURSOR = "│"


@dataclass(frozen=True)
class OverviewStrip:
    """Throughput as blocks, p99 as blocks above it, flags below.

    Attributes:
        overview: one value a column of the strip; as wide as it is drawn.
        cursor: the column one stands in.
        window: columns of the window, the first and the last.
        flags: column to a sign of one cell.
        unread: the first column that is not read yet; as many as there are when all are.
        loop: columns that are played again and again.
        begins: the first column that the recording holds: a part keeps the clock of the whole.
        times: labels of moments, each with its column.
    """

    overview: Overview
    cursor: int
    window: tuple[int, int]
    flags: Mapping[int, str] = field(default_factory=dict)
    unread: int = 1 << 30
    loop: tuple[int, int] | None = None
    begins: int = 0
    times: Sequence[Tick] = ()

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        if height > 1:
            self._latency(canvas, 0)
        if height:
            self._throughput(canvas, min(height - 1, 1))
            self._flags(canvas, height - 1)
            self._cursor(canvas, palette)
        return canvas.strips()

    def _latency(self, canvas: Canvas, row: int) -> None:
        p99 = self._fit(self.overview.p99_ns, canvas.width, np.nan)
        known = ~np.isnan(p99)
        canvas.codes[row] = BLOCKS[eighths(np.where(known, p99, 0), 1, "log" if self._wide(p99)
                                           else "linear")]  # fmt: skip
        limit = self.overview.limit_ns
        over = known & (p99 > (np.inf if limit is None else limit)) | np.isinf(p99)
        canvas.inks[row] = np.where(over, Ink.BAD, np.where(self._bright(canvas.width), Ink.P99,
                                                            Ink.RUN))  # fmt: skip

    @staticmethod
    def _wide(values: np.ndarray) -> bool:
        finite = values[np.isfinite(values)]
        return len(finite) > 0 and finite.max() > 20 * max(float(np.median(finite)), 1.0)

    def _throughput(self, canvas: Canvas, row: int) -> None:
        rates = self._fit(self.overview.tokens_per_s, canvas.width, 0.0)
        canvas.codes[row] = BLOCKS[eighths(rates, 1)]
        bright = self._bright(canvas.width)
        canvas.inks[row] = np.where(bright, Ink.WINDOW, Ink.RUN)
        for part in (slice(self.unread, None), slice(0, self.begins)):
            canvas.codes[row, part] = ord("·")
            canvas.inks[row, part] = Ink.FAINT

    def _flags(self, canvas: Canvas, row: int) -> None:
        if canvas.height > 2:
            for column in np.flatnonzero(self._fit(self.overview.failed, canvas.width, 0.0)):
                canvas.text(row, int(column), "✗", Ink.BAD)
            self._times(canvas, row)
        if self.loop is not None and canvas.height > 1:
            first, last = (min(column, canvas.width - 1) for column in self.loop)
            canvas.text(row, first, "╰" + "─" * max(last - first - 1, 0) + "╯", Ink.ACCENT)
        for column, sign in self.flags.items():
            if 0 <= column < canvas.width:
                canvas.text(row, column, sign, Ink.ACCENT)

    def _times(self, canvas: Canvas, row: int) -> None:
        """Moments at their places; none where a sign stands in its way."""
        for column, moment in self.times:
            end = column + len(moment)
            free = (canvas.codes[row, column : end + 1] == ord(" ")).all()
            if end <= canvas.width and free and self.flags.keys().isdisjoint(range(column, end)):
                canvas.text(row, column, moment, Ink.DIM)

    def _cursor(self, canvas: Canvas, palette: Palette) -> None:
        column = min(max(self.cursor, 0), canvas.width - 1)
        for row in range(min(canvas.height, 2)):
            if canvas.codes[row, column] == ord(" "):
                canvas.text(row, column, CURSOR, Ink.STRONG)
            else:
                canvas.inks[row, column] = palette.inverse(Ink.STRONG)

    def _bright(self, width: int) -> np.ndarray:
        columns = np.arange(width)
        return np.asarray((columns >= self.window[0]) & (columns <= self.window[1]))

    @staticmethod
    def _fit(values: np.ndarray, width: int, filler: float) -> np.ndarray:
        fitted = np.full(width, filler)
        fitted[: len(values)] = values[:width]
        return fitted
