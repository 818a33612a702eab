"""Frames that somebody made to do harm: nothing raises, hangs, grows or lies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.doubles.synthetic import Load
from tests.doubles.synthetic import frames as made_up
from tests.fuzz.bytes_of import SYNC, file_of, heal
from tests.fuzz.strategies import frames
from tests.fuzz.uses import fold, numbers, read_all, use
from tuiapp.events import (
    ENGINE_INFO,
    LOAD_STATE,
    Frame,
    Kind,
    facts_frame,
    log_frame,
    mark_frame,
)
from tuiapp.exports.summary import summary
from tuiapp.session import validity
from tuiapp.session.columns import Session
from tuiapp.session.frames import RAW, pack
from tuiapp.session.validity import MAX_NS, MAX_REQ
from tuiapp.session.view import View

SEEDED = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
RUN = [*made_up(Load(seed=3, duration_s=3.0, rate=5.0, output_tokens=6, gpus=1, start_s=0.5))]
DATA = file_of(*(pack(frame, SYNC, seq, RAW) for seq, frame in enumerate(RUN)))


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


# -- whatever the frames hold --------------------------------------------------------------


@settings(SEEDED, max_examples=60)
@given(st.lists(frames(), max_size=10), st.lists(frames(broken=True), max_size=3))
def test_any_frames_alone(sound: list[Frame], broken: list[Frame]) -> None:
    use(fold([*sound, *broken]))


@settings(SEEDED, max_examples=60)
@given(st.lists(frames(), max_size=4), st.lists(frames(broken=True), max_size=4))
def test_any_frames_among_those_of_a_run(sound: list[Frame], broken: list[Frame]) -> None:
    use(fold([*RUN[:40], *broken, *sound, *RUN[40:]]))


@settings(SEEDED, max_examples=120)
@given(frames(broken=True))
def test_a_frame_is_taken_or_left_as_a_whole(frame: Frame) -> None:
    session = fold(RUN[:30])
    before = json.dumps(summary(View(session, session.end_ns))), session.folded
    session.fold(frame)
    if session.rejected:
        after = json.dumps(summary(View(session, session.end_ns)))
        told = "1 batch makes no sense, left out"
        assert told in after
        assert json.loads(before[0]) == json.loads(after) | {
            "caveats": json.loads(before[0])["caveats"]
        }


@settings(SEEDED, max_examples=120)
@given(data=st.data())
def test_any_bytes_with_right_checksums(scratch: Path, data: st.DataObject) -> None:
    changed = bytearray(DATA)
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(changed) - 1))
        size = data.draw(st.sampled_from((0, 1, 1, 4, 8)))
        changed[at : at + size] = data.draw(st.binary(min_size=size, max_size=8))
    path = written(scratch / "any.tuiapp", heal(bytes(changed)))
    found = read_all(path)
    if found is not None:
        numbers(View(found[0], found[0].end_ns))


# -- frames that break the vocabulary ------------------------------------------------------


def samples(columns: dict[str, Any], group: Any = "cpu") -> Frame:
    return Frame(Kind.SAMPLES, 0, 1, columns, {"group": group})


def requests(**columns: Any) -> Frame:
    return Frame(Kind.REQUESTS, 0, 1, {"req": [0], **columns})


def tokens(**columns: Any) -> Frame:
    return Frame(Kind.TOKENS, 0, 1, {"req": [0], "t_ns": [1], "n": [1], **columns})


def info(**value: Any) -> Frame:
    return facts_frame(1, ENGINE_INFO, json.dumps(value))


DEEP: Any = None
for _ in range(100):
    DEEP = {"more": DEEP}

BROKEN: dict[str, Frame] = {
    "an id beyond all": requests(req=[MAX_REQ]),
    "an id far from the others": requests(req=[MAX_REQ - 1]),
    "a negative id": tokens(req=[-1]),
    "an id that is text": requests(req=["0"]),
    "an id that is a fraction": requests(req=np.array([0.5])),
    "an id in two dimensions": requests(req=np.zeros((1, 1), np.uint32)),
    "no id": Frame(Kind.REQUESTS, 0, 1, {"status": [1]}),
    "no columns": Frame(Kind.TOKENS, 0, 1),
    "columns of two lengths": tokens(n=[1, 2]),
    "a time before the start": tokens(t_ns=[-1]),
    "a time in years": requests(t_first_ns=[2**62]),
    "the earliest time": requests(t_first_ns=[-(2**63)]),
    "an end in years": mark_frame(MAX_NS, "late"),
    "an end before the start": mark_frame(-1, "early"),
    "a count that does not fit": tokens(n=[1 << 16]),
    "a negative count": requests(output_tokens=[-5]),
    "a gauge that is text": samples({"t_ns": [1], "total": ["all"]}),
    "a gauge beyond its type": samples({"t_ns": [1], "total": np.array([1e300])}),
    "a group that is a map": samples({"t_ns": [1]}, {"a": 1}),
    "10,000 gauges": samples({"t_ns": [1]} | {f"g{at}": [1.0] for at in range(10_000)}),
    "a log line that is a number": Frame(
        Kind.LOG, 0, 1, {"t_ns": [1], "source": ["a"], "level": ["b"], "text": [5]}
    ),
    "a log line without end": log_frame(1, "engine", "INFO", "x" * 100_000),
    "attributes that are a list": Frame(Kind.META, 0, 0, {}, ["model"]),  # type: ignore[arg-type]
    "a model that is text": Frame(Kind.META, 0, 0, {}, {"model": "llama"}),
    "a header too deep": Frame(Kind.META, 0, 0, {}, {"host": DEEP}),
    "a header too wide": Frame(Kind.META, 0, 0, {}, {"host": {str(at): 1 for at in range(30_000)}}),
    "a header with infinity": Frame(Kind.META, 0, 0, {}, {"host": {"cores": float("inf")}}),
    "a header with bytes": Frame(Kind.META, 0, 0, {}, {"host": {"os": b"Linux"}}),
    "objectives without end": Frame(Kind.META, 0, 0, {}, {"slo": ["ttft:p99<1s"] * 1000}),
    "a rate that is text": Frame(Kind.META, 0, 0, {}, {"workload": {"rate": "fast"}}),
    "an engine that is a list": info(engine=[1]),
    "an engine told too deeply": facts_frame(1, ENGINE_INFO, '{"a":' * 90_000 + "1" + "}" * 90_000),
    "depth behind closed brackets": facts_frame(1, "x", '["' + "]" * 9000 + '",' + "[" * 9000),
    "a host that is not a number": facts_frame(1, ENGINE_INFO, '{"host": {"a": NaN}}'),
    "a rate of 400 digits": facts_frame(
        1, LOAD_STATE, '{"state": "running", "rate": 1%s}' % ("0" * 400)
    ),
    "slices that are a number": info(host={"gpus": [{"index": 0, "mig": {"instances": 7}}]}),
    "frames lost that are text": Frame(Kind.GAP, 0, 1, {}, {"frames": "some"}),
    "fewer than no frames lost": Frame(Kind.GAP, 0, 1, {}, {"frames": -3}),
}


@pytest.mark.parametrize("frame", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_frame_is_left_out_and_told(frame: Frame) -> None:
    session = Session()
    session.fold(frame)
    assert validity.trouble(frame, session)
    assert (session.rejected, session.end_ns, session.meta) == (1, 0, {})
    assert not len(session.requests)
    assert not session.samples
    assert "1 batch makes no sense, left out" in summary(View(session, 0))["caveats"]


def test_nothing_of_a_run_is_broken() -> None:
    assert fold(RUN).rejected == 0


def test_ids_may_rise_as_fast_as_there_are_rows() -> None:
    session = fold([requests(req=np.arange(at, at + 300_000)) for at in (0, 300_000)])
    assert session.rejected == 0
    assert len(session.requests) == 600_000


def test_too_much_of_everything() -> None:
    """Ten thousand groups, facts without end: what is beyond the bounds is left out and told."""
    session = fold([samples({"t_ns": [at]}, f"group {at}") for at in range(2_000)])
    assert len(session.samples) == validity.MAX_GROUPS
    assert session.rejected == 2_000 - validity.MAX_GROUPS
    rows = validity.MAX_FACTS // 2 + 1
    facts = {"t_ns": np.zeros(rows, np.int64), "name": ["a"] * rows, "value": ["1"] * rows}
    marks = {"t_ns": np.zeros(rows, np.int64), "text": ["a"] * rows}
    for kind, columns in ((Kind.FACTS, facts), (Kind.MARK, marks)):
        crowded = fold([Frame(kind, 0, 1, columns)] * 2)
        assert crowded.rejected == 1
