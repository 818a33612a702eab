"""What a view says, against the same numbers computed the slow way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.doubles.synthetic import NS, Load, frames, make
from tuiapp.events import (
    ENGINE_EXIT,
    ENGINE_PHASE,
    LOAD_STATE,
    UNSET,
    Frame,
    Kind,
    Phase,
    Status,
    facts_frame,
)
from tuiapp.exports.summary import summary
from tuiapp.session.columns import Session
from tuiapp.session.reader import load
from tuiapp.session.view import View
from tuiapp.session.writer import SessionWriter

LOAD = Load(seed=3, duration_s=40.0, rate=12.0)


@pytest.fixture(scope="module")
def session() -> Session:
    found = Session()
    for frame in frames(LOAD):
        found.fold(frame)
    return found


@pytest.fixture(scope="module")
def run():  # type: ignore[no-untyped-def]
    return make(LOAD)


def test_percentiles_are_the_exact_ones(session: Session, run) -> None:  # type: ignore[no-untyped-def]
    view, table = View(session, session.end_ns), run.requests
    ttft = table["t_first_ns"] - table["t_sched_ns"]
    tpot = (table["t_last_ns"] - table["t_first_ns"]) / (table["output_tokens"] - 1)
    for metric, values in (("ttft", ttft), ("tpot", tpot)):
        found = view.run(metric).summary
        assert found.n == len(values)
        for name, q in (("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99)):
            assert getattr(found, name) == pytest.approx(np.percentile(values, q), rel=1e-12)


def test_itl_is_within_its_bins(session: Session, run) -> None:  # type: ignore[no-untyped-def]
    gaps = np.diff(run.t_ns)[np.diff(run.req) == 0]
    found = View(session, session.end_ns).run("itl").summary
    assert found.n == len(gaps)
    for name, q in (("p50", 50), ("p90", 90), ("p99", 99)):
        assert getattr(found, name) == pytest.approx(np.percentile(gaps, q), rel=0.003)


def test_a_window_holds_what_became_known_in_it(session: Session, run) -> None:  # type: ignore[no-untyped-def]
    cursor, window = 30 * NS, 10 * NS
    view, table = View(session, cursor, window), run.requests
    first = table["t_first_ns"]
    inside = (first > cursor - window) & (first <= cursor)
    expected = np.sort((first - table["t_sched_ns"])[inside])
    np.testing.assert_allclose(np.sort(view.recent("ttft").values_ns), expected)


def test_throughput_counts_delivered_tokens(session: Session, run) -> None:  # type: ignore[no-untyped-def]
    cursor = 30 * NS - 1
    now = View(session, cursor, 10 * NS).traffic
    tokens = int(((run.t_ns >= 20 * NS) & (run.t_ns < 30 * NS)).sum())
    assert now.output_tokens_per_s == pytest.approx(tokens / 10, rel=1e-6)


def test_split_adds_up_to_ttft(session: Session) -> None:
    view = View(session, session.end_ns)
    split = view.split
    assert split is not None
    total = split.dispatch_ns + split.queue_ns + split.prefill_ns + split.deliver_ns
    assert total == pytest.approx(view.run("ttft").summary.mean)


def request(req: int, **columns: int) -> Frame:
    row = {
        "req": req,
        "phase": Phase.MEASURE,
        "status": Status.IN_FLIGHT,
        "prompt_tokens": 8,
        "target_tokens": 4,
        "output_tokens": 0,
        "cached_tokens": 0,
        **dict.fromkeys(("t_queued_ns", "t_prefill_ns", "t_core_first_ns"), UNSET),
        **dict.fromkeys(("t_first_ns", "t_last_ns", "t_end_ns"), UNSET),
        **columns,
    }
    t_ns = max(row.values())
    return Frame(Kind.REQUESTS, 0, t_ns, {name: np.array([value]) for name, value in row.items()})


def served(req: int, at_ns: int, ttft_ns: int = NS // 50) -> Frame:
    first = at_ns + ttft_ns
    return request(
        req, status=Status.OK, output_tokens=4, t_sched_ns=at_ns, t_sent_ns=at_ns,
        t_first_ns=first, t_last_ns=first + 3 * NS // 100, t_end_ns=first + 3 * NS // 100,
    )  # fmt: skip


def fold(*given: Frame) -> Session:
    session = Session()
    for frame in given:
        session.fold(frame)
    return session


def test_failures_are_infinitely_late_and_counted() -> None:
    lost = request(9, status=Status.FAILED, t_sched_ns=9 * NS, t_sent_ns=9 * NS, t_end_ns=10 * NS)
    session = fold(*(served(at, at * NS) for at in range(9)), lost)
    view = View(session, 11 * NS)
    found = view.run("ttft").summary
    assert (found.n, found.n_failed) == (10, 1)
    assert found.p99 == np.inf
    assert found.p50 == pytest.approx(NS / 50)
    result = summary(view)
    counts = {"sent": 10, "ok": 9, "failed": 1, "unfinished": 0, "cut": 0, "lost": 0, "warmup": 0}
    assert result["requests"] == counts
    assert result["ttft_s"]["p99"] is None
    assert any("infinite" in caveat for caveat in result["ttft_s"]["caveats"])
    json.dumps(result, allow_nan=False)


def test_what_the_stop_cut_off_counts_only_when_it_is_the_worst() -> None:
    def cut(req: int, sent_ns: int) -> Frame:
        times = {"t_sched_ns": sent_ns, "t_sent_ns": sent_ns, "t_end_ns": 10 * NS}
        return request(req, status=Status.CUT, **times)

    ten = [served(at, at * NS // 2) for at in range(10)]
    young = View(fold(*ten, cut(10, 10 * NS - NS // 100)), 11 * NS)
    assert (young.run("ttft").summary.n, young.run("ttft").failed) == (10, 0)
    stalled = View(fold(*ten, cut(10, 7 * NS)), 11 * NS)
    assert (stalled.run("ttft").summary.n, stalled.run("ttft").failed) == (11, 1)
    assert (
        stalled.run("ttft")
        .summary.caveats[-1]
        .startswith("1 request cut off after a longer wait than any other's counts as +inf")
    )
    assert summary(stalled)["requests"]["cut"] == 1
    assert summary(stalled)["requests"]["failed"] == 0


def test_what_was_sent_counts_from_the_measured_load_on() -> None:
    warm = [request(at, phase=Phase.WARMUP, t_sched_ns=0, t_sent_ns=0) for at in range(3)]
    session = fold(*warm, served(3, 5 * NS), served(4, 6 * NS))
    assert View(session, 4 * NS).traffic.sent == 3
    now = View(session, 9 * NS).traffic
    assert (now.sent, now.ok) == (2, 2)


def test_warm_up_is_recorded_and_left_out() -> None:
    warm = served(0, 0, ttft_ns=5 * NS)
    warm.columns["phase"][0] = Phase.WARMUP  # type: ignore[index]
    session = fold(warm, *(served(at, (at + 9) * NS) for at in range(1, 5)))
    found = View(session, 20 * NS).run("ttft").summary
    assert (found.n, found.p99) == (4, pytest.approx(NS / 50))
    assert summary(View(session, 20 * NS))["requests"]["warmup"] == 1


def test_goodput_counts_requests_that_met_every_objective() -> None:
    meta = Frame(Kind.META, 0, 0, attrs={"slo": ["ttft:p99<100ms"]})
    slow = [served(at, at * NS, ttft_ns=NS // 5) for at in range(5, 10)]
    session = fold(meta, *(served(at, at * NS) for at in range(5)), *slow)
    assert View(session, 11 * NS).good(-1, 11 * NS) == 5


def test_an_engine_that_says_nothing_is_silent_and_not_alive() -> None:
    state = facts_frame(0, LOAD_STATE, json.dumps({"state": "running", "rate": 1}))
    session = fold(state, request(0, t_sched_ns=NS, t_sent_ns=NS))
    assert View(session, 2 * NS).health.state == "serving"
    health = View(session, 7 * NS).health
    assert (health.state, health.alive, health.since_ns) == ("silent", False, NS)
    assert View(session, 7 * NS).traffic.oldest_wait_ns == 6 * NS


def test_an_engine_is_not_silent_because_nobody_recorded_it() -> None:
    state = facts_frame(0, LOAD_STATE, json.dumps({"state": "running", "rate": 1}))
    gap = Frame(Kind.GAP, 2 * NS, 9 * NS, attrs={"frames": 7, "reason": "No space left on device"})
    sent = request(0, t_sched_ns=NS, t_sent_ns=NS)
    session = fold(state, sent, gap)
    assert [View(session, at * NS).health.state for at in (2, 7, 9, 12)] == ["serving"] * 4
    health = View(session, 13 * NS).health
    assert (health.state, health.since_ns) == ("silent", 9 * NS)
    host = Frame(Kind.GAP, 2 * NS, 9 * NS, attrs={"frames": 7, "source": "agent"})
    assert View(fold(state, sent, host), 7 * NS).health.state == "silent"
    thinned = Frame(Kind.GAP, 2 * NS, 9 * NS, attrs={"frames": 0, "rows": 9})
    assert View(fold(state, sent, thinned), 7 * NS).health.state == "silent"


def test_a_dead_engine_says_why_and_since_when() -> None:
    exit_value = {"code": None, "signal": "SIGKILL", "reason": "killed", "advice": "more memory"}
    session = fold(
        facts_frame(0, ENGINE_PHASE, json.dumps({"phase": "spawn"})),
        facts_frame(NS, ENGINE_PHASE, json.dumps({"phase": "import"})),
        facts_frame(3 * NS, ENGINE_EXIT, json.dumps({**exit_value, "expected": False})),
    )
    before, after = View(session, 2 * NS), View(session, 9 * NS)
    assert before.health.state == "starting"
    assert (after.health.state, after.health.since_ns) == ("dead", 3 * NS)
    assert after.health.advice == "more memory"
    assert after.cold_start_s == {"spawn": 1.0, "import": 2.0}


def test_a_phase_that_comes_again_is_the_engine_core_s() -> None:
    phases = ("spawn", "import", "config", "import", "kv_cache", "ready")
    told = [
        facts_frame(at * NS, ENGINE_PHASE, json.dumps({"phase": name}))
        for at, name in enumerate(phases)
    ]
    view = View(fold(*told), 9 * NS)
    labels = [span.label for span in view.cold_start]
    assert labels == ["spawn", "import", "config", "core import", "KV cache", "ready"]
    assert view.cold_start_s["import"] == 2.0, "in the numbers they are one"


@pytest.mark.parametrize("through_a_file", [False, True])
def test_requests_of_a_killed_engine_failed(tmp_path: Path, through_a_file: bool) -> None:
    waiting = request(9, t_sched_ns=9 * NS, t_sent_ns=9 * NS)
    half = request(10, t_sched_ns=9 * NS, t_sent_ns=9 * NS, t_first_ns=9 * NS + NS // 50)
    value = {"code": None, "signal": "SIGKILL", "expected": False}
    death = facts_frame(10 * NS, ENGINE_EXIT, json.dumps(value))
    given = [*(served(at, at * NS) for at in range(9)), waiting, half, death]
    session = fold(*given)
    if through_a_file:
        writer = SessionWriter(tmp_path / "run.tuiapp")
        for frame in given:
            writer.put(frame)
        writer.close()
        session = load(writer.path)
    before, after = View(session, 10 * NS - 1), View(session, 11 * NS)
    assert (before.traffic.in_flight, before.traffic.failed) == (2, 0)
    assert (after.traffic.in_flight, after.traffic.failed) == (0, 2)
    assert (after.run("ttft").failed, after.run("e2el").failed) == (1, 2)
    assert summary(after)["requests"]["failed"] == 2


def test_a_gauge_is_unknown_once_it_is_old() -> None:
    sample = Frame(Kind.SAMPLES, 0, NS, {"t_ns": [NS], "total": [0.5]}, {"group": "cpu"})
    session = fold(sample)
    assert View(session, 2 * NS).gauge("cpu", "total") == 0.5
    assert View(session, 60 * NS).gauge("cpu", "total") is None
    assert View(session, 2 * NS).gauge("cpu", "never") is None


def test_hostile_sizes_are_not_believed() -> None:
    far = Frame(Kind.TOKENS, 0, 5, {"req": [1], "t_ns": [1 << 62], "n": [1]})
    huge = Frame(Kind.TOKENS, 0, 5, {"req": [(1 << 32) - 1], "t_ns": [1], "n": [1]})
    session = fold(far, huge)
    assert len(session.ticks) == 0
    assert len(session.requests) == 0


@pytest.mark.parametrize(
    ("group", "kept_s"), [("gpu0", 5), ("gpu0.procs", 8), ("gpu0.health", 16), ("tax", 20)]
)
def test_a_gauge_is_shown_for_two_periods_of_its_group(group: str, kept_s: int) -> None:
    session = Session()
    columns = {"t_ns": [NS], "value": [7.0]}
    session.fold(Frame(Kind.SAMPLES, NS, NS, columns, {"group": group}))
    at = [View(session, (1 + kept_s) * NS + late).gauge(group, "value") for late in (0, 1)]
    assert at == [7.0, None]
