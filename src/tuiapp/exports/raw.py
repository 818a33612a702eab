"""What exports of raw samples share: every delivery and its gap, and when the run began."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tuiapp.events import UNSET, Phase
from tuiapp.session.deliveries import between
from tuiapp.session.view import View

_BEGINS_NS = 1_000_000_000_000_000_000
_ENDS_NS = 4_000_000_000_000_000_000
"""Wall times that are believed (2001 to 2096)."""


class Rows(NamedTuple):
    """Deliveries to measured requests by request, and by time within each.

    Attributes:
        gap_ns: since the delivery before to the same request; UNSET for the first that is held.
    """

    req: np.ndarray
    t_ns: np.ndarray
    n: np.ndarray
    gap_ns: np.ndarray


def measured_deliveries(view: View) -> Rows:
    """Every delivery to a measured request up to the cursor, in memory all at once (28 B each).

    Raises:
        SessionError: the session's file cannot be read.
    """
    measured = view.session.requests["phase"] == Phase.MEASURE
    kept: list[tuple[np.ndarray, ...]] = []
    for batch in between(view.session, UNSET, view.cursor_ns):
        known = batch.req < len(measured)
        known[known] = measured[batch.req[known]]
        kept.append(tuple(column[known] for column in batch))
    if not kept:
        return Rows(*(np.empty(0, np.int64) for _ in Rows._fields))
    req, t_ns, n = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    order = np.lexsort((t_ns, req))
    req, t_ns, n = req[order], t_ns[order], n[order]
    gap_ns = np.diff(t_ns, prepend=0)
    gap_ns[np.flatnonzero(np.diff(req, prepend=-1))] = UNSET
    return Rows(req, t_ns, n, gap_ns)


def created_ns(view: View) -> int | None:
    """Wall time of the session's origin, nanoseconds since the epoch; None when not known."""
    told = view.meta.get("created_ns")
    known = isinstance(told, int) and _BEGINS_NS <= told < _ENDS_NS
    return told if known else None
