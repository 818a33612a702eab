"""One request in detail: where its time went, and every delivery of tokens."""

from __future__ import annotations

from pathlib import Path
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

from tuiapp.events import UNSET, Kind, Status
from tuiapp.session.reader import read_frames
from tuiapp.session.traffic import split_columns
from tuiapp.session.view import View
from tuiapp.tui.renderables.numbers import format_clock, format_ms
from tuiapp.tui.renderables.palette import Palette
from tuiapp.tui.renderables.timeline import TokenTimeline

_S = 1_000_000_000


def deliveries(view: View, req: int, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(t_ns, n) of every delivery: from memory, or from the file once memory has let go of them."""
    t_ns, n = view.session.ring.of(req)
    expected = int(view.session.requests["output_tokens"][req])
    if int(n.sum()) < expected and path.exists():
        found = [
            (frame.columns["t_ns"][mine], frame.columns["n"][mine])
            for frame in read_frames(path)
            if frame.kind == Kind.TOKENS
            for mine in [np.asarray(frame.columns["req"]) == req]
        ]
        if found:
            t_ns, n = (np.concatenate(column) for column in zip(*found, strict=True))
    seen = t_ns <= view.cursor_ns
    return t_ns[seen], n[seen]


class Timeline(Widget):
    """A token timeline as large as the dialog."""

    DEFAULT_CSS = "Timeline { height: 1fr; }"

    def __init__(self, drawing: TokenTimeline, palette: Palette) -> None:
        super().__init__()
        self._drawing, self._palette = drawing, palette
        self._lines: list[Strip] = []

    def on_resize(self, event: events.Resize) -> None:
        del event
        width, height = self.content_size
        self._lines = self._drawing.strips(width, height, self._palette)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        if y < len(self._lines):
            return self._lines[y]
        return Strip.blank(self.content_size.width, self.rich_style)


class RequestScreen(ModalScreen[None]):
    """Details of request ``req`` as the view knows it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,d", "dismiss", "back")]

    def __init__(self, view: View, req: int, palette: Palette, path: Path) -> None:
        super().__init__()
        self._view, self._req, self._palette, self._path = view, req, palette, path

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = f"Request #{self._req}"
            dialog.border_subtitle = "escape goes back"
            yield Static(self._facts(), markup=False)
            yield Timeline(self._timeline(), self._palette)

    def _timeline(self) -> TokenTimeline:
        t_ns, n = deliveries(self._view, self._req, self._path)
        sched = int(self._view.session.requests["t_sched_ns"][self._req])
        parts = split_columns(self._view.session, np.array([self._req]))[0] / _S
        known = bool(np.isfinite(parts).all())
        return TokenTimeline(
            queue_s=float(parts[0] + parts[1]) if known else None,
            prefill_s=float(parts[2]) if known else None,
            deliveries_s=(t_ns - sched) / _S,
            tokens=n,
        )

    def _facts(self) -> str:
        table, req = self._view.session.requests, self._req
        at = {name: int(table[name][req]) for name in table.names}
        parts = split_columns(self._view.session, np.array([req]))[0]
        names = ("dispatch", "queue", "prefill", "deliver")
        split = "   ".join(
            f"{name} {format_ms(float(ns)).strip()}" for name, ns in zip(names, parts, strict=True)
        )
        ended = at["t_end_ns"] != UNSET and at["t_end_ns"] <= self._view.cursor_ns
        state = Status(at["status"]).name.lower() if ended else "running"
        gaps = max(at["output_tokens"] - 1, 1)
        tpot = (at["t_last_ns"] - at["t_first_ns"]) / gaps if at["output_tokens"] > 1 else None
        first = at["t_first_ns"] != UNSET
        ttft = at["t_first_ns"] - at["t_sched_ns"] if first else None
        late = at["t_sent_ns"] - at["t_sched_ns"]
        return (
            f"{state}   arrived {format_clock(at['t_sched_ns'] / _S)}   sent "
            f"{format_ms(late).strip()} ms later   in {at['prompt_tokens']} tokens "
            f"({at['cached_tokens']} cached)   out {at['output_tokens']} of {at['target_tokens']}\n"
            f"TTFT {format_ms(ttft).strip()} ms = {split}   TPOT {format_ms(tpot).strip()} ms\n"
        )
