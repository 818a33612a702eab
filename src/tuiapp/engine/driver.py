"""Sends the planned load at an engine, on time, and records what comes back.

Open loop: requests go out at their absolute deadlines whatever the engine does; one that is late
is sent at once and its lateness recorded, and no deadline moves because of it. Closed loop: a fixed
number stays in flight.
"""

from __future__ import annotations

import asyncio
import gc
import json
import math
from collections import deque
from collections.abc import Callable
from typing import Any

from tuiapp import clock
from tuiapp.clock import NS_PER_S
from tuiapp.engine.client import EngineClient
from tuiapp.engine.deadline import Alarm
from tuiapp.engine.lag import LagMeter
from tuiapp.engine.ledger import Ledger, Request
from tuiapp.engine.schedule import LoadClock, Schedule
from tuiapp.events import LOAD_STATE, UNSET, Frame, Phase, Status, facts_frame
from tuiapp.workload.plan import Plan, Planned

LOOKAHEAD = 256
"""Requests prepared ahead; each one sent is replaced off its own deadline."""

_WARMUP_IN_FLIGHT = 8
_AFTERMATH_S = 2.0


class Driver:
    """One run: warm-up, measured load, drain.

    Args:
        client: the engine.
        plan: the requests and their gaps.
        now: the session's clock.
        emit: takes the frames of a change of state, which do not wait for a collection.
        drain_s: how long requests in flight may still take once the load has ended.
    """

    def __init__(
        self,
        client: EngineClient,
        plan: Plan,
        now: clock.Clock,
        emit: Callable[[list[Frame]], None],
        drain_s: float,
    ) -> None:
        self._client = client
        self._plan = plan
        self._workload = plan.workload
        self._clock = now
        self._emit = emit
        self._drain_s = drain_s
        self.ledger = Ledger(now)
        self.lags = LagMeter(now)
        self.died: str | None = None
        self._load = LoadClock()
        self._alarm = Alarm()
        self._schedule: Schedule | None = None
        self._rate = self._workload.rate
        self._concurrency = self._workload.concurrency or 1
        self._state = ""
        self._stopping = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._ahead: deque[Planned] = deque()
        self._index = 0
        self.shortened = 0

    @property
    def in_flight(self) -> int:
        """Requests sent and not ended."""
        return len(self._tasks)

    @property
    def rate(self) -> float:
        """Requests a second offered now; 0 while none are, NaN in a closed loop."""
        if self._workload.arrival == "closed":
            return math.nan
        if self._schedule is None or self._load.is_paused or self._state == "draining":
            return 0.0
        return self._schedule.rate_at(self._load.at(self._clock.now_ns()))

    async def run(self) -> None:
        """Run until the load has ended and drained; ``died`` tells if the engine did before."""
        try:
            await self._warm_up()
            if not self._over:
                _freeze_heap()
                self.lags.restart()
                await self._measure()
            await self._drain()
        finally:
            self._say("done")
            self._alarm.close()

    def command(self, message: dict[str, Any]) -> None:
        """Obey one command of the control pipe; what it does not know is ignored."""
        now_ns = self._clock.now_ns()
        match message:
            case {"op": "rate", "value": int() | float() as value} if 0 < value < math.inf:
                self._rate = float(value)
                if self._schedule is not None:
                    self._schedule.set_rate(self._rate, self._load.at(now_ns))
            case {"op": "concurrency", "value": int() as value} if value > 0:
                self._concurrency = value
            case {"op": "pause"}:
                self._load.pause(now_ns)
            case {"op": "resume"}:
                self._load.resume(now_ns)
            case {"op": "stop"}:
                self._stopping = True
                self._drain_s = float(message.get("drain_s", self._drain_s))
        if self._state in ("running", "paused") and not self._stopping:
            self._say("paused" if self._load.is_paused else "running")
        self._alarm.poke()

    def check_engine(self) -> None:
        """See whether the engine still lives; called again and again."""
        if self.died is None:
            self.died = self._client.dead
        if self.died is not None:
            self._alarm.poke()

    @property
    def _over(self) -> bool:
        return self._stopping or self.died is not None

    async def _warm_up(self) -> None:
        if self._workload.warmup:
            self._say("warmup")
        for i in range(self._workload.warmup):
            while self.in_flight >= _WARMUP_IN_FLIGHT and not self._over:
                await self._alarm.wait(None)
            if self._over:
                return
            self._send(self._plan.warmup_request(i), Phase.WARMUP, self._clock.now_ns())
        while self.in_flight and not self._over:
            await self._alarm.wait(None)

    async def _measure(self) -> None:
        for _ in range(LOOKAHEAD):
            self._prepare()
            await asyncio.sleep(0)
        start_ns = self._load.at(self._clock.now_ns())
        duration_s = self._workload.duration_s
        end_ns = None if duration_s is None else start_ns + round(duration_s * NS_PER_S)
        if self._workload.arrival == "closed":
            self._say("paused" if self._load.is_paused else "running")
            await self._keep_in_flight(end_ns)
        else:
            is_ramp = self._workload.arrival == "ramp"
            self._schedule = Schedule(self._plan, self._rate, start_ns, is_ramp=is_ramp)
            self._say("paused" if self._load.is_paused else "running")
            await self._keep_schedule(self._schedule, end_ns)

    async def _keep_schedule(self, schedule: Schedule, end_ns: int | None) -> None:
        """Send each request at its deadline; ``end_ns`` in the load's time."""
        while self._more:
            load_ns = self._load.at(self._clock.now_ns())
            if end_ns is not None and load_ns >= end_ns:
                return
            due_ns = schedule.due_ns
            next_ns = due_ns if end_ns is None else min(due_ns, end_ns)
            if self._load.is_paused or load_ns < next_ns:
                await self._sleep(self._load.when(next_ns))
            else:
                self._send_next(self._load.when(due_ns))
                schedule.advance()
                await asyncio.sleep(0)  # the request goes out before the next one is looked at

    async def _keep_in_flight(self, end_ns: int | None) -> None:
        """Send the next request when one has ended; ``end_ns`` in the load's time."""
        while self._more:
            now_ns = self._clock.now_ns()
            if end_ns is not None and self._load.at(now_ns) >= end_ns:
                return
            if self._load.is_paused or self.in_flight >= self._concurrency:
                await self._sleep(None if end_ns is None else self._load.when(end_ns))
            else:
                self._send_next(now_ns)
                await asyncio.sleep(0)

    @property
    def _more(self) -> bool:
        wanted = self._workload.requests
        return not self._over and (wanted is None or self._index < wanted)

    async def _sleep(self, until_ns: int | None) -> None:
        """Until a time of the session, or any command, end of a request, or death of the engine."""
        paused = self._load.is_paused
        wake = None if paused or until_ns is None else until_ns + self._clock.origin_ns
        await self._alarm.wait(wake)

    def _prepare(self) -> None:
        index = self._index + len(self._ahead)
        if self._workload.requests is None or index < self._workload.requests:
            self._ahead.append(self._plan.request(index))

    def _send_next(self, t_sched_ns: int) -> None:
        planned = self._ahead.popleft()
        self._index += 1
        self._send(planned, Phase.MEASURE, t_sched_ns)
        # After the send has had its turn, so that no deadline pays for it.
        asyncio.get_running_loop().call_soon(self._prepare)

    def _send(self, planned: Planned, phase: Phase, t_sched_ns: int) -> None:
        prompt = planned.prompt_token_ids
        self.shortened += planned.shortened
        request = self.ledger.open(phase, len(prompt), planned.output_tokens, t_sched_ns)
        task = asyncio.create_task(self._request(request, prompt))
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._alarm.poke()

    async def _request(self, request: Request, prompt: list[int]) -> None:
        ledger = self.ledger
        ledger.sent(request)
        if request.phase == Phase.MEASURE:
            self.lags.sent(request.t_sched_ns, request.t_sent_ns)
        try:
            stream = self._client.generate(str(request.req), prompt, request.target_tokens)
            async for n, core in stream:
                ledger.delivered(request, n, core)
        except asyncio.CancelledError:
            ledger.ended(request, *self._given_up())
            raise
        except Exception as error:  # noqa: BLE001 - a task's boundary: the reason is recorded
            ledger.ended(request, Status.FAILED, f"{type(error).__name__}: {error}")
            self.check_engine()
        else:
            complete = request.t_first_ns != UNSET
            reason = "" if complete else "The engine ended it without a token."
            ledger.ended(request, Status.OK if complete else Status.FAILED, reason)

    def _given_up(self) -> tuple[Status, str]:
        if self.died is not None:
            return Status.FAILED, self.died
        cut = self._stopping and self._drain_s <= 0
        return (Status.CUT if cut else Status.UNFINISHED), ""

    async def _drain(self) -> None:
        """Wait for what is in flight, as long as the bound allows; then give it up."""
        if not self._tasks:
            return
        self._say("draining")
        end_ns = self._clock.now_ns() + round(self._drain_s * NS_PER_S)
        while self._tasks and self.died is None and self._clock.now_ns() < end_ns:
            await self._alarm.wait(end_ns + self._clock.origin_ns)
            if self._stopping:  # a stop that comes while draining may shorten the bound
                end_ns = min(end_ns, self._clock.now_ns() + round(self._drain_s * NS_PER_S))
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_AFTERMATH_S)

    def _say(self, state: str) -> None:
        if state == self._state and state != "running":
            return
        self._state = state
        closed = self._workload.arrival == "closed"
        value = {
            "state": state,
            "rate": None if closed else self._rate,
            "concurrency": self._concurrency if closed else None,
            "shortened": self.shortened,
        }
        fact = facts_frame(self._clock.now_ns(), LOAD_STATE, json.dumps(value))
        self._emit([*self.ledger.collect(), fact])


def _freeze_heap() -> None:
    """Keep what is alive now out of every garbage collection from here on."""
    gc.collect()
    gc.freeze()
