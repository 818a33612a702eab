"""A start as it happens: one line a phase, bars on one time axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from textual.strip import Strip

from tuiapp.tui.renderables.blocks import left_bar
from tuiapp.tui.renderables.canvas import Canvas, cells, clean, fit
from tuiapp.tui.renderables.numbers import format_duration
from tuiapp.tui.renderables.palette import Ink, Palette

State = Literal["done", "running", "failed", "pending", "left out"]

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_EDGE = "░▒▓█▓▒"
_SIGNS: dict[State, tuple[str, Ink]] = {
    "done": ("✓", Ink.GOOD),
    "running": ("", Ink.ACCENT),
    "failed": ("✗", Ink.BAD),
    "pending": ("·", Ink.FAINT),
    "left out": ("–", Ink.DIM),
}
_BARS: dict[State, Ink] = {
    "done": Ink.WINDOW,
    "running": Ink.ACCENT,
    "failed": Ink.BAD,
    "pending": Ink.FAINT,
    "left out": Ink.FAINT,
}
_BEGUN = ("done", "running", "failed")
_SPANS = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 450, 600, 900, 1800, 3600)
_TIME = 8
_MIN_BAR = 6


@dataclass(frozen=True, slots=True)
class Step:
    """One phase: when it began, in seconds since the start, and how long it took (None: so far).

    Attributes:
        note: stands where the bar would be; for a phase that is left out: why.
    """

    name: str
    start_s: float = 0.0
    duration_s: float | None = None
    state: State = "pending"
    note: str = ""

    @property
    def begun(self) -> bool:
        return self.state in _BEGUN


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Phases under each other and their total; in one row a sentence of times.

    Attributes:
        now_s: seconds since the start: where a running phase's bar ends.
        frame: number that turns the spinner.
        total: label of the last line; empty leaves it out.
    """

    steps: tuple[Step, ...]
    now_s: float
    frame: int = 0
    total: str = "ready"

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        if height == 1:
            self._draw_sentence(canvas)
        if height < 2 or not self.steps:
            return canvas.strips()
        with_total = bool(self.total) and height >= 3
        first, last = self._visible(height - with_total)
        names = max(cells(clean(step.name)) for step in self.steps)
        names = min(max(names, cells(clean(self.total))), max(width // 3, 1))
        for row, step in enumerate(self.steps[first:last]):
            self._draw_step(canvas, row, step, names)
        if with_total:
            self._draw_total(canvas, last - first, names)
        return canvas.strips()

    @property
    def _running(self) -> bool:
        return any(step.state == "running" for step in self.steps)

    def _elapsed_s(self) -> float:
        ends = [self._end_s(step) for step in self.steps if step.begun]
        return max(ends, default=0.0)

    def _end_s(self, step: Step) -> float:
        if step.duration_s is None or not math.isfinite(step.duration_s):
            return self.now_s
        return step.start_s + step.duration_s

    def _span_s(self) -> float:
        """The axis: while it grows, in round steps, so that bars do not creep."""
        elapsed = self._elapsed_s()
        if not self._running:
            return elapsed or 1.0
        return next((span for span in _SPANS if span >= elapsed), elapsed)

    def _visible(self, rows: int) -> tuple[int, int]:
        """The range of steps shown: those up to the last that began come before those to come."""
        begun = [i for i, step in enumerate(self.steps) if step.begun]
        last = max(begun[-1] + 1 if begun else 0, min(rows, len(self.steps)))
        return max(last - rows, 0), last

    def _draw_step(self, canvas: Canvas, row: int, step: Step, names: int) -> None:
        sign, sign_ink = _SIGNS[step.state]
        canvas.text(row, 0, sign or _SPINNER[self.frame % len(_SPINNER)], sign_ink)
        canvas.text(row, 2, fit(step.name, names), Ink.TEXT if step.begun else Ink.DIM)
        if not step.begun:
            canvas.text(row, names + 4, fit(step.note, canvas.width - names - 4), Ink.DIM)
            return
        duration = self._end_s(step) - step.start_s
        strong = Ink.STRONG if step.state == "running" else _BARS[step.state]
        ink = Ink.TEXT if step.state == "done" else strong
        if canvas.width >= names + _TIME + 3:
            canvas.put_right(row, canvas.width, format_duration(duration), ink)
        self._draw_bar(canvas, row, step, names + 4)

    def _draw_bar(self, canvas: Canvas, row: int, step: Step, left: int) -> None:
        room = canvas.width - left - _TIME - 1
        if room < _MIN_BAR:
            return
        scale = room / self._span_s()
        start = min(int(step.start_s * scale), room - 1)
        end = min(self._end_s(step) * scale, room)
        bar = left_bar(max(round((end - start) * 8), 1))
        col = canvas.text(row, left + start, bar, _BARS[step.state])
        if step.state == "running" and col < left + room:
            canvas.text(row, col, _EDGE[self.frame % len(_EDGE)], Ink.FAINT)

    def _draw_total(self, canvas: Canvas, row: int, names: int) -> None:
        failed = any(step.state == "failed" for step in self.steps)
        done = not failed and all(step.state in ("done", "left out") for step in self.steps)
        label = self.total if done else "failed" if failed else "so far"
        ink = Ink.BAD if failed else Ink.GOOD if done else Ink.DIM
        canvas.text(row, 2, fit(label, names), ink)
        if canvas.width >= names + _TIME + 3:
            canvas.put_right(row, canvas.width, format_duration(self._elapsed_s()), Ink.STRONG)

    def _draw_sentence(self, canvas: Canvas) -> None:
        """``spawn 0.3 s · import 8.1 s · …``; the newest phases stay when it is too long."""
        begun = [step for step in self.steps if step.begun]
        pieces = [(step, f"{step.name} {format_duration(self._duration(step))}") for step in begun]
        while len(pieces) > 1 and sum(cells(clean(t)) + 3 for _, t in pieces) - 3 > canvas.width:
            pieces.pop(0)
        col = 0
        for number, (step, text) in enumerate(pieces):
            col = canvas.text(0, col, " · ", Ink.FAINT) if number else col
            ink = Ink.TEXT if step.state == "done" else _BARS[step.state]
            col = canvas.text(0, col, fit(text, canvas.width - col), ink)

    def _duration(self, step: Step) -> float:
        return self._end_s(step) - step.start_s
