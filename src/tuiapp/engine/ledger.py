"""What the driver saw, request by request and delivery by delivery, as columns.

On the hot path only numbers are stored: a delivery is three writes into preallocated columns.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from tuiapp import clock
from tuiapp.engine.tap import CoreStamps
from tuiapp.events import (
    REQUESTS_COLUMNS,
    TOKENS_COLUMNS,
    UNSET,
    Frame,
    Kind,
    Phase,
    Status,
    facts_frame,
)

REQUEST_FAILED = "request.failed"
"""Fact ``{"req", "reason"}``; ``{"more": n}`` for those beyond ``_FAILURES_A_BATCH``."""

CAPACITY = 1 << 16
"""Deliveries held between two collections before the columns are doubled."""

_FAILURES_A_BATCH = 10


@dataclass(slots=True)
class Request:
    """One row of REQUESTS while it lives; times are nanoseconds since the session's origin."""

    req: int
    phase: Phase
    prompt_tokens: int
    target_tokens: int
    t_sched_ns: int
    status: Status = Status.IN_FLIGHT
    output_tokens: int = 0
    cached_tokens: int = 0
    t_sent_ns: int = UNSET
    t_queued_ns: int = UNSET
    t_prefill_ns: int = UNSET
    t_core_first_ns: int = UNSET
    t_core_last_ns: int = UNSET
    t_first_ns: int = UNSET
    t_last_ns: int = UNSET
    t_end_ns: int = UNSET


_row = attrgetter(*REQUESTS_COLUMNS)


class Ledger:
    """Collects rows of REQUESTS and TOKENS between two calls of ``collect``."""

    def __init__(self, now: clock.Clock, capacity: int = CAPACITY) -> None:
        self._clock = now
        self._next = 0
        self._collected_ns = now.now_ns()
        self._changed: dict[int, Request] = {}
        self._failures: list[tuple[int, int, str]] = []
        self._columns = [np.empty(capacity, dtype) for dtype in TOKENS_COLUMNS.values()]
        self._count = 0

    def open(
        self, phase: Phase, prompt_tokens: int, target_tokens: int, t_sched_ns: int
    ) -> Request:
        """A new request, with the next number."""
        request = Request(self._next, phase, prompt_tokens, target_tokens, t_sched_ns)
        self._next += 1
        return request

    def sent(self, request: Request) -> None:
        """``request`` is handed to the engine now."""
        request.t_sent_ns = self._clock.now_ns()
        self._changed[request.req] = request

    def delivered(self, request: Request, n: int, core: CoreStamps | None) -> None:
        """``n`` new tokens are in the client's hands now."""
        now_ns = self._clock.now_ns()
        if core is not None:
            self._core(request, core)
        if n == 0:
            return
        if request.output_tokens == 0:
            request.t_first_ns = now_ns
            self._changed[request.req] = request
        request.output_tokens += n
        request.t_last_ns = now_ns
        row = self._count
        if row == len(self._columns[0]):
            self._columns = [np.resize(column, 2 * row) for column in self._columns]
        req, t_ns, count = self._columns
        req[row] = request.req
        t_ns[row] = now_ns
        count[row] = n
        self._count = row + 1

    def ended(self, request: Request, status: Status, reason: str = "") -> None:
        """``request`` finished, failed or was given up now."""
        request.status = status
        request.t_end_ns = self._clock.now_ns()
        self._changed[request.req] = request
        if status == Status.FAILED:
            self._failures.append((request.t_end_ns, request.req, reason))

    def collect(self) -> list[Frame]:
        """Everything since the last call, as frames."""
        t0, t1 = self._collected_ns, self._clock.now_ns()
        self._collected_ns = t1
        frames = []
        if self._changed:
            frames.append(_requests_frame(t0, t1, self._changed.values()))
            self._changed = {}
        if self._count:
            frames.append(self._tokens_frame())
        frames += self._failure_frames()
        return frames

    def _core(self, request: Request, core: CoreStamps) -> None:
        origin_ns = self._clock.origin_ns
        for name in ("t_queued_ns", "t_prefill_ns", "t_core_first_ns", "t_core_last_ns"):
            stamp = getattr(core, name)
            setattr(request, name, stamp - origin_ns if stamp >= 0 else UNSET)
        request.cached_tokens = core.cached_tokens

    def _tokens_frame(self) -> Frame:
        filled = [column[: self._count].copy() for column in self._columns]
        self._count = 0
        columns = dict(zip(TOKENS_COLUMNS, filled, strict=True))
        t_ns = columns["t_ns"]
        return Frame(Kind.TOKENS, int(t_ns[0]), int(t_ns[-1]), columns)

    def _failure_frames(self) -> list[Frame]:
        failures, self._failures = self._failures, []
        told = [
            facts_frame(t_ns, REQUEST_FAILED, json.dumps({"req": req, "reason": reason}))
            for t_ns, req, reason in failures[:_FAILURES_A_BATCH]
        ]
        more = failures[_FAILURES_A_BATCH:]
        if more:
            value = json.dumps({"more": len(more)})
            told.append(facts_frame(more[-1][0], REQUEST_FAILED, value))
        return told


def _requests_frame(t0_ns: int, t1_ns: int, requests: Iterable[Request]) -> Frame:
    rows = zip(*map(_row, requests), strict=True)
    columns = {
        name: np.array(values, dtype)
        for (name, dtype), values in zip(REQUESTS_COLUMNS.items(), rows, strict=True)
    }
    return Frame(Kind.REQUESTS, t0_ns, t1_ns, columns)
