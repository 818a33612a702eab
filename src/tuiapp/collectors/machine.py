"""What kind of machine this is, as a probe: the answer once, with the host's fingerprint."""

from __future__ import annotations

from typing import Any

from tuiapp.collectors.base import RARELY, Collector, Gauges
from tuiapp.machine.apart import call_apart

_LIMIT_S = 30.0


class MachineCollector(Collector):
    """Facts alone: ``virtualization`` (in words), ``machine`` (without the evidence) and
    ``fingerprint``.

    All of it is found in a process of its own, once: what that takes to know would stay in the
    agent's memory for the whole run.
    """

    name = "machine"
    every = RARELY
    blocking = True

    def sample(self, dt_s: float) -> dict[str, Gauges]:  # noqa: ARG002 - facts only
        return {}

    def facts(self) -> dict[str, Any]:
        root = self.host.root or "/"
        found = call_apart("tuiapp.collectors.machine_facts:of_root", root, limit_s=_LIMIT_S)
        return dict(found)
