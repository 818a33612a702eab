"""Every pane draws whatever the latencies are, wherever the objectives lie beside them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doubles.drawing import PALETTES, check
from tests.doubles.synthetic import NS, Load, frames
from tuiapp.events import Frame, Kind
from tuiapp.session.columns import Session
from tuiapp.session.view import View
from tuiapp.tui.panes import PANES, pane_class
from tuiapp.tui.panes.base import Scene, stack
from tuiapp.tui.renderables.palette import Depth

magnitudes = st.floats(-5.0, 2.0).map(lambda power: 10**power)
"""Seconds: 10 µs to 100 s."""

loads = st.builds(
    Load,
    seed=st.integers(0, 9),
    duration_s=st.sampled_from((0.5, 8.0)),
    rate=st.sampled_from((0.5, 6.0, 40.0)),
    output_tokens=st.sampled_from((2, 12)),
    ttft_s=magnitudes,
    tpot_s=magnitudes.map(lambda seconds: seconds / 10),
    stall=st.sampled_from((None, (2.0, 5.0))),
    hiccups=st.booleans(),
    failed_share=st.sampled_from((0.0, 0.3, 1.0)),
)


def session_of(load: Load, ttft_s: float, tpot_s: float) -> Session:
    session = Session()
    for frame in frames(load, sampled=load.hiccups):
        session.fold(frame)
    slos = [f"ttft:p99<{ttft_s * 1e3:.6f}ms", f"tpot:p99<{tpot_s * 1e3:.6f}ms"]
    session.fold(Frame(Kind.META, 0, 0, attrs={"slo": slos}))
    return session


@settings(max_examples=25, deadline=None)
@given(
    load=loads,
    ttft_s=magnitudes,
    tpot_s=magnitudes,
    at=st.floats(0.0, 1.0),
    window_ns=st.sampled_from((10 * NS, 60 * NS, None)),
    log_axis=st.booleans(),
    size=st.sampled_from(((20, 6), (38, 9), (66, 15), (118, 40))),
)
def test_any_latency_beside_any_objective(
    load: Load,
    ttft_s: float,
    tpot_s: float,
    at: float,
    window_ns: int | None,
    log_axis: bool,
    size: tuple[int, int],
) -> None:
    session = session_of(load, ttft_s, tpot_s)
    view = View(session, max(int(session.end_ns * at), 1), window_ns)
    scene = Scene(view, PALETTES[Depth.TRUE], log_axis)
    for name in PANES:
        parts = pane_class(name)(name).parts(scene, *size)
        check(stack(parts, *size, scene.palette), *size)


@pytest.mark.parametrize("limit_s", [1e-5, 0.02, 0.2, 0.25, 0.3, 50.0])
@pytest.mark.parametrize("pane", ["ttft", "heatmap"])
def test_requests_that_all_take_a_quarter_second(pane: str, limit_s: float) -> None:
    """The objective lies below all that is drawn, among it, or above."""
    session = session_of(Load(duration_s=8.0, ttft_s=0.25), limit_s, 1.0)
    scene = Scene(View(session, session.end_ns), PALETTES[Depth.TRUE])
    check(stack(pane_class(pane)(pane).parts(scene, 66, 15), 66, 15, scene.palette), 66, 15)
