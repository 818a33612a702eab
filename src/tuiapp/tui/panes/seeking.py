"""A strip of time that a mouse can point at: a click, or a drag that may leave the strip."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.widget import Widget


class SeekStrip(Widget):
    """A widget whose right end is a strip of time."""

    class Seek(Message):
        """A moment was pointed at, in nanoseconds of whatever the strip shows."""

        def __init__(self, t_ns: int) -> None:
            super().__init__()
            self.t_ns = t_ns

    _dragging = False

    def strip_columns(self) -> int:
        """How many cells from the right the strip has; 0 while there is none."""
        raise NotImplementedError

    def strip_moment_ns(self, column: int) -> int:
        """The moment that a column of the strip stands for."""
        raise NotImplementedError

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._dragging = True
        self.capture_mouse()
        self._point(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging:
            self._point(event)

    def on_mouse_up(self) -> None:
        self._dragging = False
        self.release_mouse()

    def _point(self, event: events.MouseEvent) -> None:
        columns = self.strip_columns()
        offset = event.get_content_offset_capture(self)
        column = offset.x - (self.content_size.width - columns)
        if columns > 0 and (column >= 0 or self._dragging):
            column = min(max(column, 0), columns - 1)
            self.post_message(self.Seek(self.strip_moment_ns(column)))
