"""The head of a report: what was measured, the numbers, the objectives."""

from __future__ import annotations

from typing import Any

from tuiapp.clock import utc_from_ns
from tuiapp.exports.html.text import (
    UNKNOWN,
    clean,
    duration,
    escaped,
    mapping,
    milliseconds,
    number,
)
from tuiapp.session.view import View

_METRICS = (
    ("ttft_s", "TTFT", "first token − intended arrival"),
    ("tpot_s", "TPOT", "mean time per further token of a request"),
    ("itl_s", "ITL", "time between two deliveries"),
    ("e2el_s", "E2EL", "last token − intended arrival"),
)
_COLUMNS = ("mean", "p50", "p90", "p95", "p99")
_NOTHING = "nothing was measured"
_INFINITE = "∞"
_VERDICTS = {True: ("met", "met"), False: ("missed", "missed"), None: ("unknown", _NOTHING)}
_BEGINS_NS, _ENDS_NS = 0, 4_000_000_000 * 10**9


def title(view: View) -> str:
    """The name of the report, as plain text."""
    model = mapping(view.meta.get("model")).get("name", "unknown model")
    host = mapping(view.meta.get("host")).get("hostname", "unknown host")
    return f"{clean(model)} on {clean(host)}"


def identity(view: View) -> str:
    """Engine, load, date and length: a line of named values."""
    meta = view.meta
    engine, load = mapping(meta.get("engine")), mapping(meta.get("workload"))
    measured = view.measured
    length = duration((view.cursor_ns - max(view.session.kept_after_ns, 0)) / 1e9)
    if measured is not None:
        length += f", {duration(measured.seconds)} of it measured"
    version = " ".join(clean(engine[key]) for key in ("name", "version", "device") if key in engine)
    parts = (
        ("Engine", version or UNKNOWN),
        ("Load", _load(load)),
        ("Recorded", _when(meta.get("created_ns"))),
        ("Length", length),
        ("State", view.health.state),
    )
    items = "".join(f"<div><dt>{name}</dt><dd>{escaped(value)}</dd></div>" for name, value in parts)
    return f'<dl class="identity">{items}</dl>'


def _load(load: Any) -> str:
    words = [clean(load[key]) for key in ("name", "arrival") if load.get(key)]
    rate, concurrency = load.get("rate"), load.get("concurrency")
    if load.get("arrival") == "closed" and isinstance(concurrency, int):
        words.append(f"{concurrency} in flight")
    elif isinstance(rate, int | float):
        words.append(f"{rate:g} requests/s")
    return ", ".join(words) or UNKNOWN


def _when(created_ns: Any) -> str:
    if not isinstance(created_ns, int) or not _BEGINS_NS < created_ns < _ENDS_NS:
        return UNKNOWN + " (the recording does not say)"
    return utc_from_ns(created_ns).strftime("%Y-%m-%d %H:%M:%S UTC")


def cards(result: dict[str, Any]) -> str:
    """The few numbers to look at first."""
    found = [_latency_card(result[key], name) for key, name, _ in _METRICS[:3]]
    found += [_throughput_card(result), _requests_card(result)]
    return '<div class="cards">' + "".join(found) + "</div>"


def _card(name: str, value: str, unit: str, more: str) -> str:
    return (
        f'<div class="card"><h3>{name}</h3><p class="big">{value} <small>{unit}</small></p>'
        f"<p>{more}</p></div>"
    )


def _latency_card(row: dict[str, Any], name: str) -> str:
    if not row["n"]:
        return _card(name, UNKNOWN, "", _NOTHING)
    p50, p90, p99 = (_told(row[column]) for column in ("p50", "p90", "p99"))
    return _card(f"{name} p99", p99, "ms", f"p50 {p50} · p90 {p90} ms")


def _throughput_card(result: dict[str, Any]) -> str:
    output, goodput = result["output_tokens_per_s"], result["goodput_per_s"]
    if output is None:
        return _card("Output", UNKNOWN, "", _NOTHING)
    more = f"{number(result['requests_per_s'], 2)} requests/s"
    if goodput is not None:
        more += f", {number(goodput, 2)} of them good"
    return _card("Output", number(output), "tok/s", more)


def _requests_card(result: dict[str, Any]) -> str:
    requests = result["requests"]
    more = f"{requests['ok']:,} ok · {requests['failed']:,} failed"
    if requests["cut"]:
        more += f" · {requests['cut']:,} in flight at the end"
    return _card("Requests", f"{requests['sent']:,}", "sent", more)


def latency_table(result: dict[str, Any]) -> str:
    """Every percentile with its interval, and the caveats that belong to it."""
    head = "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS)
    rows = "".join(_latency_row(result[key], name, what) for key, name, what in _METRICS)
    return (
        '<div class="scroll"><table class="numbers"><caption>Latency in milliseconds</caption>'
        f'<thead><tr><th scope="col"></th>{head}<th scope="col">95 % interval of p99</th>'
        f'<th scope="col">n</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _latency_row(row: dict[str, Any], name: str, what: str) -> str:
    caveats = list(row["caveats"]) if row["n"] else [_NOTHING]
    why = "; ".join(caveats)
    cells = "".join(_value(row, column, why) for column in _COLUMNS)
    interval = row["p99_ci"]
    bounds = _dash(why) if interval is None else f"{_bound(interval[0])} – {_bound(interval[1])}"
    note = f'<p class="why">{escaped(why)}</p>' if why else ""
    return (
        f'<tr data-metric="{name.lower()}"><th scope="row">{name}<p>{what}</p>{note}</th>'
        f"{cells}<td>{bounds}</td><td>{row['n']:,}</td></tr>"
    )


def _told(seconds: float | None) -> str:
    """A percentile of at least one value: where it is None it is infinite."""
    return _INFINITE if seconds is None else milliseconds(seconds)


def _value(row: dict[str, Any], column: str, why: str) -> str:
    """The mean is not known where every request failed; a percentile is infinite there."""
    seconds = row[column]
    if seconds is None and (column == "mean" or not row["n"]):
        return f"<td>{_dash(why)}</td>"
    return f"<td>{_bound(seconds)}</td>"


def _bound(seconds: float | None) -> str:
    """A number and, for programs, the whole of it; None is infinite."""
    if seconds is None:
        return f'<span title="so many requests failed that it is infinite">{_INFINITE}</span>'
    return f'<data value="{seconds!r}">{milliseconds(seconds)}</data>'


def _dash(why: str) -> str:
    return f'<span title="{escaped(why)}">{UNKNOWN}</span>'


def objectives(result: dict[str, Any]) -> str:
    """Each objective, the value it is held against, and the verdict in words."""
    if not result["slo"]:
        return '<p class="why">No objective was set, so there is no goodput.</p>'
    rows = []
    for slo in result["slo"]:
        look, verdict = _VERDICTS[slo["met"]]
        value = milliseconds(slo["value_s"]) if slo["met"] is None else _told(slo["value_s"])
        rows.append(
            f'<li class="{look}"><b>{verdict}</b> <code>{escaped(slo["slo"])}</code>'
            f" {value} of {milliseconds(slo['limit_s'])} ms</li>"
        )
    return f'<ul class="objectives">{"".join(rows)}</ul>'


def caveats(result: dict[str, Any]) -> str:
    """What holds for the whole run."""
    if not result["caveats"]:
        return ""
    items = "".join(f"<li>{escaped(text)}</li>" for text in result["caveats"])
    return f'<ul class="caveats">{items}</ul>'
