"""Two recordings side by side: their numbers, and what differs between them. No verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tuiapp.errors import TuiappError
from tuiapp.exports.summary import summary
from tuiapp.session.reader import load
from tuiapp.session.view import View
from tuiapp.tui.renderables.canvas import cells, clean, fit
from tuiapp.tui.renderables.numbers import UNKNOWN, format_ms

_METRICS = (("ttft_s", "TTFT"), ("tpot_s", "TPOT"), ("itl_s", "ITL"), ("e2el_s", "E2EL"))
_RATES = (
    ("output_tokens_per_s", "output tokens/s"),
    ("requests_per_s", "requests/s"),
    ("goodput_per_s", "goodput, requests/s"),
)
_LABEL, _CELL = 20, 18
_NS = 1e9
_TOLD = ("model", "engine", "host", "workload")
_ALWAYS_DIFFERENT = {"session", "created_ns", "origin_ns", "digest"}
_SCOPE = (
    "These two recordings differ by so much; whether the hosts do, two recordings cannot tell: "
    "runs of one host differ from each other, too."
)


class PairScreen(ModalScreen[None]):
    """Reads both recordings and shows them beside each other.

    Args:
        a, b: the files.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,c", "dismiss", "back")]

    def __init__(self, a: Path, b: Path) -> None:
        super().__init__()
        self._paths = a, b

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = "Two recordings"
            dialog.border_subtitle = "escape goes back"
            yield Static("reading both recordings …", id="pair", markup=False)

    def on_mount(self) -> None:
        self._read()

    @work(thread=True)
    def _read(self) -> None:
        try:
            results = []
            for path in self._paths:
                session = load(path)
                results.append(summary(View(session, session.end_ns)))
        except TuiappError as error:
            text = str(error)
        else:
            names = (self._paths[0].stem, self._paths[1].stem)
            text = "\n".join(side_by_side(names, (results[0], results[1])))
        self.app.call_from_thread(self._show, text)

    def _show(self, text: str) -> None:
        if self.is_mounted:
            self.query_one("#pair", Static).update(text)


Pair = tuple[Mapping[str, Any], Mapping[str, Any]]


def side_by_side(names: tuple[str, str], results: Pair) -> list[str]:
    """The lines of two summaries (``docs/run-json.md``) beside each other."""
    lines = [_row("", f"A {names[0]}", f"B {names[1]}", "B / A"), ""]
    for key, name in _METRICS:
        lines += [
            _compared(f"{name} {q}, ms", results[0][key][q], results[1][key][q], _ms)
            for q in ("p50", "p90", "p99")
        ]
        if any(result[key]["p99_ci"] for result in results):
            a, b = (_interval(result[key]) for result in results)
            lines.append(_row("  its 95 % interval", a, b, ""))
    lines.append("")
    for key, name in _RATES:
        lines.append(_compared(name, results[0][key], results[1][key], _number))
    a, b = (f"{r['requests']['sent']} sent, {r['requests']['failed']} failed" for r in results)
    return [*lines, _row("requests", a, b, ""), "", *_differences(results), "", _SCOPE]


def _compared(
    label: str, a: float | None, b: float | None, form: Callable[[float | None], str]
) -> str:
    return _row(label, form(a), form(b), _ratio(a, b))


def _row(label: str, a: str, b: str, ratio: str) -> str:
    """Cells of fixed width; nothing of a file can move the cursor."""
    head = fit(label, _LABEL)
    text = head + " " * (_LABEL - cells(head))
    for cell in (a, b):
        shown = fit(cell, _CELL)
        text += "  " + " " * (_CELL - cells(shown)) + shown
    return f"{text}  {ratio:>8}".rstrip()


def _ms(seconds: float | None) -> str:
    return format_ms(None if seconds is None else seconds * _NS, 6).strip()


def _interval(found: Mapping[str, Any]) -> str:
    ends = found["p99_ci"]
    return UNKNOWN if ends is None else " – ".join(map(_ms, ends))


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.1f}"


def _ratio(a: float | None, b: float | None) -> str:
    if a is None or b is None or not a or not math.isfinite(b / a):
        return ""
    return f"{b / a:.2f}"


def _differences(results: Pair) -> list[str]:
    """Facts of the two headers that are not the same."""
    lines = []
    for section in _TOLD:
        sides = [dict(_flat(result.get(section) or {})) for result in results]
        for name in dict.fromkeys((*sides[0], *sides[1])):
            a, b = (side.get(name) for side in sides)
            if a != b and name.rsplit(".", 1)[-1] not in _ALWAYS_DIFFERENT:
                lines.append(_row(f"{section} {name}", _text(a), _text(b), ""))
    return ["what differs", *lines] if lines else ["nothing in the two headers differs"]


def _text(value: object) -> str:
    return UNKNOWN if value is None else clean(str(value))


def _flat(told: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(told, Mapping):
        for key, value in told.items():
            yield from _flat(value, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, told
