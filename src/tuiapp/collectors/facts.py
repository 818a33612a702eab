"""The facts of several probes, put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tuiapp.collectors.nvml_path import settled
from tuiapp.machine.fingerprint import with_gpus


class FactBoard:
    """Merges facts as they come. Several probes find GPUs, each its own: what is told of ``gpus``
    is always the whole list, by index, each with its path as the verdict on the machine settles
    it, and the fingerprint has them as soon as both are known."""

    def __init__(self) -> None:
        self._gpus: dict[int, dict[str, Any]] = {}
        self._fingerprint: Mapping[str, Any] = {}
        self._driver: str | None = None
        self._verdict: tuple[Any, Any] = (None, None)

    def merged(self, told: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """The facts in ``told``, the last one counts; with every GPU known where one is told."""
        facts: dict[str, Any] = {}
        for some in told:
            facts.update(some)
            for gpu in some.get("gpus", ()):
                self._gpus[gpu["index"]] = self._gpus.get(gpu["index"], {}) | gpu
        machine = facts.get("machine")
        if isinstance(machine, Mapping):
            self._verdict = machine.get("machine"), machine.get("confidence")
        self._fingerprint = facts.get("fingerprint", self._fingerprint)
        self._driver = facts.get("nvidia_driver") or self._driver
        if not self._gpus or not {"gpus", "machine", "fingerprint"} & facts.keys():
            return facts
        gpus = [settled(gpu, *self._verdict) for _, gpu in sorted(self._gpus.items())]
        facts["gpus"] = gpus
        if self._fingerprint:
            facts["fingerprint"] = with_gpus(self._fingerprint, gpus, self._driver)
        return facts
