"""What state the run is in at a cursor, told from facts and signs of life alone.

Live and replay agree because *now* is the cursor: a run whose engine says nothing while the
cursor moves on is silent in a replay exactly where it was silent live.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from tuiapp.events import (
    CLIENT_LIMITED,
    ENGINE_EXIT,
    LAG_BOUNDS_S,
    LAG_P99S_S,
    LOAD_STATE,
    PROBE_UNAVAILABLE,
    RECORDING,
    UNSET,
)
from tuiapp.session.columns import TICK_NS, Fact, Session
from tuiapp.session.facts import facts_until, latest
from tuiapp.session.start import cold_start
from tuiapp.words import plural

SILENT_AFTER_NS = 3_000_000_000
"""Requests in flight and no token, step or heartbeat for this long: the engine is silent."""

STARTING, SERVING, WARMUP, PAUSED, DRAINING, DONE, SILENT, DEAD = (
    "starting",
    "serving",
    "warm-up",
    "paused",
    "draining",
    "done",
    "silent",
    "dead",
)
_LOAD_STATES = {
    "warmup": WARMUP,
    "running": SERVING,
    "paused": PAUSED,
    "draining": DRAINING,
    "done": DONE,
}


@dataclass(frozen=True, slots=True)
class Health:
    """State of the engine and of the load.

    Attributes:
        state: one of the constants of this module.
        since_ns: when that state began.
        reason, advice: for ``dead`` and ``silent``: why, and what to do.
        exit_facts: what ENGINE_EXIT said, for a dead or finished engine.
        client_limited: what CLIENT_LIMITED said, while the driver is late; empty otherwise.
        recording_trouble: why nothing can be recorded; empty while all is well.
    """

    state: str
    since_ns: int
    reason: str = ""
    advice: str = ""
    exit_facts: dict[str, Any] = field(default_factory=dict)
    client_limited: dict[str, Any] = field(default_factory=dict)
    rate: float | None = None
    recording_trouble: str = ""

    @property
    def alive(self) -> bool:
        return self.state not in (DEAD, SILENT, DONE)


def probe_reasons(session: Session, until_ns: int) -> dict[str, str]:
    """Why a probe, or a field of it, could not be read; by its name."""
    return {
        str(fact.value.get("probe")): str(fact.value.get("reason"))
        for fact in facts_until(session, PROBE_UNAVAILABLE, until_ns)
        if isinstance(fact.value, dict)
    }


def probe_since_ns(session: Session, until_ns: int) -> dict[str, int]:
    """When the reasons of ``probe_reasons`` were told, by the same names."""
    return {
        str(fact.value.get("probe")): fact.t_ns
        for fact in facts_until(session, PROBE_UNAVAILABLE, until_ns)
        if isinstance(fact.value, dict)
    }


def health(session: Session, cursor_ns: int) -> Health:
    """State of the run at ``cursor_ns``."""
    extra = _side_facts(session, cursor_ns)
    exit_fact = latest(session, ENGINE_EXIT, cursor_ns)
    load = latest(session, LOAD_STATE, cursor_ns)
    if exit_fact is not None and isinstance(exit_fact.value, dict):
        value = exit_fact.value
        return Health(
            DONE if value.get("expected") else DEAD,
            exit_fact.t_ns,
            str(value.get("reason") or ""),
            str(value.get("advice") or ""),
            exit_facts=value,
            **extra,
        )
    if load is None:
        return Health(STARTING, _start_ns(session, cursor_ns), **extra)
    silent = _silence(session, cursor_ns, load)
    if silent is not None:
        return Health(SILENT, silent[0], silent[1], silent[2], **extra)
    rate = load.value.get("rate") if isinstance(load.value, dict) else None
    since_ns = _since_ns(session, load, cursor_ns)
    return Health(_LOAD_STATES.get(_state(load), SERVING), since_ns, rate=rate, **extra)


def _state(load: Fact) -> str:
    return str(load.value.get("state")) if isinstance(load.value, dict) else ""


def _since_ns(session: Session, load: Fact, cursor_ns: int) -> int:
    """When the load came into its state: a new rate in the same state is no new state."""
    since_ns = load.t_ns
    for fact in reversed(list(facts_until(session, LOAD_STATE, cursor_ns))):
        if _state(fact) != _state(load):
            break
        since_ns = fact.t_ns
    return since_ns


def _start_ns(session: Session, cursor_ns: int) -> int:
    spans = cold_start(session, cursor_ns)
    return spans[0].start_ns if spans else 0


def _side_facts(session: Session, cursor_ns: int) -> dict[str, Any]:
    limited = _latest_value(session, CLIENT_LIMITED, cursor_ns)
    recording = _latest_value(session, RECORDING, cursor_ns)
    failing = recording.get("state") == "failing"
    return {
        "client_limited": limited if limited.get("limited") else {},
        "recording_trouble": str(recording.get("reason") or "unknown") if failing else "",
    }


def _latest_value(session: Session, name: str, until_ns: int) -> dict[str, Any]:
    found = latest(session, name, until_ns)
    return found.value if found is not None and isinstance(found.value, dict) else {}


def was_client_limited(session: Session, until_ns: int) -> bool:
    """The driver was late at some moment of the measured load."""
    facts = facts_until(session, CLIENT_LIMITED, until_ns)
    return any(isinstance(fact.value, dict) and fact.value.get("limited") for fact in facts)


def worst_lag_s(session: Session, until_ns: int) -> float | None:
    """The largest p99 over ten seconds of the measured load; None when unknown."""
    values = [fact.value for fact in facts_until(session, CLIENT_LIMITED, until_ns)]
    lags = [
        value.get(f"{name.removesuffix('_s')}_p99_s")
        for value in values
        if isinstance(value, dict) and value.get("limited")
        for name in LAG_BOUNDS_S
    ]
    known = [lag for lag in lags if isinstance(lag, float)]
    return max((*known, *_sampled_lags_s(session, until_ns)), default=None)


def _sampled_lags_s(session: Session, until_ns: int) -> list[float]:
    """The largest sample of each p99 over ten seconds; what made it late may have grown since."""
    table = session.samples.get("driver")
    if table is None:
        return []
    t_ns = table["t_ns"]
    measured = (t_ns >= session.measure_start_ns) & (t_ns <= until_ns)
    columns = [table[name][measured] for name in LAG_P99S_S if name in table]
    return [float(np.max(column)) for column in map(_finite, columns) if len(column)]


def _finite(values: np.ndarray) -> np.ndarray:
    return np.asarray(values[np.isfinite(values)])


def _silence(session: Session, cursor_ns: int, load: Fact) -> tuple[int, str, str] | None:
    """(since, reason, advice) when the engine should speak and does not."""
    if isinstance(load.value, dict) and load.value.get("state") == "done":
        return None
    imported = session.meta.get("imported")
    if isinstance(imported, dict) and imported.get("deliveries") is False:
        return None  # nobody tells when tokens came, so their absence tells nothing
    missing = _missing_until_ns(session, cursor_ns)
    heartbeat = _last_sample_ns(session, "driver", cursor_ns)
    heartbeat = None if heartbeat is None else max(heartbeat, missing)
    if heartbeat is not None and cursor_ns - heartbeat > SILENT_AFTER_NS:
        reason = "the engine's process has stopped reporting."
        return heartbeat, reason, "It may be stopped, swapping or starved; q ends it cleanly."
    waiting = in_flight(session, cursor_ns)
    if not len(waiting):
        return None
    signs = (
        missing,
        last_token_ns(session, cursor_ns),
        session.ends.last_ns(cursor_ns),
        int(session.requests["t_sent_ns"][waiting].min()),
    )
    newest = max(t_ns for t_ns in signs if t_ns is not None)
    if cursor_ns - newest <= SILENT_AFTER_NS:
        return None
    reason = f"{plural(len(waiting), 'request')} in flight and no token delivered."
    return newest, reason, "The engine may be stalled or swapping; its log is one key away (L)."


def _missing_until_ns(session: Session, cursor_ns: int) -> int:
    """Until when nobody knows what the engine said, for it was not recorded; else ``UNSET``."""
    ends = [hole.t1_ns for hole in session.holes if hole.t0_ns <= cursor_ns]
    return min(max(ends, default=UNSET), cursor_ns)


def in_flight(session: Session, cursor_ns: int) -> np.ndarray:
    """``req`` of the requests that were sent and had not ended at the cursor, in order."""
    add = partial(_in_flight, session)
    early = session.prefixes.upto("in flight", UNSET, cursor_ns, add)
    return np.sort(add(early.value, early.until_ns, cursor_ns))


def _in_flight(
    session: Session, before: np.ndarray | None, after_ns: int, until_ns: int
) -> np.ndarray:
    """Those of ``before``, and of the requests sent in (after, until], that had not ended then."""
    sent = session.sent.between(after_ns, until_ns)
    sent = sent if before is None else np.concatenate((before, sent))
    end = session.requests["t_end_ns"][sent]
    return np.asarray(sent[(end == UNSET) | (end > until_ns)])


def last_token_ns(session: Session, cursor_ns: int) -> int | None:
    """When the newest delivery at or before the cursor came, to a tick's resolution."""
    ticks = session.ticks["output_tokens"][: cursor_ns // TICK_NS + 1]
    recent = ticks[::-1][:4096]
    busy = recent.nonzero()[0]
    if not len(busy):
        return None
    return min((len(ticks) - int(busy[0])) * TICK_NS, cursor_ns)


def _last_sample_ns(session: Session, group: str, cursor_ns: int) -> int | None:
    table = session.samples.get(group)
    if table is None:
        return None
    at = int(table["t_ns"].searchsorted(cursor_ns, side="right"))
    return int(table["t_ns"][at - 1]) if at else None
