"""The result of a run as one plain object; the schema is documented in ``docs/run-json.md``.

Every number is computed from the session's columns, so a recording gives the same object as the
run that made it. Times are seconds. A value that is not known is None, and ``caveats`` say why.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from tuiapp.diagnosis.gpu_lost import lost_gpu
from tuiapp.events import Phase, Status
from tuiapp.session.health import was_client_limited, worst_lag_s
from tuiapp.session.roofline import roofline
from tuiapp.session.stalls import watched_share
from tuiapp.session.traffic import outcomes
from tuiapp.session.view import View
from tuiapp.stats.slo import Slo
from tuiapp.stats.summary import Summary
from tuiapp.words import plural

SCHEMA = "tuiapp.run/1"
_NS = 1e9


def summary(view: View) -> dict[str, Any]:
    """The run up to the view's cursor as JSON-ready values."""
    meta = view.meta
    return {
        "schema": SCHEMA,
        "model": meta.get("model", {}),
        "engine": meta.get("engine", {}),
        "host": meta.get("host", {}),
        "workload": meta.get("workload", {}),
        "requests": _requests(view),
        "ttft_s": _latency(view, "ttft"),
        "tpot_s": _latency(view, "tpot"),
        "itl_s": _latency(view, "itl"),
        "e2el_s": _latency(view, "e2el"),
        **_throughput(view),
        "cold_start_s": view.cold_start_s,
        "driver": _driver(view),
        "roofline": _roofline(view),
        "host_stalls": _host_stalls(view),
        "slo": [judge(view, slo) for slo in view.slos],
        "state": view.health.state,
        "session": meta.get("session", ""),
    }


def _requests(view: View) -> dict[str, int]:
    table = view.session.requests
    sent = table["t_sent_ns"]
    measured = (table["phase"] == Phase.MEASURE) & (sent >= 0) & (sent <= view.cursor_ns)
    ok, failed = outcomes(view.session, view.cursor_ns, Phase.MEASURE)
    ended = measured & (table["t_end_ns"] >= 0) & (table["t_end_ns"] <= view.cursor_ns)
    unfinished = int((ended & (table["status"] == Status.UNFINISHED)).sum())
    lost = int((ended & (table["status"] == Status.LOST)).sum())
    return {
        "sent": int(measured.sum()),
        "ok": ok,
        "failed": failed,
        "unfinished": unfinished,
        "cut": int(measured.sum()) - ok - failed - lost,
        "lost": lost,
        "warmup": int(((table["phase"] == Phase.WARMUP) & (sent >= 0)).sum()),
    }


def _latency(view: View, metric: str) -> dict[str, Any]:
    found = view.final(metric).summary
    interval = found.p99_ci
    return {
        "n": found.n,
        "mean": _seconds(found.mean),
        **{name: _seconds(getattr(found, name)) for name in ("p50", "p90", "p95", "p99")},
        "p99_ci": None if interval is None else [_seconds(bound) for bound in interval],
        "caveats": _caveats(found),
    }


def _caveats(found: Summary) -> list[str]:
    caveats = list(found.caveats)
    names = ("p50", "p90", "p95", "p99")
    values = [getattr(found, name) for name in names]
    infinite = [n for n, value in zip(names, values, strict=True) if value and math.isinf(value)]
    if infinite:
        verb = "is" if len(infinite) == 1 else "are"
        what = " and ".join(filter(None, (", ".join(infinite[:-1]), infinite[-1])))
        caveats.append(f"{what} {verb} infinite: too many requests failed or never finished")
    return caveats


def _seconds(ns: float | None) -> float | None:
    """JSON has no infinity; a caveat says where a value is missing because it is infinite."""
    return None if ns is None or not math.isfinite(ns) else ns / _NS


def _throughput(view: View) -> dict[str, Any]:
    window = view.measured
    if window is None:
        nothing = {"output_tokens_per_s": None, "requests_per_s": None, "goodput_per_s": None}
        return {
            **nothing,
            "measured_s": None,
            "caveats": ["no measured request", *_run_caveats(view)],
        }
    start, end = window.start_ns - 1, window.end_ns
    counts = view.tokens(start, end)
    good = view.good(start, end) / window.seconds if view.slos else None
    done = len(view.session.ends.between(start, end))
    return {
        "output_tokens_per_s": counts / window.seconds,
        "requests_per_s": done / window.seconds,
        "goodput_per_s": good,
        "measured_s": window.seconds,
        "caveats": list(window.caveats) + _run_caveats(view),
    }


def _run_caveats(view: View) -> list[str]:
    told = view.meta.get("caveats")
    caveats = [str(text)[:300] for text in told[:32]] if isinstance(told, list | tuple) else []
    if was_client_limited(view.session, view.cursor_ns):
        lag_s = worst_lag_s(view.session, view.cursor_ns)
        size = f" (p99 over 10 s: {lag_s * 1e3:.1f} ms)" if lag_s else ""
        caveats.append(
            f"client-limited: the load driver was late{size}; latencies may be that much too high"
        )
    if shortened := view.shortened:
        verb = "was" if shortened == 1 else "were"
        caveats.append(
            f"{plural(shortened, 'request')} (the warm-up's included) {verb} shortened to fit "
            "the model: the load is not the one that was asked for"
        )
    if trouble := lost_gpu(view):
        caveats.append(trouble)
    if view.health.recording_trouble:
        caveats.append(f"the recording is incomplete: {view.health.recording_trouble}")
    cut = _requests(view)["cut"]
    if cut and not view.health.alive:
        verb = "was" if cut == 1 else "were"
        caveats.append(
            f"{plural(cut, 'request')} {verb} in flight when the run was stopped: left out, "
            "unless the wait was longer than any other's"
        )
    if view.session.lost_frames:
        lost = view.session.lost_frames
        what = "1 block was" if lost == 1 else f"{lost} blocks were"
        caveats.append(
            f"{what} lost, or not in this file: of that time rates are too low and requests may "
            "be missing"
        )
    if ends := _requests(view)["lost"]:
        caveats.append(f"the end of {plural(ends, 'request')} is lost with them: left out")
    if view.session.rejected:
        count = view.session.rejected
        what = "1 batch makes no sense" if count == 1 else f"{count} batches make no sense"
        caveats.append(f"{what}, left out")
    return caveats


def _roofline(view: View) -> dict[str, Any]:
    found = asdict(roofline(view))
    return {**found, "caveats": list(found["caveats"])}


def _driver(view: View) -> dict[str, float | None]:
    """p99 of the driver's lags over the load; of recordings that do not hold it the p99 of the
    largest of each half second, which is no smaller."""
    found: dict[str, float | None] = {}
    for name in ("loop_lag_p99_s", "schedule_lag_p99_s"):
        told = view.series("driver", name, view.run_start_ns)[1]
        told = told[np.isfinite(told)]
        largest = view.series("driver", name.replace("_p99", ""), view.run_start_ns)[1]
        found[name] = float(told[-1]) if len(told) else _p99(largest)
    return found


def _host_stalls(view: View) -> dict[str, Any]:
    """How late wake-ups were on this host, and whether slow requests met its stalls."""
    found, meter = view.coincidence, view.lateness(view.run_start_ns)
    _, length_ns = view.stalls(view.run_start_ns)
    return {
        "n": None if meter is None else len(length_ns),
        "longest_s": None if meter is None else int(length_ns.max(initial=0)) / _NS,
        "wakeup_p99_s": None if meter is None else meter.p99_s,
        "wakeup_max_s": None if meter is None else meter.max_s,
        "wakeup_min_s": None if meter is None else meter.floor_s,
        "period_s": None if meter is None else meter.period_s,
        "realtime": None if meter is None else meter.realtime,
        "watched_share": watched_share(view.session, view.run_start_ns, view.cursor_ns),
        "slow_requests": found.n,
        "share_of_slow_requests": found.share,
        "by_chance": found.by_chance,
        "p_value": found.p_value,
        "caveats": list(found.caveats),
    }


def _p99(values: np.ndarray) -> float | None:
    values = values[np.isfinite(values)]
    return float(np.quantile(values, 0.99)) if len(values) else None


def judge(view: View, slo: Slo) -> dict[str, Any]:
    """Whether an objective was met over the run; ``met`` is None when nothing was measured."""
    value_ns = view.run(slo.metric).statistic_ns(slo.q)
    return {
        "slo": str(slo),
        "metric": slo.metric,
        "limit_s": slo.limit_ns / _NS,
        "value_s": _seconds(value_ns),
        "met": slo.judge(value_ns),
    }
