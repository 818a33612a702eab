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
    """

    runs: tuple[Run, Run]
    places: tuple[int, int]

    @property
    def ends(self) -> tuple[View, View]:
        """Both runs seen from their ends."""
        return self.runs[0].view, self.runs[1].view

    @property
    def starts_ns(self) -> tuple[int, int]:
        """When the measured load began in each; there the two times meet."""
        a, b = (max(view.run_start_ns + 1, 0) for view in self.ends)
        return a, b

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        """What the diagnosis of both whole runs says."""
        return factors(*self.ends)

    @property
    def span_ns(self) -> int:
        """From the start of the load to the end of the longer run."""
        ends = zip(self.ends, self.starts_ns, strict=True)
        return max(view.cursor_ns - start for view, start in ends)

    def views(self, at_ns: int, window_ns: int | None) -> tuple[View, View]:
        """Both runs ``at_ns`` after the start of their load, or at their end."""
        a, b = (
            View(end.session, min(start + max(at_ns, 0), end.cursor_ns), window_ns)
            for end, start in zip(self.ends, self.starts_ns, strict=True)
        )
        return a, b


@dataclass(frozen=True, slots=True, kw_only=True)
class PairScene(Scene):
    """A scene of two sessions: ``view`` is A's.

    Attributes:
        other: B at the same time after the start of its load.
        compared: what was found out about the two sides.
        chosen: the runs that are shown.
        metric: the one that the shift function, the heatmaps and a single mirror show.
    """

    other: View
    compared: Compared
    chosen: Chosen
    metric: str = "ttft"

    @property
    def views(self) -> tuple[View, View]:
        """A's and B's."""
        return self.view, self.other


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
