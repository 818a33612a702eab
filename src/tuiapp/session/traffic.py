"""Throughput, queues and the split of TTFT, between two moments of a session."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from tuiapp.events import LOAD_STATE, UNSET, Phase, Status
from tuiapp.session.columns import NEVER, TICK_NS, Session
from tuiapp.session.facts import facts_until
from tuiapp.session.health import in_flight

_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Traffic:
    """Rates over a window and gauges at its end; None where nobody said.

    Attributes:
        output_tokens_per_s: delivered to the client.
        prompt_tokens_per_s: prefilled by the engine.
        running, waiting, kv_usage: the engine's newest word (kv_usage 0..1); of several, see
            ``gauges``.
        prefix_hit: share of looked-up prompt tokens found in the prefix cache.
        oldest_wait_ns: age of the oldest request that still has no token.
    """

    output_tokens_per_s: float | None
    prompt_tokens_per_s: float | None
    requests_per_s: float | None
    running: int | None
    waiting: int | None
    kv_usage: float | None
    prefix_hit: float | None
    preempted: int
    sent: int
    ok: int
    failed: int
    in_flight: int
    oldest_wait_ns: int | None


def traffic(session: Session, after_ns: int, until_ns: int) -> Traffic:
    """Traffic in (after, until]."""
    ticks = session.ticks
    first, end = max(after_ns // TICK_NS + 1, 0), min(until_ns // TICK_NS + 1, len(ticks))
    span_s = max(until_ns - first * TICK_NS, TICK_NS) / _S
    window = slice(first, max(end, first))
    stepped = np.flatnonzero(ticks["steps"][:end])
    newest = int(stepped[-1]) if len(stepped) else None
    queries = int(ticks["prefix_queries"][window].sum())
    hits = int(ticks["prefix_hits"][window].sum())
    prompt = int(ticks["prompt_tokens"][window].sum()) / span_s
    # Those of the warm-up count until the measured load begins, and no longer.
    phase = Phase.MEASURE if session.measure_start_ns <= until_ns else None
    ok, failed = outcomes(session, until_ns, phase)
    waiting = in_flight(session, until_ns)
    return Traffic(
        output_tokens_per_s=int(ticks["output_tokens"][window].sum()) / span_s,
        prompt_tokens_per_s=prompt if newest is not None else None,
        requests_per_s=(session.ends.count(until_ns) - session.ends.count(after_ns)) / span_s,
        running=None if newest is None else int(session.gauges["running"][newest]),
        waiting=None if newest is None else int(session.gauges["waiting"][newest]),
        kv_usage=None if newest is None else float(session.gauges["kv_usage"][newest]),
        prefix_hit=hits / queries if queries else None,
        preempted=int(ticks["preempted"][:end].sum()),
        sent=_sent(session, phase, until_ns),
        ok=ok,
        failed=failed,
        in_flight=len(waiting),
        oldest_wait_ns=_oldest_wait_ns(session, waiting, until_ns),
    )


def _sent(session: Session, phase: Phase | None, until_ns: int) -> int:
    """Requests of ``phase``, or all, that were sent at or before ``until_ns``."""
    if phase is None:
        return session.sent.count(until_ns)

    def add(before: int | None, after_ns: int, until_ns: int) -> int:
        sent = session.sent.between(after_ns, until_ns)
        return (before or 0) + int((session.requests["phase"][sent] == phase).sum())

    early = session.prefixes.upto(f"sent {phase}", UNSET, until_ns, add)
    return add(early.value, early.until_ns, until_ns)


def outcomes(session: Session, until_ns: int, phase: Phase | None = None) -> tuple[int, int]:
    """(ok, failed or unfinished) requests that ended at or before ``until_ns``; none that were
    cut off by the end of the run, or whose end is lost."""
    add = partial(_outcomes, session, phase)
    early = session.prefixes.upto(f"outcomes {phase}", UNSET, until_ns, add)
    return add(early.value, early.until_ns, until_ns)


def _outcomes(
    session: Session,
    phase: Phase | None,
    before: tuple[int, int] | None,
    after_ns: int,
    until_ns: int,
) -> tuple[int, int]:
    """``before``, and the outcomes of requests that ended in (after, until]."""
    ended = session.ends.between(after_ns, until_ns)
    if phase is not None:
        ended = ended[session.requests["phase"][ended] == phase]
    status = session.requests["status"][ended]
    ok = int((status == Status.OK).sum())
    unknown = int(np.isin(status, (Status.CUT, Status.LOST)).sum())
    ok_before, failed_before = before or (0, 0)
    return ok_before + ok, failed_before + len(ended) - ok - unknown


def _oldest_wait_ns(session: Session, waiting: np.ndarray, until_ns: int) -> int | None:
    first = session.requests["t_first_ns"][waiting]
    waiting = waiting[(first == UNSET) | (first > until_ns)]
    if not len(waiting):
        return None
    return until_ns - int(session.requests["t_sched_ns"][waiting].min())


def history(session: Session, column: str, first_tick: int, end_tick: int) -> np.ndarray:
    """A column of the ticks [first, end) as float64, NaN where the session has no such tick."""
    out = np.full(max(end_tick - first_tick, 0), np.nan)
    known = session.ticks[column][max(first_tick, 0) : max(end_tick, 0)]
    start = max(-first_tick, 0)
    out[start : start + len(known)] = known
    return out


@dataclass(frozen=True, slots=True)
class Split:
    """Where the TTFT of some requests went, mean nanoseconds of each part.

    ``dispatch``: intended arrival until the engine core queued it (client lag, tokenizing, IPC);
    ``queue``: until first scheduled; ``prefill``: until the first token was computed;
    ``deliver``: until it was in the client's hands.
    """

    n: int
    dispatch_ns: float
    queue_ns: float
    prefill_ns: float
    deliver_ns: float


def split_columns(session: Session, req: np.ndarray) -> np.ndarray:
    """(len(req), 4) dispatch, queue, prefill, deliver in ns; NaN where the engine did not say."""
    table = session.requests
    names = ("t_sched_ns", "t_queued_ns", "t_prefill_ns", "t_core_first_ns", "t_first_ns")
    moments = np.stack([table[name][req] for name in names], axis=1).astype(float)
    moments[moments == UNSET] = np.nan
    return np.maximum(np.diff(moments, axis=1), 0)


def split(session: Session, after_ns: int, until_ns: int) -> Split | None:
    """Mean split over requests whose first token came in (after, until]; None without any."""
    first = session.firsts.between(after_ns, until_ns)
    first = first[session.requests["phase"][first] == Phase.MEASURE]
    parts = split_columns(session, first)
    parts = parts[np.isfinite(parts).all(axis=1)]
    if not len(parts):
        return None
    dispatch, queue, prefill, deliver = parts.mean(axis=0)
    return Split(len(parts), dispatch, queue, prefill, deliver)


@dataclass(frozen=True, slots=True)
class Measured:
    """The measured window, and what is wrong with it."""

    start_ns: int
    end_ns: int
    caveats: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        return max(self.end_ns - self.start_ns, 1) / _S


def measured_window(session: Session, until_ns: int) -> Measured | None:
    """First intended arrival to the end of arrivals: warm-up and drain are left out.

    When arrivals ended before half of the tokens were delivered there is no steady state in that
    window; it then lasts until the last request's end, with a caveat.
    """
    start = session.measure_start_ns
    if start != NEVER:
        start = max(start, session.kept_after_ns + 1)
    if start > until_ns:
        return None
    last_end = session.ends.last_ns(until_ns) or until_ns
    drains = [
        fact.t_ns
        for fact in facts_until(session, LOAD_STATE, until_ns)
        if isinstance(fact.value, dict) and fact.value.get("state") in ("draining", "done")
    ]
    if not drains:
        return Measured(start, until_ns)
    end = drains[0]
    tokens = session.ticks["output_tokens"][start // TICK_NS :]
    inside = int(tokens[: max(end // TICK_NS + 1 - start // TICK_NS, 0)].sum())
    if inside * 2 >= int(tokens.sum()) and end > start:
        return Measured(start, end)
    caveat = "drain included: arrivals ended before half of the tokens were delivered"
    return Measured(start, max(last_end, start + 1), (caveat,))
