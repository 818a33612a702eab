"""The facts of several probes, put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tuiapp.machine.fingerprint import with_gpus


class FactBoard:
    """Merges facts as they come. Several probes find GPUs, each its own: what is told of ``gpus``
    is always the whole list, by index, and the fingerprint has them as soon as both are known."""

    def __init__(self) -> None:
        self._gpus: dict[int, dict[str, Any]] = {}
        self._fingerprint: Mapping[str, Any] = {}

    def merged(self, told: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """The facts in ``told``, the last one counts; with every GPU known where one is told."""
        facts: dict[str, Any] = {}
        for some in told:
            facts.update(some)
            for gpu in some.get("gpus", ()):
                self._gpus[gpu["index"]] = self._gpus.get(gpu["index"], {}) | gpu
        if "gpus" in facts:
            facts["gpus"] = [gpu for _, gpu in sorted(self._gpus.items())]
        self._fingerprint = facts.get("fingerprint", self._fingerprint)
        if self._gpus and self._fingerprint and {"gpus", "fingerprint"} & facts.keys():
            gpus = [gpu for _, gpu in sorted(self._gpus.items())]
            facts["fingerprint"] = with_gpus(self._fingerprint, gpus)
        return facts
