"""Small dialogs: a line of text, a yes or no, one of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tuiapp.errors import TuiappError
from tuiapp.tui.renderables.canvas import clean

MOST = 500


class AskScreen(ModalScreen[str | None]):
    """Asks for a line; returns it without blanks at its ends, or None when left with escape.

    Args:
        title: what is asked.
        placeholder: what an answer may look like.
        initial: stands in the line at first.
        check: raises a ``TuiappError`` for an answer that will not do; it is shown.
        advice: the line below.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "leave")]

    def __init__(
        self,
        title: str,
        placeholder: str = "",
        initial: str = "",
        check: Callable[[str], object] | None = None,
        advice: str = "enter takes it, escape leaves",
    ) -> None:
        super().__init__()
        self._title, self._placeholder, self._initial = title, placeholder, initial
        self._check, self._advice = check, advice

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small") as dialog:
            dialog.border_title = Content(clean(self._title))
            yield Input(self._initial, placeholder=self._placeholder, max_length=MOST)
            yield Static(self._advice, id="advice", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        try:
            if self._check is not None:
                self._check(text)
        except TuiappError as error:
            self.query_one("#advice", Static).update(clean(str(error)))
        else:
            self.dismiss(text)

    def action_cancel(self) -> None:
        self.dismiss(None)


class ConfirmScreen(ModalScreen[bool]):
    """Asks before something is lost; only ``y`` is a yes.

    Args:
        question: what would happen.
        lines: to what.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "yes"),
        Binding("escape,n,enter,q", "dismiss(False)", "no"),
    ]

    def __init__(self, question: str, lines: Sequence[str]) -> None:
        super().__init__()
        self._question, self._lines = question, lines

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small") as dialog:
            dialog.border_title = Content(clean(self._question))
            shown = [
                *map(clean, self._lines),
                "",
                "y does it; any of escape, n, enter leaves it be",
            ]
            yield Static("\n".join(shown), markup=False)


class ChooseScreen(ModalScreen[str | None]):
    """One of several; returns its key, or None when left with escape.

    Args:
        title: what is chosen.
        options: (key, text) of each.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss(None)", "leave")]

    def __init__(self, title: str, options: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title, self._options = title, options

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small") as dialog:
            dialog.border_title = Content(clean(self._title))
            yield OptionList(*(Option(Content(clean(text)), id=key) for key, text in self._options))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)
