"""The facts of several probes, put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class FactBoard:
    """Merges facts as they come. Several probes find GPUs, each its own: what is told of ``gpus``
    is always the whole list, by index."""

    def __init__(self) -> None:
        self._gpus: dict[int, dict[str, Any]] = {}

    def merged(self, told: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """The facts in ``told``, the last one counts; with every GPU known where one is told."""
        facts: dict[str, Any] = {}
        for some in told:
            facts.update(some)
            for gpu in some.get("gpus", ()):
                self._gpus[gpu["index"]] = self._gpus.get(gpu["index"], {}) | gpu
        if "gpus" in facts:
            facts["gpus"] = [gpu for _, gpu in sorted(self._gpus.items())]
        return facts
