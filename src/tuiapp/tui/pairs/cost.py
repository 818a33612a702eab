"""What the difference costs, where prices were given."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from textual.strip import Strip

from tuiapp.compare.cost import SHARES, Bill
from tuiapp.compare.money import amount, bill_rows, break_even_line
from tuiapp.tui.pairs.courses import Titled
from tuiapp.tui.pairs.scene import INKS, Content, PairScene
from tuiapp.tui.pairs.shift import Stacking
from tuiapp.tui.panes.arranged import Beside
from tuiapp.tui.panes.lines import Line, Page, wrap
from tuiapp.tui.renderables.canvas import Renderable, fit
from tuiapp.tui.renderables.line import LineChart, Series
from tuiapp.tui.renderables.palette import Ink, Palette

_HOW = (
    "No prices were given, and none are built in.",
    "An hour of each:  tuiapp compare A... vs B... --rate-a 4.10 --rate-b 2.90",
    "Spot, reserved and serverless too:  --prices FILE, two tables in TOML; see docs/compare.md",
)
_WORDS, _AMOUNT, _LEAST_WORDS = 26, 24, 12
_BESIDE_FROM, _TABLE, _GAP, _GUTTER = 116, _WORDS + 2 * _AMOUNT, 3, 9
_LOWEST_USE = SHARES[0]
_TICKS = (_LOWEST_USE, 0.1, 0.25, 0.5, 1.0)
_LEAST_CURVE = 6


def content(scene: PairScene, width: int, height: int) -> Content:
    """The bill beside a curve of cost against use; how to give prices where there are none.

    What does not fit is scrolled, from the sentence that sums it up.
    """
    bill = scene.compared.answer.bill
    if bill is None:
        return Content(lines=_wrapped(_HOW, width, Ink.TEXT))
    said = _wrapped([break_even_line(bill)], width, Ink.STRONG)
    notes = _wrapped(bill.caveats, width, Ink.DIM)
    rows = bill_rows(bill)
    if width >= _BESIDE_FROM:
        room = height - len(said) - 1
        beside = rows if len(rows) <= room else bill_rows(bill, by_use=False)
        if len(beside) <= room:
            curve = _curve(bill, width - _TABLE - _GAP)
            drawing = Beside(_Lines(_table(beside, _TABLE)), curve, _TABLE, _GAP)
            return Content([(_Lines(said), len(said)), (drawing, len(beside) + 1)], notes)
    lines: list[Line] = [*said, (), *_table(rows, width - 2), (), *notes]
    room = height - len(lines) - 1
    parts = [(_curve(bill, width), room)] if room >= _LEAST_CURVE else []
    return Content(parts, lines)


def _wrapped(texts: Iterable[str], width: int, ink: Ink) -> list[Line]:
    return [((0, line, ink),) for text in texts for line in wrap(text, width - 2)]


@dataclass(frozen=True, slots=True)
class _Lines:
    """Lines of text as a drawing."""

    lines: Sequence[Line]

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        return Page(self.lines, 0).strips(width, height, palette)


def _table(rows: Sequence[tuple[str, str, str]], width: int) -> list[Line]:
    """A head and a line for each row: what, A, B; without intervals where they do not fit."""
    size = min(_AMOUNT, (width - _LEAST_WORDS) // 2)
    words = min(width - 2 * size, _WORDS)
    head: Line = ((words + size - 1, "A", INKS[0]), (words + 2 * size - 1, "B", INKS[1]))
    return [head, *(_row(row, words, size) for row in rows)]


def _row(row: tuple[str, str, str], words: int, size: int) -> Line:
    what, *values = row
    pieces: Line = ((0, fit(what, words - 1), Ink.TEXT),)
    for at, value in enumerate(values, start=1):
        number, _, interval = value.partition(" ")
        shown = value if len(value) < size else number
        start = words + at * size - len(shown)
        pieces += ((start, number, Ink.STRONG),)
        if interval and shown == value:
            pieces += ((start + len(number) + 1, interval, Ink.DIM),)
    return pieces


def _curve(bill: Bill, width: int) -> Renderable:
    """What a million good tokens cost, by the share of time the machine is used; both axes log."""
    columns = max(width - _GUTTER, 1)
    use = np.geomspace(_LOWEST_USE, 1, 2 * columns)
    costs = [np.full(len(use), cost.per_million.value) / use for cost in (bill.a, bill.b)]
    known = [np.log10(cost, out=np.full(len(cost), np.nan), where=(cost > 0) & np.isfinite(cost))
             for cost in costs]  # fmt: skip
    finite = np.concatenate(known)
    finite = finite[np.isfinite(finite)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    chart = LineChart(
        tuple(Series(cost, ink) for cost, ink in zip(known, INKS, strict=True)),
        low=low,
        high=max(high, low + 1e-6),
        label=lambda value: amount(10**value).rjust(_GUTTER - 2)[: _GUTTER - 2],
        empty="no good tokens on either side",
    )
    whole = math.log(1 / _LOWEST_USE)
    ticks = tuple(
        (_GUTTER + round((1 - math.log(1 / share) / whole) * (columns - 1)), f"{share:.0%}")
        for share in _TICKS
    )
    return Titled("AB", "$ for 1 M good tokens, by time used", Stacking(chart, ticks))
