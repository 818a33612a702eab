"""What the child keeps and sends: ledger, tap, lags, outbox."""

from __future__ import annotations

import json
import math
import os
import random
from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest

from tuiapp.clock import FakeClock
from tuiapp.engine import tap as tap_module
from tuiapp.engine.lag import LagMeter, Lags
from tuiapp.engine.ledger import Ledger
from tuiapp.engine.outbox import Outbox
from tuiapp.engine.tap import CoreStamps, Tap, core_stamps
from tuiapp.events import (
    CLIENT_LIMITED,
    STEPS_COLUMNS,
    UNSET,
    Kind,
    Phase,
    Status,
    mark_frame,
)
from tuiapp.session.decoder import Decoder

MS = 1_000_000
SYNC = b"12345678"


def test_a_request_is_told_when_sent_at_its_first_token_and_at_its_end():
    clock = FakeClock(1000)
    ledger = Ledger(clock)
    request = ledger.open(Phase.MEASURE, prompt_tokens=10, target_tokens=3, t_sched_ns=900)
    assert ledger.collect() == []

    ledger.sent(request)
    (sent,) = ledger.collect()
    assert sent.kind == Kind.REQUESTS
    assert sent.columns["t_sent_ns"].tolist() == [1000]
    assert sent.columns["t_first_ns"].tolist() == [UNSET]

    clock.advance(50)
    ledger.delivered(request, 1, CoreStamps(10, 20, 30, 4))
    rows, tokens = ledger.collect()
    assert rows.columns["t_first_ns"].tolist() == [1050]
    assert rows.columns["t_prefill_ns"].tolist() == [20]
    assert rows.columns["cached_tokens"].tolist() == [4]
    assert tokens.columns["t_ns"].tolist() == [1050]

    clock.advance(50)
    ledger.delivered(request, 2, None)
    (tokens,) = ledger.collect()  # a token in between changes no state
    assert tokens.kind == Kind.TOKENS
    assert tokens.columns["n"].tolist() == [2]

    ledger.delivered(request, 0, None)
    ledger.ended(request, Status.OK)
    (rows,) = ledger.collect()
    assert rows.columns["output_tokens"].tolist() == [3]
    assert rows.columns["t_last_ns"].tolist() == [1100]


def test_the_ledger_grows_and_loses_nothing():
    ledger = Ledger(FakeClock(), capacity=4)
    request = ledger.open(Phase.MEASURE, 1, 100, 0)
    for _ in range(100):
        ledger.delivered(request, 1, None)
    (_, tokens) = ledger.collect()
    assert tokens.rows == 100
    assert (tokens.columns["n"] == 1).all()
    assert ledger.collect() == []


def test_a_flood_of_failures_is_told_in_few_facts():
    ledger = Ledger(FakeClock())
    for _ in range(1000):
        ledger.ended(ledger.open(Phase.MEASURE, 1, 1, 0), Status.FAILED, "no")
    _, *facts = ledger.collect()
    assert len(facts) == 11
    assert json.loads(facts[-1].columns["value"][0]) == {"more": 990}


def iteration(**more: object) -> SimpleNamespace:
    prompt = SimpleNamespace(computed=7)
    return SimpleNamespace(
        prompt_token_stats=prompt, num_generation_tokens=3, num_preempted_reqs=1, **more
    )


def scheduler() -> SimpleNamespace:
    return SimpleNamespace(
        num_running_reqs=2,
        num_waiting_reqs=1,
        num_skipped_waiting_reqs=4,
        kv_cache_usage=0.5,
        prefix_cache_stats=SimpleNamespace(queries=20, hits=5),
    )


def test_the_tap_reads_an_iteration():
    tap = Tap(None, 1)
    tap.record(scheduler(), iteration(), mm_cache_stats=None, engine_idx=1)
    (frame,) = tap.collect(origin_ns=0)
    row = {name: column[0] for name, column in frame.columns.items()}
    assert frame.attrs == {"engine": 1}
    assert row.pop("t_ns") == frame.t0_ns
    assert row == {
        "running": 2,
        "waiting": 5,
        "kv_usage": 0.5,
        "prompt_tokens": 7,
        "output_tokens": 3,
        "preempted": 1,
        "prefix_queries": 20,
        "prefix_hits": 5,
    }
    assert list(frame.columns) == list(STEPS_COLUMNS)


def test_the_tap_lives_with_missing_fields_and_missing_statistics():
    tap = Tap()
    tap.record(SimpleNamespace(), SimpleNamespace())
    tap.record(scheduler(), None)
    tap.record(None, SimpleNamespace(num_prompt_tokens=9))
    tap.record()
    (frame,) = tap.collect(0)
    assert math.isnan(frame.columns["kv_usage"][0])
    assert frame.columns["running"].tolist() == [0, 2, 2, 2]  # the last that was known
    assert frame.columns["prompt_tokens"].tolist() == [0, 0, 9, 0]
    assert tap.failures == 0


def test_nothing_that_goes_wrong_in_the_tap_reaches_the_engine():
    class Hostile:
        @property
        def num_running_reqs(self) -> int:
            raise RuntimeError("moved in the next release")

    tap = Tap()
    tap.record(Hostile(), None)
    assert tap.failures == 1
    tap.record(SimpleNamespace(num_waiting_reqs="many"), None)
    assert tap.failures == 2
    assert tap.collect(0) == []


def test_a_value_that_is_no_number_loses_its_row_only():
    tap = Tap()
    tap.record(SimpleNamespace(num_running_reqs="many"), None)
    tap.record(scheduler(), iteration())
    (frame,) = tap.collect(0)
    assert frame.rows == 1
    assert tap.failures == 1


def test_iterations_beyond_the_bound_are_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tap_module, "CAPACITY", 3)
    tap = Tap()
    for _ in range(10):
        tap.record(scheduler(), iteration())
    steps, gap = tap.collect(0)
    assert steps.rows == 3
    assert gap.kind == Kind.GAP
    assert gap.attrs["rows"] == 7
    assert len(tap.collect(0)) == 0


def test_core_stamps_are_nanoseconds_or_unset():
    metrics = SimpleNamespace(queued_ts=1.5, scheduled_ts=0.0)
    stamps = core_stamps(SimpleNamespace(metrics=metrics, num_cached_tokens=None))
    assert stamps == CoreStamps(1_500_000_000, UNSET, UNSET, 0)
    assert core_stamps(SimpleNamespace()) == CoreStamps(UNSET, UNSET, UNSET, 0)


def test_lags_tell_their_maximum_once_and_forget_what_is_old():
    lags = Lags()
    assert math.isnan(lags.take_max())
    for i in range(200):
        lags.add(i * MS, 0.001 * i)
    assert lags.take_max() == pytest.approx(0.199)
    assert math.isnan(lags.take_max())
    assert lags.p99(200 * MS) == pytest.approx(0.197)  # the 198th of 200
    assert lags.p99(10_150 * MS) == pytest.approx(0.198)  # of the last 50
    assert math.isnan(lags.p99(60_000 * MS))


def test_one_late_send_among_few_is_no_percentile():
    lags = Lags()
    for i in range(20):
        lags.add(i, 0.0)
    lags.add(20, 1.0)
    assert lags.p99(20) == 0.0


def test_the_p99_of_all_lags_is_theirs_to_two_per_cent():
    lags, rng = Lags(), random.Random(4)
    assert math.isnan(lags.p99_so_far())
    values = [0.0, *(rng.expovariate(1 / 0.002) for _ in range(2_000)), 1e9]
    for i, lag_s in enumerate(values):
        lags.add(i * 60_000 * MS, lag_s)
    assert 1 <= lags.p99_so_far() / sorted(values)[1981] < 1.02
    lags.forget()
    lags.add(0, 0.25)
    assert 0.25 <= lags.p99_so_far() < 0.255


def test_client_limited_is_said_once_a_change_and_only_in_the_measured_window():
    clock = FakeClock()
    meter = LagMeter(clock)

    def add(lag_s: float, count: int = 300) -> None:
        for _ in range(count):
            clock.advance(20 * MS)
            meter.loop.add(clock.now_ns(), lag_s)

    add(1.0)
    assert meter.verdict() == []
    meter.restart()
    add(0.001)
    assert meter.verdict() == []
    add(0.006)
    (fact,) = meter.verdict()
    assert fact.columns["name"] == [CLIENT_LIMITED]
    value = json.loads(fact.columns["value"][0])
    assert value == {"limited": True, "loop_lag_p99_s": 0.006, "schedule_lag_p99_s": None}
    assert meter.verdict() == []
    add(0.0045, 600)
    assert meter.verdict() == [], "near the bound it stays as it is"
    add(0.001, 600)
    (fact,) = meter.verdict()
    assert json.loads(fact.columns["value"][0])["limited"] is False
    assert meter.verdict() == []
    add(0.006)
    assert len(meter.verdict()) == 1
    meter.loop.forget()
    assert meter.verdict() == [], "not for less than ten seconds"
    add(0.001, 600)
    assert len(meter.verdict()) == 1


def test_beats_that_were_due_before_the_measured_window_do_not_count():
    clock = FakeClock()
    meter = LagMeter(clock)
    clock.advance(400 * MS)  # the heap is collected
    meter.restart()
    meter.woke(100 * MS)
    assert math.isnan(meter.loop.take_max())
    clock.advance(7 * MS)
    meter.woke(405 * MS)
    assert meter.loop.take_max() == pytest.approx(0.002)


def test_a_late_schedule_limits_too():
    clock = FakeClock()
    meter = LagMeter(clock)
    meter.restart()
    for _ in range(10):
        clock.advance(MS)
        meter.sent(clock.now_ns() - 11 * MS, clock.now_ns())
    assert len(meter.verdict()) == 1


@pytest.fixture
def pipe():
    read, write = os.pipe()
    os.set_blocking(read, False)
    yield read, write
    for fd in (read, write):
        with suppress(OSError):  # closed by the test
            os.close(fd)


def drain(fd: int) -> bytes:
    data = b""
    while True:
        try:
            part = os.read(fd, 1 << 16)
        except BlockingIOError:
            return data
        if not part:
            return data
        data += part


def test_frames_go_through_the_pipe(pipe: tuple[int, int]):
    outbox = Outbox(pipe[1], SYNC, FakeClock())
    outbox.put([mark_frame(1, "a"), mark_frame(2, "b")])
    frames = list(Decoder(SYNC).feed(drain(pipe[0])))
    assert [frame.columns["text"] for frame in frames] == [["a"], ["b"]]


def test_a_full_pipe_never_blocks_and_what_is_lost_is_said(pipe: tuple[int, int]):
    clock = FakeClock(5)
    outbox = Outbox(pipe[1], SYNC, clock, bound_bytes=1 << 18)
    decoder, frames = Decoder(SYNC), []
    for i in range(1000):
        outbox.put([mark_frame(i, "x" * 1000)])
    clock.advance(100)
    for _ in range(20):
        frames += decoder.feed(drain(pipe[0]))
        outbox.flush()
    outbox.put([mark_frame(1000, "after")])
    outbox.finish(1.0)
    frames += decoder.feed(drain(pipe[0]))
    gaps = [frame for frame in frames if frame.kind == Kind.GAP]
    marks = [frame for frame in frames if frame.kind == Kind.MARK]
    assert len(gaps) == 1
    assert gaps[0].attrs["frames"] == 1001 - len(marks)
    assert 0 < gaps[0].t0_ns <= 1000
    assert gaps[0].t1_ns == 105
    assert marks[-1].columns["text"] == ["after"]
    assert decoder.damage.missing_frames == 0
    assert [int(frame.t0_ns) for frame in marks] == sorted(int(f.t0_ns) for f in marks)


def test_the_last_gap_is_said_even_if_nothing_follows(pipe: tuple[int, int]):
    outbox = Outbox(pipe[1], SYNC, FakeClock(), bound_bytes=1)
    outbox.put([mark_frame(0, "x" * 200_000)])
    outbox.put([mark_frame(1, "lost")])
    data = drain(pipe[0])
    while not outbox.flush():
        data += drain(pipe[0])
    outbox.finish(1.0)
    data += drain(pipe[0])
    frames = list(Decoder(SYNC).feed(data))
    assert [frame.kind for frame in frames] == [Kind.MARK, Kind.GAP]


def test_a_reader_that_is_gone_is_no_error(pipe: tuple[int, int]):
    outbox = Outbox(pipe[1], SYNC, FakeClock())
    os.close(pipe[0])
    outbox.put([mark_frame(1, "a")])
    outbox.finish(1.0)


def test_rows_keep_their_declared_types():
    ledger = Ledger(FakeClock())
    ledger.sent(ledger.open(Phase.MEASURE, 1, 1, 0))
    (rows,) = ledger.collect()
    assert rows.columns["req"].dtype == np.uint32
    assert rows.columns["t_sched_ns"].dtype == np.int64
