"""What is lost of a recording makes less known, and nothing that is known wrong."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.doubles.synthetic import NS
from tuiapp import cli
from tuiapp.events import ENGINE_EXIT, Frame, Kind, Phase, Status, facts_frame
from tuiapp.exports.summary import summary
from tuiapp.player import Player
from tuiapp.session.columns import Session
from tuiapp.session.file import SessionFile
from tuiapp.session.latency import request_values
from tuiapp.session.library import annotate
from tuiapp.session.reader import load
from tuiapp.session.verify import verify
from tuiapp.session.view import View

SAMPLES = Path(__file__).parents[2] / "sample_sessions"
PAGE = 4096
METRICS = ("ttft", "tpot", "e2el")


@cache
def whole() -> Session:
    return load(SAMPLES / "steady.tuiapp")


def values(session: Session, metric: str) -> dict[int, float]:
    req, found = request_values(session, metric, -1, session.end_ns)
    return dict(zip(req.tolist(), found.tolist(), strict=True))


def assert_only_less_is_known(session: Session) -> None:
    for metric in METRICS:
        assert values(session, metric).items() <= values(whole(), metric).items(), metric
    ticks = (0, session.end_ns // 250_000_000 + 1)
    assert (session.gaps.between(*ticks) <= whole().gaps.between(*ticks)).all()
    told = summary(View(session, session.end_ns))["requests"]
    assert told["cut"] == told["failed"] == told["unfinished"] == 0
    assert told["ok"] + told["lost"] == told["sent"]


def played(path: Path) -> Session:
    async def read() -> Session:
        player = Player(path)
        await player.read()
        player.close()
        return player.session

    return asyncio.run(read())


@pytest.mark.parametrize("torn", [False, True])
def test_a_zeroed_page_makes_nothing_wrong(tmp_path: Path, torn: bool) -> None:
    data = (SAMPLES / "steady.tuiapp").read_bytes()
    ends_lost = 0
    for page in range(20, len(data) // PAGE - 12, 8):
        damaged = bytearray(data)
        damaged[page * PAGE : (page + 1) * PAGE] = bytes(PAGE)
        path = tmp_path / "damaged.tuiapp"
        path.write_bytes(damaged[:-5] if torn else damaged)  # without its trailer it is scanned
        for session in (load(path), played(path)):
            assert_only_less_is_known(session)
            assert session.lost_frames
            ends_lost += int((session.requests["status"] == Status.LOST).sum())
    assert ends_lost, "some page told the end of a request"


def test_the_result_says_what_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "damaged.tuiapp"
    data = bytearray((SAMPLES / "steady.tuiapp").read_bytes())
    data[61 * PAGE : 62 * PAGE] = bytes(PAGE)
    path.write_bytes(data)
    session = load(path)
    found = summary(View(session, session.end_ns))
    told = " ".join(found["caveats"])
    assert "requests may be missing" in told
    assert f"the end of {found['requests']['lost']} request" in told
    assert "in flight when the run was stopped" not in told


def ended(*between: Frame, expected: bool = True) -> list[int]:
    """Status of four requests that were in flight, the last one of them after all in ``between``,
    when their engine's end is told."""
    sent_ns = np.array([1, 2, 3, 9], np.int64) * NS
    columns = {
        "req": np.arange(4, dtype=np.uint32),
        "t_sched_ns": sent_ns,
        "t_sent_ns": sent_ns,
        "phase": np.full(4, Phase.MEASURE, np.uint8),
    }
    session = Session()
    session.fold(Frame(Kind.META, 0, 0, attrs={"model": {"name": "m"}}))
    session.fold(Frame(Kind.REQUESTS, NS, 9 * NS, columns))
    for frame in between:
        session.fold(frame)
    session.fold(facts_frame(10 * NS, ENGINE_EXIT, f'{{"expected": {str(expected).lower()}}}'))
    return [int(status) for status in session.requests["status"]]


def lost(t1_s: float, **attrs: object) -> Frame:
    return Frame(Kind.GAP, 0, round(t1_s * NS), {}, {"frames": 1, "reason": "damaged", **attrs})


def token(req: int, t_s: float) -> Frame:
    columns = {"req": np.array([req], np.uint32), "t_ns": np.array([round(t_s * NS)], np.int64),
               "n": np.array([1], np.uint16)}  # fmt: skip
    return Frame(Kind.TOKENS, round(t_s * NS), round(t_s * NS), columns)


@pytest.mark.parametrize(("expected", "status"), [(True, Status.CUT), (False, Status.FAILED)])
def test_an_engine_s_end_ends_what_was_in_flight(expected: bool, status: Status) -> None:
    assert ended(expected=expected) == [status] * 4


@pytest.mark.parametrize(("expected", "status"), [(True, Status.CUT), (False, Status.FAILED)])
def test_but_not_what_may_have_ended_in_what_is_lost(expected: bool, status: Status) -> None:
    told = ended(lost(5.0), expected=expected)
    assert told == [Status.LOST, Status.LOST, Status.LOST, status]


def test_who_was_heard_of_afterwards_had_not_ended() -> None:
    assert ended(lost(5.0), token(1, 6.0)) == [Status.LOST, Status.CUT, Status.LOST, Status.CUT]
    assert ended(token(1, 4.0), lost(5.0))[1] == Status.LOST


def test_what_the_agent_lost_is_not_the_run_s() -> None:
    assert ended(lost(60.0, source="agent")) == [Status.CUT] * 4


def test_no_gap_between_tokens_spans_what_is_lost() -> None:
    def gaps(*between: Frame) -> int:
        session = Session()
        columns = {"req": np.array([0], np.uint32), "t_sent_ns": np.array([NS], np.int64),
                   "phase": np.array([Phase.MEASURE], np.uint8)}  # fmt: skip
        session.fold(Frame(Kind.META, 0, 0, attrs={"model": {"name": "m"}}))
        session.fold(Frame(Kind.REQUESTS, NS, NS, columns))
        for frame in between:
            session.fold(frame)
        return int(session.gaps.between(0, 100).sum())

    assert gaps(token(0, 2.0), token(0, 8.0), token(0, 8.1)) == 2
    assert gaps(token(0, 2.0), lost(5.0), token(0, 8.0), token(0, 8.1)) == 1


# -- what is written -------------------------------------------------------------------------


def test_a_note_on_what_was_torn_off_does_not_hide_it(tmp_path: Path) -> None:
    path = tmp_path / "torn.tuiapp"
    path.write_bytes((SAMPLES / "steady.tuiapp").read_bytes()[:300_000])
    before = verify(path)
    assert before.torn_bytes
    annotate(path, "found after a crash")
    after = verify(path)
    (gap,) = after.gaps
    assert "torn off" in gap["reason"]
    session = load(path)
    assert session.meta["note"] == "found after a crash"
    assert session.lost_frames == 1
    with SessionFile(path) as file:
        assert file.indexed


@pytest.mark.parametrize("form", ["text", "json", "svg", "csv"])
def test_no_export_overwrites_a_recording(
    tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.tuiapp"
    data = (SAMPLES / "steady.tuiapp").read_bytes()
    path.write_bytes(data)
    words = ["sessions", "export", str(path), "--to", form, "-o", str(path), "--force"]
    assert cli.main(words) == 2
    assert "is a recording, and is not overwritten" in capsys.readouterr().err
    assert path.read_bytes() == data
