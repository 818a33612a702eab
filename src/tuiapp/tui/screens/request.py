"""One request in detail: where its time went, and every delivery of tokens."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from tuiapp.errors import SessionError
from tuiapp.events import UNSET, Status, word
from tuiapp.session import deliveries
from tuiapp.session.traffic import split_columns
from tuiapp.session.view import View
from tuiapp.tui.renderables.canvas import clean
from tuiapp.tui.renderables.numbers import format_clock, format_ms
from tuiapp.tui.renderables.palette import Palette
from tuiapp.tui.renderables.timeline import TokenTimeline

_S = 1_000_000_000
_Read = tuple[np.ndarray, np.ndarray] | SessionError


class Timeline(Widget):
    """A token timeline as large as the dialog."""

    DEFAULT_CSS = "Timeline { height: 1fr; }"

    def __init__(self, drawing: TokenTimeline, palette: Palette) -> None:
        super().__init__()
        self._drawing, self._palette = drawing, palette
        self._lines: list[Strip] = []

    def show(self, drawing: TokenTimeline) -> None:
        """Draw another one."""
        self._drawing = drawing
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._draw()

    def _draw(self) -> None:
        width, height = self.content_size
        self._lines = self._drawing.strips(width, height, self._palette)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        if y < len(self._lines):
            return self._lines[y]
        return Strip.blank(self.content_size.width, self.rich_style)


class RequestScreen(ModalScreen[None]):
    """Details of request ``req`` as the view knows it: nothing from after its cursor.

    It opens with the deliveries that memory holds; the others are read from the recording.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,d", "dismiss", "back")]

    def __init__(self, view: View, req: int, palette: Palette) -> None:
        super().__init__()
        self._view, self._req, self._palette = view, req, palette
        self._held = deliveries.held_of_request(view.session, req)
        seen = self._held.t_ns <= view.cursor_ns
        self._t_ns, self._n = self._held.t_ns[seen], self._held.n[seen]
        self._note = "" if self._held.whole else "reading the recording …"

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = f"Request #{self._req}"
            dialog.border_subtitle = "escape goes back"
            yield Static(self._facts(), markup=False)
            yield Timeline(self._timeline(), self._palette)

    def on_mount(self) -> None:
        if not self._held.whole:
            self.run_worker(self._read, thread=True)

    def _read(self) -> _Read:
        """In a thread: all deliveries, or why the recording cannot be read."""
        session, cursor_ns = self._view.session, self._view.cursor_ns
        try:
            return deliveries.of_request(session, self._req, cursor_ns, self._held)
        except SessionError as error:
            return error

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Nothing is left to fill in once the dialog has been closed."""
        read: _Read | None = event.worker.result
        if event.state == WorkerState.SUCCESS and read and self in self.app.screen_stack:
            self._fill(read)

    def _fill(self, read: _Read) -> None:
        if isinstance(read, SessionError):
            self._note = clean(read.message)
        else:
            self._t_ns, self._n = read
            missing = self._tokens() - int(self._n.sum())
            self._note = f"{missing} of its tokens can no longer be read." if missing > 0 else ""
        self.query_one(Static).update(self._facts())
        self.query_one(Timeline).show(self._timeline())

    def _moment(self, name: str) -> int | None:
        """A moment of the request; None when it has not come at the cursor."""
        t_ns = int(self._view.session.requests[name][self._req])
        return None if t_ns == UNSET or t_ns > self._view.cursor_ns else t_ns

    def _parts_ns(self) -> np.ndarray:
        """Dispatch, queue, prefill, deliver; the engine tells them when the request ends."""
        parts = split_columns(self._view.session, np.array([self._req]))[0]
        return parts if self._moment("t_end_ns") is not None else np.full(4, np.nan)

    def _timeline(self) -> TokenTimeline:
        sched = int(self._view.session.requests["t_sched_ns"][self._req])
        parts = self._parts_ns() / _S
        known = bool(np.isfinite(parts).all())
        return TokenTimeline(
            queue_s=float(parts[0] + parts[1]) if known else None,
            prefill_s=float(parts[2]) if known else None,
            deliveries_s=(self._t_ns - sched) / _S,
            tokens=self._n,
        )

    def _facts(self) -> str:
        table, req = self._view.session.requests, self._req
        names = ("prompt_tokens", "cached_tokens", "target_tokens", "status", "t_sched_ns")
        prompt, cached, target, status, sched = (int(table[name][req]) for name in names)
        sent, first, end = (self._moment(f"t_{name}_ns") for name in ("sent", "first", "end"))
        lost = end is not None and status not in (Status.OK, Status.LOST)
        ttft = first - sched if first is not None else math.inf if lost else None
        state = "running" if end is None else word(Status, status)
        split = "   ".join(
            f"{name} {_ms(float(ns))}" for name, ns in zip(_PARTS, self._parts_ns(), strict=True)
        )
        return (
            f"{state}   arrived {format_clock(sched / _S)}   sent "
            f"{_ms(None if sent is None else sent - sched)} ms later\n"
            f"in {prompt} tokens ({cached} cached)   out {self._tokens()} of {target}   "
            f"TPOT {_ms(self._tpot_ns())} ms\n"
            f"TTFT {_ms(ttft)} ms = {split}\n"
            f"{self._note}"
        )

    def _tpot_ns(self) -> float | None:
        first, last = self._moment("t_first_ns"), self._moment("t_last_ns")
        count = int(self._view.session.requests["output_tokens"][self._req])
        if first is None or last is None or count < 2:
            return None
        return (last - first) / (count - 1)

    def _tokens(self) -> int:
        """Tokens delivered at the cursor: a request that has ended tells, else those seen."""
        told = int(self._view.session.requests["output_tokens"][self._req])
        return told if self._moment("t_end_ns") is not None else int(self._n.sum())


_PARTS = ("dispatch", "queue", "prefill", "deliver")


def _ms(ns: float | None) -> str:
    return format_ms(ns, 8).strip()
