"""The result of a run as a table for people."""

from __future__ import annotations

import re
import textwrap
from typing import IO, Any

from tuiapp.exports.summary import summary
from tuiapp.session.health import DEAD, DONE, SILENT
from tuiapp.session.stalls import WATCHED
from tuiapp.session.start import label
from tuiapp.session.view import View
from tuiapp.words import clock_text, plural

_METRICS = (("ttft_s", "TTFT"), ("tpot_s", "TPOT"), ("itl_s", "ITL"), ("e2el_s", "E2EL"))
_WIDTH, _LABEL = 80, 11
_MOST_MARKS = 50
_COLUMNS = ("mean", "p50", "p90", "p95", "p99")
# Control characters, halves of characters, and what reorders or hides text.
_UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    r"\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


_UNITS = re.compile(r"(?<=\d) (?=(?:m?s|%|tok/s|[kMG]i?B)\b|%)")
_TOGETHER = "\ue000"
"""In place of the blank in front of a unit, which does not begin a line."""


def write(view: View, out: IO[str]) -> None:
    """Latency table, throughput, objectives, cold start and where the recording is."""
    result = summary(view)
    caveats: dict[str, list[str]] = {}
    lines = [_title(result), "", *_latency(result, caveats), ""]
    lines += (
        _rates(result, "in flight" if view.health.alive else "cut off by the end")
        + _ended(result["state"], view.health.reason)
        + _stalls(result["host_stalls"])
    )
    lines += _objectives(result) + _cold_start(result)
    lines += _notes(result, caveats) + _said(view)
    lines = [part for line in lines for part in _wrapped(_UNSAFE.sub("?", line))]
    if result["session"]:  # in one piece, to be copied; it may lie where it was not recorded
        place = view.session.path or result["session"]
        lines += ["", _UNSAFE.sub("?", f"recording  {place}")]
    out.write("\n".join(lines) + "\n")


def _wrapped(line: str) -> list[str]:
    """Lines of ``_WIDTH`` cells, the later ones under the text behind the first one's label."""
    indent = " " * _LABEL
    lines = textwrap.wrap(
        _UNITS.sub(_TOGETHER, line), _WIDTH, subsequent_indent=indent, break_on_hyphens=False,
        drop_whitespace=True, replace_whitespace=False,
    )  # fmt: skip
    return [part.replace(_TOGETHER, " ") for part in lines] or [""]


def _title(result: dict[str, Any]) -> str:
    model, engine = result["model"].get("name", "?"), result["engine"]
    version = " ".join(str(engine[key]) for key in ("name", "version", "device") if key in engine)
    host = result["host"].get("hostname", "host unknown")
    return " · ".join(part for part in (str(model), version, str(host)) if part)


def _latency(result: dict[str, Any], caveats: dict[str, list[str]]) -> list[str]:
    head = f"{'ms':4}" + "".join(f"{name:>9}" for name in _COLUMNS)
    lines = [head + f"{'p99 interval':>21}{'n':>9}"]
    for key, name in _METRICS:
        row = result[key]
        for caveat in row["caveats"]:
            caveats.setdefault(caveat, []).append(name)
        infinite = {name for caveat in row["caveats"] for name in _infinite(caveat)}
        cells = ("∞" if column in infinite else _ms(row[column]) for column in _COLUMNS)
        values = "".join(f"{cell:>9}" for cell in cells)
        interval = row["p99_ci"]
        bounds = "–" if interval is None else " – ".join(_ms(bound) for bound in interval)
        lines.append(f"{name:4}{values}{bounds:>21}{row['n']:>9,}")
    return lines


def _infinite(caveat: str) -> list[str]:
    """The percentiles that ``caveat`` says are infinite."""
    told, found, _ = caveat.partition(" infinite: ")
    return re.findall(r"p\d+", told) if found else []


def _ms(seconds: float | None) -> str:
    if seconds is None:
        return "—"
    value = seconds * 1e3
    return f"{value:,.1f}" if value >= 10 else f"{value:.2f}"


def _rates(result: dict[str, Any], left: str) -> list[str]:
    requests = result["requests"]
    sent, ok, failed, cut = (f"{requests[name]:,}" for name in ("sent", "ok", "failed", "cut"))
    counted = f"{sent} sent, {ok} ok, {failed} failed"
    cut = f", {cut} {left}" if requests["cut"] else ""
    lost = f", {requests['lost']:,} of which the end is lost" if requests["lost"] else ""
    lines = [
        f"requests   {counted}{cut}{lost}",
        f"output     {_number(result['output_tokens_per_s'])} tok/s over "
        f"{_number(result['measured_s'])} s",
    ]
    if result["goodput_per_s"] is not None:
        lines.append(f"goodput    {result['goodput_per_s']:.2f} requests/s met every objective")
    lags = result["driver"]
    lines.append(
        f"driver     loop lag p99 {_ms(lags['loop_lag_p99_s'])} ms, "
        f"schedule lag p99 {_ms(lags['schedule_lag_p99_s'])} ms"
    )
    return lines


def _ended(state: str, reason: str) -> list[str]:
    """Nothing of a run that ended in order."""
    if state == DONE:
        return []
    if state in (DEAD, SILENT):
        return [f"engine     {state}: {reason}"]
    return [f"ended      not within this: the last that is known is {state}"]


def _stalls(found: dict[str, Any]) -> list[str]:
    """Nothing where no meter ran: that is no news in the result of a run."""
    if found["n"] is None:
        return []
    late = f"wake-ups late by p99 {_ms(found['wakeup_p99_s'])} ms"
    watched = found["watched_share"]
    part = (
        ""
        if watched is None or watched >= WATCHED
        else f" in the {watched * 100:.0f} % of the time watched"
    )
    if not found["n"]:
        lines = [f"host       no stall of 2 ms or more{part}; {late}"]
        told = found["caveats"] if part else []
        return lines + [f"           {caveat}" for caveat in told]
    stalls = f"{plural(found['n'], 'stall')} of 2 ms or more, longest {_ms(found['longest_s'])} ms"
    stalls += part
    lines = [f"host       {stalls}; {late}"]
    share, n = found["share_of_slow_requests"], found["slow_requests"]
    if share is not None:
        lines.append(
            f"           {round(share * n)} of {plural(n, 'request')} over the SLO "
            f"({share * 100:.0f} %) coincide with a stall, "
            f"{found['by_chance'] * 100:.1f} % would by chance (p {found['p_value']:.3f})"
        )
    return lines + [f"           {caveat}" for caveat in found["caveats"]]


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:,.1f}"


def _objectives(result: dict[str, Any]) -> list[str]:
    verdicts = {True: "met", False: "MISSED", None: "unknown: nothing was measured"}
    return [
        f"objective  {slo['slo']:<20} {_ms(slo['value_s']):>9} ms  {verdicts[slo['met']]}"
        for slo in result["slo"]
    ]


def _cold_start(result: dict[str, Any]) -> list[str]:
    phases = result["cold_start_s"]
    if not phases:
        return []
    parts = [f"{label(name)} {seconds:.1f}" for name, seconds in phases.items()]
    return ["cold start " + " · ".join(parts) + " s"]


def _said(view: View) -> list[str]:
    """What people wrote on the recording and on its moments."""
    about = view.meta.get("note")
    lines = [f"about      {about}"] if isinstance(about, str) and about else []
    marks = view.marks()
    lines += [f"mark       {clock_text(mark.t_ns)}  {mark.text}" for mark in marks[:_MOST_MARKS]]
    if len(marks) > _MOST_MARKS:
        lines.append(f"           and {plural(len(marks) - _MOST_MARKS, 'mark')} more")
    return lines


def _notes(result: dict[str, Any], caveats: dict[str, list[str]]) -> list[str]:
    notes = [f"{', '.join(names)}: {caveat}" for caveat, names in caveats.items()]
    return [f"note       {note}" for note in notes + list(result["caveats"])]
