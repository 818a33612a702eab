"""A stand-in engine that says what a busy vLLM would say, without computing anything.

``start`` is what TUIAPP_ENGINE names. The whole path is real but for the model: the engine
child, its pipe, the recorder and the screen. The load is the one its ``--load`` argument (JSON of
``tests.doubles.synthetic.Load``) asks for; the driver's own plan should send next to nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.doubles.synthetic import NS, Load, frames
from tuiapp.clock import monotonic_ns
from tuiapp.engine.client import Delivery, Launch
from tuiapp.events import Frame, Kind
from tuiapp.session.blocks import merge_frames

_LEAD_S = 0.5
_TOLD = (Kind.REQUESTS, Kind.TOKENS, Kind.STEPS)


class SyntheticEngine:
    """Frames of a made-up run at the times they speak of."""

    vocab_size = 2048
    max_model_len = 4096
    dead: str | None = None

    def __init__(self, load: Load, origin_ns: int) -> None:
        self._load = load
        self._origin_ns = origin_ns
        self._frames: Iterator[Frame] | None = None
        self._next: Frame | None = None

    async def generate(
        self, req_id: str, prompt_token_ids: Sequence[int], max_tokens: int
    ) -> AsyncIterator[Delivery]:
        for _ in range(max_tokens):
            yield 1, None

    def info(self) -> Mapping[str, Any]:
        return {"model": {"name": "synthetic"}, "engine": {"name": "no vLLM", "version": "0"}}

    def steps(self) -> list[Frame]:
        """Everything that has happened since the last call."""
        now_ns = monotonic_ns() - self._origin_ns
        if self._frames is None:
            load = replace(self._load, start_s=now_ns / NS + _LEAD_S)
            told = (frame for frame in frames(load, sampled=False) if frame.kind in _TOLD)
            self._frames, self._next = told, next(told, None)
        due = []
        while self._next is not None and self._next.t1_ns <= now_ns:
            due.append(self._next)
            self._next = next(self._frames, None)
        return merge_frames(due)

    def close(self) -> None:
        """Nothing to end."""


def start(launch: Launch) -> SyntheticEngine:
    """In the engine child."""
    args = list(launch.engine_args)
    load = json.loads(args[args.index("--load") + 1])
    return SyntheticEngine(Load(**load), launch.origin_ns)
