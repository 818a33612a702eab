"""Why a host is slower than it could be. A new rule is one function and one line in ``RULES``.

A rule is a pure function of a view: it reads the host's facts in the header and the gauges of the
view's window, so that a live run, a replay and a single look at a host are judged alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuiapp.registry import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuiapp.diagnosis.finding import Finding
    from tuiapp.diagnosis.seen import Seen

RULES: dict[str, str] = {
    "layers": "tuiapp.diagnosis.topology:layers",
    "cores": "tuiapp.diagnosis.cores:cores",
    "clock": "tuiapp.diagnosis.cores:clock",
    "steal": "tuiapp.diagnosis.scheduling:steal",
    "quota": "tuiapp.diagnosis.scheduling:quota",
    "run_wait": "tuiapp.diagnosis.scheduling:run_wait",
    "sessions": "tuiapp.diagnosis.scheduling:sessions",
    "neighbours": "tuiapp.diagnosis.scheduling:neighbours",
    "interrupts": "tuiapp.diagnosis.scheduling:interrupts",
    "jitter": "tuiapp.diagnosis.stalls:jitter",
    "vm_exit": "tuiapp.diagnosis.stalls:vm_exit",
    "governor": "tuiapp.diagnosis.power_saving:governor",
    "idle_states": "tuiapp.diagnosis.power_saving:idle_states",
    "numa": "tuiapp.diagnosis.topology:numa",
    "memory": "tuiapp.diagnosis.memory:memory",
    "clocksource": "tuiapp.diagnosis.kernel:clocksource",
    "pages": "tuiapp.diagnosis.kernel:pages",
    "iommu": "tuiapp.diagnosis.kernel:iommu",
    "gpu_visible": "tuiapp.diagnosis.gpu_health:gpu_visible",
    "gpu_lost": "tuiapp.diagnosis.gpu_lost:gpu_lost",
    "pcie": "tuiapp.diagnosis.links:pcie",
    "pcie_replays": "tuiapp.diagnosis.links:pcie_replays",
    "p2p": "tuiapp.diagnosis.links:p2p",
    "power": "tuiapp.diagnosis.gpu_limits:power",
    "thermal": "tuiapp.diagnosis.gpu_limits:thermal",
    "clocks": "tuiapp.diagnosis.gpu_limits:clocks",
    "ecc": "tuiapp.diagnosis.gpu_health:ecc",
    "slices": "tuiapp.diagnosis.gpu_shares:slices",
    "gpu_neighbour": "tuiapp.diagnosis.gpu_shares:gpu_neighbour",
    "confidential": "tuiapp.diagnosis.gpu_shares:confidential",
    "engine": "tuiapp.diagnosis.engine:engine",
    "client": "tuiapp.diagnosis.engine:client",
}
"""Name to ``"module:function"``, resolved on use; the order is that of reading."""


def rule(name: str) -> Callable[[Seen], Finding | None]:
    """The rule registered under ``name``; KeyError when there is none."""
    found: Callable[[Seen], Finding | None] = resolve(RULES[name])
    return found


def diagnose(view: Seen) -> tuple[Finding, ...]:
    """What every rule says that applies here, the gravest first, then by weight."""
    from tuiapp.diagnosis.finding import ranked

    return ranked(found for name in RULES if (found := rule(name)(view)) is not None)
