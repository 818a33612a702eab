"""A run as another program told it, before it becomes a session."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tuiapp.errors import SessionError
from tuiapp.events import Phase, Status

MAX_RUN_S = 86_400.0 - 60.0
"""Times further apart than this are not believed: they would size the session's columns."""
MAX_TOKENS = 1 << 24
_MAX_CAVEATS = 32

LATENESS_UNKNOWN = (
    "open-loop lateness unknown: the file does not tell when requests were due, so TTFT and E2EL "
    "count from when they were sent"
)
HOST_UNKNOWN = "nothing is known of the host, of its GPUs or of what the engine did"


@dataclass(slots=True)
class Request:
    """One request. Only ``sent_s`` is on the file's own clock; the rest is seconds after it.

    Attributes:
        due_s: intended arrival before the send, 0 or less.
        first_s, last_s: first and last token; None when there was none, or nobody says.
        end_s: served whole, failed or given up.
        gaps_s: times between one delivery of tokens and the next; None when nobody says.
        output_tokens: those delivered, of a request that was served; 0 when nobody says.
    """

    sent_s: float
    status: Status
    end_s: float
    due_s: float = 0.0
    first_s: float | None = None
    last_s: float | None = None
    gaps_s: np.ndarray | None = None
    prompt_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    phase: Phase = Phase.MEASURE


@dataclass(slots=True)
class Run:
    """Requests and all that holds for them together.

    Attributes:
        meta: what is told of program, model, engine and workload; see ``docs/imports.md``.
        measured_s: how long the program itself says it measured, from the first intended arrival
            of the measured load on; None: until the last request's end.
        rate: requests a second asked for; None when it was no open loop, or nobody says.
    """

    meta: dict[str, Any]
    requests: list[Request]
    measured_s: float | None = None
    rate: float | None = None
    caveats: list[str] = field(default_factory=list)

    def say(self, caveat: str) -> None:
        """Add a caveat, once."""
        if caveat not in self.caveats and len(self.caveats) < _MAX_CAVEATS:
            self.caveats.append(caveat)


def believable(found: Iterable[Request | None], run: Run, what: str) -> None:
    """Fill ``run`` with the requests that make sense, and say how many do not.

    Args:
        found: None stands for one whose numbers make none.
        what: the file, for the error.

    Raises:
        SessionError: none does.
    """
    rows = list(found)
    known = [row for row in rows if row is not None]
    if known:
        middle = float(np.median([row.sent_s for row in known]))
        known = [row for row in known if _is_near(row, middle)]
    if not any(row.phase == Phase.MEASURE for row in known):
        raise SessionError(
            f"{what} holds no request that can be used.",
            "Every one of them lacks a time, or has times that make no sense.",
        )
    left_out = len(rows) - len(known)
    if left_out:
        why = "their numbers are missing, or make no sense"
        run.say(f"{left_out} of {len(rows)} requests are left out: {why}")
    run.requests = sorted(known, key=lambda row: row.sent_s + row.due_s)


def _is_near(row: Request, middle_s: float) -> bool:
    near = abs(row.sent_s - middle_s) + row.end_s - row.due_s < MAX_RUN_S / 2
    ordered = -MAX_RUN_S < row.due_s <= 0 <= row.end_s
    moments = [at for at in (0.0, row.first_s, row.last_s, row.end_s) if at is not None]
    return near and ordered and moments == sorted(moments)


def gaps(values: Any, most_s: float = MAX_RUN_S) -> np.ndarray | None:
    """A list of gaps in seconds; None when one of them makes no sense."""
    if not isinstance(values, list):
        return None
    try:
        found = np.array(values, np.float64) if values else np.empty(0)
    except (ValueError, TypeError, OverflowError):
        return None
    plain = found.ndim == 1 and bool(np.isfinite(found).all()) and bool((found >= 0).all())
    if not plain or any(isinstance(value, str | bool) for value in values):
        return None
    return found if math.fsum(found) <= most_s else None
