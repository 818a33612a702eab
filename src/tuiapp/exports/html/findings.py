"""Why the host may be slow, as a section of a report."""

from __future__ import annotations

from tuiapp.diagnosis import diagnose
from tuiapp.diagnosis.finding import FINE, UNKNOWN, Finding
from tuiapp.exports.html.tables import table
from tuiapp.exports.html.text import UNKNOWN as DASH
from tuiapp.exports.html.text import escaped
from tuiapp.session.view import View


def findings(view: View) -> str:
    """Causes with their advice over the whole run; the other factors on demand."""
    found = diagnose(View(view.session, view.cursor_ns))
    causes = [finding for finding in found if finding.is_cause]
    unknown = sum(finding.severity == UNKNOWN for finding in found)
    fine = sum(finding.severity == FINE for finding in found)
    head = f"{len(causes) or 'no'} cause{'' if len(causes) == 1 else 's'} found, {fine} factors "
    head += f"are fine, {unknown} could not be told"
    made = f'<h3>Why slow</h3><p class="why">{head}.</p>'
    if causes:
        made += table(("cause", "what was read", "what to do"), [_row(one) for one in causes])
    rest = [_row(one) for one in found if not one.is_cause]
    if rest:
        rows = table(("factor", "what was read", ""), rest)
        made += f"<details><summary>the other factors</summary>{rows}</details>"
    return made


def _row(finding: Finding) -> str:
    title, evidence = escaped(finding.title), escaped(finding.evidence)
    if finding.severity == UNKNOWN:
        evidence = f"{DASH} {evidence}"
    look = "bad" if finding.severity == "bad" else ""
    return (
        f'<tr><td class="{look}">{title}</td><td>{evidence}</td>'
        f"<td>{escaped(finding.advice)}</td></tr>"
    )
