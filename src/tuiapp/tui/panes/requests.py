"""Where TTFT goes, and the slowest requests with the same split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from textual import events
from textual.binding import Binding, BindingType

from tuiapp.events import UNSET, Phase, Status
from tuiapp.session.traffic import split_columns
from tuiapp.session.view import View
from tuiapp.tui.panes.base import Key, Pane, Part, Scene
from tuiapp.tui.panes.lines import TextLines
from tuiapp.tui.renderables.bar import Part as Share
from tuiapp.tui.renderables.bar import StackedBar
from tuiapp.tui.renderables.canvas import Renderable
from tuiapp.tui.renderables.numbers import format_clock, format_count, format_ms
from tuiapp.tui.renderables.palette import Ink
from tuiapp.tui.renderables.table import Column, Table, visible_offset

_S = 1_000_000_000
_ROWS = 500
_HEAD = 2
"""Lines above the first request."""
_STATUS: dict[int, str] = {
    Status.FAILED: "failed",
    Status.UNFINISHED: "unfinished",
    Status.CUT: "cut off",
    Status.LOST: "end lost",
}
_COLUMNS = (
    Column("req", "request", 7, priority=9),
    Column("ttft", "TTFT", 7, priority=9),
    Column("queue", "queue", 7, priority=7),
    Column("prefill", "prefill", 7, priority=7),
    Column("rest", "rest", 7, priority=7),
    Column("prompt", "in", 5, priority=3),
    Column("tokens", "out", 5, priority=5),
    Column("tpot", "TPOT", 7, priority=6),
    Column("e2el", "E2EL", 8, priority=2),
    Column("at", "at", 7, priority=4),
    Column("status", "", 10, "left", priority=1, grow=True),
)
_SORTS = {
    "ttft": "TTFT",
    "e2el": "E2EL",
    "tpot": "TPOT",
    "queue": "queue",
    "prefill": "prefill",
    "tokens": "output tokens",
    "at": "arrival",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One request; times in nanoseconds, NaN unknown, +inf failed."""

    req: int
    values: dict[str, float]
    status: str


def slowest(view: View, sort: str, limit: int) -> list[Row]:
    """The first ``limit`` requests of the window by ``sort``, largest first."""
    session, table = view.session, view.session.requests
    ended = session.ends.between(view.window_start_ns, view.cursor_ns)
    firsts = session.firsts.between(view.window_start_ns, view.cursor_ns)
    req = np.union1d(ended, firsts).astype(np.int64)
    req = req[table["phase"][req] == Phase.MEASURE]
    if not len(req):
        return []
    columns = _columns(view, req)
    key = np.where(np.isnan(columns[sort]), -np.inf, columns[sort])
    order = np.argsort(-key, kind="stable")[:limit]
    return [
        Row(
            int(req[at]),
            {name: float(column[at]) for name, column in columns.items()},
            _status(table, int(req[at]), view.cursor_ns),
        )
        for at in order
    ]


def _columns(view: View, req: np.ndarray) -> dict[str, np.ndarray]:
    table = view.session.requests

    def moment(name: str) -> np.ndarray:
        t_ns: np.ndarray = table[name][req].astype(float)
        t_ns[(t_ns == UNSET) | (t_ns > view.cursor_ns)] = np.nan
        return t_ns

    sched, first, last, end = (
        moment(name) for name in ("t_sched_ns", "t_first_ns", "t_last_ns", "t_end_ns")
    )
    known = (table["status"][req] != Status.OK) & (table["status"][req] != Status.LOST)
    lost = ~np.isnan(end) & known
    parts = split_columns(view.session, req)
    parts[np.isnan(first)] = np.nan
    tokens = np.where(np.isnan(end), np.nan, table["output_tokens"][req].astype(float))
    ttft = np.where(lost & np.isnan(first), np.inf, first - sched)
    tpot = np.where(tokens > 1, (last - first) / np.maximum(tokens - 1, 1), np.nan)
    return {
        "ttft": ttft,
        "queue": parts[:, 1],
        "prefill": parts[:, 2],
        "rest": parts[:, 0] + parts[:, 3],
        "prompt": table["prompt_tokens"][req].astype(float),
        "tokens": tokens,
        "tpot": np.where(lost, np.inf, np.where(np.isnan(end), np.nan, tpot)),
        "e2el": np.where(lost, np.inf, np.where(np.isnan(end), np.nan, last - sched)),
        "at": sched,
    }


def _status(table: Any, req: int, cursor_ns: int) -> str:
    end = int(table["t_end_ns"][req])
    if end == UNSET or end > cursor_ns:
        return "running"
    return _STATUS.get(int(table["status"][req]), "")


class RequestsPane(Pane):
    """Mean split of TTFT above the slowest requests; enter or a double click shows one."""

    TITLE = "Where the time goes"
    EVERY = 2
    KEYS: ClassVar[tuple[Key, ...]] = (
        ("↑↓", "select", "focused.select(1)"),
        ("s", "sort", "screen.sort"),
        ("d", "detail", "screen.detail"),
    )
    FULL_KEYS = KEYS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "select(-1)", "up", show=False),
        Binding("down,j", "select(1)", "down", show=False),
    ]

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._sort = "ttft"
        self._selected: int | None = None
        self._offset = 0
        self._rows: list[Row] = []
        self._body = 1

    def title(self, scene: Scene) -> str:
        return f"{self.TITLE}, mean · by {_SORTS[self._sort]} · {scene.window_label}"

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        del width
        self._body = max(height - _HEAD, 1)
        browsing = scene.full or self._selected is not None
        self._rows = slowest(scene.view, self._sort, _ROWS if browsing else self._body)
        selected = self._index()
        if selected is not None:
            self._offset = visible_offset(selected, self._offset, self._body, len(self._rows))
        else:
            self._offset = 0
        shown = range(self._offset, self._offset + self._body)
        table = Table(
            tuple(replace(c, priority=9) if c.key == self._sort else c for c in _COLUMNS),
            [_cells(row) if at in shown else () for at, row in enumerate(self._rows)],
            selected,
            self._offset,
            (self._sort, True),
            empty="no request has finished in this window",
        )
        return ((_split_bar(scene), 1), (table, height - 1))

    def _index(self) -> int | None:
        """The selection follows its request, wherever that is sorted to."""
        for at, row in enumerate(self._rows):
            if row.req == self._selected:
                return at
        return None

    def next_sort(self) -> None:
        """Sort by the next column."""
        sorts = list(_SORTS)
        self._sort = sorts[(sorts.index(self._sort) + 1) % len(sorts)]

    def unselect(self) -> None:
        """Back to the head of the list, nothing selected."""
        self._selected = None

    def activate(self) -> bool:
        self.open_detail()
        return True

    def open_detail(self) -> None:
        """Show the selected request, or the first, in detail."""
        at = self._index() or 0
        if self._rows:
            self.screen.open_request(self._rows[at].req)  # type: ignore[attr-defined]

    def action_select(self, step: int) -> None:
        at = self._index()
        self._pick(0 if at is None else at + step)

    def on_mouse_scroll_down(self) -> None:
        self.action_select(1)

    def on_mouse_scroll_up(self) -> None:
        self.action_select(-1)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        at = -1 if offset is None else self._offset + offset.y - _HEAD
        if not self._offset <= at < len(self._rows):
            return
        self._pick(at)
        if event.chain == 2:
            self.open_detail()

    def _pick(self, at: int) -> None:
        if self._rows:
            self._selected = self._rows[min(max(at, 0), len(self._rows) - 1)].req
            self.screen.redraw(force=True)  # type: ignore[attr-defined]


def _split_bar(scene: Scene) -> Renderable:
    split = scene.view.split
    if split is None:
        return TextLines(("no request has told yet where its time went",), Ink.DIM)
    rest = split.dispatch_ns + split.deliver_ns
    shares = (
        Share("queue", split.queue_ns, format_ms(split.queue_ns, 4), Ink.QUEUE),
        Share("prefill", split.prefill_ns, format_ms(split.prefill_ns, 4), Ink.PREFILL),
        Share("rest", rest, f"{format_ms(rest, 4)} ms", Ink.REST),
    )
    return StackedBar(shares)


def _cells(row: Row) -> tuple[str | tuple[str, Ink], ...]:
    values = row.values
    return (
        f"#{row.req}",
        (format_ms(values["ttft"], 7), Ink.STRONG),
        (format_ms(values["queue"], 7), Ink.QUEUE),
        (format_ms(values["prefill"], 7), Ink.PREFILL),
        format_ms(values["rest"], 7),
        format_count(values["prompt"], 5),
        format_count(values["tokens"], 5),
        format_ms(values["tpot"], 7),
        format_ms(values["e2el"], 8),
        format_clock(values["at"] / _S),
        (row.status, Ink.DIM if row.status == "running" else Ink.BAD),
    )
