"""A comparison as one HTML page without scripts."""

from __future__ import annotations

import math
from html import escape

from tuiapp.compare.answer import Answer
from tuiapp.compare.cells import (
    cause_lines,
    gate_lines,
    heading,
    interval_text,
    method_line,
    noise_lines,
    ratio_text,
    reach,
    unit,
    value_text,
    verdict_text,
)
from tuiapp.compare.comparison import Row
from tuiapp.compare.cost import Bill
from tuiapp.compare.money import advice_line, amount, bill_rows, break_even_line
from tuiapp.compare.quantities import LEVEL
from tuiapp.compare.verdict import EQUIVALENT, FASTER, FASTER_BY_SOME, SLOWER, SLOWER_BY_SOME

_STYLE = """
:root { color-scheme: light dark; --bad: #c0392b; --good: #1e8449; --dim: #808080; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
td, th { padding: .35rem .6rem; text-align: right; border-bottom: 1px solid #8884; }
td:first-child, th:first-child, td:last-child, th:last-child { text-align: left; }
.slower { color: var(--bad); font-weight: 600; } .faster { color: var(--good); font-weight: 600; }
.equal { font-weight: 600; } svg { width: 15rem; height: 1.4rem; vertical-align: middle; }
ul { color: var(--dim); } svg.plot { width: 100%; height: auto; font-size: 12px; }
"""
_WIDTH, _HEIGHT = 240, 22
_CLASSES = {
    SLOWER: "slower",
    SLOWER_BY_SOME: "slower",
    FASTER: "faster",
    FASTER_BY_SOME: "faster",
    EQUIVALENT: "equal",
}


def text(answer: Answer, title: str = "B against A", before: str = "") -> str:
    """The page.

    Args:
        title: over the comparison.
        before: markup that stands in front of it.
    """
    comparison = answer.comparison
    a, b = map(escape, heading(comparison))
    far = reach(comparison)
    rows = "\n".join(_row(row, comparison.margin, far) for row in comparison.rows)
    method = f"{method_line(comparison)}." if method_line(comparison) else ""
    gate = "".join(f"<li>{escape(line)}</li>" for line in gate_lines(comparison))
    told = (*noise_lines(comparison), *comparison.caveats)
    caveats = "".join(f"<li>{escape(caveat)}</li>" for caveat in told)
    advice = "".join(f"<li>{escape(advice_line(item))}</li>" for item in answer.advice)
    why = "".join(f"<li>{escape(line)}</li>" for line in cause_lines(answer.causes))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>tuiapp compare: B against A</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>{_STYLE}</style></head><body>
{before}<h1>{escape(title)}</h1><p><b>A</b> {a}<br><b>B</b> {b}</p><ul>{gate}</ul>
<table><thead><tr><th></th><th>A</th><th>B</th><th>B/A</th><th>interval at {LEVEL:.1%}</th>
<th>±{comparison.margin * 100:g} % band</th><th>verdict</th></tr></thead><tbody>
{rows}
</tbody></table><p>Scope: {escape(comparison.scope)}. {escape(method)}</p><ul>{caveats}</ul>
<h2>Why</h2><ul>{why}</ul>{_money(answer.bill)}<h2>Advice</h2><ul>{advice}</ul></body></html>
"""


def _money(bill: Bill | None) -> str:
    if bill is None:
        return ""
    rows = "".join(
        f"<tr><td>{escape(what)}</td><td>{escape(a)}</td><td>{escape(b)}</td><td></td></tr>"
        for what, a, b in bill_rows(bill)
    )
    caveats = "".join(f"<li>{escape(caveat)}</li>" for caveat in bill.caveats)
    head = "<tr><th></th><th>A</th><th>B</th><th></th></tr>"
    return (
        f"<h2>Cost</h2><table><thead>{head}</thead><tbody>{rows}</tbody></table>"
        f"<p>{escape(break_even_line(bill))}</p>{_plot(bill)}<ul>{caveats}</ul>"
    )


def _plot(bill: Bill) -> str:
    """Cost of a million good tokens against utilization, both axes logarithmic."""
    points = [[(s, c.value) for s, c in side.by_share] for side in (bill.a, bill.b)]
    costs = [cost for side in points for _, cost in side if 0 < cost < math.inf]
    if not costs:
        return ""
    low, high = math.log(min(costs)), math.log(max(costs))
    left, width, height = 60, 640, 220
    lowest = math.log(points[0][0][0])

    def place(share: float, cost: float) -> str:
        x = left + (1 - math.log(share) / lowest) * (width - left)
        y = 10 + (1 - (math.log(cost) - low) / max(high - low, 1e-9)) * (height - 20)
        return f"{x:.1f},{y:.1f}"

    lines = ""
    for name, side, ink in zip("AB", points, ("#2e86de", "#e67e22"), strict=True):
        known = [(s, c) for s, c in side if 0 < c < math.inf]
        if known:
            path = " ".join(place(*point) for point in known)
            x, y = place(*known[0]).split(",")
            lines += f'<polyline points="{path}" fill="none" stroke="{ink}" stroke-width="2"/>'
            lines += f'<text x="{float(x) + 6}" y="{y}" fill="{ink}">{name}</text>'
    ticks = "".join(
        f'<text x="{place(share, math.exp(low)).split(",")[0]}" y="{height + 14}" \
text-anchor="middle" fill="currentColor">{share:.0%}</text>'
        for share, _ in points[0]
    )
    ends = "".join(
        f'<text x="{left - 6}" y="{y}" text-anchor="end" fill="currentColor">{amount(cost)}</text>'
        for cost, y in ((math.exp(high), 16), (math.exp(low), height - 6))
    )
    return (
        f'<p>$ for a million good tokens against utilization</p><svg class="plot" '
        f'viewBox="0 0 {width + 40} {height + 20}">{lines}{ticks}{ends}</svg>'
    )


def _row(row: Row, margin: float, far: float) -> str:
    title = f"{row.quantity.title}, {unit(row)}" if unit(row) else row.quantity.title
    cells = [title, value_text(row, row.a), value_text(row, row.b), ratio_text(row.ratio)]
    cells.append(interval_text(row))
    tds = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    kind, words = _CLASSES.get(row.verdict, ""), escape(verdict_text(row, margin))
    return f'<tr>{tds}<td>{_picture(row, margin, far)}</td><td class="{kind}">{words}</td></tr>'


def _picture(row: Row, margin: float, far: float) -> str:
    """The interval over the band, logarithmic, 1 in the middle."""
    edge = math.log1p(margin)
    scale, middle = _WIDTH / 2 / (far * edge), _WIDTH / 2
    band = (
        f'<rect x="{middle - edge * scale:.1f}" width="{2 * edge * scale:.1f}" height="{_HEIGHT}" \
fill="#8883"/><line x1="{middle}" x2="{middle}" y2="{_HEIGHT}" stroke="#8888"/>'
    )
    drawn = ""
    if row.interval is not None and row.ratio is not None:
        low, at, high = (
            min(max(middle + math.log(value) * scale, 1), _WIDTH - 1)
            for value in (row.interval[0], row.ratio, row.interval[1])
        )
        y = _HEIGHT / 2
        drawn = f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="currentColor" \
stroke-width="2"/><circle cx="{at:.1f}" cy="{y}" r="4" fill="currentColor"/>'
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">{band}{drawn}</svg>'
