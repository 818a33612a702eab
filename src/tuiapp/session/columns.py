"""A session in memory: a growing set of time-ordered columns.

Frames are folded in, in any order of sources; nothing is ever computed from *now*. What a screen
shows at a cursor comes from ``view.View``, which reads these columns up to that cursor only.

Exact: every request (114 B each). Bounded: token deliveries, of which the newest ``RING_ROWS`` are
kept raw for the request detail, while their gaps (ITL) are counted in 0.27 % wide bins per tick of
250 ms, 3 B for each bin that a tick used. The file keeps every delivery. A session that is given a
folder lets older requests and counts rest there, out of memory, until somebody looks at them.
"""

from __future__ import annotations

import json
from bisect import bisect_right, insort
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tuiapp.events import (
    ENGINE_EXIT,
    ENGINE_INFO,
    FACTS_COLUMNS,
    FLOAT32,
    INT64,
    LOG_COLUMNS,
    REQUESTS_COLUMNS,
    UINT16,
    UINT32,
    UNSET,
    Frame,
    Kind,
    Phase,
    Status,
)
from tuiapp.session.gaps import GapCounts
from tuiapp.session.gauges import StepGauges
from tuiapp.session.prefix import Prefixes
from tuiapp.session.table import EventLog, Table
from tuiapp.session.validity import MAX_NS, MAX_REQ, trouble

TICK_NS = 250_000_000
"""Resolution of counters in time. A cursor that is not pinned to the end stands on a tick."""
RING_ROWS = 1 << 16
"""Deliveries held raw, 14 B each; of older ones the file tells."""
LOG_LINES = 5_000
NEVER = np.iinfo(np.int64).max
_FEW_ROWS = 1_000
_MAX_HOLES, _LONGEST_REASON = 10_000, 300

_TICK_COLUMNS = {
    "output_tokens": UINT32,
    "steps": UINT32,
    "prompt_tokens": UINT32,
    "preempted": UINT32,
    "prefix_queries": UINT32,
    "prefix_hits": UINT32,
}
_MOMENTS = ("t_sent_ns", "t_first_ns", "t_end_ns")
_TELLING = (*_MOMENTS, "t_sched_ns", "t_last_ns", "phase", "status", "output_tokens")
"""What latencies and counts of requests follow from."""
_STEP_SUMS = ("prompt_tokens", "preempted", "prefix_queries", "prefix_hits")


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that became true at ``t_ns``."""

    t_ns: int
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line some process wrote at ``t_ns``."""

    t_ns: int
    source: str
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A note on a moment."""

    t_ns: int
    text: str


@dataclass(frozen=True, slots=True)
class Hole:
    """A time of which the run's own frames are missing, for ``reason``."""

    t0_ns: int
    t1_ns: int
    reason: str


class TokenRing:
    """The newest deliveries, raw."""

    def __init__(self, rows: int = RING_ROWS) -> None:
        self._req = np.zeros(rows, UINT32)
        self._t_ns = np.zeros(rows, INT64)
        self._n = np.zeros(rows, UINT16)
        self._rows = rows
        self.total = 0

    def append(self, req: np.ndarray, t_ns: np.ndarray, n: np.ndarray) -> None:
        given, dropped = len(req), max(len(req) - self._rows, 0)
        start = (self.total + dropped) % self._rows
        here = min(given - dropped, self._rows - start)
        for ring, new in ((self._req, req), (self._t_ns, t_ns), (self._n, n)):
            kept = new[dropped:]
            ring[start : start + here] = kept[:here]
            ring[: len(kept) - here] = kept[here:]
        self.total += given

    @property
    def is_whole(self) -> bool:
        """Every delivery so far is still held."""
        return self.total <= self._rows

    def held(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(req, t_ns, n) of all that is held, in time order."""
        filled = min(self.total, self._rows)
        order = np.argsort(self._t_ns[:filled], kind="stable")
        return self._req[order], self._t_ns[order], self._n[order]

    def of(self, req: int) -> tuple[np.ndarray, np.ndarray]:
        """(t_ns, n) of the deliveries of ``req`` that are still held, in time order."""
        filled = min(self.total, self._rows)
        at = np.flatnonzero(self._req[:filled] == req)
        at = at[np.argsort(self._t_ns[at], kind="stable")]
        return self._t_ns[at], self._n[at]


class Session:
    """Columns of one run, folded from frames.

    Args:
        path: the file that holds, or will hold, the same frames; None when none does.
        folder: where older rows may rest, see ``Table``.
    """

    def __init__(self, path: Path | None = None, folder: Path | None = None) -> None:
        self.path = path
        self.meta: dict[str, Any] = {}
        schema = {**REQUESTS_COLUMNS, "last_token_ns": INT64}
        unset = {name: UNSET for name in schema if name.endswith("_ns")}
        self.requests = Table(schema, unset, folder)
        self.sent = EventLog(self.requests, "t_sent_ns")
        self.firsts = EventLog(self.requests, "t_first_ns")
        self.ends = EventLog(self.requests, "t_end_ns")
        self.gaps = GapCounts(folder)
        self.prefixes = Prefixes()
        self.ring = TokenRing()
        self.ticks = Table(_TICK_COLUMNS)
        self.gauges = StepGauges(self.ticks)
        self.samples: dict[str, Table] = {}
        self.facts: list[Fact] = []
        self.log: deque[LogLine] = deque(maxlen=LOG_LINES)
        self.marks: list[Mark] = []
        self.holes: list[Hole] = []
        self.lost_frames = 0
        self._lost_until_ns: int = UNSET
        """Frames that are missing may have told of anything up to here."""
        self.folded = self.rejected = 0
        self.end_ns = 0
        self.measure_start_ns: int = NEVER
        self.kept_after_ns: int = UNSET
        """A part that was cut out of a recording holds nothing up to here, but what must be known
        of what came before; UNSET for a whole one."""
        self._fold: dict[int, Callable[[Frame], None]] = {
            Kind.META: self._fold_meta,
            Kind.REQUESTS: self._fold_requests,
            Kind.TOKENS: self._fold_tokens,
            Kind.STEPS: self._fold_steps,
            Kind.SAMPLES: self._fold_samples,
            Kind.FACTS: self._fold_facts,
            Kind.LOG: self._fold_log,
            Kind.MARK: self._fold_marks,
            Kind.GAP: self._fold_gap,
        }

    def fold(self, frame: Frame) -> None:
        """Take a frame in. Kinds of later versions are passed over, broken frames are counted."""
        fold = self._fold.get(frame.kind)
        if fold is None:
            return
        self.folded += 1
        if trouble(frame, self):
            self.rejected += 1
            return
        fold(frame)
        self.end_ns = max(self.end_ns, frame.t1_ns)

    def _fold_meta(self, frame: Frame) -> None:
        merge(self.meta, frame.attrs)
        part = self.meta.get("cut")
        after = part.get("from_ns") if isinstance(part, dict) else None
        known = isinstance(after, int) and UNSET <= after < NEVER
        self.kept_after_ns = int(after) if known else UNSET  # type: ignore[arg-type]

    def _fold_requests(self, frame: Frame) -> None:
        req = np.asarray(frame.columns["req"], np.int64)
        if not len(req) or int(req.max()) >= MAX_REQ:
            return
        self.requests.grow(int(req.max()) + 1)
        unique = np.unique(req) if len(req) > 1 else req
        before = {name: self.requests[name][unique] for name in _TELLING}
        self.requests.put(req, frame.columns)
        now = {name: self.requests[name][unique] for name in _TELLING}
        changed = {name: now[name] != before[name] for name in _TELLING}
        self.prefixes.forget(_changed_since(before, now, changed))
        for log in (self.sent, self.firsts, self.ends):
            was, is_new = before[log.moment], changed[log.moment]
            if (moved := is_new & (was != UNSET)).any():
                log.remove(unique[moved])
            log.append(unique[is_new & (now[log.moment] != UNSET)])
        measured = now["phase"] == Phase.MEASURE
        if measured.any():
            first = int(now["t_sched_ns"][measured].min())
            self.measure_start_ns = min(self.measure_start_ns, first)

    def _fold_tokens(self, frame: Frame) -> None:
        req = np.asarray(frame.columns["req"], np.int64)
        t_ns, n = np.asarray(frame.columns["t_ns"]), np.asarray(frame.columns["n"])
        if not _believable(t_ns) or int(req.max()) >= MAX_REQ:
            return
        tick = t_ns // TICK_NS
        self.ticks.grow(int(tick.max()) + 1)
        counted = n.astype(np.uint32)
        if self.kept_after_ns != UNSET:
            counted[t_ns <= self.kept_after_ns] = 0
        np.add.at(self.ticks["output_tokens"], tick, counted)
        self.ring.append(req, t_ns, n)
        self._count_gaps(req, t_ns)

    def _count_gaps(self, req: np.ndarray, t_ns: np.ndarray) -> None:
        """Count the time since each request's delivery before."""
        self.requests.grow(int(req.max()) + 1)
        order = _by_request(req, t_ns)
        req, t_ns = req[order], t_ns[order]
        before = np.empty_like(t_ns)
        before[1:] = t_ns[:-1]
        new = np.ones(len(req), bool)
        new[1:] = req[1:] != req[:-1]
        last = self.requests["last_token_ns"]
        before[new] = last[req[new]]
        last[req] = t_ns
        counted = (before != UNSET) & (self.requests["phase"][req] == Phase.MEASURE)
        if counted.any():
            t_ns = t_ns[counted]
            self.gaps.append(t_ns // TICK_NS, t_ns - before[counted])

    def _fold_steps(self, frame: Frame) -> None:
        if not _believable(np.asarray(frame.columns["t_ns"])):
            return
        tick = np.asarray(frame.columns["t_ns"]) // TICK_NS
        self.ticks.grow(int(tick.max()) + 1)
        self.gauges.put(frame.attrs.get("engine", 0), tick, frame.columns)
        np.add.at(self.ticks["steps"], tick, 1)
        for name in _STEP_SUMS:
            if name in frame.columns:
                np.add.at(self.ticks[name], tick, frame.columns[name])

    def _fold_samples(self, frame: Frame) -> None:
        group = str(frame.attrs.get("group", ""))
        table = self.samples.setdefault(group, Table({"t_ns": INT64}))
        for name in frame.columns:
            if name not in table:
                table.add_column(name, FLOAT32, float("nan"))
        table.append(frame.columns, frame.rows)

    def _fold_facts(self, frame: Frame) -> None:
        for t_ns, name, value in _rows(frame, FACTS_COLUMNS):
            fact = Fact(int(t_ns), name, _from_json(value))
            if name == ENGINE_INFO and isinstance(fact.value, dict):
                merge(self.meta, fact.value)
            if name == ENGINE_EXIT and isinstance(fact.value, dict):
                self._end_in_flight(
                    fact.t_ns, Status.CUT if fact.value.get("expected") else Status.FAILED
                )
            at = bisect_right(self.facts, fact.t_ns, key=lambda known: known.t_ns)
            self.facts.insert(at, fact)

    def _end_in_flight(self, t_ns: int, status: Status) -> None:
        """A killed engine cannot say that its requests failed: its exit says it for them.

        But not for those that may have ended in frames that are missing, as far as anybody knows.
        """
        sent, end = self.requests["t_sent_ns"], self.requests["t_end_ns"]
        req = np.flatnonzero((sent != UNSET) & (sent <= t_ns) & (end == UNSET))
        lived_ns = np.maximum(sent[req], self.requests["last_token_ns"][req])
        outcome = np.where(lived_ns <= self._lost_until_ns, Status.LOST, status)
        self.requests.put(req, {"t_end_ns": t_ns, "status": outcome})
        self.prefixes.forget(t_ns)
        self.ends.append(req)

    def _fold_log(self, frame: Frame) -> None:
        for t_ns, source, level, text in _rows(frame, LOG_COLUMNS):
            self.log.append(LogLine(int(t_ns), source, level, text))

    def _fold_marks(self, frame: Frame) -> None:
        for t_ns, text in _rows(frame, ("t_ns", "text")):
            self.marks.append(Mark(int(t_ns), text))
        self.marks.sort(key=lambda mark: mark.t_ns)

    def _fold_gap(self, frame: Frame) -> None:
        lost, reason = (
            int(frame.attrs.get("frames", 1)),
            str(frame.attrs.get("reason") or "unknown"),
        )
        if frame.attrs.get("source") == "agent":
            self.lost_frames += lost  # the host's samples are not the run
        else:
            self.lose(frame.t0_ns, frame.t1_ns, lost, reason)

    def lose(self, t0_ns: int, t1_ns: int, frames: int, reason: str) -> None:
        """Frames of the run between two moments are missing; 0 of them: thinned out, not lost."""
        self.lost_frames += frames
        if not frames:
            return
        t0_ns, t1_ns = (min(max(t_ns, 0), MAX_NS) for t_ns in (t0_ns, t1_ns))
        if len(self.holes) < _MAX_HOLES:
            insort(self.holes, Hole(t0_ns, t1_ns, reason[:_LONGEST_REASON]), key=_beginning)
        self._lost_until_ns = max(self._lost_until_ns, t1_ns)
        # The next delivery of a request would end a gap that deliveries are missing in.
        self.requests["last_token_ns"][:] = UNSET


def _beginning(hole: Hole) -> int:
    return hole.t0_ns


def _believable(t_ns: np.ndarray) -> bool:
    return len(t_ns) > 0 and int(t_ns.min()) >= 0 and int(t_ns.max()) < MAX_NS


def _changed_since(
    before: Mapping[str, np.ndarray],
    now: Mapping[str, np.ndarray],
    changed: Mapping[str, np.ndarray],
) -> int:
    """The earliest moment of which something else is known than before; NEVER when of none.

    A request's first token tells its TTFT, which its arrival and phase belong to; its end tells
    all the rest.
    """
    arrived = changed["t_sched_ns"] | changed["phase"]
    times = [known[name][changed[name]] for name in _MOMENTS for known in (before, now)]
    times.append(before["t_first_ns"][arrived])
    times.append(before["t_end_ns"][np.logical_or.reduce(list(changed.values()))])
    t_ns = np.concatenate(times)
    return int(t_ns[t_ns != UNSET].min(initial=NEVER))


def _by_request(req: np.ndarray, t_ns: np.ndarray) -> np.ndarray:
    """The order of rows by request, and by time within each."""
    low = req.min()
    if (req[1:] >= req[:-1]).all() and ((t_ns[1:] >= t_ns[:-1]) | (req[1:] > req[:-1])).all():
        return np.arange(len(req))  # as blocks of a file are
    if len(req) > _FEW_ROWS and req.max() - low < 1 << 16 and (t_ns[1:] >= t_ns[:-1]).all():
        # numpy sorts 16-bit numbers by radix, six times as fast.
        return np.asarray(np.argsort((req - low).astype(np.uint16), kind="stable"))
    return np.asarray(np.lexsort((t_ns, req)))


def _rows(frame: Frame, names: Any) -> Any:
    return zip(*(frame.columns[name] for name in names), strict=True)


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def merge(into: dict[str, Any], update: Mapping[str, Any]) -> None:
    """Merge nested mappings key by key; other values are replaced."""
    for key, value in update.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value
