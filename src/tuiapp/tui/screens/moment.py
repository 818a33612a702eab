"""Asks for a moment to go to."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tuiapp.errors import UsageError
from tuiapp.session.moments import parse_moment
from tuiapp.tui.renderables.numbers import format_clock

_S = 1_000_000_000
_MOST = 40


class MomentScreen(ModalScreen[int | None]):
    """Returns nanoseconds since the origin, or None when it was left with escape.

    Args:
        cursor_ns, end_ns: where one stands, and the end of the session.
        created_ns: wall time of the origin, for times of day.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "leave")]

    def __init__(self, cursor_ns: int, end_ns: int, created_ns: int | None) -> None:
        super().__init__()
        self._span = cursor_ns, end_ns, created_ns

    def compose(self) -> ComposeResult:
        cursor, end = (format_clock(t_ns / _S) for t_ns in self._span[:2])
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = f"Go to, from {cursor} of {end}"
            yield Input(placeholder="1:30   90s   50%   +10s   -2m   14:03:22", max_length=_MOST)
            yield Static("enter goes there, escape leaves", id="advice", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            self.dismiss(parse_moment(event.value, *self._span))
        except UsageError as error:
            self.query_one("#advice", Static).update(str(error))

    def action_cancel(self) -> None:
        self.dismiss(None)
