"""What kind of machine this is, as a probe: the answer once, with the host's fingerprint."""

from __future__ import annotations

from typing import Any

from tuiapp.collectors.base import Collector, Gauges
from tuiapp.collectors.host import HostCollector
from tuiapp.collectors.tuning import TuningCollector
from tuiapp.machine.badge import badge
from tuiapp.machine.fingerprint import fingerprint
from tuiapp.machine.hardware import hardware_facts
from tuiapp.machine.looking import look


class MachineCollector(Collector):
    """Facts alone: ``virtualization`` (in words), ``machine`` (without the evidence) and
    ``fingerprint``. It runs the CPUID instruction in a process of its own, once."""

    name = "machine"
    every = 240
    blocking = True

    def sample(self, dt_s: float) -> dict[str, Gauges]:  # noqa: ARG002 - facts only
        return {}

    def facts(self) -> dict[str, Any]:
        seen = look(self.host.root or "/")
        found = seen.machine
        told = found.as_json()
        machine = {name: told[name] for name in told if name not in ("evidence", "unread")}
        facts = {**HostCollector(self.host).facts(), **TuningCollector(self.host).facts()}
        facts |= hardware_facts(seen.tree)
        return {
            "virtualization": badge(found),
            "machine": machine,
            "fingerprint": fingerprint({**facts, "machine": machine}),
        }
