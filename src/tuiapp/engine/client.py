"""What the driver needs of an engine: vLLM, or a scripted stand-in with known delays."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tuiapp.engine.tap import CoreStamps
from tuiapp.events import Frame

Delivery = tuple[int, CoreStamps | None]
"""New output tokens, and the engine core's stamps where this delivery brings news of them."""


class EngineClient(Protocol):
    """Takes requests."""

    def generate(
        self, req_id: str, prompt_token_ids: Sequence[int], max_tokens: int
    ) -> AsyncIterator[Delivery]:
        """Deliver exactly ``max_tokens`` tokens, or raise; a closed iterator aborts the request."""
        ...

    @property
    def dead(self) -> str | None:
        """Why the engine will answer no more requests; None while it lives."""
        ...


class Engine(EngineClient, Protocol):
    """A started engine."""

    vocab_size: int
    max_model_len: int

    def info(self) -> Mapping[str, Any]:
        """Engine, model and device, for the session's header."""
        ...

    def steps(self) -> list[Frame]:
        """Engine iterations since the last call."""
        ...

    def close(self) -> None:
        """End the engine's own processes."""
        ...


@dataclass(frozen=True, slots=True)
class Launch:
    """What an engine is started with.

    Attributes:
        model: path or Hugging Face id; None for the demo model.
        engine_args: command-line arguments for vLLM, unchanged.
        demo_dir: where the demo model is, or is to be made.
        origin_ns: CLOCK_MONOTONIC reading that counts as zero in frames.
        phase: tells that a phase of the cold start begins now.
        info: tells what is known of the engine so far.
    """

    model: str | None
    engine_args: Sequence[str]
    demo_dir: str
    origin_ns: int
    phase: Callable[[str], None]
    info: Callable[[Mapping[str, Any]], None]
