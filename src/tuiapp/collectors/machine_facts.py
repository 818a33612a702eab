"""The facts that say what kind of machine this is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuiapp.collectors.host import HostCollector
from tuiapp.collectors.recorded import TreeHost
from tuiapp.collectors.tuning import TuningCollector
from tuiapp.machine.badge import badge
from tuiapp.machine.fingerprint import fingerprint
from tuiapp.machine.hardware import hardware_facts
from tuiapp.machine.looking import Look, look


def machine_facts(seen: Look, facts: Mapping[str, Any]) -> dict[str, Any]:
    """``virtualization`` (in words), ``machine`` (without the evidence) and ``fingerprint``.

    Args:
        facts: those of the collectors ``host`` and ``tuning``.
    """
    told = seen.machine.as_json()
    machine = {name: told[name] for name in told if name not in ("evidence", "unread")}
    known = {**facts, **hardware_facts(seen.tree), "machine": machine}
    return {
        "virtualization": badge(seen.machine),
        "machine": machine,
        "fingerprint": fingerprint(known),
    }


def of_root(root: str) -> dict[str, Any]:
    """``machine_facts`` of the machine whose files are under ``root``."""
    seen = look(root)
    host = TreeHost(seen.tree)
    return machine_facts(seen, {**HostCollector(host).facts(), **TuningCollector(host).facts()})
