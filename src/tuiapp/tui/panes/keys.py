"""The bottom line: the keys that matter now, or for a moment what there is to say.

A click on a key presses it.
"""

from __future__ import annotations

from textual import events
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from tuiapp.tui.panes.base import Key, Pane
from tuiapp.tui.renderables.canvas import Canvas, cells
from tuiapp.tui.renderables.palette import Ink, Palette

_GAP = 2

KeyOffer = tuple[Key, int]
"""A key as shown, what it does, the action of the screen or the app; and how important it is."""

PAUSE: KeyOffer = (("space", "pause", "screen.pause"), 8)
FOLLOW: KeyOffer = (("end", "back to now", "screen.follow"), 9)
_ENTER: KeyOffer = (("enter", "full", "screen.full"), 6)
KEYS: tuple[KeyOffer, ...] = (
    (("q", "quit", "app.quit"), 9),
    (("?", "help", "screen.help"), 9),
    (("←→", "time", "screen.move(-1)"), 6),
    (("z", "window", "screen.zoom"), 7),
    _ENTER,
    (("0-9", "panes", "screen.next_pane"), 5),
    (("w", "why slow", "screen.full_pane('findings')"), 2),
    (("3", "ITL", "screen.full_pane('itl')"), 4),
    (("m", "mark", "screen.mark"), 5),
    (("tab", "pane", "app.focus_next"), 3),
    (("/", "commands", "app.command_palette"), 4),
    (("l", "lin/log", "screen.axis"), 2),
)
"""What every session's screen offers."""


def keys_with(pause: KeyOffer, *own: KeyOffer) -> tuple[KeyOffer, ...]:
    """All keys of a screen: what makes it stand or go on, and what only it has."""
    return (*KEYS[:2], pause, *KEYS[2:-1], *own, KEYS[-1])


class KeysBar(Widget):
    """One line of keys, the least important dropped when there is no room."""

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._line: Strip | None = None
        self._spots: list[tuple[int, int, str]] = []
        self._drawn: tuple[object, ...] = ()
        self.said = ""
        """The sentence that stands in the place of the keys."""
        self._said: Strip | None = None
        self._hush_timer: Timer | None = None

    def say(self, text: str, ink: Ink, seconds: float) -> bool:
        """Put a sentence in the place of the keys for a while; False when there is no room."""
        width = self.content_size.width
        if not 0 < cells(text) <= width:
            return False
        canvas = Canvas(width, 1, self.app.palette)  # type: ignore[attr-defined]
        canvas.text(0, 0, text, ink)
        self.said, self._said = text, canvas.strips()[0]
        if self._hush_timer is not None:
            self._hush_timer.stop()
        self._hush_timer = self.set_timer(seconds, self.hush)
        self.refresh()
        return True

    def hush(self) -> None:
        """Show the keys again."""
        self.said, self._said = "", None
        self.refresh()

    def show(
        self,
        palette: Palette,
        keys: tuple[KeyOffer, ...],
        pane: Pane | None = None,
        *,
        full: bool = False,
        force: bool = False,
    ) -> None:
        """Draw the keys that matter now.

        Args:
            keys: what the screen offers.
            pane: the one that has the focus.
            full: it has the screen to itself.
        """
        width = self.content_size.width
        state = (width, palette, full, pane, keys)
        if width < 1 or (not force and self._drawn == state):
            return
        self._drawn = state
        canvas = Canvas(width, 1, palette)
        col, self._spots = 0, []
        for key, label, action in _shown(width, _offered(pane, keys, full=full)):
            start = col
            col = canvas.text(0, col, key, Ink.ACCENT) + 1
            col = canvas.text(0, col, label, Ink.DIM)
            self._spots.append((start, col, action))
            col += _GAP
        self._line = canvas.strips()[0]
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        for line in (self._said, self._line):
            if line is not None and line.cell_length == width:
                return line
        return Strip.blank(width, self.rich_style)

    async def on_click(self, event: events.Click) -> None:
        if self._said is not None:
            self.hush()
            return
        offset = event.get_content_offset(self)
        for start, end, action in self._spots:
            if offset is not None and start <= offset.x < end:
                await self.run_action(action)


def _offered(pane: Pane | None, keys: tuple[KeyOffer, ...], *, full: bool) -> list[KeyOffer]:
    own = () if pane is None else pane.FULL_KEYS if full else pane.KEYS
    first: list[KeyOffer] = [(("esc", "back", "screen.leave_full"), 9)] if full else []
    others = [offer for offer in keys if offer[0] not in own and not (full and offer == _ENTER)]
    return [*first, *((key, 8) for key in own), *others]


def _shown(width: int, keys: list[KeyOffer]) -> list[Key]:
    while sum(cells(key) + cells(label) + 1 + _GAP for (key, label, _), _ in keys) - _GAP > width:
        keys.remove(min(reversed(keys), key=lambda item: item[1]))
    return [key for key, _ in keys]
