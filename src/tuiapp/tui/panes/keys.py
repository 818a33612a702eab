"""The bottom line: the keys that matter now. A click on a key presses it."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.strip import Strip
from textual.widget import Widget

from tuiapp.tui.panes.base import Scene
from tuiapp.tui.renderables.canvas import Canvas
from tuiapp.tui.renderables.palette import Ink

# (key as shown, what it does, action of the screen or the app, importance)
_KEYS = (
    ("q", "quit", "app.quit", 9),
    ("?", "what is this", "screen.help", 9),
    ("space", "pause", "screen.pause", 8),
    ("←→", "time", "screen.move(-1)", 6),
    ("z", "window", "screen.zoom", 7),
    ("tab", "pane", "app.focus_next", 4),
    ("enter", "full", "screen.full", 6),
    ("1-9", "panes", "screen.full_pane('requests')", 5),
    ("+ −", "rate", "screen.rate(1)", 3),
    ("p", "hold load", "screen.hold", 3),
    ("m", "mark", "screen.mark", 5),
    ("l", "lin/log", "screen.axis", 2),
    ("/", "commands", "app.command_palette", 4),
)


class KeysBar(Widget):
    """One line of keys, the least important dropped when there is no room."""

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._line: Strip | None = None
        self._spots: list[tuple[int, int, str]] = []
        self._drawn: tuple[object, ...] = ()

    def show(self, scene: Scene, *, force: bool = False) -> None:
        """Draw the keys."""
        width = self.content_size.width
        if width < 1 or (not force and self._drawn == (width, scene.palette, scene.full)):
            return
        self._drawn = (width, scene.palette, scene.full)
        canvas = Canvas(width, 1, scene.palette)
        col, self._spots = 0, []
        for key, label, action in _shown(width, full=scene.full):
            start = col
            col = canvas.text(0, col, key, Ink.ACCENT) + 1
            col = canvas.text(0, col, label, Ink.DIM)
            self._spots.append((start, col, action))
            col += 2
        self._line = canvas.strips()[0]
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        if self._line is None or self._line.cell_length != width:
            return Strip.blank(width, self.rich_style)
        return self._line

    async def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        for start, end, action in self._spots:
            if offset is not None and start <= offset.x < end:
                await self.run_action(action)


def _shown(width: int, *, full: bool) -> list[tuple[str, str, str]]:
    keys: list[Any] = list(_KEYS)
    if full:
        keys.insert(0, ("esc", "back", "screen.leave_full", 9))
    while sum(len(key) + len(label) + 3 for key, label, *_ in keys) > width:
        keys.remove(min(reversed(keys), key=lambda item: item[3]))
    return [(key, label, action) for key, label, action, _ in keys]
