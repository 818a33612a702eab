"""The transport bar of a replay: where one is, how fast time goes, and the whole session."""

from __future__ import annotations

from dataclasses import dataclass

from textual.strip import Strip

from tuiapp.session.overview import Overview, overview
from tuiapp.session.view import View
from tuiapp.tui.control import Playback
from tuiapp.tui.panes.arranged import Beside
from tuiapp.tui.panes.axes import time_ticks
from tuiapp.tui.panes.base import Scene
from tuiapp.tui.panes.seeking import SeekStrip
from tuiapp.tui.renderables.canvas import Canvas
from tuiapp.tui.renderables.numbers import format_clock
from tuiapp.tui.renderables.overview import OverviewStrip
from tuiapp.tui.renderables.palette import Ink, Palette

_S = 1_000_000_000
_GUTTER = 23
_PERCENT = 100
_NEWEST_NS = 2 * _S
"""A recording grows by a second at a time."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """Left of the strip: playing or not, how fast, and where.

    Attributes:
        live: the newest of a recording that still grows is shown.
    """

    playing: bool
    speed: float
    at_ns: int
    end_ns: int
    looping: bool
    live: bool = False

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        sign, ink = ("▶", Ink.GOOD) if self.playing else ("‖", Ink.WARN)
        col = canvas.text(0, 0, sign, ink) + 1
        col = canvas.text(0, col, "live" if self.live else format_speed(self.speed), Ink.STRONG)
        col = canvas.text(0, col, "↻" if self.looping else " ", Ink.ACCENT)
        where = canvas.put_right(0, width, f"/ {format_clock(self.end_ns / _S)}", Ink.DIM)
        canvas.put_right(0, where - 1, format_clock(self.at_ns / _S), Ink.STRONG)
        start = canvas.put_right(1, width, "▀ p99 TTFT  ▄ tok/s", Ink.DIM)
        canvas.text(1, start, "▀", Ink.P99)
        canvas.text(1, start + len("▀ p99 TTFT  "), "▄", Ink.WINDOW)
        return canvas.strips()


def format_speed(speed: float) -> str:
    """``4×``, ``0.25×``."""
    return f"{speed:g}×"


class TransportBar(SeekStrip):
    """One line, or three where there is room. A click or a drag on the strip seeks."""

    def __init__(self) -> None:
        super().__init__(id="transport")
        self._lines: list[Strip] = []
        self._overview: Overview | None = None
        self._known: tuple[object, ...] = ()
        self._flags: dict[int, str] = {}

    def show(self, scene: Scene, run: Playback) -> None:
        """Draw where the scene stands in the whole session."""
        width, height = self.content_size
        if width <= _GUTTER or height < 1:
            return
        whole = self._whole(run, width - _GUTTER)
        clock, end_ns = run.clock, run.end_ns
        loop = clock.loop
        drawing = OverviewStrip(
            whole,
            whole.column(scene.view.cursor_ns),
            (whole.column(scene.view.window_start_ns + 1), whole.column(scene.view.cursor_ns)),
            self._flags,
            whole.columns if run.read_ns >= end_ns else whole.column(run.read_ns),
            None if loop is None else (whole.column(loop[0]), whole.column(loop[1])),
            whole.column(run.start_ns) if run.start_ns else 0,
            time_ticks(0, (whole.end_ns + 1) / whole.columns, whole.columns),
        )
        at_ns = scene.view.cursor_ns
        live = run.growing and clock.playing and at_ns >= end_ns - _NEWEST_NS
        gauge = Gauge(clock.playing, clock.speed, at_ns, end_ns, loop is not None, live)
        lines = Beside(gauge, drawing, _GUTTER - 1, 1).strips(width, height, scene.palette)
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def _whole(self, run: Playback, columns: int) -> Overview:
        """The session at a glance; anew when more of it is read, or somebody noted something."""
        read = run.read_ns * _PERCENT // max(run.end_ns, 1)
        known = (columns, read, len(run.session.marks))
        if self._overview is None or known != self._known:
            self._known = known
            view = View(run.session, run.end_ns)
            self._overview = overview(view, run.end_ns, columns)
            self._flags = {self._overview.column(mark.t_ns): "⚑" for mark in view.marks()}
        return self._overview

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        if y < len(self._lines) and self._lines[y].cell_length == width:
            return self._lines[y]
        return Strip.blank(width, self.rich_style)

    def strip_columns(self) -> int:
        return 0 if self._overview is None else self._overview.columns

    def strip_moment_ns(self, column: int) -> int:
        assert self._overview is not None
        return self._overview.last_ns(column)
