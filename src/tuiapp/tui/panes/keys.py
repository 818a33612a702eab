"""The bottom line: the keys that matter now. A click on a key presses it."""

from __future__ import annotations

from textual import events
from textual.strip import Strip
from textual.widget import Widget

from tuiapp.tui.panes.base import Key, Pane, Scene
from tuiapp.tui.renderables.canvas import Canvas, cells
from tuiapp.tui.renderables.palette import Ink

_GAP = 2

# (key as shown, what it does, action of the screen or the app), importance
_KEYS: tuple[tuple[Key, int], ...] = (
    (("q", "quit", "app.quit"), 9),
    (("?", "help", "screen.help"), 9),
    (("space", "pause", "screen.pause"), 8),
    (("←→", "time", "screen.move(-1)"), 6),
    (("z", "window", "screen.zoom"), 7),
    (("enter", "full", "screen.full"), 6),
    (("0-9", "panes", "screen.next_pane"), 5),
    (("3", "ITL", "screen.full_pane('itl')"), 4),
    (("m", "mark", "screen.mark"), 5),
    (("tab", "pane", "app.focus_next"), 3),
    (("/", "commands", "app.command_palette"), 4),
    (("+ −", "rate", "screen.rate(1)"), 3),
    (("p", "hold load", "screen.hold"), 2),
    (("l", "lin/log", "screen.axis"), 2),
)
_ENTER = _KEYS[5]
_PAUSE = _KEYS[2]


class KeysBar(Widget):
    """One line of keys, the least important dropped when there is no room."""

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._line: Strip | None = None
        self._spots: list[tuple[int, int, str]] = []
        self._drawn: tuple[object, ...] = ()

    def show(self, scene: Scene, pane: Pane | None, *, pinned: bool, force: bool = False) -> None:
        """Draw the keys that matter now.

        Args:
            pane: the one that has the focus.
            pinned: the screen follows the newest moment.
        """
        width = self.content_size.width
        state = (width, scene.palette, scene.full, pane, pinned)
        if width < 1 or (not force and self._drawn == state):
            return
        self._drawn = state
        canvas = Canvas(width, 1, scene.palette)
        col, self._spots = 0, []
        for key, label, action in _shown(width, _offered(pane, full=scene.full, pinned=pinned)):
            start = col
            col = canvas.text(0, col, key, Ink.ACCENT) + 1
            col = canvas.text(0, col, label, Ink.DIM)
            self._spots.append((start, col, action))
            col += _GAP
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


def _offered(pane: Pane | None, *, full: bool, pinned: bool) -> list[tuple[Key, int]]:
    keys = list(_KEYS)
    own = () if pane is None else pane.FULL_KEYS if full else pane.KEYS
    if full:
        keys.remove(_ENTER)
    if not pinned:
        keys[keys.index(_PAUSE)] = (("end", "back to now", "screen.follow"), 9)
    first = [(("esc", "back", "screen.leave_full"), 9)] if full else []
    return [*first, *((key, 8) for key in own), *keys]


def _shown(width: int, keys: list[tuple[Key, int]]) -> list[Key]:
    while sum(cells(key) + cells(label) + 1 + _GAP for (key, label, _), _ in keys) - _GAP > width:
        keys.remove(min(reversed(keys), key=lambda item: item[1]))
    return [key for key, _ in keys]
