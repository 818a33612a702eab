"""The run as trace events: valid, in lanes without overlap, thinned out, nothing made up."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.doubles.drawing import HOSTILE
from tests.doubles.synthetic import NS, Load, frames
from tests.unit.exported import FIXTURE, recorded, strict_json, text_of
from tuiapp.events import Frame, Kind, mark_frame
from tuiapp.exports.trace import COUNTER_NS
from tuiapp.session.columns import Session
from tuiapp.session.file import SessionFile
from tuiapp.session.reader import load

LOAD = Load(duration_s=20.0, rate=15.0, gpus=2, failed_share=0.05, output_tokens=80)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return recorded(tmp_path_factory.mktemp("run") / "run.tuiapp", frames(LOAD))


def events(session: Session, cursor_ns: int | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = strict_json(text_of("trace", session, cursor_ns))["traceEvents"]
    return found


def of(found: list[dict[str, Any]], phase: str) -> list[dict[str, Any]]:
    return [event for event in found if event["ph"] == phase]


def in_ns(event: dict[str, Any]) -> tuple[int, int]:
    start = round(event["ts"] * 1e3)
    return start, start + round(event.get("dur", 0) * 1e3)


@pytest.mark.parametrize("share", [1.0, 0.63])
@pytest.mark.parametrize("name", ["synthetic", "v1.1"])
def test_spans_of_a_lane_never_overlap(session: Session, name: str, share: float) -> None:
    run = session if name == "synthetic" else load(FIXTURE)
    cursor_ns = int(run.end_ns * share)
    lanes = defaultdict(list)
    for event in of(events(run, cursor_ns), "X"):
        lanes[event["tid"]].append(in_ns(event))
    assert lanes
    for spans in lanes.values():
        for (_, end), (start, _) in pairwise(sorted(spans)):
            assert end <= start
        assert all(end <= cursor_ns for _, end in spans)
    assert sorted(lanes) == list(range(1, len(lanes) + 1))


def test_spans_are_the_moments_of_the_requests(session: Session) -> None:
    table = session.requests
    spans = {(event["args"]["req"], event["name"]): event for event in of(events(session), "X")}
    assert len(spans) == 3 * len(table)
    for req in range(len(table)):
        for name, begin, stop in (
            ("queue", "t_queued_ns", "t_prefill_ns"),
            ("prefill", "t_prefill_ns", "t_core_first_ns"),
            ("decode", "t_first_ns", "t_last_ns"),
        ):
            assert in_ns(spans[req, name]) == (table[begin][req], table[stop][req])
    status = {event["args"]["status"] for event in spans.values()}
    assert status == {"ok", "failed"}


def test_a_request_in_flight_at_the_cursor_is_open_and_tells_no_outcome(session: Session) -> None:
    table = session.requests
    req = 40
    cursor_ns = int(table["t_first_ns"][req] + table["t_last_ns"][req]) // 2
    mine = [event for event in of(events(session, cursor_ns), "X") if event["args"]["req"] == req]
    assert [event["name"] for event in mine] == ["queue", "prefill", "decode"]
    assert in_ns(mine[-1]) == (table["t_first_ns"][req], cursor_ns)
    assert mine[-1]["args"]["open"] is True
    assert not {"status", "output_tokens"} & set(mine[-1]["args"])


def test_counters_are_thinned_to_ten_a_second_and_hold_the_raw_steps(session: Session) -> None:
    counters = defaultdict(list)
    for event in of(events(session), "C"):
        counters[event["pid"], event["name"]].append(event)
    for found in counters.values():
        stretches = [in_ns(event)[0] // COUNTER_NS for event in found]
        assert stretches == sorted(set(stretches))
    assert session.path is not None
    with SessionFile(session.path) as file:
        steps = list(file.frames([Kind.STEPS]))
    tokens = sum(int(np.sum(frame.columns["output_tokens"])) for frame in steps)
    told = sum(event["args"]["value"] for event in counters[2, "output_tokens"])
    assert told == tokens > 0
    raw = {int(t_ns) for frame in steps for t_ns in frame.columns["t_ns"]}
    assert {in_ns(event)[0] for event in counters[2, "running"]} <= raw
    assert {(3, "cpu total"), (3, "driver loop_lag_s"), (4, "gpu1 power_w")} <= set(counters)


def test_what_is_unknown_is_left_out_and_never_zero() -> None:
    session = Session()
    session.fold(Frame(Kind.META, 0, 0))
    columns = {
        "t_ns": np.array([NS // 4, NS // 2]),
        "util": np.array([np.nan, 0.5], np.float32),
        "power_w": np.array([np.nan, np.inf], np.float32),
    }
    session.fold(Frame(Kind.SAMPLES, NS // 4, NS // 2, columns, {"group": "gpu0"}))
    (only,) = of(events(session), "C")
    assert (only["name"], only["ts"], only["args"]) == ("gpu0 util", 5e5, {"value": 0.5})


def test_imported_requests_have_no_queue_and_no_prefill(tmp_path: Path, session: Session) -> None:
    from tuiapp import imports

    path = tmp_path / "result.json"
    path.write_text(text_of("vllm-bench", session))
    back = load(imports.import_file(path, tmp_path / "back.tuiapp"))
    found = events(back)
    assert {event["name"] for event in of(found, "X")} == {"decode"}
    assert not of(found, "C")


def test_without_a_file_the_steps_are_those_of_the_ticks(session: Session) -> None:
    alone = Session()
    for frame in frames(LOAD):
        alone.fold(frame)

    def total(run: Session) -> float:
        return sum(
            event["args"]["value"]
            for event in of(events(run), "C")
            if (event["pid"], event["name"]) == (2, "prompt_tokens")
        )

    assert total(alone) == total(session)


def test_nothing_after_the_cursor_is_told(session: Session) -> None:
    cursor_ns = session.end_ns // 2
    session.fold(mark_frame(cursor_ns, "now"))
    session.fold(mark_frame(cursor_ns + 1, "later"))
    found = events(session, cursor_ns)
    assert max(in_ns(event)[1] for event in found if "ts" in event) <= cursor_ns
    assert [event["name"] for event in of(found, "i")] == ["now"]


def test_an_empty_session_is_an_empty_trace() -> None:
    assert {event["ph"] for event in events(Session())} == {"M"}


def test_whatever_is_said_the_json_is_valid() -> None:
    session = Session()
    session.fold(Frame(Kind.META, 0, 0))
    for at, text in enumerate(HOSTILE):
        session.fold(mark_frame(at, text))
        columns = {"t_ns": np.array([at]), f"g{text}": np.array([1.0], np.float32)}
        session.fold(Frame(Kind.SAMPLES, at, at, columns, {"group": text}))
    found = events(session)
    assert len(of(found, "i")) == len(HOSTILE)
    for event in found:
        assert not set(event["name"]) & set("\x00\x1b\r\n\ud800\u202e")


@pytest.mark.parametrize("gpus", [0, 1])
def test_a_machine_without_a_gpu_has_no_lane_for_one(gpus: int) -> None:
    session = Session()
    for frame in frames(Load(duration_s=2.0, gpus=gpus)):
        session.fold(frame)
    events = strict_json(text_of("trace", session))["traceEvents"]
    names = {event["args"]["name"] for event in events if event["name"] == "process_name"}
    assert ("GPU" in names) == bool(gpus)
    assert {"requests", "engine steps", "host"} <= names
