"""Where frames come from. A new source is one file here and one line in ``SOURCES``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from tuiapp.registry import resolve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tuiapp.events import Frame

SOURCES: dict[str, str] = {
    "agent": "tuiapp.sources.agent:AgentSource",
    "engine": "tuiapp.sources.engine:EngineSource",
}
"""Name to ``"module:Class"``, resolved on use: nothing is imported before it is needed."""

VLLM = "vllm"
"""The engine that ``EngineConfig`` names unless a test or a benchmark names a stand-in."""


class Source(Protocol):
    """Delivers the frames of one process, file or host."""

    @property
    def pid(self) -> int | None:
        """The process it watches; None when there is none, or not yet."""
        ...

    def frames(self) -> AsyncIterator[Frame]:
        """Every frame, in the order of arrival; ends when there will be no more. Call once."""
        ...

    def send(self, command: Mapping[str, Any]) -> None:
        """Pass a command on (``{"op": ...}``); a source that takes none ignores it."""
        ...

    async def aclose(self) -> None:
        """End it and leave nothing behind; may be called at any time, and more than once."""
        ...


def source_class(name: str) -> Any:
    """The class registered under ``name``; KeyError when there is none."""
    return resolve(SOURCES[name])
