"""Where the times of two compared runs meet, and what that does to the screen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.doubles.comparing import compared, record
from tests.doubles.synthetic import NS, Load, frames
from tuiapp.compare.reading import Question
from tuiapp.compare.runs import read_run
from tuiapp.errors import UsageError
from tuiapp.events import Kind
from tuiapp.session.edit import rewrite
from tuiapp.session.view import View
from tuiapp.tui.pairs.alignment import ALIGNMENTS
from tuiapp.tui.pairs.scene import Chosen


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """B's load begins later, offers requests twice as fast and ends sooner."""
    return (
        record(tmp_path / "a.tuiapp", Load(seed=1, duration_s=20, rate=6.0, start_s=5)),
        record(tmp_path / "b.tuiapp", Load(seed=2, duration_s=12, rate=12.0, start_s=12)),
    )


def chosen(pair: tuple[Path, Path], align: str) -> Chosen:
    a, b = map(read_run, pair)
    return Chosen((a, b), (0, 0), align)


def offered(view: View) -> int:
    """Requests whose intended arrival has come."""
    return int((view.session.requests["t_sched_ns"] <= view.cursor_ns).sum())


@pytest.mark.parametrize("align", ALIGNMENTS)
def test_the_clock_reaches_both_ends_and_never_goes_back(
    pair: tuple[Path, Path], align: str
) -> None:
    shown = chosen(pair, align)
    views = [shown.views(round(at), None) for at in np.linspace(0, shown.span_ns, 200)]
    for side in (0, 1):
        cursors = [both[side].cursor_ns for both in views]
        assert cursors[0] == shown.starts_ns[side]
        assert cursors[-1] == shown.ends[side].cursor_ns
        assert cursors == sorted(cursors)
        since_ns = cursors[-1] - cursors[0]
        assert shown.alignment.axis_ns >= since_ns - 1


def test_at_ready_each_begins_where_its_engine_was_ready(pair: tuple[Path, Path]) -> None:
    shown = chosen(pair, "ready")
    ready = [
        [span.start_ns for span in view.cold_start if span.name == "ready"] for view in shown.ends
    ]
    assert [[start] for start in shown.starts_ns] == ready
    a, b = shown.views(3 * NS, None)
    assert [a.cursor_ns - ready[0][0], b.cursor_ns - ready[1][0]] == [3 * NS, 3 * NS]


def test_by_offered_load_b_has_been_offered_as_many_requests(pair: tuple[Path, Path]) -> None:
    shown = chosen(pair, "offered load")
    for at_s in (1, 3, 7, 11, 15):
        a, b = shown.views(at_s * NS, None)
        assert abs(offered(a) - offered(b)) <= 1
        assert offered(a) > 2
    at_first = chosen(pair, "first request").views(7 * NS, None)
    assert offered(at_first[1]) > 1.5 * offered(at_first[0]), "by time alone, B is ahead"


def test_without_a_start_of_the_engine_there_is_no_ready(tmp_path: Path) -> None:
    paths = []
    for seed in (1, 2):
        paths.append(tmp_path / f"{seed}.tuiapp")
        given = frames(Load(seed=seed, duration_s=5))
        rewrite([frame for frame in given if frame.kind != Kind.FACTS], paths[-1])
    shown = chosen((paths[0], paths[1]), "ready")
    assert ALIGNMENTS["ready"](shown.ends) is None
    assert shown.alignment.name == "first request"


async def test_o_goes_through_them_and_the_strip_says_which(pair: tuple[Path, Path]) -> None:
    a, b = pair
    async with compared(Question(([a], [b]))) as shown:
        assert "tok/s since the load" in shown.text
        verdicts = [line for line in shown.lines if "TTFT p50" in line]
        await shown.press("o")
        assert shown.said == "aligned: ready"
        assert "tok/s since ready" in shown.text
        assert shown.screen.scene().window_label == "whole runs", "at the end one stays there"
        await shown.press("o")
        assert "tok/s by requests" in shown.text
        await shown.press("home", "right", "right", "right", "8")
        views = shown.screen.scene().views
        assert abs(offered(views[0]) - offered(views[1])) <= 1
        await shown.press("1", "o", "end")
        assert "tok/s since the load" in shown.text
        assert [line for line in shown.lines if "TTFT p50" in line] == verdicts


def test_a_copy_is_no_further_run(tmp_path: Path) -> None:
    made = {"created_ns": 1_764_000_000 * NS}
    one = record(tmp_path / "one.tuiapp", Load(duration_s=3), **made)
    other = record(tmp_path / "other.tuiapp", Load(seed=5, duration_s=3), **made)
    copy = tmp_path / "copy.tuiapp"
    copy.write_bytes(one.read_bytes())
    Question(([one], [other])).read()
    for sides in (([one], [copy]), ([one, copy], [other])):
        with pytest.raises(UsageError, match=r"one\.tuiapp and .*copy\.tuiapp are one recording"):
            Question(sides).read()
