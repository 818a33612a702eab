"""One run of the engine child: cold start, load, and the frames about both.

Until the engine is ready everything happens on the main thread, as vLLM wants it; afterwards in one
event loop. The control thread may end it all at any moment.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from itertools import count
from typing import Any

import numpy as np

from tuiapp import clock
from tuiapp.clock import NS_PER_MS
from tuiapp.engine.client import Engine, Launch
from tuiapp.engine.control import Command, Control
from tuiapp.engine.deadline import Alarm
from tuiapp.engine.driver import Driver
from tuiapp.engine.outbox import Outbox
from tuiapp.errors import EngineError
from tuiapp.events import ENGINE_INFO, ENGINE_PHASE, Frame, Kind, facts_frame
from tuiapp.sources import VLLM
from tuiapp.workload.plan import Plan
from tuiapp.workload.spec import Workload

BEAT_NS = 50 * NS_PER_MS
FLUSH_BEATS = SAMPLE_BEATS = 10
_FINISH_S = 2.0


class Run:
    """Starts the engine, drives the load and ends both.

    Args:
        control: where commands come from.
        config: the control pipe's first message; ``sources.engine`` writes it.
        frames_fd: the frames pipe.
        started_ns: CLOCK_MONOTONIC when Python began to run.
    """

    def __init__(self, control: Control, config: Command, frames_fd: int, started_ns: int) -> None:
        self._control = control
        self._config = config
        self._clock = clock.Clock(config["origin_ns"])
        self._outbox = Outbox(frames_fd, config["sync"], self._clock)
        self._fact(ENGINE_PHASE, {"phase": "import"}, started_ns - self._clock.origin_ns)

    def serve(self) -> str | None:
        """The whole run; why the engine died, or None when it was ended in order.

        Raises:
            TuiappError: the engine cannot start, with a sentence for the user.
            Exception: whatever else the engine raises while it starts.
        """
        workload = Workload.from_dict(self._config["workload"])
        engine = _starter(self._config["engine"])(self._launch())
        try:
            self._info(engine.info())
            self._phase("ready")
            plan = Plan(workload, engine.vocab_size, engine.max_model_len)
            return asyncio.run(self._drive(engine, plan))
        finally:
            self._outbox.finish(_FINISH_S)
            engine.close()

    def _launch(self) -> Launch:
        return Launch(
            model=self._config["model"],
            engine_args=self._config["engine_args"],
            demo_dir=self._config["demo_dir"],
            origin_ns=self._clock.origin_ns,
            phase=self._phase,
            info=self._info,
        )

    async def _drive(self, engine: Engine, plan: Plan) -> str | None:
        loop = asyncio.get_running_loop()
        driver = Driver(engine, plan, self._clock, self._outbox.put, self._config["drain_s"])
        self._control.attach(lambda message: loop.call_soon_threadsafe(driver.command, message))

        def flush() -> None:
            self._outbox.put([*driver.ledger.collect(), *engine.steps()])

        def sample() -> None:
            driver.check_engine()
            self._outbox.put([self._sample(driver), *driver.lags.verdict()])

        watching = loop.create_task(self._watch(driver, flush, sample))
        try:
            await driver.run()
        finally:
            watching.cancel()
            flush()
        return driver.died

    async def _watch(
        self, driver: Driver, flush: Callable[[], None], sample: Callable[[], None]
    ) -> None:
        """One beat for all that is done now and then: every wake-up costs the engine's host.

        Beats are absolute too: after a stall of a second, all that were due in it are late.
        """
        alarm, due_ns = Alarm(), self._clock.now_ns()
        try:
            for beat in count(1):
                due_ns += BEAT_NS
                await alarm.wait(due_ns + self._clock.origin_ns)
                driver.lags.woke(due_ns)
                if beat % FLUSH_BEATS == 0:
                    flush()
                if beat % SAMPLE_BEATS == 0:
                    sample()
        finally:
            alarm.close()

    def _sample(self, driver: Driver) -> Frame:
        now_ns = self._clock.now_ns()
        gauges = {
            **driver.lags.gauges(),
            "in_flight": driver.in_flight,
            "rate": driver.rate,
            "shortened": driver.shortened,
        }
        columns: dict[str, Any] = {"t_ns": np.array([now_ns])}
        columns |= {name: np.array([value], np.float32) for name, value in gauges.items()}
        return Frame(Kind.SAMPLES, now_ns, now_ns, columns, {"group": "driver"})

    def _phase(self, name: str) -> None:
        self._fact(ENGINE_PHASE, {"phase": name}, self._clock.now_ns())

    def _info(self, values: Mapping[str, Any]) -> None:
        now_ns = self._clock.now_ns()
        self._fact(ENGINE_INFO, values, now_ns)
        self._outbox.put([Frame(Kind.META, now_ns, now_ns, attrs=values)])

    def _fact(self, name: str, value: Mapping[str, Any], t_ns: int) -> None:
        self._outbox.put([facts_frame(t_ns, name, json.dumps(dict(value)))])


def _starter(engine: str) -> Callable[[Launch], Engine]:
    """vLLM's start, or ``FILE:FUNCTION`` of a stand-in for tests and benchmarks."""
    if engine == VLLM:
        from tuiapp.engine.vllm_engine import start

        return start
    path, _, name = engine.rpartition(":")
    spec = spec_from_file_location("stand_in_engine", path)
    if spec is None or spec.loader is None:
        raise EngineError(f"There is no engine at {path}.")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    starter: Callable[[Launch], Engine] = getattr(module, name)
    return starter
