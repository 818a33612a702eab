"""What is kept of a run's beginning never shows: every answer is that of a session just read."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.test_session_view import request
from tuiapp.events import ENGINE_EXIT, UNSET, Phase, Status, facts_frame
from tuiapp.session.columns import Session
from tuiapp.session.health import in_flight
from tuiapp.session.latency import distribution
from tuiapp.session.traffic import outcomes
from tuiapp.session.view import View

S = 1_000_000_000
MOMENT = st.sampled_from((UNSET, 0, 5, 10, 20, 30, 40))
ROW = st.fixed_dictionaries(
    {
        "req": st.integers(0, 2),
        "t_sched_ns": st.sampled_from((0, 4, 8)),
        "t_sent_ns": MOMENT,
        "t_first_ns": MOMENT,
        "t_last_ns": MOMENT,
        "t_end_ns": MOMENT,
        "output_tokens": st.integers(0, 4),
        "phase": st.sampled_from(Phase),
        "status": st.sampled_from(Status),
    }
)


EXIT = st.fixed_dictionaries({"exit": st.sampled_from((10, 20, 30))})


def fold(session: Session, row: dict[str, Any]) -> None:
    if "exit" in row:  # ends all that is in flight
        value = json.dumps({"code": 1, "expected": False})
        session.fold(facts_frame(row["exit"] * S, ENGINE_EXIT, value))
        return
    moments = {n: value * S for n, value in row.items() if n.endswith("_ns") and value != UNSET}
    session.fold(request(**{**row, **moments}))


def answers(session: Session, cursor_ns: int) -> list[object]:
    """All that is kept, asked at a cursor."""
    runs = [View(session, cursor_ns).run(metric) for metric in ("ttft", "tpot", "e2el")]
    counts = [np.flatnonzero(run.fine_counts).tolist() for run in runs]
    ended = [outcomes(session, cursor_ns, phase) for phase in (None, Phase.MEASURE)]
    return [[run.summary for run in runs], counts, ended, in_flight(session, cursor_ns).tolist()]


def counted_anew(session: Session, cursor_ns: int) -> list[object]:
    """The same, with nothing kept."""
    start = View(session, cursor_ns).run_start_ns
    runs = [distribution(session, m, start, cursor_ns) for m in ("ttft", "tpot", "e2el")]
    counts = [np.flatnonzero(run.fine_counts).tolist() for run in runs]
    names = ("t_sent_ns", "t_end_ns", "status", "phase")
    sent, end, status, phase = (session.requests[name] for name in names)
    over = (end != UNSET) & (end <= cursor_ns)
    ended = []
    for chosen in (over, over & (phase == Phase.MEASURE)):
        ok = int((status[chosen] == Status.OK).sum())
        cut = int(np.isin(status[chosen], (Status.CUT, Status.LOST)).sum())
        ended.append((ok, int(chosen.sum()) - ok - cut))
    open_ = np.flatnonzero((sent != UNSET) & (sent <= cursor_ns) & ~over)
    return [[run.summary for run in runs], counts, ended, open_.tolist()]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(ROW | EXIT, st.sampled_from((5, 30, 50))), min_size=1, max_size=12))
def test_however_late_and_however_often_rows_come(told: list[tuple[dict[str, Any], int]]) -> None:
    session = Session()
    for row, cursor in told:
        fold(session, row)
        assert answers(session, cursor * S) == counted_anew(session, cursor * S)
    assert session.folded == len(told)
