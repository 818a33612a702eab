"""A comparison as a table for the terminal; 100 cells wide, plain text."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap

from tuiapp.compare.answer import Answer
from tuiapp.compare.cells import (
    cause_lines,
    common_reason,
    gate_lines,
    heading,
    interval_text,
    method_line,
    noise_lines,
    picture,
    ratio_text,
    reach,
    value_text,
    verdict_text,
)
from tuiapp.compare.comparison import Comparison
from tuiapp.compare.money import advice_line, bill_rows, break_even_line
from tuiapp.compare.quantities import LEVEL

_WIDTH = 100


def text(answer: Answer) -> str:
    """The whole answer."""
    comparison = answer.comparison
    a, b = heading(comparison)
    lines = [f"A  {a}", f"B  {b}", ""]
    lines += _indented("gate", gate_lines(comparison))
    lines += ["", _head(comparison)]
    reason, far = common_reason(comparison), reach(comparison)
    for row in comparison.rows:
        cells = [value_text(row, value) for value in (row.a, row.b)]
        lines.append(
            f"{row.quantity.title:<16}{cells[0]:>9} {cells[1]:>9} {ratio_text(row.ratio):>7}  "
            f"{interval_text(row):>15}  {picture(row, comparison.margin, far=far)}"
        )
        if not reason:
            lines.append(f"{'':<16}  {verdict_text(row, comparison.margin)}")
    lines += ["", *([verdict_text(comparison.rows[0], comparison.margin)] if reason else [])]
    lines += _indented("scope", [comparison.scope])
    lines += _indented("method", filter(None, [method_line(comparison)]))
    lines += _money(answer)
    lines += ["", *_indented("why", cause_lines(answer.causes))]
    lines += ["", *_indented("advice", map(advice_line, answer.advice)), ""]
    lines += _indented("noise", noise_lines(comparison))
    lines += _indented("caveats", comparison.caveats)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _money(answer: Answer) -> list[str]:
    if answer.bill is None:
        return []
    rows = [f"{what:<28}{a:>28}{b:>28}" for what, a, b in bill_rows(answer.bill)]
    lines = ["", f"{'cost':<28}{'A':>28}{'B':>28}", *rows]
    lines += wrap(break_even_line(answer.bill), _WIDTH)
    return lines + _indented("", answer.bill.caveats)


def _head(comparison: Comparison) -> str:
    runs = f"{len(comparison.a)}+{len(comparison.b)} runs"
    interval = f"B/A at {LEVEL:.1%}"
    band = f"±{comparison.margin * 100:g} % band, {runs}"
    return f"{'ms, tokens/s':<16}{'A':>9} {'B':>9} {'B/A':>7}  {interval:>15}  {band}"


def _indented(title: str, texts: Iterable[str]) -> list[str]:
    lines: list[str] = []
    for item in texts:
        lines += wrap(item, _WIDTH - 10, subsequent_indent="  ")
    return [f"{title if at == 0 else '':<9} {line}" for at, line in enumerate(lines)]
