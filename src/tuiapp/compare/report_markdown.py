"""A comparison as Markdown, for a pull request or a ticket."""

from __future__ import annotations

import re

from tuiapp.compare.answer import Answer
from tuiapp.compare.cells import (
    cause_lines,
    gate_lines,
    heading,
    interval_text,
    noise_lines,
    ratio_text,
    unit,
    value_text,
    verdict_text,
)
from tuiapp.compare.money import advice_line, bill_rows, break_even_line
from tuiapp.compare.quantities import LEVEL

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def text(answer: Answer) -> str:
    """The whole answer."""
    comparison = answer.comparison
    a, b = map(_plain, heading(comparison))
    lines = [f"- **A** {a}", f"- **B** {b}", ""]
    lines += [f"> {_plain(line)}" for line in gate_lines(comparison)]
    lines += ["", f"| | A | B | B/A | interval at {LEVEL:.1%} | verdict |"]
    lines.append("| --- | ---: | ---: | ---: | :---: | --- |")
    for row in comparison.rows:
        title = f"{row.quantity.title}, {unit(row)}" if unit(row) else row.quantity.title
        cells = [value_text(row, row.a), value_text(row, row.b), ratio_text(row.ratio)]
        cells += [interval_text(row), _plain(verdict_text(row, comparison.margin))]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    lines += ["", _plain(comparison.scope), ""]
    if answer.bill is not None:
        lines += ["| cost | A | B |", "| --- | ---: | ---: |"]
        lines += [f"| {_plain(what)} | {a} | {b} |" for what, a, b in bill_rows(answer.bill)]
        lines += ["", _plain(break_even_line(answer.bill)), ""]
        lines += [f"- {_plain(caveat)}" for caveat in answer.bill.caveats]
    lines += [f"- why: {_plain(line)}" for line in cause_lines(answer.causes)]
    lines += [f"- {_plain(advice_line(advice))}" for advice in answer.advice]
    lines += [f"- {_plain(caveat)}" for caveat in (*noise_lines(comparison), *comparison.caveats)]
    return "\n".join(lines).rstrip() + "\n"


def _plain(words: str) -> str:
    """Words of a recording must not become markup."""
    return _SPECIAL.sub(r"\\\1", " ".join(words.split()))
