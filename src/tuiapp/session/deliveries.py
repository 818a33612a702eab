"""Every delivery of tokens, raw: from memory while it holds them, else from the session's file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tuiapp.events import UNSET, Kind
from tuiapp.session.columns import Session
from tuiapp.session.file import SessionFile
from tuiapp.session.validity import trouble


class Deliveries(NamedTuple):
    """Some deliveries: which request got how many tokens when; columns of equal length.

    Those of one request are in time order; those of different requests need not be.
    """

    req: np.ndarray
    t_ns: np.ndarray
    n: np.ndarray


class Held(NamedTuple):
    """Deliveries to one request that memory still holds, in time order; ``whole``: all so far."""

    t_ns: np.ndarray
    n: np.ndarray
    whole: bool


def between(session: Session, after_ns: int, until_ns: int) -> Iterator[Deliveries]:
    """Deliveries in (after, until], about a second of them at a time.

    Nothing is left out as long as memory or the file holds it: a session that was fed from
    elsewhere, or whose file is gone, gives what the ring holds.

    Raises:
        SessionError: the file cannot be read.
    """
    if session.ring.is_whole or not _is_recorded(session):
        yield _cut(Deliveries(*session.ring.held()), after_ns, until_ns)
        return
    last_ns = after_ns
    for batch in _recorded(session, after_ns, until_ns):
        last_ns = int(batch.t_ns.max(initial=last_ns))
        yield batch
    # The newest second of a run that is being recorded is not in the file yet.
    yield _cut(Deliveries(*session.ring.held()), last_ns, until_ns)


def held_of_request(session: Session, req: int) -> Held:
    """What memory holds of the deliveries to ``req``; for the thread that folds frames."""
    t_ns, n = session.ring.of(req)
    ended = int(session.requests["t_end_ns"][req]) != UNSET
    told = ended and int(n.sum()) >= int(session.requests["output_tokens"][req])
    return Held(t_ns, n, session.ring.is_whole or told)


def of_request(
    session: Session, req: int, until_ns: int, held: Held | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(t_ns, n) of every delivery to ``req`` at or before ``until_ns``, in time order.

    May read the file: not for an event loop. While frames are folded in another thread, ``held``
    must have been taken there.

    Raises:
        SessionError: the file cannot be read.
    """
    t_ns, n, whole = held or held_of_request(session, req)
    if not whole and _is_recorded(session):
        sent, end = (int(session.requests[name][req]) for name in ("t_sent_ns", "t_end_ns"))
        found = _recorded(session, sent - 1, until_ns if end == UNSET else min(end, until_ns))
        mine = [(batch.t_ns[own], batch.n[own]) for batch in found for own in [batch.req == req]]
        t_ns, n = _joined(mine, t_ns, n)
    seen = t_ns <= until_ns
    return t_ns[seen], n[seen]


def _joined(
    parts: list[tuple[np.ndarray, np.ndarray]], t_ns: np.ndarray, n: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What the file holds, and behind it what of memory has not been written yet."""
    last = max((int(part[-1]) for part, _ in parts if len(part)), default=UNSET)
    newer = t_ns > last
    both = zip(*parts, (t_ns[newer], n[newer]), strict=True)
    moments, tokens = (np.concatenate(column) for column in both)
    return moments, tokens


def _is_recorded(session: Session) -> bool:
    return session.path is not None and session.path.exists()


def _recorded(session: Session, after_ns: int, until_ns: int) -> Iterator[Deliveries]:
    assert session.path is not None
    with SessionFile(session.path) as file:
        for frame in file.frames([Kind.TOKENS], after_ns, until_ns):
            if trouble(frame, session):
                continue  # folding has left it out, too
            columns = (np.asarray(frame.columns[name]) for name in Deliveries._fields)
            yield _cut(Deliveries(*columns), after_ns, until_ns)


def _cut(batch: Deliveries, after_ns: int, until_ns: int) -> Deliveries:
    inside = (batch.t_ns > after_ns) & (batch.t_ns <= until_ns)
    return batch if inside.all() else Deliveries(*(column[inside] for column in batch))
