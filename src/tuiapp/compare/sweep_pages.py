"""Two sweeps beside each other as Markdown and as an HTML page, with the comparison at a level."""

from __future__ import annotations

from html import escape

from tuiapp.compare import report_html, report_markdown
from tuiapp.compare.reading import Compared
from tuiapp.compare.sweep_text import COLUMNS, Line, findings, table, unit

_HEADS = ("runs", "requests", *COLUMNS)


def markdown(compared: Compared) -> str:
    """For a pull request or a ticket."""
    sweeps = compared.sweeps
    lines = [
        f"| {unit(sweeps)} | | {' | '.join(_HEADS)} |",
        f"| ---: | --- | {' | '.join('---:' for _ in _HEADS)} |",
        *(f"| {' | '.join(report_markdown.plain(cell) for cell in _cells(line))} |"
          for line in table(sweeps)),
        "",
        "Times in ms.",
        "",
        *(f"- {report_markdown.plain(words)}" for words in findings(sweeps)),
        "",
        f"## Both at {compared.level:g} {unit(sweeps)}",
        "",
    ]  # fmt: skip
    return "\n".join(lines) + "\n" + report_markdown.text(compared.answer)


def html(compared: Compared) -> str:
    """One page without scripts."""
    sweeps = compared.sweeps
    head = "".join(f"<th>{escape(name)}</th>" for name in (unit(sweeps), "", *_HEADS))
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _cells(line))}</tr>"
        for line in table(sweeps)
    )
    said = "".join(f"<li>{escape(words)}</li>" for words in findings(sweeps))
    before = (
        f"<h1>Two sweeps</h1><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"<p>Times in ms.</p><ul>{said}</ul>"
    )
    title = f"Both at {compared.level:g} {unit(sweeps)}"
    return report_html.text(compared.answer, title, before)


def _cells(line: Line) -> list[str]:
    if line.trouble:
        return [line.level, line.side, line.trouble, *[""] * (len(_HEADS) - 1)]
    return [line.level, line.side, *line.cells]
