"""Moments people write, and moments worth stepping to."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles.synthetic import NS, Load, frames
from tuiapp.cli.sessions_common import moment_ns
from tuiapp.errors import UsageError
from tuiapp.events import Frame, Kind, Status, mark_frame
from tuiapp.session import moments
from tuiapp.session.columns import Session
from tuiapp.session.moments import MOMENTS, parse_moment
from tuiapp.session.view import View

END = 600 * NS
CREATED = datetime(2026, 11, 24, 14, 0, 0)  # noqa: DTZ001 - a local time of day
CREATED_NS = round(CREATED.timestamp()) * NS


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1:30", 90), ("0:01:30.5", 90.5), ("90", 90), ("90s", 90), (" 2 m ", 120), ("10m", 600),
        ("50%", 300), ("50 %", 300), ("+10s", 110), ("-10s", 90), ("- 0:30", 70), ("+2m", 220),
        ("-1h", 0), ("start", 0), ("END", 600), ("14:03:22", 202), ("+1h", 600),
    ],
)  # fmt: skip
def test_what_people_write(text: str, seconds: float) -> None:
    assert parse_moment(text, 100 * NS, END, CREATED_NS) == round(seconds * NS)


def test_a_time_of_day_after_midnight() -> None:
    late = datetime(2026, 11, 24, 23, 58, 0)  # noqa: DTZ001
    at = parse_moment("0:01:00", 0, END, round(late.timestamp()) * NS)
    assert at == 60 * NS, "as a time since the start first"
    assert parse_moment("23:59:00", 0, END, round(late.timestamp()) * NS) == 60 * NS


@pytest.mark.parametrize("text", ["", "soon", "1:2:3:4", "10 parsecs", "50%%", "+", "nan", "1e9"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(UsageError, match="is no moment") as refused:
        parse_moment(text, 0, END)
    assert "1:30" in refused.value.advice


@pytest.mark.parametrize("text", ["1h", "10:02", "101%", "13:59:00", "0:28"])
def test_a_moment_that_the_recording_does_not_hold(text: str) -> None:
    with pytest.raises(UsageError, match="is not in the recording") as refused:
        parse_moment(text, 100 * NS, END, CREATED_NS, start_ns=30 * NS)
    assert refused.value.advice == "It holds 0:30.0 to 10:00.0."


@given(st.text(max_size=12))
def test_any_text_is_a_moment_inside_or_a_sentence(text: str) -> None:
    with suppress(UsageError):
        assert 0 <= parse_moment(text, 5 * NS, END, CREATED_NS) <= END


def view_of(load: Load, *more: Frame) -> View:
    session = Session()
    for frame in (*frames(load), *more):
        session.fold(frame)
    return View(session, session.end_ns)


def test_errors_are_when_requests_failed() -> None:
    view = view_of(Load(seed=7, duration_s=15.0, failed_share=0.2))
    table = view.session.requests
    failed = np.sort(table["t_end_ns"][table["status"] == Status.FAILED])
    assert len(failed) > 3
    np.testing.assert_array_equal(moments.errors(view), failed)


def test_misses_are_when_an_objective_was_known_to_be_missed() -> None:
    view = view_of(Load(seed=6, duration_s=15.0, stall=(6.0, 8.5)))
    table = view.session.requests
    late = (table["t_first_ns"] - table["t_sched_ns"]) > 100e6
    times = moments.misses(view)
    assert late.any()
    assert set(table["t_first_ns"][late]) <= set(times)
    assert len(moments.misses(view_of(Load(seed=6, duration_s=15.0)))) == 0


def test_outliers_are_few_and_far() -> None:
    quiet = moments.outliers(view_of(Load(seed=3, duration_s=60.0)))
    stalled = moments.outliers(view_of(Load(seed=3, duration_s=60.0, stall=(20.0, 20.6))))
    assert len(quiet) == 0
    assert 1 <= len(stalled) <= 8
    assert all(24 * NS < t_ns < 27 * NS for t_ns in stalled)


def test_throttling_is_when_it_begins() -> None:
    t_ns = np.arange(1, 7) * NS
    reasons = [0, 1, 4, 4, 1, 0x48]
    columns = {"t_ns": t_ns, "throttle_reasons": reasons}
    view = view_of(Load(), Frame(Kind.SAMPLES, NS, 6 * NS, columns, {"group": "gpu0"}))
    np.testing.assert_array_equal(moments.throttles(view), [3 * NS, 6 * NS])


@pytest.mark.parametrize("kind", sorted(MOMENTS))
def test_every_kind_is_sorted_and_copes_with_nothing(kind: str) -> None:
    assert len(MOMENTS[kind].times(View(Session(), 10 * NS))) == 0
    view = view_of(
        Load(seed=7, duration_s=20.0, failed_share=0.2, stall=(5.0, 7.0), gpus=2),
        mark_frame(9 * NS, "b"), mark_frame(8 * NS, json.dumps("a")),
    )  # fmt: skip
    times = MOMENTS[kind].times(view)
    assert (np.diff(times) >= 0).all()
    assert (times <= view.cursor_ns).all()
    assert all(MOMENTS[kind].told(view, int(t_ns)) for t_ns in times)


def test_a_moment_says_what_it_is() -> None:
    meta = Frame(Kind.META, 0, 0, attrs={"slo": ["ttft:p99<100ms"]})
    load_ = Load(seed=7, duration_s=20.0, failed_share=0.2, stall=(5.0, 7.0), gpus=2)
    view = view_of(load_, meta, mark_frame(9 * NS, "fan off"), mark_frame(9 * NS, "door open"))

    def told(kind: str) -> list[str]:
        return [MOMENTS[kind].told(view, int(t_ns)) for t_ns in MOMENTS[kind].times(view)]

    assert told("mark")[0] == "fan off · door open"
    assert all(
        re.match(r"request \d+, [\d.]+ m?s after it was due", text) for text in told("error")
    )
    assert any(re.match(r"TTFT [\d.]+ m?s, the objective is 100 ms", t) for t in told("SLO miss"))
    assert all(", the median is " in text for text in told("outlier"))


def test_the_commands_know_start_and_end_too() -> None:
    assert [moment_ns(text, 5, 90) for text in ("start", " end ", "0%", "100%")] == [5, 90, 5, 90]
