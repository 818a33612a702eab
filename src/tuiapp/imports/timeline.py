"""A run as frames: what a recorder would have got, a second at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from tuiapp.events import (
    LOAD_STATE,
    PROBE_UNAVAILABLE,
    UNSET,
    Frame,
    Kind,
    Phase,
    Status,
    facts_frame,
)
from tuiapp.imports.run import HOST_UNKNOWN, Run
from tuiapp.session.columns import TICK_NS

_S = 1_000_000_000
_MAX_ROWS = 500_000
_MAX_DELIVERY = np.iinfo(np.uint16).max
_MOMENTS = ("t_sent_ns", "t_first_ns", "t_end_ns")
_NEVER = np.iinfo(np.int64).min


def frames(run: Run) -> Iterator[Frame]:
    """META, then the run in the order of time."""
    table, end_ns = _table(run)
    req, t_ns, n = _deliveries(run, table)
    yield _meta(run)
    facts = _load_facts(run, table, end_ns)
    changes = _changes(table)
    for low in np.unique(np.concatenate((changes[0], t_ns)) // _S).tolist():
        span = (low * _S, low * _S + _S - 1)
        yield from _requests(table, changes, *span)
        yield from _tokens(req, t_ns, n, *span)
        while facts and facts[0].t0_ns <= span[1]:
            yield facts.pop(0)
    yield from facts


def _meta(run: Run) -> Frame:
    told = any(row.gaps_s is not None for row in run.requests if row.output_tokens > 1)
    _say_what_is_unknown(run, deliveries_told=told)
    imported = {**run.meta.get("imported", {}), "deliveries": told}
    return Frame(Kind.META, 0, 0, attrs={**run.meta, "imported": imported, "caveats": run.caveats})


def _table(run: Run) -> tuple[dict[str, np.ndarray], int]:
    """Columns of REQUESTS as they are known in the end, and the end of the measured time.

    Counters are kept by tick, and a tick that is cut counts in proportion. So the origin is put
    where the measured time ends with a tick: then its rates are exactly the file's.
    """
    rows = run.requests
    sent = _ns([row.sent_s - rows[0].sent_s for row in rows])
    columns = {"t_sched_ns": sent + _ns([row.due_s for row in rows]), "t_sent_ns": sent}
    for name in ("first", "last", "end"):
        told = [getattr(row, f"{name}_s") for row in rows]
        known = np.array([value is not None for value in told])
        columns[f"t_{name}_ns"] = np.where(known, sent + _ns([at or 0.0 for at in told]), _NEVER)
    counts = ("prompt_tokens", "output_tokens", "cached_tokens", "phase", "status")
    numbers = {name: np.array([int(getattr(row, name)) for row in rows]) for name in counts}
    end_ns = _end_ns(run, columns, numbers["phase"] == Phase.MEASURE)
    origin_ns = int(columns["t_sched_ns"].min())
    origin_ns -= -(end_ns - origin_ns + 1) % TICK_NS
    for name, column in columns.items():
        columns[name] = np.where(column == _NEVER, UNSET, column - origin_ns)
    numbers |= {"req": np.arange(len(rows)), "target_tokens": numbers["output_tokens"]}
    return numbers | columns, end_ns - origin_ns


def _ns(seconds: list[float]) -> np.ndarray:
    rounded: np.ndarray = np.rint(np.array(seconds) * _S).astype(np.int64)
    return rounded


def _end_ns(run: Run, columns: dict[str, np.ndarray], measured: np.ndarray) -> int:
    start = int(columns["t_sched_ns"][measured].min())
    if run.measured_s is None:
        return max(int(columns["t_end_ns"][measured].max()), start + 1)
    return start + max(round(run.measured_s * _S), 1)


def _deliveries(run: Run, table: dict[str, np.ndarray]) -> tuple[np.ndarray, ...]:
    """(req, t_ns, n) of every delivery, in the order of time.

    Where gaps are not told, all tokens of a request come with its last: their number is right,
    and no gap is made up. A tick is counted whole, so those of a warm-up request that reach
    into the measured load's first are left out.
    """
    start_tick = _start_ns(table) // TICK_NS
    req, t_ns, n = [], [], []
    for at, row in enumerate(run.requests):
        if not row.output_tokens or row.last_s is None:
            continue
        times = np.array([table["t_last_ns"][at]])
        if row.gaps_s is not None and row.first_s is not None:
            moments = np.concatenate(([0.0], np.cumsum(row.gaps_s)))
            times = table["t_first_ns"][at] + np.rint(moments * _S).astype(np.int64)
        if row.phase == Phase.WARMUP and times[-1] // TICK_NS >= start_tick:
            continue
        req.append(np.full(len(times), at))
        t_ns.append(times)
        n.append(_shares(row.output_tokens, len(times)))
    if not req:
        return tuple(np.empty(0, np.int64) for _ in range(3))
    columns = [np.concatenate(parts) for parts in (req, t_ns, n)]
    order = np.lexsort((columns[0], columns[1]))
    return tuple(column[order] for column in columns)


def _shares(tokens: int, deliveries: int) -> np.ndarray:
    """``tokens`` over ``deliveries``, as evenly as whole numbers go, the first of them not 0."""
    edges = -(-np.arange(deliveries + 1) * tokens // deliveries)
    return np.minimum(np.diff(edges), _MAX_DELIVERY)


def _say_what_is_unknown(run: Run, *, deliveries_told: bool) -> None:
    run.say(HOST_UNKNOWN)
    served = [row for row in run.requests if row.status == Status.OK]
    if not deliveries_told:
        run.say("ITL unknown: the file tells no time between deliveries of a request")
    if any(row.first_s is None for row in served):
        without = sum(row.first_s is None for row in served)
        run.say(f"TTFT and TPOT unknown for {without} of {len(served)} requests: not streamed")
    bundled = sum(
        row.gaps_s is not None and len(row.gaps_s) + 1 < row.output_tokens for row in served
    )
    if bundled:
        run.say(
            f"{bundled} requests got several tokens at a time; how many is not told, so they are "
            "spread evenly over the deliveries"
        )
    if any(row.output_tokens > _MAX_DELIVERY and row.gaps_s is None for row in served):
        run.say(f"tokens of a request beyond {_MAX_DELIVERY:,} are not counted in throughput")


def _load_facts(run: Run, table: dict[str, np.ndarray], end_ns: int) -> list[Frame]:
    """That the host is unknown; and what the load did: warming up, running, draining, done."""
    start = _start_ns(table)
    first = int(table["t_sched_ns"].min())
    last = int(max(table[name].max() for name in _MOMENTS))
    states = [("warmup", first)] if first < start else []
    states += [("running", start), ("draining" if last > end_ns else "done", end_ns)]
    states += [("done", last)] if last > end_ns else []
    facts = [_load_fact(t_ns, state, run.rate) for state, t_ns in states]
    unknown = {"probe": "host", "reason": "an imported result tells nothing of it"}
    return [facts_frame(first, PROBE_UNAVAILABLE, json.dumps(unknown)), *facts]


def _start_ns(table: dict[str, np.ndarray]) -> int:
    """The first intended arrival of the measured load."""
    return int(table["t_sched_ns"][table["phase"] == Phase.MEASURE].min())


def _load_fact(t_ns: int, state: str, rate: float | None) -> Frame:
    return facts_frame(t_ns, LOAD_STATE, json.dumps({"state": state, "rate": rate}))


def _changes(table: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(moment, request) of every change of a request's state, in the order of time."""
    moments = np.concatenate([table[name] for name in _MOMENTS])
    req = np.tile(table["req"], len(_MOMENTS))
    order = np.argsort(moments, kind="stable")
    order = order[np.searchsorted(moments[order], 0) :]
    return moments[order], req[order]


def _requests(
    table: dict[str, np.ndarray], changes: tuple[np.ndarray, np.ndarray], low: int, high: int
) -> Iterator[Frame]:
    """Requests whose state changed in [low, high], as they were known at its end."""
    start, stop = np.searchsorted(changes[0], (low, high + 1))
    if start == stop:
        return
    newest, changed = int(changes[0][stop - 1]), np.unique(changes[1][start:stop])
    rows = {name: column[changed] for name, column in table.items()}
    ended = rows["t_end_ns"] <= high
    for name in ("t_first_ns", "t_last_ns", "t_end_ns"):
        rows[name][rows[name] > high] = UNSET
    rows["t_last_ns"][~ended] = UNSET
    rows["status"][~ended] = Status.IN_FLIGHT
    rows["output_tokens"][~ended] = 0
    yield Frame(Kind.REQUESTS, low, newest, rows)


def _tokens(
    req: np.ndarray, t_ns: np.ndarray, n: np.ndarray, low: int, high: int
) -> Iterator[Frame]:
    start, stop = np.searchsorted(t_ns, (low, high + 1))
    for at in range(start, stop, _MAX_ROWS):
        part = slice(at, min(at + _MAX_ROWS, stop))
        order = np.lexsort((t_ns[part], req[part]))
        columns: dict[str, Any] = {
            name: column[part][order] for name, column in (("req", req), ("t_ns", t_ns), ("n", n))
        }
        yield Frame(Kind.TOKENS, int(t_ns[part][0]), int(t_ns[part][-1]), columns)
