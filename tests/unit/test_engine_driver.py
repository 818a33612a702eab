"""The driver against a scripted engine: what it records is what the script did."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.doubles.stub_engine import Script, StubEngine
from tuiapp.clock import Clock
from tuiapp.engine.driver import Driver
from tuiapp.events import LOAD_STATE, UNSET, Frame, Kind, Phase, Status
from tuiapp.workload.plan import Plan
from tuiapp.workload.spec import Lengths, Workload

S = 1_000_000_000
SLACK_NS = 50_000_000  # a loaded machine may be this late; scripts are coarser

LOAD = Workload(
    arrival="poisson", rate=50.0, requests=40, warmup=0, output=Lengths.parse("4"), seed=3
)


class Outcome:
    """A finished run: columns by name, and the states it went through."""

    def __init__(self, driver: Driver, engine: StubEngine, frames: list[Frame]) -> None:
        self.driver = driver
        self.engine = engine
        self.origin_ns = driver._clock.origin_ns
        self.requests = _newest(_columns(frames, Kind.REQUESTS))
        self.tokens = _columns(frames, Kind.TOKENS)
        facts = [f for f in frames if f.kind == Kind.FACTS]
        self.facts = [
            (name, json.loads(value))
            for frame in facts
            for name, value in zip(frame.columns["name"], frame.columns["value"], strict=True)
        ]
        self.states = [value["state"] for name, value in self.facts if name == LOAD_STATE]


def _columns(frames: list[Frame], kind: Kind) -> dict[str, np.ndarray]:
    columns = [frame.columns for frame in frames if frame.kind == kind]
    return (
        {name: np.concatenate([c[name] for c in columns]) for name in columns[0]} if columns else {}
    )


def _newest(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    rows = {req: row for row, req in enumerate(columns["req"].tolist())}
    chosen = [rows[req] for req in sorted(rows)]
    return {name: column[chosen] for name, column in columns.items()}


async def drive(
    workload: Workload, script: Script | None = None, *, drain_s: float = 5.0, steer: Any = None
) -> Outcome:
    clock, frames = Clock(), []
    engine = StubEngine(script or Script())
    plan = Plan(workload, engine.vocab_size, engine.max_model_len)
    driver = Driver(engine, plan, clock, frames.extend, drain_s)
    steering = asyncio.create_task(steer(driver)) if steer else None
    await driver.run()
    if steering:
        await steering
    frames += driver.ledger.collect()
    return Outcome(driver, engine, frames)


async def test_requests_are_due_exactly_when_the_plan_says():
    outcome = await drive(LOAD)
    plan = Plan(LOAD, 1024, 4096)
    t_sched = outcome.requests["t_sched_ns"]
    gaps = [round(plan.gap(i) / LOAD.rate * S) for i in range(1, len(t_sched))]
    assert np.diff(t_sched).tolist() == gaps
    assert (outcome.requests["t_sent_ns"] >= t_sched).all()


async def test_every_delivery_is_recorded_when_the_script_made_it():
    script = Script(delays_s=lambda req, n: [0.05 + 0.01 * (req % 3)] + [0.03] * (n - 1))
    outcome = await drive(LOAD, script)
    for req, due_ns in outcome.engine.due_ns.items():
        own = outcome.tokens["req"] == req
        late_ns = outcome.tokens["t_ns"][own] + outcome.origin_ns - np.array(due_ns)
        assert (late_ns >= 0).all()
        assert (late_ns < SLACK_NS).all()
    assert outcome.tokens["n"].sum() == 4 * LOAD.requests


async def test_request_rows_agree_with_their_deliveries():
    outcome = await drive(LOAD)
    rows, tokens = outcome.requests, outcome.tokens
    assert rows["req"].tolist() == list(range(LOAD.requests))
    assert (rows["status"] == Status.OK).all()
    assert (rows["output_tokens"] == 4).all()
    assert (rows["prompt_tokens"] == 128).all()
    assert (rows["cached_tokens"] == 64).all()
    for req in rows["req"]:
        t_ns = tokens["t_ns"][tokens["req"] == req]
        assert rows["t_first_ns"][req] == t_ns[0]
        assert rows["t_last_ns"][req] == t_ns[-1]
    for earlier, later in (
        ("t_sent_ns", "t_queued_ns"),
        ("t_queued_ns", "t_prefill_ns"),
        ("t_prefill_ns", "t_core_first_ns"),
        ("t_core_first_ns", "t_first_ns"),
        ("t_last_ns", "t_end_ns"),
    ):
        assert (rows[earlier] <= rows[later]).all()


async def test_a_stalled_engine_cannot_hide_its_queue():
    """No coordinated omission: arrivals go on, and each waits for the stall's end."""
    workload = replace(LOAD, arrival="constant", requests=60)
    outcome = await drive(workload, Script(stall=(0.1, 1.1)))
    assert outcome.engine.started_ns is not None
    end_ns = outcome.engine.started_ns + round(1.1 * S) - outcome.origin_ns
    rows = outcome.requests
    # Each 20 ms a request, so 1 s of stall holds 50 of them, give or take its edges.
    held = rows[(name := "t_sched_ns")] < end_ns - SLACK_NS
    held &= rows["t_first_ns"] >= end_ns
    assert 45 <= held.sum() <= 51
    ttft = (rows["t_first_ns"] - rows[name])[held]
    assert ttft.max() > 0.9 * S
    assert (np.diff(ttft) < 0).mean() > 0.9  # later arrivals wait less: the whole ramp is there
    assert (rows["t_sent_ns"] - rows[name] < SLACK_NS).all()


async def test_a_late_send_is_sent_at_once_and_moves_no_deadline():
    def block(driver: Driver) -> Any:
        async def steer() -> None:
            await asyncio.sleep(0.1)
            import time

            time.sleep(0.3)  # the loop itself stands still

        return steer()

    workload = replace(LOAD, arrival="constant", requests=30)
    outcome = await drive(workload, steer=block)
    rows = outcome.requests
    assert set(np.diff(rows["t_sched_ns"]).tolist()) == {S // 50}
    late_ns = rows["t_sent_ns"] - rows["t_sched_ns"]
    assert late_ns.max() > 0.25 * S
    assert late_ns[-1] < SLACK_NS
    assert outcome.driver.lags.schedule.take_max() == pytest.approx(late_ns.max() / S)


async def test_warm_up_comes_first_and_is_marked():
    outcome = await drive(replace(LOAD, warmup=12, requests=5))
    phases = outcome.requests["phase"].tolist()
    order = np.argsort(outcome.requests["req"])
    assert [phases[i] for i in order] == [Phase.WARMUP] * 12 + [Phase.MEASURE] * 5
    assert outcome.states == ["warmup", "running", "draining", "done"]


async def test_failures_are_recorded_with_their_reason():
    outcome = await drive(LOAD, Script(fails=frozenset({3, 7})))
    failed = outcome.requests["req"][outcome.requests["status"] == Status.FAILED]
    assert failed.tolist() == [3, 7]
    reasons = [value for name, value in outcome.facts if name == "request.failed"]
    assert reasons[0] == {"req": 3, "reason": "ValueError: request 3 is scripted to fail"}
    assert outcome.driver.died is None


async def test_what_does_not_end_in_time_is_unfinished():
    slow = Script(delays_s=lambda req, n: [0.01] * n if req < 20 else [0.01] + [60.0] * (n - 1))
    outcome = await drive(LOAD, slow, drain_s=0.2)
    rows = outcome.requests
    assert (rows["status"][rows["req"] < 20] == Status.OK).all()
    assert (rows["status"][rows["req"] >= 20] == Status.UNFINISHED).all()
    assert (rows["t_end_ns"] != UNSET).all()


async def test_a_dead_engine_ends_the_run_and_fails_what_was_in_flight():
    slow = Script(delays_s=lambda _req, n: [60.0] * n, dies_after=10)
    outcome = await drive(LOAD, slow)
    assert outcome.driver.died == "The stub died."
    assert (outcome.requests["status"] == Status.FAILED).all()
    assert len(outcome.requests["req"]) <= 12


async def test_stop_ends_arrivals_and_drains():
    async def steer(driver: Driver) -> None:
        await asyncio.sleep(0.2)
        driver.command({"op": "stop"})

    outcome = await drive(replace(LOAD, requests=None), steer=steer)
    assert 0 < len(outcome.requests["req"]) < 40
    assert (outcome.requests["status"] == Status.OK).all()
    assert outcome.states[-1] == "done"


async def test_stop_shortens_a_drain_that_is_under_way():
    async def steer(driver: Driver) -> None:
        await asyncio.sleep(0.4)
        driver.command({"op": "stop", "drain_s": 0})

    hanging = Script(delays_s=lambda _req, n: [600.0] * n)
    outcome = await asyncio.wait_for(
        drive(replace(LOAD, requests=2), hanging, drain_s=600, steer=steer), 10
    )
    assert (outcome.requests["status"] == Status.CUT).all()


async def test_stop_during_warm_up_measures_nothing():
    async def steer(driver: Driver) -> None:
        await asyncio.sleep(0.1)
        driver.command({"op": "stop", "drain_s": 0})

    hanging = Script(delays_s=lambda _req, n: [600.0] * n)
    outcome = await drive(replace(LOAD, warmup=20), hanging, steer=steer)
    assert set(outcome.requests["phase"].tolist()) == {Phase.WARMUP}


async def test_a_pause_stops_arrivals_and_shifts_the_rest():
    async def steer(driver: Driver) -> None:
        await asyncio.sleep(0.2)
        driver.command({"op": "pause"})
        await asyncio.sleep(0.5)
        assert driver.rate == 0
        driver.command({"op": "resume"})

    workload = replace(LOAD, arrival="constant", requests=30)
    outcome = await drive(workload, steer=steer)
    gaps = np.diff(outcome.requests["t_sched_ns"])
    assert sorted(gaps)[-2] == S // 50
    assert gaps.max() == pytest.approx(0.5 * S + S // 50, abs=SLACK_NS)
    assert outcome.states == ["running", "paused", "running", "draining", "done"]


async def test_the_rate_changes_live():
    async def steer(driver: Driver) -> None:
        await asyncio.sleep(0.2)
        driver.command({"op": "rate", "value": 200.0})
        assert driver.rate == 200.0
        driver.command({"op": "rate", "value": -1})
        assert driver.rate == 200.0

    workload = replace(LOAD, arrival="constant", requests=60)
    outcome = await drive(workload, steer=steer)
    gaps = np.diff(outcome.requests["t_sched_ns"])
    assert gaps[0] == S // 50
    assert gaps[-1] == S // 200


async def test_a_duration_ends_the_load_and_nothing_is_due_after_it():
    outcome = await drive(replace(LOAD, arrival="constant", requests=None, duration_s=0.5))
    t_sched = outcome.requests["t_sched_ns"]
    assert len(t_sched) == 24  # the first is due one gap after the start, the 25th at its end
    assert outcome.states == ["running", "draining", "done"]


async def test_a_closed_loop_keeps_its_number_in_flight():
    seen = []

    async def steer(driver: Driver) -> None:
        for _ in range(10):
            await asyncio.sleep(0.02)
            seen.append(driver.in_flight)
        driver.command({"op": "concurrency", "value": 6})
        await asyncio.sleep(0.1)
        seen.append(driver.in_flight)
        driver.command({"op": "stop"})

    workload = Workload(
        arrival="closed", concurrency=3, warmup=0, output=Lengths.parse("4"), duration_s=20
    )
    slow = Script(delays_s=lambda _req, n: [0.02] * n)
    outcome = await drive(workload, slow, steer=steer)
    assert max(seen[:-1]) == 3
    assert seen[-1] == 6
    rows = outcome.requests
    assert (rows["t_sent_ns"] - rows["t_sched_ns"] < SLACK_NS).all()


async def test_unknown_commands_are_ignored():
    async def steer(driver: Driver) -> None:
        for message in ({}, {"op": "dance"}, {"op": "rate"}, {"op": "rate", "value": "x"}):
            driver.command(message)

    outcome = await drive(replace(LOAD, requests=3), steer=steer)
    assert (outcome.requests["status"] == Status.OK).all()


async def test_an_engine_that_ends_a_request_without_a_token_has_failed_it():
    outcome = await drive(replace(LOAD, requests=2), Script(delays_s=lambda _req, _n: []))
    assert (outcome.requests["status"] == Status.FAILED).all()
