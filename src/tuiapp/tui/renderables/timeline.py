"""One request from its intended arrival to its last token."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from textual.strip import Strip

from tuiapp.stats.ticks import linear_ticks
from tuiapp.tui.renderables.axis import place_labels, tick_label
from tuiapp.tui.renderables.blocks import BLOCKS, eighths, fill_levels
from tuiapp.tui.renderables.canvas import Canvas
from tuiapp.tui.renderables.numbers import UNKNOWN, format_ms
from tuiapp.tui.renderables.palette import Ink, Palette

_WAITING, _TRACK, _TICK, _TICKS, _FIRST = map(ord, "╌━╷┃◆")
SLOW = 3.0
"""Gaps this many times the median are drawn as slow."""


def _ms(seconds: float | None) -> str:
    return UNKNOWN if seconds is None else f"{format_ms(seconds * 1e9, 7).strip()} ms"


@dataclass(frozen=True, slots=True, eq=False)
class TokenTimeline:
    """Queue, prefill and deliveries on one time axis, the gaps between deliveries as bars.

    Attributes:
        queue_s, prefill_s: how long it waited and computed before the first token; None unknown.
        deliveries_s: seconds since the intended arrival, ascending; the first is TTFT.
        tokens: tokens of each delivery; empty when unknown.
        end_s: right end of the axis; the last delivery when None.
    """

    queue_s: float | None
    prefill_s: float | None
    deliveries_s: np.ndarray
    tokens: np.ndarray
    end_s: float | None = None

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        if width < 1 or height < 1:
            return canvas.strips()
        span = self._span_s()
        head, axis = height >= 3, height >= 4
        if head:
            self._draw_head(canvas)
        self._draw_track(canvas, int(head), span)
        bars = height - head - 1 - axis
        if bars > 0:
            self._draw_gaps(canvas, head + 1, bars, span)
        if axis:
            self._draw_axis(canvas, height - 1, span)
        return canvas.strips()

    def _draw_axis(self, canvas: Canvas, row: int, span: float) -> None:
        unit, scale = ("s", 1.0) if span >= 10 else ("ms", 1e3)
        ticks = linear_ticks(0.0, span * scale, canvas.width, 10)
        labels = [(column, tick_label(value)) for column, value in ticks]
        for start, label in place_labels(labels, canvas.width - 3, gap=2):
            canvas.text(row, start, label, Ink.DIM)
        canvas.put_right(row, canvas.width, f" {unit}", Ink.FAINT)

    def _finite(self) -> np.ndarray:
        deliveries = np.asarray(self.deliveries_s, np.float64)
        return np.asarray(deliveries[np.isfinite(deliveries)])

    def _span_s(self) -> float:
        known = [self.end_s, self.queue_s, (self.queue_s or 0.0) + (self.prefill_s or 0.0)]
        ends = [float(end) for end in known if end is not None and math.isfinite(end)]
        return max([*ends, self._finite().max(initial=0.0)]) or 1.0

    def _columns(self, times_s: np.ndarray, span: float, width: int) -> np.ndarray:
        columns: np.ndarray = (times_s / span * width).astype(np.intp)
        return columns.clip(0, width - 1)

    def _draw_head(self, canvas: Canvas) -> None:
        deliveries = self._finite()
        first = float(deliveries[0]) if len(deliveries) else None
        count = int(np.sum(self.tokens)) if len(self.tokens) else len(deliveries)
        pieces = (
            ("waited", self.queue_s, Ink.QUEUE),
            ("prefill", self.prefill_s, Ink.PREFILL),
            ("TTFT", first, Ink.STRONG),
        )
        col = 0
        for label, seconds, ink in pieces:
            text = _ms(seconds)
            if col + len(label) + 1 + len(text) > canvas.width:
                return
            col = canvas.text(0, col, label, Ink.DIM) + 1
            col = canvas.text(0, col, text, ink) + 3
        longest = _ms(float(np.diff(deliveries).max(initial=0.0)))
        for text in (f"{count} tokens", f"longest gap {longest}"):
            if len(deliveries) > 1 and col + len(text) <= canvas.width:
                col = canvas.text(0, col, text, Ink.DIM) + 3

    def _draw_track(self, canvas: Canvas, row: int, span: float) -> None:
        """Waiting, computing, then one tick a delivery (a thick one for several in a cell)."""
        width = canvas.width
        queue = self.queue_s or 0.0
        edges = np.array([0.0, queue, queue + (self.prefill_s or 0.0)])
        start, queued, filled = self._columns(np.nan_to_num(edges, posinf=span), span, width)
        if self.queue_s is not None:
            canvas.codes[row, start:queued], canvas.inks[row, start:queued] = _WAITING, Ink.QUEUE
        if self.prefill_s is not None:
            canvas.codes[row, queued : filled + 1] = _TRACK
            canvas.inks[row, queued : filled + 1] = Ink.PREFILL
        deliveries = self._finite()
        if not len(deliveries):
            return
        columns, counts = np.unique(self._columns(deliveries, span, width), return_counts=True)
        canvas.codes[row, columns] = np.where(counts > 1, _TICKS, _TICK)
        canvas.inks[row, columns] = Ink.WINDOW
        canvas.codes[row, columns[0]], canvas.inks[row, columns[0]] = _FIRST, Ink.STRONG

    def _draw_gaps(self, canvas: Canvas, top: int, rows: int, span: float) -> None:
        deliveries = self._finite()
        gaps = np.diff(deliveries)
        if not len(gaps):
            return
        longest = np.zeros(canvas.width)
        np.maximum.at(longest, self._columns(deliveries[1:], span, canvas.width), gaps)
        levels = fill_levels(eighths(longest, rows), rows)
        canvas.codes[top : top + rows] = BLOCKS[levels]
        slow = longest > SLOW * float(np.median(gaps))
        canvas.inks[top : top + rows] = np.where(slow, Ink.WARN, Ink.RUN)
