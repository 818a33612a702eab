"""PCI: devices that only device models have, and host bridges that only hardware has."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tuiapp.machine.report import LIKELY, WEAK
from tuiapp.machine.sources.base import Notes
from tuiapp.machine.spelling import spelled

SYSFS, PROC = "/sys/bus/pci/devices", "/proc/bus/pci/devices"
MOST_DEVICES = 600

MODELS = {
    "1b36": "qemu",
    "1234": "qemu",
    "15ad": "vmware",
    "80ee": "virtualbox",
    "5853": "xen",
    "1414:5353": "hyperv",
    "1414:008e": "hyperv",
    "1ab8": "parallels",
    "1275:1275": "bhyve",
    "fb5d": "bhyve",
    "106b:1a05": "apple",
    "8086:0d57": "firecracker-like",
}
EMULATED_BRIDGES = frozenset({"8086:1237", "8086:29c0", "8086:7190", "8086:7191", "8086:7192"})
"""Chipsets of the 1990s and of 2007 that device models imitate; nearly nobody has them now."""

_ROOT_MAKERS = (
    "8086 1022 1002 1d94 1d17 1106 1039 10b9 1166 1014 0014 17cb 1e30 1def 177d 14e4 19e5 1556"
    " 14c3 10ee 104c 16c3 17cd 1957 11ab 1b4b 1d87 1db7 1fe9 1c36 1bcf 8088 1f0a"
)
ROOT_MAKERS = frozenset(_ROOT_MAKERS.split())
"""Makers of processors and chipsets. Makers of cards are left out: cards are passed through."""


@dataclass(frozen=True, slots=True)
class Function:
    """One PCI function: where it sits, ``vvvv:dddd``, and its class (empty when not recorded)."""

    slot: str
    ident: str
    kind: str


def look(notes: Notes) -> None:
    """List the functions from sysfs, or from the older list in /proc."""
    functions = _from_sysfs(notes) or _from_proc(notes)
    if not functions:
        notes.miss(SYSFS, "lists no device")
        return
    virtual = _note_models(notes, functions)
    bridge = next((one for one in functions if one.slot == "0000:00:00.0"), None)
    if bridge and bridge.ident in EMULATED_BRIDGES:
        proves = "a host bridge that device models imitate"
        notes.add(f"PCI {bridge.slot}", bridge.ident, proves, "device-model=qemu", WEAK)
    elif bridge and not virtual and _is_physical(bridge):
        proves = "the host bridge is a processor maker's, and no device is a device model's"
        notes.add(f"PCI {bridge.slot}", bridge.ident, proves, "physical=pci", LIKELY)
    _note_flat_amazon(notes, functions)
    notes.add("PCI", f"{len(functions)} functions")


def _from_sysfs(notes: Notes) -> list[Function]:
    functions = []
    for slot in notes.names(SYSFS, quiet=True)[:MOST_DEVICES]:
        folder = f"{SYSFS}/{slot}"
        vendor = _hex(notes.text(f"{folder}/vendor", quiet=True))
        device = _hex(notes.text(f"{folder}/device", quiet=True))
        if vendor and device:
            kind = _hex(notes.text(f"{folder}/class", quiet=True))
            functions.append(Function(slot, f"{vendor[-4:]}:{device[-4:]}", kind))
    return functions


def _from_proc(notes: Notes) -> list[Function]:
    functions = []
    for line in (notes.text(PROC, quiet=True) or "").split("\n", MOST_DEVICES)[:MOST_DEVICES]:
        found = re.match(r"([0-9a-f]{2})([0-9a-f]{2})\s+([0-9a-f]{4})([0-9a-f]{4})\s", line)
        if found:
            place = int(found[2], 16)
            slot = f"0000:{found[1]}:{place >> 3:02x}.{place & 7}"
            functions.append(Function(slot, f"{found[3]}:{found[4]}", ""))
    return functions


def _hex(text: str | None) -> str:
    found = re.fullmatch(r"0x([0-9a-fA-F]{4,6})", text or "")
    return found[1].lower() if found else ""


def _note_models(notes: Notes, functions: list[Function]) -> bool:
    """Note the first function of each device model; whether any looks virtual."""
    seen: set[str] = set()
    for function in functions:
        vendor = function.ident[:4]
        name = MODELS.get(function.ident) or MODELS.get(vendor)
        if name and name not in seen:
            seen.add(name)
            proves = f"a device of {spelled(name)}"
            notes.add(
                f"PCI {function.slot}", function.ident, proves, f"device-model={name}", LIKELY
            )
        elif vendor == "1af4" and vendor not in seen:
            # Cards for bare-metal servers speak virtio as well.
            seen.add(vendor)
            proves = "a virtio device, which real cards imitate too"
            notes.add(f"PCI {function.slot}", function.ident, proves, "virtio=pci", WEAK)
    return bool(seen)


def _is_physical(bridge: Function) -> bool:
    return bridge.ident[:4] in ROOT_MAKERS and bridge.kind[:2] in ("", "06")


def _note_flat_amazon(notes: Notes, functions: list[Function]) -> None:
    """Nitro puts its cards on the root bus itself; in hardware a card sits behind a port."""
    cards = [one for one in functions if one.ident.startswith("1d0f:") and one.kind[:2] in _CARDS]
    ports = [one for one in functions if one.kind[:4] == "0604"]
    if not cards or ports or any(not one.slot.startswith("0000:00:") for one in cards):
        return
    proves = "Amazon's cards sit on the root bus, as no card in hardware does"
    notes.add(f"PCI {cards[0].slot}", cards[0].ident, proves, "device-model=kvm", WEAK)


_CARDS = ("01", "02")
