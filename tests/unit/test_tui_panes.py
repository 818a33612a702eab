"""Panes as pure drawings: exact at any size, nothing lost, nothing squeezed."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doubles.drawing import PALETTES, check
from tests.doubles.scenes import (
    NS,
    SCENES,
    FakeRun,
    fact,
    finished,
    mark_frame,
    meta,
    serving,
)
from tuiapp.collectors.throttle import CURRENT_CAP
from tuiapp.events import LOAD_STATE, Frame, Kind
from tuiapp.session.columns import TICK_NS, Session
from tuiapp.session.view import View
from tuiapp.tui.panes import PANES, pane_class
from tuiapp.tui.panes.axes import latency_axis, span_ns
from tuiapp.tui.panes.base import Scene, stack
from tuiapp.tui.panes.devices import devices
from tuiapp.tui.panes.heatmap import columns_for
from tuiapp.tui.panes.history import resample
from tuiapp.tui.panes.lines import wrap
from tuiapp.tui.panes.requests import slowest
from tuiapp.tui.renderables.palette import Depth
from tuiapp.tui.viewport import LiveViewport

WINDOWS = (10 * NS, 60 * NS, None)
MS = 1e6


@lru_cache(maxsize=32)
def run_of(name: str) -> FakeRun:
    gpus = re.fullmatch(r"(\d+) gpus", name)
    if name == "hiccups":
        return serving(hiccups=True, stall=(40.0, 40.3))
    return serving(gpus=int(gpus[1])) if gpus else SCENES[name]()


def scene_of(name: str, window_ns: int | None = 60 * NS, **more: object) -> Scene:
    run = run_of(name)
    now_ns = run.session.end_ns if run.finished else run.clock.now_ns()
    view = View(run.session, now_ns, window_ns)
    return Scene(view, PALETTES[Depth.TRUE], **more)  # type: ignore[arg-type]


def drawn(pane: str, scene: Scene, width: int, height: int) -> list[str]:
    parts = pane_class(pane)(pane).parts(scene, width, height)
    return check(stack(parts, width, height, scene.palette), width, height)


@settings(max_examples=60, deadline=None)
@given(
    pane=st.sampled_from(list(PANES)),
    name=st.sampled_from([*SCENES, "hiccups", "1 gpus", "2 gpus", "3 gpus", "8 gpus"]),
    window_ns=st.sampled_from(WINDOWS),
    log_axis=st.booleans(),
    full=st.booleans(),
    depth=st.sampled_from(list(Depth)),
    width=st.integers(1, 220),
    height=st.integers(1, 70),
)
def test_exact_at_any_size_in_any_state(
    pane: str,
    name: str,
    window_ns: int | None,
    log_axis: bool,
    full: bool,
    depth: Depth,
    width: int,
    height: int,
) -> None:
    scene = scene_of(name, window_ns, log_axis=log_axis, full=full)
    scene = Scene(scene.view, PALETTES[depth], log_axis, "last 60 s", 3, full)
    drawn(pane, scene, width, height)


@pytest.mark.parametrize("pane", ["ttft", "tpot"])
def test_a_pane_of_56_cells_shows_every_number(pane: str) -> None:
    line = drawn(pane, scene_of("serving"), 56, 9)[-1]
    interval = r"(\([\d.]+–[\d.]+\)|† too few: \d+/368)"
    assert re.fullmatch(rf"p50 +[\d.]+ p90 +[\d.]+ p99 +[\d.]+ *{interval} +n +\d+ *", line), line


def test_the_interval_of_itl_says_how_old_it_is() -> None:
    run = serving()
    for cursor_s, age in ((64.2, "−4s"), (60.0, "")):
        view = View(run.session, int(cursor_s * NS), 60 * NS)
        line = drawn("itl", Scene(view, PALETTES[Depth.TRUE]), 62, 9)[-1]
        low, high = view.itl_interval(60 * NS).ends_ns or (0, 0)
        assert f"({low / MS:.1f}–{high / MS:.1f}) {age}".strip() in line
        assert "−" in line if age else "−" not in line
    view = View(run.session, 65 * NS, 10 * NS)
    assert "† too short" in drawn("itl", Scene(view, PALETTES[Depth.TRUE]), 62, 9)[-1]
    full = Scene(view, PALETTES[Depth.TRUE], full=True)
    assert any("of 30 time blocks" in text for text in drawn("itl", full, 90, 24))


def test_a_narrow_throughput_pane_leaves_nothing_out() -> None:
    text = "\n".join(drawn("traffic", scene_of("serving"), 36, 6))
    for label in ("out", "in", "good", "failed", "run", "wait", "KV", "hit", "sent", "done"):
        assert re.search(rf"\b{label} +\S", text), label
    assert re.search(r"preempted +0", text)


def with_limit(limit: str) -> Scene:
    run = serving().fold(meta(slo=[f"tpot:p99<{limit}"]))
    return Scene(View(run.session, 65 * NS, 60 * NS), PALETTES[Depth.TRUE])


def test_a_far_objective_does_not_squeeze_the_distribution() -> None:
    """TPOT lies between 6 and 7.5 ms."""
    widths = {}
    for limit in ("8ms", "12ms", "50ms", "1s"):
        scene = with_limit(limit)
        axis = latency_axis("tpot", scene, 56)
        counts = axis.counts_of_bins(scene.view.run("tpot").fine_counts)
        used = np.flatnonzero(counts)
        widths[limit] = int(used[-1] - used[0]) + 1
    assert widths["8ms"] >= 0.5 * widths["1s"], "near: on the axis, and the data keep their room"
    assert widths["12ms"] == widths["50ms"] == widths["1s"] >= 0.4 * 56
    near = latency_axis("tpot", with_limit("8ms"), 56)
    assert 0 <= near.column_of(8 * MS) < 56


@pytest.mark.parametrize("log_axis", [True, False])
def test_a_few_outliers_do_not_squeeze_the_distribution(log_axis: bool) -> None:
    """In a stall some requests get all their tokens at once: TPOT 0; others wait for seconds."""
    run = serving(stall=(40.0, 42.5))
    scene = Scene(View(run.session, 65 * NS, None), PALETTES[Depth.TRUE], log_axis)
    for metric in ("tpot", "ttft"):
        axis = latency_axis(metric, scene, 56)
        found = scene.view.run(metric)
        low, high = (found.statistic_ns(q) or 0.0 for q in (0.12, 0.88))
        assert axis.column_of(high) - axis.column_of(low) >= (3.5 if metric == "tpot" else 7)
        below, above = axis.outside(found.fine_counts)
        text = drawn(metric, scene, 56, 9)[-2]
        assert (f"◂{below}" in text) == bool(below)
        assert (f"{above}▸" in text) == bool(above)
        assert below or above or metric == "ttft"


@pytest.mark.parametrize("pane", ["ttft", "tpot"])
def test_the_interval_of_p99_has_a_line_of_its_own_where_it_does_not_fit(pane: str) -> None:
    scene = scene_of("serving", itl_pane=False)
    rows = {width: drawn(pane, scene, width, 7) for width in (46, 62)}
    own = [row for row in rows[46] if re.match(r"p99 (\(|too few)", row)]
    assert len(own) == (2 if pane == "tpot" else 1)
    assert all(re.search(r" n +\d", row) for row in own)
    assert not [row for row in rows[62] if re.match(r"p99 ", row)]


def test_objectives_that_no_pane_draws_and_shortened_requests_are_in_a_title() -> None:
    slos = ["ttft:p99<100ms", "itl:p99<50ms", "e2el:p99<5s"]
    run = serving().fold(Frame(Kind.META, 0, 0, attrs={"slo": slos}))
    load = {"state": "running", "rate": 6.0, "shortened": 20}
    run.fold(fact(59.0, LOAD_STATE, load))
    scene = Scene(View(run.session, 60 * NS), PALETTES[Depth.TRUE], itl_pane=True)
    title = pane_class("traffic")("traffic").title(scene)
    assert title == "Throughput · last 10 s · 20 shortened · SLO e2el:p99<5s"
    title = pane_class("traffic")("traffic").title(replace(scene, itl_pane=False))
    assert "SLO itl:p99<50ms · SLO e2el:p99<5s" in title


def test_an_objective_on_the_whole_latency_has_its_numbers_under_ttft() -> None:
    scene = scene_of("serving", itl_pane=False)
    assert not [row for row in drawn("ttft", scene, 62, 9) if row.startswith("E2EL")]
    run = serving().fold(Frame(Kind.META, 0, 0, attrs={"slo": ["e2el:p99<5s"]}))
    scene = replace(scene, view=View(run.session, 60 * NS, 60 * NS))
    (line,) = (row for row in drawn("ttft", scene, 62, 9) if row.startswith("E2EL"))
    summary = scene.view.recent("e2el").summary
    assert summary.p50 is not None
    assert re.search(rf"p50 +{summary.p50 / 1e6:,.0f} ", line)


def test_tokens_of_a_running_request_are_not_told_from_the_future() -> None:
    run = finished()
    view = View(run.session, run.session.end_ns)
    table = run.session.requests
    req = int(np.flatnonzero(table["output_tokens"] > 1)[5])
    middle = (int(table["t_first_ns"][req]) + int(table["t_end_ns"][req])) // 2
    rows = {row.req: row for row in slowest(replace(view, cursor_ns=middle), "ttft", 500)}
    assert rows[req].status == "running"
    assert math.isnan(rows[req].values["tokens"])
    scene = Scene(replace(view, cursor_ns=middle), PALETTES[Depth.TRUE], full=True)
    assert not [line for line in drawn("requests", scene, 120, 40) if "nan" in line]


def test_an_axis_without_data_has_a_span() -> None:
    low, high = span_ns(scene_of("empty").view.run("ttft"))
    assert (low, high) == (1e6, 1e9)


def test_heatmap_columns_end_on_whole_multiples_and_hold_the_cursor() -> None:
    for window_ns in WINDOWS:
        view = View(run_of("serving").session, 65 * NS + 123_456_789, window_ns)
        columns = columns_for(view, 50)
        assert columns.each_ns % TICK_NS == 0
        assert columns.start_ns % columns.each_ns == 0
        assert columns.of(np.array([view.cursor_ns]))[0] == 49
        assert columns.end_ns(49) >= view.cursor_ns
        reach = window_ns or view.cursor_ns - view.run_start_ns
        assert columns.each_ns * 50 >= reach


def test_marks_stand_under_the_map_and_in_words_when_it_is_full() -> None:
    run = serving().fold(mark_frame(30 * NS, "governor: performance"))
    view = View(run.session, 65 * NS, 60 * NS)
    small = drawn("heatmap", Scene(view, PALETTES[Depth.TRUE]), 56, 10)
    assert "⚑" in small[-2]
    assert abs(small[-2].index("⚑") - (small[-1].index("00:30") + 2)) <= 2
    full = drawn("heatmap", Scene(view, PALETTES[Depth.TRUE], full=True), 56, 20)
    assert full[-1].startswith("⚑   00:30  governor: performance")


def test_times_under_the_map_are_evenly_spaced() -> None:
    for width in range(30, 220, 7):
        labels = re.findall(r"\d\d:\d\d", drawn("heatmap", scene_of("serving"), width, 10)[-1])
        seconds = [int(label[:2]) * 60 + int(label[3:]) for label in labels]
        assert len(set(np.diff(seconds))) == 1, labels


def test_gauges_are_held_until_the_next_sample_is_due_and_no_longer() -> None:
    session = Session()
    for second in range(5, 21):
        columns = {"t_ns": np.array([second * NS]), "total": np.array([0.5], np.float32)}
        session.fold(Frame(Kind.SAMPLES, 0, second * NS, columns, {"group": "cpu"}))
    values = resample(View(session, 20 * NS, None), "cpu", "total", 40 * NS, 160)
    known = np.flatnonzero(~np.isnan(values))
    assert np.array_equal(known, np.arange(known[0], 160)), "no comb of gaps"
    later = resample(View(session, 40 * NS, None), "cpu", "total", 40 * NS, 160)
    assert np.isnan(later[-70:]).all()
    assert not np.isnan(later[-90:-82]).any()


@pytest.mark.parametrize("width", [1, 7, 40])
def test_wrapped_lines_fit(width: int) -> None:
    text = "a word, and 重いモデル, and a verylongwordwithoutanyspace " * 3
    assert all(len(line) <= width for line in wrap(text, width))
    short = wrap(text, width, 2)
    assert len(short) == 2
    assert short[-1].endswith("…")


def test_the_viewport_follows_stands_and_never_looks_before_the_start() -> None:
    now = 30 * NS
    port = LiveViewport(run_of("serving").session, lambda: now)
    assert port.cursor_ns == now
    port.move(-1000)
    assert not port.pinned
    assert port.cursor_ns >= 0
    now = 31 * NS
    port.move(100)
    assert port.pinned
    assert port.cursor_ns == now
    port.toggle()
    now = 40 * NS
    assert port.cursor_ns <= 31 * NS
    assert port.window_label(still=True) == "60 s to 00:31"
    port.window_ns = None
    assert port.window_label(still=True) == "run to 00:31"


def test_gpus_of_other_makers_are_shown_by_the_shared_names() -> None:
    """A current limit has no bit of NVML's; graphics inside a processor stand back."""
    run = serving(gpus=2)
    gpus = [{"index": 0, "name": "Radeon"}, {"index": 1, "name": "UHD", "integrated": True}]
    columns = {"t_ns": [run.clock.now_ns()], "throttle_reasons": [float(CURRENT_CAP)]}
    for group in ("gpu0", "gpu1"):
        run.fold(
            Frame(Kind.SAMPLES, run.clock.now_ns(), run.clock.now_ns(), columns, {"group": group})
        )
    run.fold(meta(host={"gpus": gpus}))
    view = View(run.session, run.clock.now_ns(), None)
    assert [(d.group, d.held_words()) for d in devices(view)] == [("gpu0", "current cap")]


@pytest.mark.parametrize(("pane", "device"), [("host", "cpu"), ("gpu", "cuda")])
def test_the_bandwidth_roofline_is_one_line_where_it_is_known(pane: str, device: str) -> None:
    run = serving(gpus=1 if pane == "gpu" else 0)
    model = {"parameters": 1_000_000_000, "dtype": "bfloat16", "tied_embeddings": True}
    host = {
        "tax": {"memory_bandwidth_bytes_per_s": 600e9},
        "gpus": [{"index": 0, "mem_bandwidth_bytes_per_s": 600e9}],
    }
    before = View(run.session, run.clock.now_ns(), None)
    scene = Scene(before, PALETTES[Depth.TRUE])
    assert not any("decode runs" in line for line in drawn(pane, scene, 80, 12))
    run.fold(meta(model=model, engine={"device": device}, host=host))
    scene = Scene(View(run.session, run.clock.now_ns(), None), PALETTES[Depth.TRUE])
    text = "\n".join(drawn(pane, scene, 80, 12))
    assert re.search(r"decode runs at 5\d % of this [CG]PU's memory bandwidth", text)


def test_stalls_stand_under_the_heatmap_at_their_time() -> None:
    """The run began at 5 s, so the stall of 0.3 s ended at 45.3 s."""
    width = 67  # 60 columns of a second beside the labels
    lines = drawn("heatmap", scene_of("hiccups"), width, 12)
    row = next(line for line in lines if "stall" in line)
    columns = columns_for(scene_of("hiccups").view, width - 7)
    assert columns.each_ns == NS
    at = width - columns.count + (int(45.2 * NS) - columns.start_ns) // columns.each_ns
    assert row[at] == "█"
    assert set(row[7:]) <= set(" ▁▂▃▄▅▆▇█")
    assert not any("stall" in line for line in drawn("heatmap", scene_of("serving"), width, 12))


@pytest.mark.parametrize(("width", "height"), [(38, 6), (78, 6), (110, 6)])
def test_the_host_pane_has_a_line_on_stalls(width: int, height: int) -> None:
    text = "\n".join(drawn("host", scene_of("hiccups"), width, height))
    assert re.search(r"stall p99 +0\.\d\d ms +max +300", text)
    assert "stall" not in "\n".join(drawn("host", scene_of("serving"), width, height))


def test_one_line_of_the_host_holds_a_strip_of_stalls() -> None:
    (line,) = drawn("host", scene_of("hiccups"), 78, 1)
    assert re.search(r"stall [ ▁-█]{12} +300 ms", line)


def test_the_host_pane_in_full_says_whether_slow_requests_met_stalls() -> None:
    text = " ".join(" ".join(drawn("host", scene_of("hiccups", full=True), 118, 30)).split())
    found = re.search(r"\d+ of [1-9]\d* requests? over the SLO \(\d+ %\) coincide", text)
    assert found
    assert re.search(r"stalls under load: \d+ of 2 ms or more", text)
    assert "would by chance (p 0." in text
