"""The list of recordings: what each was and what came of it, a line each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tuiapp.clock import NS_PER_S, local_from_ns, wall_ns
from tuiapp.session.entry import DAMAGED, NO_END, RECORDING, TORN, UNREADABLE, WHOLE, Entry
from tuiapp.session.library import SORT_KEYS
from tuiapp.stats.quantile import samples_needed
from tuiapp.tui.renderables.canvas import clean
from tuiapp.tui.renderables.numbers import UNKNOWN, format_bytes, format_clock, format_ms
from tuiapp.tui.renderables.palette import Ink, Palette
from tuiapp.tui.renderables.table import Cell, Column, Table, visible_offset

_COLUMNS = (
    Column("name", "recording · ms", 22, "left", priority=9, grow=True),
    Column("created", "date", 11, "left", priority=6),
    Column("host", "host", 10, "left", priority=5),
    Column("virtualization", "machine", 10, "left", priority=2),
    Column("model", "model", 12, "left", priority=4),
    Column("load", "load", 10, "left", priority=3),
    Column("ttft_p50", "TTFT p50", 9, priority=4),
    Column("ttft_p99", "TTFT p99", 9, priority=8),
    Column("tpot_p50", "TPOT p50", 9, priority=3),
    Column("tpot_p99", "TPOT p99", 9, priority=7),
    Column("duration", "length", 6, priority=6),
    Column("size", "size", 7, priority=1),
    Column("state", "", 7, "left", priority=7),
)

SORTS = {
    "date": "created",
    "name": "name",
    "ttft": "ttft_p99",
    "tpot": "tpot_p99",
    "duration": "duration",
    "size": "size",
    "host": "host",
    "model": "model",
}
"""Keys of ``library.sort``, and the column that each sorts by."""
_CONDITIONS = {
    WHOLE: ("whole", Ink.DIM),
    NO_END: ("no end", Ink.DIM),
    TORN: ("torn", Ink.WARN),
    DAMAGED: ("damaged", Ink.BAD),
    RECORDING: ("now", Ink.GOOD),
    UNREADABLE: ("broken", Ink.BAD),
}


class Recordings(Widget, can_focus=True):
    """Every recording that matches, the selected one highlighted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "select(-1)", "up", show=False),
        Binding("down,j", "select(1)", "down", show=False),
        Binding("pageup", "page(-1)", "a page up", show=False),
        Binding("pagedown", "page(1)", "a page down", show=False),
        Binding("home", "select(-1000000)", "to the first", show=False),
        Binding("end", "select(1000000)", "to the last", show=False),
    ]

    class Opened(Message):
        """Enter or a double click on the selected recording."""

    class Moved(Message):
        """Another recording is selected."""

    def __init__(self) -> None:
        super().__init__(id="recordings")
        self.entries: Sequence[Entry] = ()
        self.chosen: list[Path] = []
        self.sort = "date"
        self.empty = ""
        self._path: Path | None = None
        self._offset = 0
        self._lines: list[Strip] = []

    @property
    def selected(self) -> Entry | None:
        """The highlighted recording; the first until one was picked."""
        at = self._index()
        return self.entries[at] if at is not None else None

    def pick(self, path: Path | None) -> None:
        """Select a recording by its file."""
        self._path = path

    def show(self, palette: Palette) -> None:
        """Draw what can be seen."""
        width, height = self.content_size
        if width < 1 or height < 1:
            return
        at = self._index()
        self._offset = visible_offset(at or 0, self._offset, height - 1, len(self.entries))
        shown = range(self._offset, self._offset + height)
        rows = [
            _cells(entry, chosen=entry.path in self.chosen) if row in shown else ()
            for row, entry in enumerate(self.entries)
        ]
        falls = not SORT_KEYS[self.sort][1]
        arrow = (SORTS[self.sort], falls)
        table = Table(_COLUMNS, rows, at, self._offset, arrow, empty=self.empty)
        self._lines = table.strips(width, height, palette)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        if y < len(self._lines) and self._lines[y].cell_length == width:
            return self._lines[y]
        return Strip.blank(width, self.rich_style)

    def _index(self) -> int | None:
        for at, entry in enumerate(self.entries):
            if entry.path == self._path:
                return at
        return 0 if self.entries else None

    def action_select(self, step: int) -> None:
        if self.entries:
            at = min(max((self._index() or 0) + step, 0), len(self.entries) - 1)
            self._path = self.entries[at].path
            self.post_message(self.Moved())

    def action_page(self, pages: int) -> None:
        self.action_select(pages * max(self.content_size.height - 2, 1))

    def on_mouse_scroll_down(self) -> None:
        self.action_select(1)

    def on_mouse_scroll_up(self) -> None:
        self.action_select(-1)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        at = -1 if offset is None else self._offset + offset.y - 1
        if 0 <= at < len(self.entries) and offset is not None and offset.y > 0:
            self._path = self.entries[at].path
            self.post_message(self.Moved())
            if event.chain == 2:
                self.post_message(self.Opened())


def _cells(entry: Entry, *, chosen: bool) -> tuple[Cell, ...]:
    name = f"◆ {entry.name}" if chosen else entry.name
    # As on the live screen; of what is not known there are not too few.
    known = entry.ttft_p99_s is not None or entry.tpot_p99_s is not None
    few = "†" if known and (entry.requests or 0) < samples_needed(0.99) else " "
    return (
        (name, Ink.ACCENT if chosen else Ink.STRONG),
        _date(entry.began_ns),
        _known(entry.host),
        _known(entry.virtualization),
        _known(entry.model),
        _known(entry.load),
        _ms(entry.ttft_p50_s, 9),
        (_ms(entry.ttft_p99_s, 8) + few, Ink.P99),
        _ms(entry.tpot_p50_s, 9),
        (_ms(entry.tpot_p99_s, 8) + few, Ink.P99),
        UNKNOWN if entry.duration_s is None else format_clock(entry.duration_s),
        format_bytes(entry.size),
        _CONDITIONS[entry.condition],
    )


def _ms(seconds: float | None, width: int) -> str:
    return format_ms(None if seconds is None else seconds * NS_PER_S, width)


def _known(text: object) -> str:
    return clean(str(text)) if text else UNKNOWN


def _date(began_ns: int) -> str:
    """Without the year where it is this one."""
    began, now = local_from_ns(began_ns), local_from_ns(wall_ns())
    return began.strftime("%m-%d %H:%M" if began.year == now.year else "%Y-%m-%d")
