"""Raw deliveries come from memory or from the file, and are the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.doubles.synthetic import NS, Load, frames
from tuiapp.events import UNSET, Frame, Kind
from tuiapp.session import deliveries
from tuiapp.session.columns import Session, TokenRing
from tuiapp.session.file import SessionFile
from tuiapp.session.reader import load
from tuiapp.session.writer import SessionWriter

LOAD = Load(seed=8, duration_s=8.0, rate=10.0)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    writer = SessionWriter(tmp_path / "run.tuiapp")
    for frame in frames(LOAD):
        writer.put(frame)
    writer.close()
    return load(writer.path)


def forgetful(session: Session) -> Session:
    """Its memory holds the last hundred deliveries only."""
    small = TokenRing(100)
    small.append(*session.ring.held())
    session.ring = small
    return session


def sorted_rows(session: Session, after_ns: int, until_ns: int) -> list[tuple[int, int, int]]:
    found = list(deliveries.between(session, after_ns, until_ns))
    return sorted(
        (int(t), int(req), int(n)) for batch in found for req, t, n in zip(*batch, strict=True)
    )


@pytest.mark.parametrize("stretch", [(-1, 20 * NS), (7 * NS, 9 * NS), (30 * NS, 40 * NS)])
def test_memory_and_file_hold_the_same(session: Session, stretch: tuple[int, int]) -> None:
    from_memory = sorted_rows(session, *stretch)
    assert sorted_rows(forgetful(session), *stretch) == from_memory
    assert all(stretch[0] < t_ns <= stretch[1] for t_ns, _, _ in from_memory)


def test_of_a_request_memory_has_let_go_of(session: Session) -> None:
    until_ns = session.end_ns
    held = deliveries.of_request(session, 3, until_ns)
    read = deliveries.of_request(forgetful(session), 3, until_ns)
    assert len(held[0]) == int(session.requests["output_tokens"][3])
    np.testing.assert_array_equal(read[0], held[0])
    np.testing.assert_array_equal(read[1], held[1])


def test_nothing_from_after_the_moment(session: Session) -> None:
    t_ns, _ = deliveries.of_request(session, 3, session.end_ns)
    early, _ = deliveries.of_request(forgetful(session), 3, int(t_ns[4]))
    np.testing.assert_array_equal(early, t_ns[:5])


def test_without_the_file_what_memory_holds(session: Session) -> None:
    forgetful(session).path.unlink()  # type: ignore[union-attr]
    assert len(sorted_rows(session, -1, session.end_ns)) == 100


def test_a_block_that_makes_no_sense_is_left_out(session: Session) -> None:
    assert session.path is not None
    before = sorted_rows(forgetful(session), -1, session.end_ns)
    with SessionFile(session.path) as file:
        file.append([Frame(Kind.TOKENS, 6 * NS, 7 * NS, {"req": np.array([1], np.uint32)})])
    assert sorted_rows(session, -1, session.end_ns) == before


@pytest.fixture
def growing(tmp_path: Path) -> tuple[Session, Session]:
    """(a run in mid-load whose ring holds a third, the same with all in memory); the file that is
    being written lacks the newest second."""
    writer = SessionWriter(tmp_path / "run.tuiapp")
    small, whole = Session(writer.path), Session()
    small.ring = TokenRing(3_000)
    for frame in frames(Load(seed=9, duration_s=8.0, rate=3.0, output_tokens=600)):
        if frame.t1_ns > 11 * NS:
            break
        if frame.t1_ns <= 10 * NS:
            writer.put(frame)
        small.fold(frame)
        whole.fold(frame)
    writer.close()
    return small, whole


def test_what_has_not_been_written_comes_from_memory(growing: tuple[Session, Session]) -> None:
    small, whole = growing
    assert not small.ring.is_whole
    assert sorted_rows(small, -1, 11 * NS) == sorted_rows(whole, -1, 11 * NS)


def test_a_request_in_flight_is_whole_though_memory_holds_its_end_only(
    growing: tuple[Session, Session],
) -> None:
    small, whole = growing
    running = np.flatnonzero(whole.requests["t_end_ns"] == UNSET)
    req = int(running[whole.requests["t_sent_ns"][running] < 9 * NS][0])
    held = deliveries.held_of_request(small, req)
    assert not held.whole
    t_ns, n = deliveries.of_request(small, req, 11 * NS, held)
    expected = whole.ring.of(req)
    assert 0 < len(held.t_ns) < len(expected[0])
    np.testing.assert_array_equal(t_ns, expected[0])
    np.testing.assert_array_equal(n, expected[1])
