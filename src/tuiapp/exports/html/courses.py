"""Every chart over time: latency, throughput, queues, host, GPUs, the load driver."""

from __future__ import annotations

from typing import Any

import numpy as np

from tuiapp.events import UNSET
from tuiapp.exports.html.series import Stretches, chart, line, rounded, seconds
from tuiapp.exports.html.text import clean
from tuiapp.session import latency, moments
from tuiapp.session.columns import TICK_NS
from tuiapp.session.traffic import split_columns
from tuiapp.session.view import View
from tuiapp.stats.bins import LOWEST_NS

MOST_DOTS = 6_000
"""Requests drawn one by one; beyond that they are counted in cells."""
_COLUMNS, _ROWS = 240, 48
_MS, _GIB = 1e6, 2**30
_MOST_GPUS, _MOST_MARKS, _MOST_LOST = 16, 200, 500
_ENOUGH_P50, _ENOUGH_P99 = 20, 400


def courses(view: View) -> list[dict[str, Any]]:
    """The charts there is something to show in, in the order of their weight."""
    found = [
        requests(view),
        *_traffic(view),
        _cpu(view),
        _memory(view),
        *_gpus(view),
        _driver(view),
    ]
    return [told for told in found if told is not None]


def span_s(view: View) -> dict[str, Any]:
    """Times all charts share: the whole, the measured load, and marks and failures within."""
    measured = view.measured
    lost, marks = moments.errors(view), view.marks()
    # A load that goes on has no end yet, and what drains after it is worth a look too.
    return {
        "end": view.cursor_ns / 1e9,
        "measured": measured and [measured.start_ns / 1e9, measured.end_ns / 1e9],
        "failures": seconds(np.sort(lost)[:: -(-len(lost) // _MOST_LOST) or 1]),
        "marks": [[mark.t_ns / 1e9, clean(mark.text)] for mark in marks[:_MOST_MARKS]],
    }


# -- latency -------------------------------------------------------------------------------


def requests(view: View) -> dict[str, Any] | None:
    """TTFT of every request of the measured load at the moment it became known."""
    req, values = latency.request_values(view.session, "ttft", -1, view.cursor_ns)
    served = np.isfinite(values)
    req, values = req[served], values[served]
    if not len(req):
        return None
    t_ns = view.session.requests["t_first_ns"][req]
    order = np.argsort(t_ns, kind="stable")
    req, values, t_ns = req[order], values[order], t_ns[order]
    limit = view.limit_ns("ttft")
    told: dict[str, Any] = {
        "kind": "requests",
        "title": "TTFT of each request",
        "unit": "ms",
        "limit": None if limit is None else limit / _MS,
        "lines": [],
    }
    if len(req) > MOST_DOTS:
        return told | _cells(t_ns, values)
    parts = split_columns(view.session, req) / _MS
    return told | {
        "t": seconds(t_ns),
        "v": rounded(values / _MS),
        "req": req.tolist(),
        "queue": rounded(parts[:, 1], 3),
        "prefill": rounded(parts[:, 2], 3),
    }


def _cells(t_ns: np.ndarray, values: np.ndarray) -> dict[str, Any]:
    """Requests counted by stretch of time and by latency, with p50 and p99 of each stretch."""
    times = Stretches(int(t_ns[0]), int(t_ns[-1]) + 1, most=_COLUMNS)
    lo, hi = np.log(np.maximum((values.min(), values.max() * 1.001), LOWEST_NS))
    edges = np.exp(np.linspace(lo, max(hi, lo + 0.01), _ROWS + 1))
    row = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, _ROWS - 1)
    column = times.of(t_ns)
    flat, counts = np.unique(column * _ROWS + row, return_counts=True)
    p50 = times.quantiles(t_ns, values, 0.5, _ENOUGH_P50) / _MS
    p99 = times.quantiles(t_ns, values, 0.99, _ENOUGH_P99) / _MS
    named = (("p50", p50), ("p99", p99))
    return {
        "title": "TTFT over time",
        "t": seconds(times.middles_ns),
        "lines": [line(name, found) for name, found in named if np.isfinite(found).any()],
        "start": times.start_ns / 1e9,
        "width": times.width_ns / 1e9,
        "edges": rounded(edges / _MS, 5),
        "cells": [(flat // _ROWS).tolist(), (flat % _ROWS).tolist(), counts.tolist()],
        "note": f"{len(values):,} requests, counted in stretches of {_width(times)}",
    }


def _width(times: Stretches) -> str:
    return f"{times.width_ns / 1e9:.3g} s"


# -- traffic -------------------------------------------------------------------------------


def _traffic(view: View) -> list[dict[str, Any] | None]:
    ticks = view.session.ticks
    end = min(view.cursor_ns // TICK_NS + 1, len(ticks))
    if not end:
        return []
    times = Stretches(0, end * TICK_NS, TICK_NS * 4)
    moments_ns = np.arange(end) * TICK_NS
    at = times.of(moments_ns)
    last_ns = np.minimum(
        times.start_ns + (np.arange(times.count) + 1) * times.width_ns, view.cursor_ns + 1
    )
    shown_s = np.maximum(last_ns - (last_ns - 1) // times.width_ns * times.width_ns, 1) / 1e9
    counts = ticks["output_tokens"][:end].astype(float)
    counts[end - 1 :] = view.tokens((end - 1) * TICK_NS - 1, view.cursor_ns)
    tokens = np.bincount(at, counts, times.count) / shown_s
    note = f"mean of stretches of {_width(times)}"
    output = line("output", tokens, fill=True)
    rates = chart("Output tokens", "tok/s", times.middles_ns, [output], note=note)
    return [rates, _queues(view, times, moments_ns), _kv_cache(view, times, moments_ns)]


def _queues(view: View, times: Stretches, moments_ns: np.ndarray) -> dict[str, Any]:
    in_flight = _in_flight(view, moments_ns)
    lines = [line("in flight", times.highest(moments_ns, in_flight))]
    for name in ("running", "waiting"):
        told = _stepped(view, name, len(moments_ns), in_flight)
        if np.isfinite(told).any():
            lines.append(line(name, times.highest(moments_ns, told)))
    note = f"highest of each {_width(times)}; running and waiting as the engine tells them"
    return chart("Requests in flight", "", times.middles_ns, lines, note=note)


def _in_flight(view: View, moments_ns: np.ndarray) -> np.ndarray:
    """Requests sent and not ended at the end of each tick."""
    table = view.session.requests
    sent, end = table["t_sent_ns"], table["t_end_ns"]
    came = np.sort(sent[(sent != UNSET) & (sent <= view.cursor_ns)])
    went = np.sort(end[(sent != UNSET) & (end != UNSET) & (end <= view.cursor_ns)])
    until = moments_ns + TICK_NS - 1
    return (np.searchsorted(came, until, "right") - np.searchsorted(went, until, "right")).astype(
        float
    )


def _stepped(view: View, name: str, end: int, in_flight: np.ndarray) -> np.ndarray:
    """A gauge of engine iterations: NaN where it said nothing, 0 where it had nothing to do."""
    ticks = view.session.ticks
    steps, values = ticks["steps"][:end], view.session.gauges[name][:end].astype(float)
    if not steps.any():
        return np.full(end, np.nan)
    began = np.arange(end) >= np.flatnonzero(steps)[0]
    return np.where(steps > 0, values, np.where(began & (in_flight == 0), 0.0, np.nan))


def _kv_cache(view: View, times: Stretches, moments_ns: np.ndarray) -> dict[str, Any] | None:
    steps = view.session.ticks["steps"][: len(moments_ns)]
    share = view.session.gauges["kv_usage"][: len(moments_ns)].astype(float)
    usage = np.where(steps > 0, share * 100.0, np.nan)
    if not np.isfinite(usage).any():
        return None
    used = line("used", times.highest(moments_ns, usage), fill=True)
    note = f"highest of each {_width(times)}"
    return chart("KV cache", "%", times.middles_ns, [used], note=note)


# -- host ----------------------------------------------------------------------------------


def _gauges(
    view: View,
    group: str,
    names: dict[str, str],
    scale: float = 1.0,
    peaks: tuple[str, ...] = (),
) -> tuple[np.ndarray, list[dict[str, Any]], str]:
    """(moments, lines, how they were made) of the gauges ``{name: label}`` that are known."""
    times = Stretches(0, view.cursor_ns + 1, 1_000_000_000)
    lines = []
    for name, label in names.items():
        t_ns, values = view.series(group, name, -1)
        values = values * scale
        found = times.highest(t_ns, values) if name in peaks else times.means(t_ns, values)
        if np.isfinite(found).any():
            lines.append(line(label, found))
    how = "highest" if set(peaks) >= set(names) else "mean"
    return times.middles_ns, lines, f"{how} of each {_width(times)}"


def _cpu(view: View) -> dict[str, Any] | None:
    names = {"total": "busy", "system": "of it system", "iowait": "waiting for I/O"}
    t_ns, lines, note = _gauges(view, "cpu", names, 100)
    _, steal, _ = _gauges(view, "cpu", {"steal": "highest steal"}, 100, ("steal",))
    if not lines and not steal:
        return None
    if lines:
        lines[0]["fill"] = True
    return chart("CPU, all cores", "%", t_ns, lines + steal, note=note, top=100)


def _memory(view: View) -> dict[str, Any] | None:
    names = {"used_bytes": "host used", "swap_used_bytes": "swap used"}
    t_ns, lines, note = _gauges(view, "memory", names, 1 / _GIB)
    _, engine, _ = _gauges(view, "process", {"rss_bytes": "engine"}, 1 / _GIB)
    if not lines and not engine:
        return None
    _, total = view.series("memory", "total_bytes", -1)
    total = total[np.isfinite(total)]
    top = float(f"{total[-1] / _GIB:.4g}") if len(total) else None
    return chart("Memory", "GiB", t_ns, lines + engine, note=note, top=top)


_GPU_CHARTS = (
    ("util", "GPU utilization", "%", 100.0, 100.0),
    ("mem_used_bytes", "GPU memory", "GiB", 1 / _GIB, "mem_total_bytes"),
    ("power_w", "GPU power", "W", 1.0, "power_limit_w"),
    ("sm_clock_mhz", "GPU SM clock", "MHz", 1.0, "sm_clock_max_mhz"),
    ("temp_c", "GPU temperature", "°C", 1.0, None),
)


def _gpus(view: View) -> list[dict[str, Any]]:
    groups = [group for group in view.groups("gpu") if group[3:].isdigit()]
    found = []
    for name, title, unit, scale, top in _GPU_CHARTS:
        lines: list[Any] = []
        t_ns, note = np.empty(0), ""
        for group in groups[:_MOST_GPUS]:
            t_ns, line_of, note = _gauges(view, group, {name: clean(group)}, scale)
            lines += line_of
        if len(groups) > _MOST_GPUS:
            note += f"; the first {_MOST_GPUS} of {len(groups)} GPUs"
        if lines:
            most = top if not isinstance(top, str) else _most(view, groups[:_MOST_GPUS], top, scale)
            found.append(chart(title, unit, t_ns, lines, note=note, top=most))
    return found


def _most(view: View, groups: list[str], name: str, scale: float) -> float | None:
    """The highest value of a limit that any of the GPUs told."""
    told = [view.series(group, name, -1)[1] for group in groups]
    known = np.concatenate([values[np.isfinite(values)] for values in told])
    return float(f"{float(known.max()) * scale:.4g}") if len(known) else None


def _driver(view: View) -> dict[str, Any] | None:
    names = {"loop_lag_s": "event loop", "schedule_lag_s": "schedule"}
    t_ns, lines, note = _gauges(view, "driver", names, 1e3, tuple(names))
    if not lines:
        return None
    return chart("Lag of the load driver", "ms", t_ns, lines, note=note)
