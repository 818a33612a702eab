"""Gauges of engines that share a load."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from tuiapp.events import Frame, Kind
from tuiapp.session.columns import TICK_NS, Session

_Row = tuple[int, int, int, float]
"""Tick, requests running and waiting, share of the KV cache in use."""


def _told(rank: object, *rows: _Row) -> Frame:
    tick, running, waiting, usage = (np.array(column) for column in zip(*rows, strict=True))
    columns = {"t_ns": tick * TICK_NS, "running": running, "waiting": waiting, "kv_usage": usage}
    return Frame(Kind.STEPS, 0, int(tick[-1]) * TICK_NS, columns, {"engine": rank})


def _folded(*frames: Frame) -> Session:
    session = Session()
    for frame in frames:
        session.fold(frame)
    return session


def _at(session: Session, *ticks: int) -> list[tuple[float, ...]]:
    names = ("running", "waiting", "kv_usage")
    return [tuple(float(session.gauges[name][tick]) for name in names) for tick in ticks]


def test_one_engine_is_told_as_it_tells() -> None:
    session = _folded(_told(0, (1, 2, 0, 0.25), (1, 3, 1, 0.5), (4, 1, 0, 0.125)))
    assert _at(session, 1, 4) == [(3, 1, 0.5), (1, 0, 0.125)]


def test_requests_add_up_and_the_use_of_the_caches_is_averaged() -> None:
    session = _folded(_told(0, (1, 2, 1, 0.25)), _told(1, (1, 5, 4, 0.75)))
    assert _at(session, 1) == [(7, 5, 0.5)]


def test_what_a_rank_said_holds_until_it_says_something_else() -> None:
    first = _told(0, (1, 2, 0, 0.5), (2, 4, 0, 0.5), (3, 0, 0, 0.0), (6, 1, 0, 0.5))
    second = _told(1, (2, 10, 0, 1.0), (5, 20, 0, 0.0))
    expected = [(2, 0, 0.5), (14, 0, 0.75), (10, 0, 0.5), (20, 0, 0.0), (21, 0, 0.25)]
    assert _at(_folded(first, second), 1, 2, 3, 5, 6) == expected
    assert _at(_folded(second, first), 1, 2, 3, 5, 6) == expected


def test_the_order_of_the_frames_does_not_matter_nor_whether_somebody_looked() -> None:
    told = [
        _told(0, (1, 1, 0, 0.5), (2, 2, 0, 0.5)),
        _told(0, (3, 3, 0, 0.5)),
        _told(1, (2, 10, 0, 0.5), (4, 20, 0, 0.5)),
        _told(7, (3, 100, 0, 0.5)),
    ]
    for order in permutations(told):
        looked_at, session = Session(), Session()
        for frame in order:
            looked_at.fold(frame)
            looked_at.gauges["running"]
            session.fold(frame)
        for found in (session, looked_at):
            assert found.gauges["running"][1:5].tolist() == [1, 12, 113, 123]


@pytest.mark.parametrize("rank", [-1, 1 << 20, "0", 1.5, None, [0]])
def test_what_is_no_rank_counts_as_the_first(rank: object) -> None:
    session = _folded(
        _told(rank, (1, 2, 0, 0.5)), _told(0, (1, 3, 0, 0.5)), _told(1, (1, 4, 0, 0.5))
    )
    assert _at(session, 1) == [(7, 0, 0.5)]
