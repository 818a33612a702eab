"""How a GPU that is known from files alone reaches this system."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from tuiapp.collectors.base import Host
from tuiapp.collectors.guest import guest_sign

OPEN = "path_open"
"""The fact under which a GPU's probe says what it is in a guest, where that is a matter of what
the machine is; taken out as soon as the facts of all probes are put together."""
_ON_BUS = "on the PCI bus of a guest, and not called a virtual function"
_MAY_BE_PART = "in a guest a GPU without a name may be a virtual function"
Facts = dict[str, Any]


def path_by_files(host: Host, device: str, name: str | None, may_be_part: str = "") -> Facts:
    """``path``, ``card_path``, ``path_confidence``, ``path_because``, ``path_conflict``.

    A virtual function seen from its host has a link to its physical one. Seen from a guest only
    its name tells it, so a guest's GPU without a name may be either.

    Args:
        device: the directory of its PCI device.
        name: what the board or a list of names calls it.
        may_be_part: why its name does not tell a virtual function; empty where it does.
    """
    with suppress(OSError):
        host.names(f"{device}/physfn")
        return _told("sriov-vf", "certain", "sysfs links it to a physical function")
    if name is not None and name.upper().endswith(" VF"):
        return _told("sriov-vf", "likely", "its name says so")
    part = may_be_part or ("" if name else _MAY_BE_PART)
    guest, sign = guest_sign(host)
    if guest is None:
        found = _told("unknown", "", sign)
    else:
        found = _in_guest(part) if guest else _told("bare", "weak", sign)
    return {**found, OPEN: part or _ON_BUS}


def path_by_library(told: str, maker: str, fallback: Facts) -> Facts:
    """What a maker's library says; its *bare* stands only where this is no guest."""
    sure = _told(told, "certain", f"{maker}'s library says so")
    if told != "bare" or OPEN not in fallback:
        return sure
    says = f"{maker}'s library says that nothing virtualizes this GPU"
    return {**sure, OPEN: fallback[OPEN], "path_says": says}


def settled_by_machine(gpu: Mapping[str, Any], machine: Any, confidence: Any) -> Facts:
    """The facts of a GPU whose probe left its path ``OPEN``, with what the verdict makes of it."""
    told = {name: value for name, value in gpu.items() if name not in (OPEN, "path_says")}
    because, says = str(gpu[OPEN]), gpu.get("path_says")
    if machine == "guest":
        part = "" if because == _ON_BUS else because
        conflict = f"{says}; the verdict on this machine won: in a guest none is bare"
        found = _in_guest(part, confidence)
        return told | found | {"path_conflict": conflict if says else None}
    owned = {
        "bare-metal": "this machine is bare metal",
        "host-partition": "this system is the partition that owns the hardware",
    }
    if machine in owned and not says:
        return told | _told("bare", str(confidence or "weak"), owned[machine])
    return told


def _in_guest(may_be_part: str, confidence: Any = "likely") -> Facts:
    if may_be_part:
        return _told("unknown", "", may_be_part)
    return _told("passthrough", "weak" if confidence == "weak" else "likely", _ON_BUS)


def _told(path: str, confidence: str, because: str) -> Facts:
    return {
        "path": path,
        "path_confidence": confidence or None,
        "path_because": because,
        "path_conflict": None,
        "card_path": path,
    }
