"""Everything the comparison's panes draw from, and the axes both sides share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from textual.strip import Strip
from textual.widget import Widget

from tuiapp.compare.causes import Factor, factors
from tuiapp.compare.reading import Compared
from tuiapp.compare.runs import Run
from tuiapp.session.view import View
from tuiapp.stats.axis import Axis, axis_for, linear_axis_for
from tuiapp.tui.pairs.alignment import ALIGNMENTS, FIRST, Alignment
from tuiapp.tui.panes.axes import span_ns
from tuiapp.tui.panes.base import Part, Scene
from tuiapp.tui.panes.lines import Line
from tuiapp.tui.renderables.canvas import Renderable
from tuiapp.tui.renderables.mirror import INKS
from tuiapp.tui.renderables.palette import Palette

__all__ = ["INKS", "Chosen", "Content", "DrawingLine", "PairScene", "shared_axis"]
METRICS = ("ttft", "tpot", "itl", "e2el")


@dataclass(frozen=True)
class Chosen:
    """The run of each side that is shown.

    Attributes:
        places: of the runs among those of their side.
        align: where their times meet, a name of ``ALIGNMENTS``.
    """

    runs: tuple[Run, Run]
    places: tuple[int, int]
    align: str = FIRST

    @property
    def ends(self) -> tuple[View, View]:
        """Both runs seen from their ends."""
        return self.runs[0].view, self.runs[1].view

    @cached_property
    def alignment(self) -> Alignment:
        """Where the two times meet: as asked for, or at the first request."""
        found = ALIGNMENTS[self.align](self.ends) or ALIGNMENTS[FIRST](self.ends)
        assert found is not None
        return found

    @property
    def starts_ns(self) -> tuple[int, int]:
        """When each run stands at 00:00 of the clock."""
        return self.alignment.starts_ns

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        """What the diagnosis of both whole runs says."""
        return factors(*self.ends)

    @property
    def span_ns(self) -> int:
        """From 00:00 to the end of both."""
        return self.alignment.span_ns

    def views(self, at_ns: int, window_ns: int | None) -> tuple[View, View]:
        """Both runs where the clock says ``at_ns``, or at their end."""
        moments = [
            start + self.alignment.of_side(side, max(at_ns, 0))
            for side, start in enumerate(self.starts_ns)
        ]
        a, b = (
            View(end.session, min(moment, end.cursor_ns), window_ns)
            for end, moment in zip(self.ends, moments, strict=True)
        )
        return a, b


@dataclass(frozen=True, slots=True, kw_only=True)
class PairScene(Scene):
    """A scene of two sessions: ``view`` is A's.

    Attributes:
        other: B at the same time of the clock.
        at_ns: what the clock says.
        compared: what was found out about the two sides.
        chosen: the runs that are shown.
        metric: the one that the shift function, the heatmaps and a single mirror show.
    """

    other: View
    at_ns: int
    compared: Compared
    chosen: Chosen
    metric: str = "ttft"

    @property
    def views(self) -> tuple[View, View]:
        """A's and B's."""
        return self.view, self.other

    def side_ns(self, side: int) -> int:
        """How long after its 00:00 a side stands, whether or not it has ended by then."""
        return self.chosen.alignment.of_side(side, self.at_ns)


@dataclass(frozen=True, slots=True)
class Content:
    """What a tab shows.

    Attributes:
        parts: drawings at the top, with their rows.
        lines: text below them, which can be scrolled.
    """

    parts: Sequence[Part] = ()
    lines: Sequence[Line] = ()


def shared_axis(scene: PairScene, metric: str, columns: int) -> Axis:
    """One axis over the bulk of both whole runs: it stands still while time goes on."""
    known = [view.run(metric) for view in scene.chosen.ends]
    spans = [span_ns(found, log_axis=scene.log_axis) for found in known if found.n] or [(1e6, 1e9)]
    low, high = min(low for low, _ in spans), max(high for _, high in spans)
    return axis_for(low, high, columns) if scene.log_axis else linear_axis_for(low, high, columns)


class DrawingLine(Widget):
    """One drawing in a few lines; redrawn only where it changed."""

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self._lines: list[Strip] = []

    def put(self, drawing: Renderable, palette: Palette) -> None:
        """Show a drawing."""
        width, height = self.content_size
        if width < 1 or height < 1:
            return
        lines = drawing.strips(width, height, palette)
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        if y < len(self._lines) and self._lines[y].cell_length == width:
            return self._lines[y]
        return Strip.blank(width, self.rich_style)
