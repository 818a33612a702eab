"""A machine in a few words, for a status line or a list."""

from __future__ import annotations

from tuiapp.machine.report import (
    BARE_METAL,
    GUEST,
    HYPERV_ROOT,
    UNKNOWN,
    XEN_DOM0,
    Machine,
)
from tuiapp.machine.spelling import CONFIDENTIAL, CONTAINERS, spelled

_ROLES = {XEN_DOM0: "Xen dom0", HYPERV_ROOT: "Hyper-V root"}


def badge(machine: Machine) -> str:
    """``docker in VM · Firecracker, nested (AWS)``: what a person wants to know first."""
    words = _kind(machine)
    if machine.container:
        name = CONTAINERS.get(machine.container, machine.container)
        if machine.machine == UNKNOWN:
            words = f"{name}, machine unknown"
        else:
            words = f"{name} in {words}" if name != "wsl" else f"WSL, {words}"
    return f"{words} ({spelled(machine.cloud)})" if machine.cloud else words


def _kind(machine: Machine) -> str:
    if machine.machine == BARE_METAL:
        return "bare metal"
    nested = ["nested"] if machine.nested else []
    if machine.role:
        return ", ".join([_ROLES.get(machine.role, machine.role), *nested])
    if machine.machine != GUEST:
        return "unknown machine"
    words = ["VM"]
    if machine.hypervisor:
        words.append(spelled(machine.hypervisor))
    more = (
        [CONFIDENTIAL.get(machine.confidential, machine.confidential)]
        if machine.confidential
        else []
    )
    return ", ".join([" · ".join(words), *more, *nested])
