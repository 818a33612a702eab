"""The tables of a report: where the time goes, the slowest requests, the start, facts, the log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tuiapp.events import UNSET, Phase, Status
from tuiapp.exports.html.text import UNKNOWN, clean, clock, escaped, mapping, milliseconds
from tuiapp.session import traffic
from tuiapp.session.columns import LOG_LINES
from tuiapp.session.start import Absent, PhaseSpan
from tuiapp.session.view import View

_SLOWEST = 20
_MOST_FACTS, _MOST_LINES, _MOST_MARKS = 120, 60, 100
_PARTS = ("dispatch", "queue", "prefill", "deliver")
_STATUS: dict[int, str] = {
    Status.OK: "ok",
    Status.FAILED: "failed",
    Status.UNFINISHED: "unfinished",
    Status.CUT: "cut off",
    Status.LOST: "end lost",
}
_MIB = 2**20
_TROUBLE = ("warning", "error", "critical", "warn", "fatal")


def table(head: Sequence[str], rows: Sequence[str], look: str = "") -> str:
    """A table of rows that are HTML already."""
    names = "".join(f'<th scope="col">{name}</th>' for name in head)
    return (
        f'<div class="scroll"><table class="{look}"><thead><tr>{names}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _bar(parts: Sequence[tuple[str, float]], whole: float) -> str:
    """A stacked bar, ``whole`` wide; each part tells its value when pointed at."""
    at, shapes = 0.0, []
    for name, value in parts:
        width = 1000 * value / whole if whole > 0 else 0
        shapes.append(
            f'<rect class="{name}" x="{at:.1f}" width="{width:.1f}" height="10">'
            f"<title>{name} {milliseconds(value / 1e9)} ms</title></rect>"
        )
        at += width
    return (
        '<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(shapes)}</svg>"
    )


def split(view: View) -> str:
    """Mean parts of TTFT over the run."""
    found = traffic.split(view.session, view.run_start_ns, view.cursor_ns)
    if found is None:
        return f'<p class="why">{UNKNOWN} No request has told where its time went.</p>'
    values = [getattr(found, f"{name}_ns") for name in _PARTS]
    parts = list(zip(_PARTS, values, strict=True))
    total = sum(values)
    key = "".join(
        f'<li><i class="{name}"></i>{name} <b>{milliseconds(value / 1e9)} ms</b>'
        f" {100 * value / total if total else 0:.0f} %</li>"
        for name, value in parts
    )
    return (
        f'{_bar(parts, total)}<ul class="key">{key}</ul>'
        f'<p class="why">Means over {found.n:,} requests of which every part is known.</p>'
    )


def slowest(view: View) -> str:
    """The requests with the longest TTFT, those without an answer first."""
    req, ttft = _by_ttft(view)
    if not len(req):
        return f'<p class="why">{UNKNOWN} No request has ended or had a token.</p>'
    parts = traffic.split_columns(view.session, req)
    finite = ttft[np.isfinite(ttft)]
    longest = float(finite.max()) if len(finite) else 0.0
    made = [
        _request(view, int(number), float(value), parts[at], longest)
        for at, (number, value) in enumerate(zip(req, ttft, strict=True))
    ]
    head = ("request", "at", "TTFT ms", "of it", "queue", "prefill", "in", "out", "TPOT ms", "")
    return table(head, made, "requests")


def _by_ttft(view: View) -> tuple[np.ndarray, np.ndarray]:
    """(req, TTFT in ns), the longest first; +inf for what ended without a token."""
    session, rows = view.session, view.session.requests
    ended = session.ends.between(view.run_start_ns, view.cursor_ns)
    firsts = session.firsts.between(view.run_start_ns, view.cursor_ns)
    req = np.union1d(ended, firsts).astype(np.int64)
    req = req[rows["phase"][req] == Phase.MEASURE]
    first = rows["t_first_ns"][req]
    unanswered = (first == UNSET) | (first > view.cursor_ns)
    ttft = np.where(unanswered, np.inf, first - rows["t_sched_ns"][req])
    order = np.argsort(-ttft, kind="stable")[:_SLOWEST]
    return req[order], ttft[order]


def _request(view: View, req: int, ttft: float, parts: np.ndarray, longest: float) -> str:
    rows = view.session.requests
    row = {name: int(rows[name][req]) for name in rows.names}
    ended = row["t_end_ns"] != UNSET and row["t_end_ns"] <= view.cursor_ns
    status = _STATUS.get(row["status"], UNKNOWN) if ended else "running"
    tokens, tpot = UNKNOWN, UNKNOWN
    if ended:
        tokens = f"{row['output_tokens']:,}"
    if ended and row["status"] == Status.OK and row["output_tokens"] > 1:
        span = row["t_last_ns"] - row["t_first_ns"]
        tpot = milliseconds(span / (row["output_tokens"] - 1) / 1e9)
    known = bool(np.isfinite(parts).all()) and np.isfinite(ttft)
    shares = list(zip(_PARTS, parts.tolist(), strict=True)) if known else []
    queue, prefill = (milliseconds(parts[at] / 1e9) if known else UNKNOWN for at in (1, 2))
    shown = milliseconds(ttft / 1e9) if np.isfinite(ttft) else "∞"
    if status == _STATUS[Status.CUT] and not np.isfinite(ttft):  # it took longer, nobody knows more
        shown = "> " + milliseconds((row["t_end_ns"] - row["t_sched_ns"]) / 1e9)
    return (
        f"<tr><td>#{req}</td><td>{clock(row['t_sched_ns'])}</td><td><b>{escaped(shown)}</b></td>"
        f'<td class="wide">{_bar(shares, longest)}</td><td>{queue}</td><td>{prefill}</td>'
        f"<td>{row['prompt_tokens']:,}</td><td>{tokens}</td><td>{tpot}</td>"
        f'<td class="{"" if status in ("ok", "running") else "bad"}">{status}</td></tr>'
    )


def cold_start(view: View) -> str:
    """The phases of the engine's start under each other, each where it began."""
    phases = view.every_phase[:50]
    spans = [phase for phase in phases if isinstance(phase, PhaseSpan)]
    if not spans:
        return f'<p class="why">{UNKNOWN} The engine was not started by this program.</p>'
    begin = spans[0].start_ns
    ends = [span.start_ns + (span.duration_ns or 0) for span in spans]
    whole = max(max(ends) - begin, 1)
    rows = "".join(
        _phase(phase, begin, whole) if isinstance(phase, PhaseSpan) else _absent(phase)
        for phase in phases
    )
    total = view.cold_start_s.get("ready")
    said = UNKNOWN + " not ready by the end" if total is None else f"{total:.1f} s"
    return (
        f'<table class="waterfall"><tbody>{rows}</tbody></table><p>Ready after <b>{said}</b>.</p>'
    )


def _phase(span: PhaseSpan, begin: int, whole: int) -> str:
    length = span.duration_ns
    x, width = 1000 * (span.start_ns - begin) / whole, 1000 * (length or 0) / whole
    said = "not finished" if length is None else f"{length / 1e9:.2f} s"
    name = escaped(span.label)
    return (
        f'<tr><th scope="row">{name}</th><td class="wide">'
        '<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="phase" x="{x:.1f}" width="{max(width, 2):.1f}" height="10">'
        f"<title>{name} {said}</title></rect></svg></td><td>{said}</td></tr>"
    )


def _absent(phase: Absent) -> str:
    said = f"{UNKNOWN} {phase.why or 'not reached'}"
    return f'<tr><th scope="row">{escaped(phase.label)}</th><td colspan="2">{said}</td></tr>'


def facts(found: Any, absent: str = "not known, or not set") -> str:
    """A nested mapping as rows of name and value; ``absent`` says what None means in it."""
    rows = list(_flat("", mapping(found), f"{UNKNOWN} {absent}"))
    if not rows:
        return f'<p class="why">{UNKNOWN} The recording does not say.</p>'
    made = [
        f'<tr><th scope="row">{escaped(name)}</th><td>{escaped(value)}</td></tr>'
        for name, value in rows[:_MOST_FACTS]
    ]
    more = len(rows) - _MOST_FACTS
    left = f'<p class="why">and {more:,} more</p>' if more > 0 else ""
    return f'<table class="facts"><tbody>{"".join(made)}</tbody></table>{left}'


def _flat(
    prefix: str, found: Mapping[Any, Any], absent: str, depth: int = 4
) -> Iterator[tuple[str, str]]:
    for key, value in found.items():
        name = f"{prefix}{clean(key)}".replace("_", " ")
        if isinstance(value, Mapping) and depth:
            yield from _flat(f"{name} · ", value, absent, depth - 1)
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping) and depth:
            for at, item in enumerate(value[:16]):
                yield from _flat(f"{name} {at} · ", mapping(item), absent, depth - 1)
        else:
            size = isinstance(value, int) and name.endswith(" bytes") and abs(value) >= _MIB
            shown = f"{value / _MIB:,.0f} MiB" if size else _fact(value)
            yield name.removesuffix(" bytes"), absent if value is None else shown


def _fact(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return clean(" ".join(clean(item) for item in value[:100])) or f"{UNKNOWN} none"
    if isinstance(value, int) and abs(value) < 1 << 63:
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    return clean(value) or UNKNOWN


def unknown_probes(view: View) -> str:
    """What could not be read on this host, and why."""
    reasons = list(view.probe_reasons.items())[:_MOST_FACTS]
    if not reasons:
        return ""
    rows = [
        f'<tr><th scope="row">{escaped(probe)}</th><td>{UNKNOWN} {escaped(reason)}</td></tr>'
        for probe, reason in reasons
    ]
    return f'<h3>Not known here</h3><table class="facts"><tbody>{"".join(rows)}</tbody></table>'


def events(view: View) -> str:
    """Marks and the engine's end; behind them, on demand, what the log warned of."""
    rows = [(mark.t_ns, "mark", mark.text) for mark in view.marks()[:_MOST_MARKS]]
    health = view.health
    if health.reason:
        rows.append((health.since_ns, health.state, f"{health.reason} {health.advice}"))
    trouble = [line for line in view.log(LOG_LINES) if line.level.lower() in _TROUBLE]
    shown = [(line.t_ns, line.level.lower(), line.text) for line in trouble[-_MOST_LINES:]]
    made = _events(rows) if rows else '<p class="why">No mark was set.</p>'
    if not shown:
        return made + '<p class="why">The log warns of nothing.</p>'
    count = f"{len(trouble):,} warnings and errors in the log"
    if len(shown) < len(trouble):
        count += f", the newest {len(shown)} of them here"
    return f"{made}<details><summary>{count}</summary>{_events(shown)}</details>"


def _events(rows: Sequence[tuple[int, str, str]]) -> str:
    made = [
        f'<tr><td>{clock(t_ns)}</td><td class="{escaped(kind)}">{escaped(kind)}</td>'
        f"<td>{escaped(text)}</td></tr>"
        for t_ns, kind, text in sorted(rows, key=lambda row: row[0])
    ]
    return table(("at", "kind", "text"), made, "events")
