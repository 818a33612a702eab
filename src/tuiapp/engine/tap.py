"""One row an engine iteration, read from vLLM's own statistics objects.

The only file that reads those classes. vLLM calls them unstable, so a field that is missing is
unknown, not an error; and whatever happens here never reaches the engine.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tuiapp import clock
from tuiapp.events import STEPS_COLUMNS, UNSET, Frame, Kind

CAPACITY = 1 << 15
"""Iterations kept between two collections; more are dropped and counted."""


class CoreStamps(NamedTuple):
    """What the engine core says about one request: times as CLOCK_MONOTONIC ns, or UNSET."""

    t_queued_ns: int
    t_prefill_ns: int
    t_core_first_ns: int
    cached_tokens: int
    t_core_last_ns: int = UNSET


def core_stamps(output: Any) -> CoreStamps:
    """The engine core's stamps in a ``RequestOutput``."""
    stats = getattr(output, "metrics", None)
    return CoreStamps(
        _stamp_ns(stats, "queued_ts"),
        _stamp_ns(stats, "scheduled_ts"),
        _stamp_ns(stats, "first_token_ts"),
        getattr(output, "num_cached_tokens", 0) or 0,
        _stamp_ns(stats, "last_token_ts"),
    )


def _stamp_ns(stats: Any, name: str) -> int:
    seconds = getattr(stats, name, None)
    return round(seconds * clock.NS_PER_S) if seconds else UNSET


class Tap:
    """Collects engine iterations; ``TapLogger`` makes it a vLLM stat logger.

    Args:
        engine_index: data-parallel rank.
    """

    def __init__(self, vllm_config: Any = None, engine_index: int = 0) -> None:
        del vllm_config  # part of vLLM's signature
        self.engine_index = engine_index
        self.failures = 0
        self._rows: list[tuple[float, ...]] = []
        self._dropped = 0
        self._last = (0, 0, math.nan)

    def record(
        self, scheduler_stats: Any = None, iteration_stats: Any = None, *_: Any, **__: Any
    ) -> None:
        """Called by vLLM after every iteration of the engine."""
        try:
            self._record(scheduler_stats, iteration_stats)
        except Exception:  # noqa: BLE001 - the boundary to vLLM: nothing of ours may stop it
            self.failures += 1

    def log_engine_initialized(self) -> None:
        """Called once by vLLM; nothing to say."""

    def log(self) -> None:
        """Called by vLLM's own logging; nothing to say."""

    def _record(self, scheduler: Any, iteration: Any) -> None:
        if len(self._rows) >= CAPACITY:
            self._dropped += 1
            return
        if scheduler is not None:
            waiting = _count(scheduler, "num_waiting_reqs")
            waiting += _count(scheduler, "num_skipped_waiting_reqs")
            usage = float(getattr(scheduler, "kv_cache_usage", math.nan))
            self._last = (_count(scheduler, "num_running_reqs"), waiting, usage)
        prefix = getattr(scheduler, "prefix_cache_stats", None)
        prompt = getattr(iteration, "prompt_token_stats", None)
        whole, computed = (iteration, "num_prompt_tokens"), (prompt, "computed")
        self._rows.append((
            clock.monotonic_ns(),
            *self._last,
            _count(*(computed if hasattr(*computed) else whole)),
            _count(iteration, "num_generation_tokens"),
            _count(iteration, "num_preempted_reqs"),
            _count(prefix, "queries"),
            _count(prefix, "hits"),
        ))  # fmt: skip

    def collect(self, origin_ns: int) -> list[Frame]:
        """The iterations since the last call, as a STEPS frame; a GAP frame if some were lost.

        Args:
            origin_ns: CLOCK_MONOTONIC reading that counts as zero.
        """
        rows, self._rows = self._rows, []
        if not rows:
            return []
        values = zip(STEPS_COLUMNS.items(), zip(*rows, strict=True), strict=True)
        columns = {name: np.array(column, dtype) for (name, dtype), column in values}
        columns["t_ns"] -= origin_ns
        t0, t1 = int(columns["t_ns"][0]), int(columns["t_ns"][-1])
        frames = [Frame(Kind.STEPS, t0, t1, columns, {"engine": self.engine_index})]
        if self._dropped:
            lost = {"reason": "engine iterations came too fast", "rows": self._dropped, "frames": 0}
            frames.append(Frame(Kind.GAP, t0, t1, {}, lost))
            self._dropped = 0
        return frames


def _count(stats: Any, name: str) -> int:
    return int(getattr(stats, name, 0) or 0)
