"""What the difference costs, where prices were given."""

from __future__ import annotations

import numpy as np

from tuiapp.compare.cost import SHARES, Bill
from tuiapp.compare.money import bill_rows, break_even_line
from tuiapp.tui.pairs.courses import Titled
from tuiapp.tui.pairs.scene import INKS, Content, PairScene
from tuiapp.tui.pairs.shift import Stacking
from tuiapp.tui.panes.arranged import Beside
from tuiapp.tui.panes.base import Part
from tuiapp.tui.panes.lines import Line, wrap
from tuiapp.tui.renderables.canvas import Renderable
from tuiapp.tui.renderables.line import LineChart, Series
from tuiapp.tui.renderables.palette import Ink
from tuiapp.tui.renderables.table import Column, Table

_HOW = (
    "No prices were given, and none are built in.",
    "An hour of each:  tuiapp compare A... vs B... --rate-a 4.10 --rate-b 2.90",
    "Spot, reserved and serverless too:  --prices FILE, two tables in TOML; see docs/compare.md",
)
_WORDS, _AMOUNT = 24, 24
_BESIDE_FROM, _TABLE, _GAP, _GUTTER = 116, _WORDS + 2 * _AMOUNT + 5, 3, 9
_LOWEST_USE = SHARES[0]


def content(scene: PairScene, width: int, height: int) -> Content:
    """The bill beside a curve of cost against use; how to give prices where there are none."""
    bill = scene.compared.answer.bill
    if bill is None:
        lines = [((0, line, Ink.TEXT),) for text in _HOW for line in wrap(text, width - 2)]
        return Content(lines=lines)
    rows = bill_rows(bill)
    words = _WORDS if width >= _TABLE else max(width - 2 * _AMOUNT - 7, 12)
    table = Table(
        (Column("what", "", words, "left"), Column("a", "A", _AMOUNT), Column("b", "B", _AMOUNT)),
        [((what, Ink.TEXT), (a, Ink.STRONG), (b, Ink.STRONG)) for what, a, b in rows],
    )
    said: list[tuple[str, Ink]] = [(break_even_line(bill), Ink.STRONG)]
    said += [(text, Ink.DIM) for text in bill.caveats]
    notes: list[Line] = [((0, line, ink),) for text, ink in said for line in wrap(text, width - 2)]
    size = min(len(rows) + 1, max(height - min(len(notes), 3), 3))
    drawing: Renderable = table
    if width >= _BESIDE_FROM:
        curve = _curve(bill, width - _TABLE - _GAP)
        drawing = Beside(table, curve, _TABLE, _GAP)
    parts: list[Part] = [(drawing, size)]
    return Content(parts, notes)


def _curve(bill: Bill, width: int) -> Renderable:
    """What a million good tokens cost, by the share of time the machine is used."""
    columns = max(width - _GUTTER, 1)
    use = np.linspace(_LOWEST_USE, 1, 2 * columns)
    lines = tuple(
        Series(np.full(len(use), cost.per_million.value) / use, ink)
        for cost, ink in zip((bill.a, bill.b), INKS, strict=True)
    )
    chart = LineChart(lines, label=lambda value: f"{value:.2f}".rjust(_GUTTER - 2)[: _GUTTER - 2])
    ticks = tuple((_GUTTER + round((share - _LOWEST_USE) / (1 - _LOWEST_USE) * (columns - 1)),
                   f"{share:.0%}") for share in (_LOWEST_USE, 0.5, 1.0))  # fmt: skip
    return Titled(" ", "$ / 1 M, by time used", Stacking(chart, ticks))
