"""The run as trace events, for Perfetto and ``chrome://tracing``.

Keys, units and what is left out: ``docs/exports.md``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import chain
from typing import IO, Any, NamedTuple

import numpy as np

from tuiapp.events import UNSET, Kind, Phase, Status, word
from tuiapp.exports.html.text import clean
from tuiapp.session.columns import TICK_NS
from tuiapp.session.file import SessionFile
from tuiapp.session.validity import MAX_NS, trouble
from tuiapp.session.view import View

COUNTER_NS = 100_000_000
"""A counter has at most one event in each such stretch."""
_US = 1e3
_REQUESTS, _ENGINE, _HOST, _GPU = 1, 2, 3, 4
_PROCESSES = {_REQUESTS: "requests", _ENGINE: "engine steps", _HOST: "host", _GPU: "GPU"}
_SPANS = (
    ("queue", "t_queued_ns", "t_prefill_ns"),
    ("prefill", "t_prefill_ns", "t_core_first_ns"),
    ("decode", "t_first_ns", "t_last_ns"),
)
_GAUGES = ("running", "waiting", "kv_usage")
_SUMS = ("prompt_tokens", "output_tokens", "preempted")

Event = dict[str, Any]


class Span(NamedTuple):
    """What a request was in from ``start_ns`` to ``end_ns``; ``open`` when the cursor ended it."""

    name: str
    start_ns: int
    end_ns: int
    open: bool


def write(view: View, out: IO[str]) -> None:
    """One JSON object, an event a line.

    Raises:
        SessionError: the session's file cannot be read.
    """
    events = chain(_names(view), _requests(view), _steps(view), _samples(view), _marks(view))
    out.write('{"displayTimeUnit":"ms","traceEvents":[')
    for at, event in enumerate(events):
        text = json.dumps(event, allow_nan=False, separators=(",", ":"))
        out.write(f"{',' if at else ''}\n{text}")
    out.write("\n]}\n")


def _names(view: View) -> Iterator[Event]:
    has_gpu = any(group.startswith("gpu") for group in view.session.samples)
    for pid, name in _PROCESSES.items():
        if pid == _GPU and not has_gpu:
            continue
        yield {"ph": "M", "name": "process_name", "pid": pid, "args": {"name": name}}
        yield {"ph": "M", "name": "process_sort_index", "pid": pid, "args": {"sort_index": pid}}


# Requests


def _requests(view: View) -> Iterator[Event]:
    """Spans of requests, each request in the lowest lane that is free when it comes."""
    free: list[int] = []
    busy: list[tuple[int, int]] = []
    lanes = 0
    for req, spans in _in_order(view):
        while busy and busy[0][0] <= spans[0].start_ns:
            heappush(free, heappop(busy)[1])
        if free:
            lane = heappop(free)
        else:
            lanes += 1
            lane = lanes
            yield _lane_name(lane)
        heappush(busy, (spans[-1].end_ns, lane))
        args = _about(view, req)
        yield from (_span_event(span, lane, args) for span in spans)


def _in_order(view: View) -> list[tuple[int, list[Span]]]:
    sent = view.session.requests["t_sent_ns"]
    seen = np.flatnonzero((sent != UNSET) & (sent <= view.cursor_ns))
    found = [(req, request_spans(view, req)) for req in seen.tolist()]
    return sorted((row for row in found if row[1]), key=lambda row: row[1][0].start_ns)


def request_spans(view: View, req: int) -> list[Span]:
    """What is known of a request's way at the cursor, in the order of time, never overlapping.

    A span whose end was not told is left out, unless the request was still in it when it ended.
    """
    row = {name: int(view.session.requests[name][req]) for name in _MOMENTS}
    now, spans = view.cursor_ns, list[Span]()
    ended = UNSET < row["t_end_ns"] <= now
    for name, begin, stop in _SPANS:
        start, end = row[begin], row[stop]
        later = _MOMENTS[_MOMENTS.index(begin) + 1 : -1]
        if end == UNSET and all(row[moment] == UNSET for moment in later):
            end = row["t_end_ns"]
        is_open = not ended and (end == UNSET or end > now)
        if is_open and all(not UNSET < row[moment] <= now for moment in later):
            end = now
        if start == UNSET or end == UNSET or end > now:
            continue
        start = max(start, spans[-1].end_ns if spans else 0)
        if start <= end:
            spans.append(Span(name, start, end, is_open))
    return spans


_MOMENTS = (
    "t_queued_ns", "t_prefill_ns", "t_core_first_ns", "t_first_ns", "t_last_ns", "t_end_ns",
)  # fmt: skip


def _about(view: View, req: int) -> Event:
    table = view.session.requests
    ended = UNSET < int(table["t_end_ns"][req]) <= view.cursor_ns
    about: Event = {
        "req": req,
        "phase": word(Phase, int(table["phase"][req])),
        "prompt_tokens": int(table["prompt_tokens"][req]),
    }
    if ended:
        about["status"] = word(Status, int(table["status"][req]))
        about["output_tokens"] = int(table["output_tokens"][req])
    return about


def _span_event(span: Span, lane: int, about: Event) -> Event:
    return {
        "ph": "X",
        "name": span.name,
        "cat": "request",
        "pid": _REQUESTS,
        "tid": lane,
        "ts": span.start_ns / _US,
        "dur": (span.end_ns - span.start_ns) / _US,
        "args": {**about, "open": True} if span.open else about,
    }


def _lane_name(lane: int) -> Event:
    name = {"name": f"lane {lane}"}
    return {"ph": "M", "name": "thread_name", "pid": _REQUESTS, "tid": lane, "args": name}


# Counters


def _steps(view: View) -> Iterator[Event]:
    """What the engine said of its iterations: raw from the file, else by tick from memory."""
    path = view.session.path
    if path is None or not path.exists():
        yield from _ticks(view)
        return
    parts: dict[str, list[dict[str, np.ndarray]]] = {}
    with SessionFile(path) as file:
        for frame in file.frames([Kind.STEPS], UNSET, view.cursor_ns):
            if not trouble(frame, view.session):
                columns = {name: np.asarray(column) for name, column in frame.columns.items()}
                engine = clean(frame.attrs.get("engine", 0))
                parts.setdefault(engine, []).append(columns)
    for engine, found in parts.items():
        prefix = "" if len(parts) == 1 else f"engine {engine} "
        yield from _step_counters(view, found, prefix)


def _step_counters(view: View, found: list[dict[str, np.ndarray]], prefix: str) -> Iterator[Event]:
    for name in (*_GAUGES, *_SUMS):
        told = [part for part in found if name in part]
        if not told:
            continue
        t_ns = np.concatenate([part["t_ns"] for part in told])
        values = np.concatenate([part[name] for part in told]).astype(float)
        order = np.argsort(t_ns, kind="stable")
        yield from _counter(
            view, prefix + name, _ENGINE, t_ns[order], values[order], summed=name in _SUMS
        )


def _ticks(view: View) -> Iterator[Event]:
    """The same by ticks that had an iteration and are over at the cursor."""
    ticks = view.session.ticks
    over = ticks["steps"][: (view.cursor_ns + 1) // TICK_NS]
    at = np.flatnonzero(over)
    t_ns = (at + 1) * TICK_NS - 1
    for name in (*_GAUGES, *_SUMS):
        values = (view.session.gauges if name in _GAUGES else ticks)[name][at]
        yield from _counter(view, name, _ENGINE, t_ns, values.astype(float))


def _samples(view: View) -> Iterator[Event]:
    for group in sorted(view.session.samples):
        pid = _GPU if group.startswith("gpu") else _HOST
        for name in view.session.samples[group].names:
            if name != "t_ns":
                t_ns, values = view.series(group, name, UNSET)
                yield from _counter(view, f"{group} {name}", pid, t_ns, values)


def _counter(
    view: View, name: str, pid: int, t_ns: np.ndarray, values: np.ndarray, *, summed: bool = False
) -> Iterator[Event]:
    """The newest finite value of each stretch, or its sum, at the stretch's newest moment."""
    known = np.isfinite(values) & (t_ns >= 0) & (t_ns <= min(view.cursor_ns, MAX_NS))
    t_ns, values = t_ns[known], values[known]
    if not len(t_ns):
        return
    starts = np.flatnonzero(np.diff(t_ns // COUNTER_NS, prepend=-1))
    last = np.append(starts[1:], len(t_ns)) - 1
    kept = np.add.reduceat(values, starts) if summed else values[last]
    base = {"ph": "C", "name": clean(name), "pid": pid, "tid": 0}
    for moment, value in zip(t_ns[last].tolist(), kept.tolist(), strict=True):
        yield {**base, "ts": moment / _US, "args": {"value": value}}


def _marks(view: View) -> Iterator[Event]:
    for mark in view.marks():
        yield {
            "ph": "i",
            "s": "g",
            "name": clean(mark.text) or "mark",
            "cat": "mark",
            "pid": _REQUESTS,
            "tid": 0,
            "ts": mark.t_ns / _US,
        }
