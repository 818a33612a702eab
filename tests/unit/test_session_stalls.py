"""Stalls of the host in a session: lateness, slow requests, and whether they met."""

from __future__ import annotations

from io import StringIO
from itertools import pairwise

import numpy as np
import pytest

from tests.doubles.synthetic import NS, Load, frames
from tuiapp.events import UNSET, Frame, Kind, Phase, Status
from tuiapp.exports import text_summary
from tuiapp.exports.summary import summary
from tuiapp.session.columns import Session
from tuiapp.session.stalls import (
    NO_OBJECTIVE,
    NOT_METERED,
    coincide,
    lateness,
    slow_requests,
    stalls,
    watched_share,
)
from tuiapp.session.view import View
from tuiapp.stats.coincidence import NO_STALLS
from tuiapp.tui.panes.heatmap import Columns, longest_stalls

MS = 1_000_000


def samples(group: str, **columns: list[float]) -> Frame:
    t_ns = [int(at) for at in columns["t_ns"]]
    return Frame(Kind.SAMPLES, t_ns[0], t_ns[-1], columns | {"t_ns": t_ns}, {"group": group})


def report(t_s: float, **changes: float) -> Frame:
    gauges = {
        "wakeups": 100, "missed": 0, "min_s": 50e-6, "p99_s": 1e-4, "max_s": 1e-3,
        "period_s": 0.0025, "realtime": 1, "over_100us": 1, "over_500us": 0,
    }  # fmt: skip
    gauges |= changes
    return samples("hiccup", t_ns=[t_s * NS], **{name: [value] for name, value in gauges.items()})


def session_of(*given: Frame) -> Session:
    session = Session()
    for frame in given:
        session.fold(frame)
    assert not session.rejected
    return session


def requests(*rows: dict[str, int]) -> Frame:
    names = ("t_sched_ns", "t_sent_ns", "t_first_ns", "t_last_ns", "t_end_ns")
    columns = {name: [row.get(name, UNSET) for row in rows] for name in names}
    columns |= {
        "req": list(range(len(rows))),
        "phase": [row.get("phase", Phase.MEASURE) for row in rows],
        "status": [row.get("status", Status.OK) for row in rows],
        "output_tokens": [row.get("output_tokens", 11) for row in rows],
    }
    return Frame(Kind.REQUESTS, 0, max(columns["t_end_ns"]), columns)


def served(sched_ms: int, ttft_ms: int, tpot_ms: int, **more: int) -> dict[str, int]:
    first = sched_ms + ttft_ms
    last = first + 10 * tpot_ms
    moments = {"t_sched_ns": sched_ms, "t_sent_ns": sched_ms, "t_first_ns": first,
               "t_last_ns": last, "t_end_ns": last + 1}  # fmt: skip
    return {name: at * MS for name, at in moments.items()} | more


# -- lateness ------------------------------------------------------------------------------


def test_percentiles_are_pooled_over_reports() -> None:
    """Two quarters: of 200 wake-ups 2 are later than 100 µs, so p99 is where those begin."""
    session = session_of(report(1), report(1.25, max_s=4e-3, over_500us=1, missed=1))
    found = lateness(session, 0, 2 * NS)
    assert found is not None
    assert found.wakeups == 200
    assert found.p99_s == pytest.approx(1e-4)
    assert found.max_s == pytest.approx(4e-3)
    assert found.floor_s == pytest.approx(50e-6)
    assert found.period_s == pytest.approx(0.0025)
    assert found.realtime


def test_the_percentile_is_near_the_exact_one() -> None:
    """Bounds are at most 1.7 apart, so that is what a percentile may be off."""
    rng = np.random.default_rng(3)
    late = rng.lognormal(np.log(200e-6), 0.7, 20_000)
    bounds = (20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000)
    over = {f"over_{bound}us": float((late > bound * 1e-6).sum()) for bound in bounds}
    session = session_of(report(1, wakeups=len(late), min_s=late.min(), max_s=late.max(), **over))
    found = lateness(session, 0, 2 * NS)
    assert found is not None
    assert found.p99_s == pytest.approx(np.quantile(late, 0.99), rel=0.15)


def test_only_reports_of_that_time_count() -> None:
    session = session_of(*(report(at) for at in (1, 2, 3)))
    found = lateness(session, NS, 2 * NS)
    assert found is not None
    assert found.wakeups == 100
    assert lateness(session, 3 * NS, 9 * NS) is None
    assert lateness(Session(), 0, NS) is None


def test_one_report_without_the_real_time_class_is_one_too_many() -> None:
    found = lateness(session_of(report(1), report(2, realtime=0)), 0, 3 * NS)
    assert found is not None
    assert not found.realtime


@pytest.mark.parametrize("wild", [float("nan"), float("inf"), -1.0])
def test_wild_gauges_are_no_trouble(wild: float) -> None:
    session = session_of(report(1, wakeups=wild, over_100us=wild), report(2, over_100us=wild))
    found = lateness(session, 0, 3 * NS)
    assert found is not None
    assert found.floor_s <= found.p99_s <= found.max_s
    session.fold(samples("stall", t_ns=[5.0], length_s=[wild]))
    end, length = stalls(session, 0, NS)
    assert (length >= 0).all()
    assert (length <= end).all()


# -- slow requests -------------------------------------------------------------------------


def test_the_part_that_was_slow_is_what_counts() -> None:
    session = session_of(
        requests(
            served(0, 10, 5),  # good
            served(100, 60, 5),  # TTFT
            served(300, 10, 20),  # TPOT
            served(600, 60, 20),  # both
            served(1000, 60, 5, phase=Phase.WARMUP),
            served(2000, 60, 5, status=Status.CUT),
            {
                "t_sched_ns": 3000 * MS,
                "t_sent_ns": 3000 * MS,
                "t_end_ns": 3500 * MS,
                "status": Status.FAILED,
            },
        )
    )
    start, end = slow_requests(session, {"ttft": 50 * MS, "tpot": 10 * MS}, -1, 10 * NS)
    found = sorted(zip(start // MS, end // MS, strict=True))
    assert found == [(100, 160), (310, 510), (600, 860), (3000, 3500)]
    start, end = slow_requests(session, {"e2el": 100 * MS}, -1, 10 * NS)
    assert sorted(zip(start // MS, end // MS, strict=True)) == [
        (100, 210), (300, 510), (600, 860), (3000, 3500),
    ]  # fmt: skip


def test_of_those_cut_off_the_ones_that_had_waited_longest_count() -> None:
    waited = {"t_sched_ns": 1000 * MS, "t_sent_ns": 1000 * MS, "t_end_ns": 5000 * MS}
    session = session_of(requests(served(0, 10, 5), waited | {"status": Status.CUT}))
    start, end = slow_requests(session, {"ttft": 50 * MS}, -1, 10 * NS)
    assert (start.tolist(), end.tolist()) == ([1000 * MS], [5000 * MS])


# -- whether they met ----------------------------------------------------------------------

LIMITS = {"ttft": 50.0 * MS}


def test_without_a_meter_or_an_objective_nothing_is_said() -> None:
    slow = requests(served(1000, 60, 5))
    assert coincide(session_of(slow), LIMITS, -1, 9 * NS).caveats == (NOT_METERED,)
    metered = session_of(slow, report(1), report(2))
    assert coincide(metered, {}, -1, 9 * NS).caveats == (NO_OBJECTIVE,)
    found = coincide(metered, LIMITS, -1, 9 * NS)
    assert found.share is None
    assert NO_STALLS in found.caveats


def test_slow_requests_that_met_a_stall() -> None:
    rows = [served(1000 * at, 60 if at % 2 else 10, 5) for at in range(40)]
    hiccups = [report(at / 4) for at in range(170)]
    ends = [(1000 * at + 30) * MS for at in range(1, 40, 2)]
    stalled = samples("stall", t_ns=ends, length_s=[0.01] * len(ends))
    found = coincide(session_of(requests(*rows), *hiccups, stalled), LIMITS, -1, 60 * NS)
    assert found.share == 1.0
    assert found.by_chance is not None
    assert found.by_chance < 0.05
    assert found.p_value is not None
    assert found.p_value < 0.05
    assert found.caveats == ()


def test_what_makes_the_numbers_doubtful_is_told() -> None:
    rows = [served(1000 * at, 60, 5) for at in range(40)]
    stalled = samples("stall", t_ns=[5.0 * NS], length_s=[0.01])
    hiccups = [report(at / 4, realtime=0) for at in (*range(40), 160)]
    found = coincide(session_of(requests(*rows), *hiccups, stalled), LIMITS, -1, 60 * NS)
    assert any("no real-time class" in caveat for caveat in found.caveats)
    assert any("of the time" in caveat for caveat in found.caveats)


def test_a_meter_that_fell_silent_is_no_quiet_host() -> None:
    """Slow requests came after its last word, when it may itself have been kept from the CPU."""
    rows = [served(1000 * at, 10 if at < 20 else 900, 5) for at in range(80)]
    hiccups = [report(at / 4) for at in range(80)]
    session = session_of(requests(*rows), *hiccups)
    assert watched_share(session, 0, 90 * NS) == pytest.approx(0.25, abs=0.01)
    found = coincide(session, LIMITS, 0, 90 * NS)
    assert found.share is None
    silent = "the hiccup meter watched 25 % of the time; 60 slow requests in the rest"
    assert silent in found.caveats
    session.fold(Frame(Kind.META, 0, 0, attrs={"slo": ["ttft:p99<50ms"]}))
    view = View(session, 90 * NS)
    assert summary(view)["host_stalls"]["watched_share"] == pytest.approx(0.25, abs=0.01)
    text = StringIO()
    text_summary.write(view, text)
    assert "no stall of 2 ms or more in the 25 % of the time watched; wake-ups" in text.getvalue()
    assert silent in " ".join(text.getvalue().split())


@pytest.mark.parametrize("cursor_s", [2, 11, 20.3, 79.9])
def test_a_report_on_its_way_is_no_silence(cursor_s: float) -> None:
    rows = [served(1000 * at, 10, 5) for at in range(80)]
    hiccups = [report(at / 4) for at in range(1, 4 * 82)]
    session = session_of(requests(*rows), *hiccups)
    assert watched_share(session, 0, int(cursor_s * NS)) == pytest.approx(1.0, abs=0.15)
    assert not any("of the time" in one for one in coincide(session, LIMITS, 0, 9 * NS).caveats)


# -- in a whole run ------------------------------------------------------------------------


def test_the_result_of_a_run_tells_of_its_stalls() -> None:
    load = Load(seed=6, duration_s=40.0, rate=9.0, stall=(16.0, 18.5), hiccups=True)
    session = session_of(*frames(load))
    told = summary(View(session, session.end_ns))["host_stalls"]
    assert told["longest_s"] == pytest.approx(2.5)
    assert told["n"] >= 1
    assert told["share_of_slow_requests"] > 0.9  # nothing else made a request slow
    assert told["by_chance"] < 0.7
    without = session_of(*frames(Load(duration_s=5.0)))
    told = summary(View(without, without.end_ns))["host_stalls"]
    assert told["n"] is None
    assert told["caveats"] == [NOT_METERED]


def test_a_stall_stands_in_every_column_it_lasted_through() -> None:
    hiccups = [report(at / 4) for at in range(4, 41)]
    stalled = samples("stall", t_ns=[3.2 * NS, 6.6 * NS], length_s=[0.01, 2.0])
    view = View(session_of(*hiccups, stalled), 10 * NS)
    longest = longest_stalls(view, Columns(0, NS, 12))
    assert longest is not None
    assert np.isnan(longest[0]) == (not any(0 <= at < 1 for at in (1.0, 0.75)))
    np.testing.assert_allclose(longest[1:], [0, 0, 0.01, 2, 2, 2, 0, 0, 0, 0, 0], rtol=1e-6)


def test_time_that_nobody_watched_is_not_quiet_time() -> None:
    view = View(session_of(report(1), report(1.25), report(8)), 20 * NS)
    longest = longest_stalls(view, Columns(0, NS, 20))
    assert longest is not None
    watched = np.flatnonzero(~np.isnan(longest))
    assert list(watched) == [0, 1, 7, 8]
    assert longest_stalls(View(Session(), NS), Columns(0, NS, 3)) is None


def test_stalls_are_those_known_at_the_cursor() -> None:
    ends = [1.0 * NS, 2.0 * NS, 3.0 * NS]
    session = session_of(samples("stall", t_ns=ends, length_s=[0.01, 0.02, 0.03]))
    for cursor, nothing_after in pairwise((*map(int, ends), 4 * NS)):
        view = View(session, nothing_after - 1)
        assert view.stalls(-1)[0][-1] == cursor
    assert list(View(session, 9 * NS).stalls(NS)[1]) == pytest.approx([20 * MS, 30 * MS], rel=1e-6)
