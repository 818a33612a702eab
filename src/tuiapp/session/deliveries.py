"""Every delivery of tokens, raw: from memory while it holds them, else from the session's file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tuiapp.events import UNSET, Kind
from tuiapp.session.columns import Session
from tuiapp.session.file import SessionFile


class Deliveries(NamedTuple):
    """Some deliveries: which request got how many tokens when; columns of equal length.

    Those of one request are in time order; those of different requests need not be.
    """

    req: np.ndarray
    t_ns: np.ndarray
    n: np.ndarray


def between(session: Session, after_ns: int, until_ns: int) -> Iterator[Deliveries]:
    """Deliveries in (after, until], about a second of them at a time.

    Nothing is left out as long as memory or the file holds it: a session that was fed from
    elsewhere, or whose file is gone, gives what the ring holds.

    Raises:
        SessionError: the file cannot be read.
    """
    ring = session.ring
    if ring.is_whole or session.path is None or not session.path.exists():
        yield _cut(Deliveries(*ring.held()), after_ns, until_ns)
        return
    with SessionFile(session.path) as file:
        for frame in file.frames([Kind.TOKENS], after_ns, until_ns):
            columns = (np.asarray(frame.columns[name]) for name in Deliveries._fields)
            yield _cut(Deliveries(*columns), after_ns, until_ns)


def of_request(session: Session, req: int, until_ns: int) -> tuple[np.ndarray, np.ndarray]:
    """(t_ns, n) of every delivery to ``req`` at or before ``until_ns``, in time order.

    May read the file: not for an event loop.
    """
    t_ns, n = session.ring.of(req)
    if int(n.sum()) < int(session.requests["output_tokens"][req]):
        sent, end = (int(session.requests[name][req]) for name in ("t_sent_ns", "t_end_ns"))
        found = between(session, sent - 1, until_ns if end == UNSET else min(end, until_ns))
        mine = [(batch.t_ns[own], batch.n[own]) for batch in found for own in [batch.req == req]]
        if mine:
            t_ns, n = (np.concatenate(column) for column in zip(*mine, strict=True))
    seen = t_ns <= until_ns
    return t_ns[seen], n[seen]


def _cut(batch: Deliveries, after_ns: int, until_ns: int) -> Deliveries:
    inside = (batch.t_ns > after_ns) & (batch.t_ns <= until_ns)
    return batch if inside.all() else Deliveries(*(column[inside] for column in batch))
