"""The lines around the panes: what the sides are, the gate, the tabs, and both runs in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from textual import events
from textual.strip import Strip

from tuiapp.compare.cells import heading
from tuiapp.compare.gate import INTENDED
from tuiapp.compare.hosts import host_differences
from tuiapp.session.columns import TICK_NS
from tuiapp.session.view import View
from tuiapp.tui.pairs import TABS
from tuiapp.tui.pairs.scene import INKS, Chosen, DrawingLine, PairScene
from tuiapp.tui.panes.axes import time_ticks
from tuiapp.tui.panes.lines import wrap
from tuiapp.tui.panes.seeking import SeekStrip
from tuiapp.tui.panes.transport import format_speed
from tuiapp.tui.renderables.blocks import BLOCKS, eighths
from tuiapp.tui.renderables.canvas import Canvas, fit
from tuiapp.tui.renderables.numbers import format_clock
from tuiapp.tui.renderables.palette import Ink, Palette

_S = 1_000_000_000
_GUTTER = 24
_SINCE = {"first request": "since the load", "ready": "since ready", "offered load": "by requests"}
_LEAST_STRIP = 10


@dataclass(frozen=True, slots=True)
class SidesHead:
    """A line a side, and a line for the gate."""

    scene: PairScene

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        comparison = self.scene.compared.answer.comparison
        sides = comparison.a, comparison.b
        for side, told in enumerate(heading(comparison)):
            run, place = self.scene.chosen.runs[side], self.scene.chosen.places[side]
            name = f"{place + 1}/{len(sides[side])}  {fit(run.name, max(width // 3, 8))}"
            right = canvas.put_right(side, width, name, Ink.DIM) - 1
            canvas.text(side, 0, " AB"[side + 1], palette.inverse(INKS[side]))
            canvas.text(side, 2, fit(told, right - 2), Ink.STRONG)
        self._gate(canvas)
        return canvas.strips()

    def _gate(self, canvas: Canvas) -> None:
        comparison, row = self.scene.compared.answer.comparison, 2
        found = comparison.gate
        if not found.open:
            reasons = [f"{d.field} {d.a} → {d.b}" for d in found.confounders]
            text = f"NOT COMPARABLE: {'; '.join((*reasons, *found.mixed, *found.missing))}"
            canvas.text(row, 0, fit(f"✗ {text}", canvas.width), Ink.BAD)
            return
        col = canvas.text(row, 0, "✓", Ink.GOOD) + 1
        level = self.scene.compared.level
        where = "" if level is None else f" at level {level:g} of the sweeps"
        col = canvas.text(row, col, f"same model, engine and load{where}", Ink.TEXT) + 3
        told = [f"{d.field.rpartition('.')[2]} {d.a} → {d.b}" for d in host_differences(comparison)
                if d.kind == INTENDED]  # fmt: skip
        words = "; ".join(told) or "nothing that is known of the hosts"
        canvas.text(row, col, fit(f"differs: {words}", canvas.width - col), Ink.DIM)


@dataclass(frozen=True, slots=True)
class TabsHead:
    """The tabs' names with their keys; the one that is shown stands out."""

    shown: str

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        canvas.codes[:], canvas.inks[:] = ord("─"), Ink.FAINT
        for start, number, name in tab_places(width):
            lit = name == self.shown
            col = canvas.text(0, start, f" {number}", Ink.ACCENT)
            words = f" {name} "
            canvas.text(0, col, words, palette.inverse(Ink.ACCENT) if lit else Ink.DIM)
        return canvas.strips()


def tab_places(width: int) -> list[tuple[int, int, str]]:
    """(first cell, number, name) of each tab, a little apart where there is room."""
    sizes = [len(name) + 4 for name in TABS]
    gap = min(max((width - sum(sizes)) // len(sizes), 0), 2)
    places, col = [], 0
    for number, (name, size) in enumerate(zip(TABS, sizes, strict=True), start=1):
        places.append((col, number, name))
        col += size + gap
    return places


class TabsBar(DrawingLine):
    """The line of tabs; a click opens one."""

    def __init__(self) -> None:
        super().__init__("tabs")

    async def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        found = [name for start, _, name in tab_places(self.content_size.width)
                 if start <= offset.x]  # fmt: skip
        if found:
            await self.run_action(f"screen.open('{found[-1]}')")


class PairTransport(SeekStrip, DrawingLine):
    """Where one is, and the throughput of both runs. A click or a drag on a strip seeks."""

    def __init__(self) -> None:
        super().__init__("pair-transport")
        self._span_ns = 0
        self._known: tuple[object, ...] = ()
        self._strips: tuple[np.ndarray, np.ndarray] = (np.zeros(0), np.zeros(0))

    def show(self, scene: PairScene, at_ns: int, playing: bool, speed: float) -> None:
        """Draw where the scene stands."""
        columns = self.content_size.width - _GUTTER
        if columns < _LEAST_STRIP:
            return
        self._span_ns = scene.chosen.alignment.axis_ns
        known = (columns, scene.chosen.places, scene.chosen.align)
        if known != self._known:
            self._known = known
            self._strips = rates(scene.chosen, columns)
        window = scene.view.window_ns
        at = at_ns, scene.side_ns(1)
        first = (0, 0) if window is None else (max(at[0] - window, 0), max(at[1] - window, 0))
        since = _SINCE[scene.chosen.alignment.name]
        drawing = TransportStrip(self._strips, at, first, self._span_ns, playing, speed, since)
        self.put(drawing, scene.palette)

    def strip_columns(self) -> int:
        return max(self.content_size.width - _GUTTER, 0)

    def strip_moment_ns(self, column: int) -> int:
        return round((column + 1) / self.strip_columns() * self._span_ns)


def rates(chosen: Chosen, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Output tokens a second of both whole runs in equal stretches; nan behind a run's end."""
    a, b = (
        _rates(view, start, chosen.alignment.axis_ns, columns)
        for view, start in zip(chosen.ends, chosen.starts_ns, strict=True)
    )
    return a, b


def _rates(view: View, start_ns: int, span_ns: int, columns: int) -> np.ndarray:
    ticks = view.session.ticks["output_tokens"]
    so_far = np.concatenate(([0], np.cumsum(ticks, dtype=np.int64)))
    edges = np.linspace(start_ns, start_ns + span_ns, columns + 1)
    given = np.interp(edges, np.arange(len(so_far)) * float(TICK_NS), so_far)
    found = np.diff(given) / max(span_ns / columns / _S, 1e-9)
    return np.where(edges[:-1] <= view.cursor_ns, found, np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class TransportStrip:
    """Throughput of A and of B, a line each, on one time and one scale; a line of times.

    Attributes:
        at_ns, first_ns: where A and B stand, and where their windows begin.
        span_ns: length of the time axis.
        since: what 00:00 is.
    """

    rates: Sequence[np.ndarray]
    at_ns: tuple[int, int]
    first_ns: tuple[int, int]
    span_ns: int
    playing: bool
    speed: float
    since: str

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        columns = max(width - _GUTTER, 1)
        both = eighths(np.nan_to_num(np.concatenate(self.rates)), 1)
        for side in range(min(height, 2)):
            heights = both[side * columns : (side + 1) * columns]
            self._draw_side(canvas, side, heights[:columns], palette)
        self._draw_where(canvas)
        if height > 2:
            for column, moment in time_ticks(0, self.span_ns / columns, columns):
                if column + len(moment) <= columns:
                    canvas.text(2, _GUTTER + column, moment, Ink.DIM)
        return canvas.strips()

    def _draw_side(self, canvas: Canvas, side: int, heights: np.ndarray, palette: Palette) -> None:
        columns = len(heights)
        at = np.arange(columns)
        here = self._column(self.at_ns[side], columns)
        bright = (at >= self._column(self.first_ns[side], columns)) & (at <= here)
        row = slice(_GUTTER, _GUTTER + columns)
        canvas.codes[side, row] = BLOCKS[heights]
        canvas.inks[side, row] = np.where(bright, INKS[side], Ink.FAINT)
        gone = np.isnan(self.rates[side])
        canvas.codes[side, row][gone], canvas.inks[side, row][gone] = ord("·"), Ink.FAINT
        cursor = _GUTTER + here
        if canvas.codes[side, cursor] == ord(" "):
            canvas.text(side, cursor, "│", Ink.STRONG)
        else:
            canvas.inks[side, cursor] = palette.inverse(Ink.STRONG)

    def _column(self, t_ns: int, columns: int) -> int:
        return min(max(t_ns * columns // max(self.span_ns, 1), 0), columns - 1)

    def _draw_where(self, canvas: Canvas) -> None:
        sign, ink = ("▶", Ink.GOOD) if self.playing else ("‖", Ink.WARN)
        col = canvas.text(0, 0, sign, ink) + 1
        canvas.text(0, col, format_speed(self.speed), Ink.STRONG)
        right = canvas.put_right(0, _GUTTER - 3, f"/ {format_clock(self.span_ns / _S)}", Ink.DIM)
        canvas.put_right(0, right - 1, format_clock(self.at_ns[0] / _S), Ink.STRONG)
        for side in range(min(canvas.height, 2)):
            canvas.text(side, _GUTTER - 2, "AB"[side], INKS[side])
        canvas.put_right(1, _GUTTER - 3, f"tok/s {self.since}", Ink.DIM)


@dataclass(frozen=True, slots=True)
class Reading:
    """How far reading is, or why it came to nothing."""

    done: int
    total: int
    name: str
    failed: str = ""

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        row = max(height // 2 - 1, 0)
        if self.failed:
            lines = wrap(self.failed, max(width - 8, 10))
            for at, line in enumerate(lines):
                canvas.put_center(row + at, line, Ink.BAD if at == 0 else Ink.TEXT)
            return canvas.strips()
        total = max(self.total, 1)
        words = f"reading {min(self.done + 1, total)} of {total}"
        if self.done == total:
            words = f"comparing {total} recordings …"
        canvas.put_center(row, words, Ink.STRONG)
        size = min(max(width - 20, 10), 60)
        full = size * self.done // total
        left = (width - size) // 2
        canvas.text(row + 1, left, "━" * size, Ink.TRACK)
        canvas.text(row + 1, left, "━" * full, Ink.ACCENT)
        canvas.put_center(row + 2, self.name, Ink.DIM)
        return canvas.strips()
