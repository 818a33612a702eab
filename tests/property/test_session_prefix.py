"""The one idea: a view at a cursor shows what had been known then, however it was read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.doubles.synthetic import NS, Load, frames
from tuiapp.exports.summary import summary
from tuiapp.session.columns import TICK_NS, Session
from tuiapp.session.reader import load
from tuiapp.session.view import View
from tuiapp.session.writer import SessionWriter

LOADS = {
    "steady": Load(seed=5, duration_s=15.0, rate=9.0),
    "stalled": Load(seed=6, duration_s=15.0, rate=9.0, stall=(6.0, 8.5), hiccups=True),
    "failing": Load(seed=7, duration_s=15.0, rate=9.0, failed_share=0.1),
    "parallel": Load(seed=8, duration_s=15.0, rate=9.0, ranks=3),
}


def fold_until(load_name: str, until_ns: int | None = None) -> Session:
    """Everything that a recorder had received by ``until_ns``."""
    session = Session()
    for frame in frames(LOADS[load_name]):
        if until_ns is None or frame.t1_ns <= until_ns:
            session.fold(frame)
    return session


WHOLE = {name: fold_until(name) for name in LOADS}


def shown(view: View) -> dict[str, object]:
    """Every number of the screen."""
    result = summary(view)
    result["traffic"] = view.traffic
    result["split"] = view.split
    result["good"] = view.goodput_per_s
    result["health"] = view.health
    result["recent"] = {m: view.recent(m).summary for m in ("ttft", "tpot", "itl", "e2el")}
    result["itl_interval"] = [view.itl_interval(window) for window in (view.window_ns, None)]
    result["lateness"] = view.lateness(view.window_start_ns)
    result["stalls"] = [column.tolist() for column in view.stalls(view.window_start_ns)]
    result["gauges"] = [view.gauge("cpu", "total"), view.gauge("process", "rss_bytes")]
    return result


@settings(max_examples=40, deadline=None)
@example(name="steady", tick=40, window_s=None)  # the load has ended within the tick before
@given(
    name=st.sampled_from(sorted(LOADS)),
    tick=st.integers(1, int(22 * NS // TICK_NS)),
    window_s=st.sampled_from([None, 2, 10]),
)
def test_seek_equals_prefix(name: str, tick: int, window_s: int | None) -> None:
    # Batches are 100 ms, ticks 250: at every other tick both end together.
    cursor = tick * 2 * TICK_NS - 1
    window = None if window_s is None else window_s * NS
    prefix = fold_until(name, cursor)
    assert shown(View(WHOLE[name], cursor, window)) == shown(View(prefix, cursor, window))


@pytest.mark.parametrize("name", sorted(LOADS))
def test_live_equals_recorded(tmp_path: Path, name: str) -> None:
    writer = SessionWriter(tmp_path / "run.tuiapp")
    for frame in frames(LOADS[name]):
        writer.put(frame)
    writer.close()
    recorded, live = load(writer.path), WHOLE[name]
    assert recorded.end_ns == live.end_ns
    for cursor in range(2 * TICK_NS - 1, live.end_ns, 7 * TICK_NS):
        assert shown(View(recorded, cursor, 10 * NS)) == shown(View(live, cursor, 10 * NS))
    for req in (0, 17, 60):
        np.testing.assert_array_equal(recorded.ring.of(req)[0], live.ring.of(req)[0])
