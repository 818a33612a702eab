"""Parts of a recording: what a view over one shows, and that parts become the whole again."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doubles.synthetic import NS, Load, frames
from tuiapp.errors import SessionError, UsageError
from tuiapp.events import (
    CLIENT_LIMITED,
    ENGINE_EXIT,
    Frame,
    Kind,
    facts_frame,
    log_frame,
    mark_frame,
)
from tuiapp.exports.summary import summary
from tuiapp.player import Player
from tuiapp.session.blocks import merge_frames
from tuiapp.session.columns import TICK_NS, Session
from tuiapp.session.cut import Range, cut, held, merge_parts
from tuiapp.session.edit import rewrite
from tuiapp.session.file import SessionFile
from tuiapp.session.library import annotate
from tuiapp.session.moments import parse_moment
from tuiapp.session.reader import load, read_frames
from tuiapp.session.verify import verify
from tuiapp.session.view import View
from tuiapp.session.writer import SessionWriter

METRICS = ("ttft", "tpot", "itl", "e2el")
RUN = {"created_ns": 1_764_000_000 * NS, "origin_ns": 77, "session": "/srv/run.tuiapp"}
LOADS = {
    "steady": Load(seed=5, duration_s=8.0, rate=9.0, output_tokens=90, tpot_s=0.02),
    "stalled": Load(seed=6, duration_s=8.0, rate=9.0, stall=(3.0, 5.0)),
    "failing": Load(seed=7, duration_s=8.0, rate=9.0, failed_share=0.2, output_tokens=90),
}


def whole_run(name: str) -> list[Frame]:
    """The run a second at a time, as a file holds it, with everything a recorder adds."""
    extra = [
        Frame(Kind.META, 0, 0, attrs=RUN),
        facts_frame(int(6.1 * NS), CLIENT_LIMITED, json.dumps({"limited": True})),
        facts_frame(int(7.2 * NS), CLIENT_LIMITED, json.dumps({"limited": False})),
        log_frame(int(6.4 * NS), "engine", "info", "a line"),
        log_frame(int(9.7 * NS), "engine", "info", "another line"),
        mark_frame(int(8.3 * NS), "here"),
        Frame(Kind.GAP, 9 * NS, int(9.5 * NS), attrs={"frames": 2, "reason": "disk"}),
        Frame(99, 7 * NS, 8 * NS, {"x": np.arange(3.0)}, {"later": "version"}),
    ]
    given = [*extra[:1], *frames(LOADS[name]), *extra[1:]]
    end_ns = max(frame.t1_ns for frame in given) + NS // 10
    value = json.dumps({"code": 0, "expected": True})
    return [*given, facts_frame(end_ns, ENGINE_EXIT, value)]


@pytest.fixture(scope="module", params=sorted(LOADS))
def recording(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Path:
    path = tmp_path_factory.mktemp("whole") / f"{request.param}.tuiapp"
    return record(path, request.param)


def record(path: Path, name: str) -> Path:
    """A file of one-second blocks: frames are handed over in the order of time."""
    seconds: dict[int, list[Frame]] = {}
    for frame in whole_run(name):
        seconds.setdefault(frame.t1_ns // NS, []).append(frame)
    rewrite((block for at in sorted(seconds) for block in merge_frames(seconds[at])), path)
    return path


def shown(view: View) -> dict[str, Any]:
    """Every number and word of the screen."""
    result: dict[str, Any] = summary(view)
    result |= {name: getattr(view, name) for name in ("traffic", "split", "goodput_per_s")}
    result |= {"health": view.health, "log": view.log(50), "facts": view.facts()}
    result |= {"marks": view.marks(), "cold": view.cold_start, "lost": view.session.lost_frames}
    result["recent"] = {metric: view.recent(metric).summary for metric in METRICS}
    result["gauges"] = [view.gauge("cpu", "total"), view.gauge("process", "rss_bytes")]
    return result


@settings(max_examples=12, deadline=None)
@given(
    name=st.sampled_from(sorted(LOADS)),
    edges=st.lists(st.integers(0, 15 * NS), min_size=1, max_size=3, unique=True),
)
def test_cut_and_merge_is_the_identity(name: str, edges: list[int]) -> None:
    with TemporaryDirectory() as folder:
        whole = record(Path(folder) / "whole.tuiapp", name)
        original = load(whole)
        edges = [edge for edge in sorted(edges) if 0 < edge < original.end_ns]
        bounds = [-1, *edges, original.end_ns]
        parts = []
        for at in range(len(bounds) - 1):
            part = Path(folder) / f"part{at}.tuiapp"
            cut(whole, bounds[at], bounds[at + 1], part)
            parts.append(part)
        target = Path(folder) / "merged.tuiapp"
        assert merge_parts(parts[::-1], target).is_whole
        merged = load(target)
        assert verify(target).whole
        assert_same(merged, original)
        unknown = [frame for frame in read_frames(target) if frame.kind == 99]
        assert [frame.columns["x"].tolist() for frame in unknown] == [[0.0, 1.0, 2.0]]


def assert_same(merged: Session, original: Session) -> None:
    assert merged.end_ns == original.end_ns
    assert merged.meta == original.meta
    for cursor in range(TICK_NS - 1, original.end_ns + TICK_NS, 3 * TICK_NS):
        for window in (None, 2 * NS):
            assert shown(View(merged, cursor, window)) == shown(View(original, cursor, window))
    for name in original.requests.names:
        np.testing.assert_array_equal(merged.requests[name], original.requests[name])
    for got, had in zip(merged.ring.held(), original.ring.held(), strict=True):
        assert sorted(got) == sorted(had)


@pytest.mark.parametrize(("from_s", "to_s"), [(6.5, 10.5), (7.0, 9.0), (5.25, 12.75)])
def test_a_view_over_a_part_shows_what_the_whole_shows_there(
    recording: Path, tmp_path: Path, from_s: float, to_s: float
) -> None:
    part = tmp_path / "part.tuiapp"
    from_ns, to_ns = int(from_s * NS) - 1, int(to_s * NS) - 1
    assert cut(recording, from_ns, to_ns, part).to_ns == to_ns
    here, whole = load(part), load(recording)
    assert here.end_ns <= to_ns
    for cursor in range(from_ns + TICK_NS, to_ns + 1, TICK_NS):
        window = cursor - from_ns  # as far back as the part reaches
        a, b = View(here, cursor, window), View(whole, cursor, window)
        for metric in METRICS:
            assert a.recent(metric).summary == b.recent(metric).summary, metric
            assert a.run(metric).summary == b.recent(metric).summary, metric
        assert a.tokens(from_ns, cursor) == b.tokens(from_ns, cursor)
        assert a.good(from_ns, cursor) == b.good(from_ns, cursor)
        assert (a.health, a.cold_start, a.split) == (b.health, b.cold_start, b.split)
        for name in ("running", "waiting", "kv_usage", "in_flight", "oldest_wait_ns"):
            assert getattr(a.traffic, name) == getattr(b.traffic, name), name
        assert a.gauge("cpu", "total") == b.gauge("cpu", "total")
        assert a.marks() == [mark for mark in b.marks() if mark.t_ns > from_ns]


def test_a_part_is_played_from_where_it_begins(recording: Path, tmp_path: Path) -> None:
    part, from_ns = tmp_path / "part.tuiapp", int(8.77 * NS)
    cut(recording, from_ns, 12 * NS, part)
    player = Player(part)
    assert (player.start_ns, player.load_start_ns) == (from_ns, from_ns)
    half = parse_moment("50%", 0, player.end_ns, start_ns=player.start_ns)
    assert half == (from_ns + player.end_ns) // 2
    assert parse_moment("start", 0, player.end_ns, start_ns=player.start_ns) == from_ns
    assert Player(recording).start_ns == 0


def test_the_first_moment_of_a_part_knows_the_state_of_things(
    recording: Path, tmp_path: Path
) -> None:
    part, from_ns = tmp_path / "part.tuiapp", int(8.77 * NS)
    cut(recording, from_ns, 12 * NS, part)
    here, whole = View(load(part), from_ns + 1, NS), View(load(recording), from_ns + 1, NS)
    assert here.gauge("driver", "rate") == whole.gauge("driver", "rate")
    assert here.health == whole.health
    assert here.traffic.in_flight == whole.traffic.in_flight > 0
    assert here.run_start_ns == from_ns


def test_in_a_stall_the_newest_word_of_the_engine_holds(tmp_path: Path) -> None:
    whole, part = record(tmp_path / "whole.tuiapp", "stalled"), tmp_path / "part.tuiapp"
    from_ns = 9 * NS  # nothing is delivered from 8 s to 10 s
    cut(whole, from_ns, 12 * NS, part)
    here, there = (View(load(path), from_ns + NS // 4, NS // 4).traffic for path in (part, whole))
    assert here.running == there.running
    assert here.running is not None
    assert (here.waiting, here.kv_usage) == (there.waiting, there.kv_usage)


def test_a_part_knows_nothing_of_what_came_after_it(recording: Path, tmp_path: Path) -> None:
    part, to_ns = tmp_path / "part.tuiapp", int(8.5 * NS)
    cut(recording, -1, to_ns, part)
    session = load(part)
    assert session.end_ns <= to_ns
    for name in session.requests.names:
        if name.endswith("_ns"):
            assert session.requests[name].max(initial=-1) <= to_ns, name
    cut_off = np.flatnonzero(session.requests["t_end_ns"] < 0)
    assert len(cut_off) > 0
    req, t_ns, n = session.ring.held()
    for number in cut_off:
        delivered = int(n[(req == number) & (t_ns <= to_ns)].sum())
        assert session.requests["output_tokens"][number] <= delivered
        assert session.requests["status"][number] == 0


def test_a_part_says_what_it_was_cut_from_and_can_be_cut_again(
    recording: Path, tmp_path: Path
) -> None:
    half, quarter = tmp_path / "half.tuiapp", tmp_path / "quarter.tuiapp"
    end_ns = load(recording).end_ns
    cut(recording, 6 * NS, 10 * NS, half)
    assert load(half).meta["cut"] == {
        "from_ns": 6 * NS, "to_ns": 10 * NS, "end_ns": end_ns, "file": recording.name,
    }  # fmt: skip
    assert cut(half, 8 * NS, 20 * NS, quarter) == Range(8 * NS, 10 * NS, end_ns)
    with SessionFile(quarter) as file:
        assert held(file) == Range(8 * NS, 10 * NS, end_ns)
    assert merge_back(recording, half, quarter, tmp_path) == Range(6 * NS, 10 * NS, end_ns)


def merge_back(recording: Path, half: Path, quarter: Path, folder: Path) -> Range:
    cut(half, 6 * NS, 8 * NS, folder / "other.tuiapp")
    kept = merge_parts([quarter, folder / "other.tuiapp"], folder / "again.tuiapp")
    assert load(folder / "again.tuiapp").meta["cut"]["from_ns"] == 6 * NS
    return kept


def test_a_stretch_that_is_missing_between_parts_counts_as_lost(
    recording: Path, tmp_path: Path
) -> None:
    a, b, both = (tmp_path / f"{name}.tuiapp" for name in "abc")
    cut(recording, -1, 7 * NS, a)
    cut(recording, int(9.6 * NS), 20 * NS, b)
    merge_parts([a, b], both)
    assert load(both).lost_frames == 1
    assert [frame.t1_ns for frame in read_frames(both) if frame.kind == Kind.GAP] == [9600000000]


def test_every_part_s_own_note_is_kept(recording: Path, tmp_path: Path) -> None:
    a, b, c, both = (tmp_path / f"{name}.tuiapp" for name in "abcd")
    for path, start_ns, end_ns, note in (
        (a, -1, 5 * NS, "cold"), (b, 5 * NS, 7 * NS, "warm"), (c, 7 * NS, 20 * NS, "cold")
    ):  # fmt: skip
        cut(recording, start_ns, end_ns, path)
        annotate(path, note)
    merge_parts([c, a, b], both)
    assert load(both).meta["note"] == "cold · warm"


def test_nothing_in_a_range_is_wrong_usage(recording: Path, tmp_path: Path) -> None:
    for bounds in ((30 * NS, 40 * NS), (5 * NS, 5 * NS), (6 * NS, 5 * NS)):
        with pytest.raises(UsageError, match="nothing between"):
            cut(recording, *bounds, tmp_path / "part.tuiapp")
    assert list(tmp_path.iterdir()) == []


def test_parts_of_different_runs_are_not_merged(recording: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.tuiapp"
    writer = SessionWriter(other)
    writer.put(Frame(Kind.META, 0, 0, attrs=RUN | {"origin_ns": 78}))
    writer.close()
    with pytest.raises(UsageError, match="different runs"):
        merge_parts([recording, other], tmp_path / "both.tuiapp")
    assert not (tmp_path / "both.tuiapp").exists()


def test_a_recording_that_does_not_say_its_run_is_not_merged(tmp_path: Path) -> None:
    paths = [tmp_path / "a.tuiapp", tmp_path / "b.tuiapp"]
    for path in paths:
        writer = SessionWriter(path)
        writer.put(mark_frame(1, "x"))
        writer.close()
    with pytest.raises(UsageError, match="does not say which run"):
        merge_parts(paths, tmp_path / "both.tuiapp")


def test_parts_that_overlap_are_not_merged(recording: Path, tmp_path: Path) -> None:
    part = tmp_path / "part.tuiapp"
    cut(recording, 6 * NS, 9 * NS, part)
    with pytest.raises(UsageError, match=r"both hold 6.0 s to 9.0 s"):
        merge_parts([part, recording], tmp_path / "both.tuiapp")


def test_an_existing_target_stays(recording: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine.tuiapp"
    target.write_text("mine")
    with pytest.raises(SessionError, match="exists already"):
        cut(recording, -1, 9 * NS, target)
    assert target.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [target]
