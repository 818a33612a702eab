"""The strip's columns: everything is counted once, whatever their number."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tests.doubles.drawing import picture
from tests.doubles.synthetic import NS, Load, frames
from tuiapp.session.columns import Session
from tuiapp.session.overview import overview
from tuiapp.session.view import View
from tuiapp.tui.panes.axes import time_ticks
from tuiapp.tui.renderables.overview import OverviewStrip


@pytest.fixture(scope="module")
def view() -> View:
    session = Session()
    for frame in frames(Load(seed=2, duration_s=30.0, stall=(10.0, 14.0), failed_share=0.1)):
        session.fold(frame)
    return View(session, session.end_ns)


@pytest.mark.parametrize("columns", [1, 7, 60, 400, 3000])
def test_all_tokens_and_failures_are_in_some_column(view: View, columns: int) -> None:
    found = overview(view, view.cursor_ns, columns)
    assert found.columns == columns
    seconds = (view.cursor_ns + 1) / NS / columns
    delivered = view.session.ring.total
    # The last tick reaches beyond the end.
    assert found.tokens_per_s.sum() * seconds == pytest.approx(delivered, rel=0.01)
    assert found.failed.sum() == view.traffic.failed


def test_a_stall_is_seen_where_it_was(view: View) -> None:
    found = overview(view, view.cursor_ns, 40)
    stalled = slice(found.column(16 * NS), found.column(18 * NS))
    assert (found.tokens_per_s[stalled] == 0).all()
    worst = int(np.nanargmax(found.p99_ns))
    assert found.column(int(18.9 * NS)) <= worst <= found.column(int(19.9 * NS))
    assert found.p99_ns[worst] > 3 * NS


@pytest.mark.parametrize("columns", [1, 33, 100])
def test_columns_and_moments_agree(view: View, columns: int) -> None:
    found = overview(view, view.cursor_ns, columns)
    assert [found.column(found.last_ns(at)) for at in range(columns)] == list(range(columns))
    assert found.column(found.last_ns(0) + 1) == min(1, columns - 1)
    assert found.last_ns(columns - 1) == view.cursor_ns


def test_nothing_at_all() -> None:
    found = overview(View(Session(), 0), 0, 5)
    assert (found.tokens_per_s == 0).all()
    assert np.isnan(found.p99_ns).all()


@pytest.mark.parametrize(("width", "height"), [(1, 1), (40, 1), (40, 2), (97, 3), (5, 3)])
def test_the_strip_is_as_large_as_asked(view: View, width: int, height: int) -> None:
    found = overview(view, view.cursor_ns, width)
    cursor = found.column(10 * NS)
    strip = OverviewStrip(found, cursor, (cursor // 2, cursor), {width // 2: "⚑"}, width, (0, 2))
    lines = picture(strip, width, height)
    assert len(lines) == height
    assert "⚑" in "".join(lines)


def test_what_is_not_read_is_dotted(view: View) -> None:
    found = overview(view, view.cursor_ns, 20)
    assert picture(OverviewStrip(found, 2, (0, 2), unread=15), 20, 1)[0].endswith("·····")


def test_what_a_part_does_not_hold_is_dotted(view: View) -> None:
    found = overview(view, view.cursor_ns, 20)
    line = picture(OverviewStrip(found, 12, (10, 12), begins=5), 20, 1)[0]
    assert line.startswith("·····")
    assert "·" not in line[5:]


def test_times_are_round_and_give_way_to_signs(view: View) -> None:
    found = overview(view, view.cursor_ns, 60)
    found.failed[:] = 0
    times = time_ticks(0, (found.end_ns + 1) / found.columns, found.columns)
    plain = OverviewStrip(found, 30, (28, 30), times=times)
    labels = picture(plain, 60, 3)[2].split()
    assert labels[0] == "00:00"
    assert len(labels) >= 3
    steps = {int(label[3:]) - int(before[3:]) for before, label in pairwise(labels)}
    assert len(steps) == 1
    assert steps <= {1, 2, 5, 10, 15}
    at = picture(plain, 60, 3)[2].index(labels[1])
    assert found.column(int(labels[1][3:]) * NS) == at
    flagged = replace(plain, flags={at + 2: "⚑"})
    assert picture(flagged, 60, 3)[2].split()[:2] == ["00:00", "⚑"]
    found.failed[at] = 1
    assert picture(plain, 60, 3)[2].split()[1] == "✗"


def test_a_short_recording_has_each_time_once() -> None:
    session = Session()
    for frame in frames(Load(seed=2, duration_s=1.0, start_s=0.5)):
        session.fold(frame)
    view = View(session, session.end_ns)
    found = overview(view, view.cursor_ns, 120)
    times = time_ticks(0, (found.end_ns + 1) / found.columns, found.columns)
    (_, _, line) = picture(OverviewStrip(found, 119, (0, 119), times=times), 120, 3)
    labels = line.split()
    assert labels == ["00:00"], "round seconds, each once"
