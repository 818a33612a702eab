"""The banner under the top line: what must not be missed, for as long as it holds."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip
from textual.widget import Widget

from tuiapp.session.health import DEAD, SILENT
from tuiapp.tui.control import Recorded
from tuiapp.tui.panes.base import Scene
from tuiapp.tui.panes.lines import wrap
from tuiapp.tui.renderables.canvas import Canvas
from tuiapp.tui.renderables.numbers import format_clock
from tuiapp.tui.renderables.palette import Ink
from tuiapp.words import plural

_S = 1_000_000_000
_MOST_ROWS = 3

Sentence = tuple[str, Ink]
"""What there is to say, and how grave it is."""


def notices(scene: Scene, run: Recorded, now_ns: int) -> list[Sentence]:
    """Sentences that must not be missed, the gravest first, and how grave they are.

    Args:
        now_ns: what time it is for whoever looks: later than the cursor once the run is over.
    """
    health = scene.view.health
    found: list[Sentence] = []
    ready = any(span.name == "ready" for span in scene.view.cold_start)
    if health.state == SILENT or (health.state == DEAD and ready):
        ago = format_clock(max(now_ns - health.since_ns, 0) / _S)
        text = f"Engine {health.state} for {ago}: {health.reason} {health.advice}"
        found.append((text.strip(), Ink.BAD))
    failing = run.recording.failing
    if failing:
        text = (
            f"Not recording: {failing.rstrip('.')}. Samples are kept in memory and written as soon "
            "as the disk takes them: free some space."
        )
        found.append((text, Ink.BAD))
    if health.client_limited and health.state != DEAD:
        lag_s = scene.view.driver_lag_s
        size = "" if lag_s is None else f" (p99 over 10 s: {lag_s * 1e3:.1f} ms)"
        text = (
            f"Client-limited: the load driver is late{size}, latencies may be that much too high. "
            "Lower the rate or give it a core."
        )
        found.append((text, Ink.WARN))
    return [*found, *_missing(scene)]


def _missing(scene: Scene) -> list[Sentence]:
    """What the window should show and nobody recorded, or the file lost."""
    view = scene.view
    holes = [
        hole
        for hole in view.session.holes
        if hole.t0_ns <= view.cursor_ns and hole.t1_ns > view.window_start_ns
    ]
    if not holes:
        return []
    last = holes[-1]
    start, end = (format_clock(t_ns / _S) for t_ns in (last.t0_ns, last.t1_ns))
    span = f"at {start}" if start == end else f"from {start} to {end}"
    more = f" And {plural(len(holes) - 1, 'more gap')}." if len(holes) > 1 else ""
    reason = last.reason.rstrip(".")
    return [(f"Something is missing {span}: {reason}.{more}", Ink.WARN)]


def _rows(said: Sequence[Sentence], width: int) -> list[Sentence]:
    """Lines of the gravest sentences: each as long as a line is left for every other."""
    rows: list[Sentence] = []
    shown = said[:_MOST_ROWS]
    for at, (text, ink) in enumerate(shown):
        room = _MOST_ROWS - len(rows) - (len(shown) - at - 1)
        rows += [(line, ink) for line in wrap(text, width, room)]
    return rows


class Notice(Widget):
    """Up to three rows; none when there is nothing to say.

    Args:
        above: it stands on a screen that covers the session's.
    """

    DEFAULT_CSS = """
    Notice { height: 0; display: none; }
    Notice.-above { dock: top; margin: 1 0 0 0; }
    """

    def __init__(self, *, above: bool = False) -> None:
        super().__init__(id="notice", classes="-above" if above else "")
        self._lines: list[Strip] = []

    def show(self, scene: Scene, said: Sequence[Sentence], width: int) -> None:
        """Say what there is to say, in ``width`` cells."""
        rows = _rows(said, width - 2)
        canvas = Canvas(width, len(rows), scene.palette)
        for row, (line, ink) in enumerate(rows):
            style = scene.palette.inverse(ink)
            canvas.inks[row] = style
            canvas.text(row, 1, line, style)
        lines = canvas.strips()
        if len(lines) != len(self._lines):
            self.styles.height = len(lines)
            self.display = bool(lines)
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y < len(self._lines) and self._lines[y].cell_length == width:
            return self._lines[y]
        return Strip.blank(width, self.rich_style)
