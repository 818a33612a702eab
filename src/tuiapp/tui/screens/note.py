"""Asks for a note on a moment."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tuiapp.tui.renderables.numbers import format_clock

_S = 1_000_000_000
MAX_NOTE = 500


class NoteScreen(ModalScreen[str | None]):
    """Returns the note, or None when it was left with escape.

    Args:
        t_ns: the moment, nanoseconds since the session's origin.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "leave")]

    def __init__(self, t_ns: int) -> None:
        super().__init__()
        self._t_ns = t_ns

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = f"Mark {format_clock(self._t_ns / _S)}"
            yield Input(placeholder="what happened?", max_length=MAX_NOTE)
            yield Static("enter records it, escape leaves", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip() or "mark")

    def action_cancel(self) -> None:
        self.dismiss(None)
