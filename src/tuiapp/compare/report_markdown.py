"""A comparison as Markdown, for a pull request or a ticket."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tuiapp.compare.answer import Answer
from tuiapp.compare.cells import (
    cause_lines,
    gate_lines,
    heading,
    interval_text,
    method_line,
    noise_lines,
    ratio_text,
    unit,
    value_text,
    verdict_text,
)
from tuiapp.compare.cost import Bill
from tuiapp.compare.money import advice_line, bill_rows, break_even_line
from tuiapp.compare.quantities import LEVEL

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def text(answer: Answer) -> str:
    """The whole answer."""
    comparison = answer.comparison
    a, b = map(plain, heading(comparison))
    lines = [f"- **A** {a}", f"- **B** {b}", ""]
    lines += [f"> {plain(line)}" for line in gate_lines(comparison)]
    lines += ["", f"| | A | B | B/A | interval at {LEVEL:.1%} | runs | verdict |"]
    lines.append("| --- | ---: | ---: | ---: | :---: | ---: | --- |")
    for row in comparison.rows:
        title = f"{row.quantity.title}, {unit(row)}" if unit(row) else row.quantity.title
        cells = [value_text(row, row.a), value_text(row, row.b), ratio_text(row.ratio)]
        cells += [interval_text(row), "{}+{}".format(*row.runs)]
        cells.append(plain(verdict_text(row, comparison.margin)))
        lines.append(f"| {title} | {' | '.join(cells)} |")
    lines += ["", f"Scope: {plain(comparison.scope)}."]
    if method_line(comparison):
        lines.append(f"Method: {plain(method_line(comparison))}.")
    lines += ["", *_money(answer.bill)]
    lines += _section("Why", cause_lines(answer.causes))
    lines += _section("Advice", map(advice_line, answer.advice))
    lines += _section("To know", (*noise_lines(comparison), *comparison.caveats))
    return "\n".join(lines).rstrip() + "\n"


def _money(bill: Bill | None) -> list[str]:
    if bill is None:
        return []
    rows = [f"| {plain(what)} | {a} | {b} |" for what, a, b in bill_rows(bill)]
    lines = ["### Cost", "", "| | A | B |", "| --- | ---: | ---: |", *rows]
    lines += ["", plain(break_even_line(bill)), ""]
    return [*lines, *(f"- {plain(caveat)}" for caveat in bill.caveats), ""]


def _section(title: str, items: Iterable[str]) -> list[str]:
    """A heading over a list; nothing of an empty one."""
    lines = [f"- {plain(item)}" for item in items]
    return [f"### {title}", "", *lines, ""] if lines else []


def plain(words: str) -> str:
    """Words of a recording must not become markup."""
    return _SPECIAL.sub(r"\\\1", " ".join(words.split()))
