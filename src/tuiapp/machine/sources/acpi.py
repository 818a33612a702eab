"""ACPI: who made the tables, the hypervisor they name, and devices that only device models have."""

from __future__ import annotations

import re

from tuiapp.errors import Unavailable
from tuiapp.machine.report import CERTAIN, LIKELY, WEAK
from tuiapp.machine.sources.base import Notes
from tuiapp.machine.spelling import spelled

TABLES, DEVICES = "/sys/firmware/acpi/tables", "/sys/bus/acpi/devices"
WANTED_TABLES = ("FACP", "DSDT", "APIC", "MCFG")
MOST_DEVICES = 400

MAKERS = {
    "FIRECK": "firecracker",
    "CLOUDH": "cloud-hypervisor",
    "CROSVM": "crosvm",
    "BOCHS": "qemu",
    "QEMU": "qemu",
    "VRTUAL": "hyperv",
    "VBOX": "virtualbox",
    "VMWARE": "vmware",
    "Xen": "xen",
    "PRLS": "parallels",
    "BHYVE": "bhyve",
    "ACRN": "acrn",
}
IDENTITIES = {
    "MsHyperV": "hyperv",
    "QEMU": "qemu",
    "CLOUDHYP": "cloud-hypervisor",
    "FIRECKVM": "firecracker",
    "CROSVM": "crosvm",
}
"""What hypervisors write into the FADT's field for their vendor's identity."""
IDENTITY = slice(268, 276)
_WITH_IDENTITY = 6
"""The revision of the FADT that brought the field."""
EXACT_MAKERS = frozenset({"firecracker", "cloud-hypervisor", "crosvm"})
HARDWARE_IDS = {
    "QEMU0001": "qemu",
    "QEMU0002": "qemu",
    "QEMUVGID": "qemu",
    "VMBUS": "hyperv",
    "MSFT1000": "hyperv",
    "VBOX0001": "virtualbox",
    "XEN0000": "xen",
    "PRL4000": "parallels",
    "PRL4005": "parallels",
    "PRL4007": "parallels",
}
AMAZON_IDS = frozenset({"AMZNC10C", "AMZN0001"})


def look(notes: Notes) -> None:
    """Read the makers of some tables, the FADT's hypervisor, and the devices' identifiers."""
    _note_makers(notes)
    _note_identity(notes)
    _note_devices(notes)


def _note_makers(notes: Notes) -> None:
    if not notes.tree.exists(TABLES):
        notes.miss(TABLES, "does not exist")
        return
    seen: set[str] = set()
    for table in WANTED_TABLES:
        path = f"{TABLES}/{table}"
        try:
            maker = oem_id(notes.tree.bytes(path))
        except Unavailable as reason:
            if reason.message != "does not exist":
                notes.miss(path, reason.message)
            continue
        if maker and maker not in seen:
            seen.add(maker)
            _note_maker(notes, path, maker)


def oem_id(table: bytes) -> str:
    """The maker in an ACPI table's header, bytes 10 to 15."""
    return re.sub(r"[^ -~]", "", table[10:16].decode("latin-1")).strip()


def _note_maker(notes: Notes, path: str, maker: str) -> None:
    name = MAKERS.get(maker)
    where = f"{path} OEM id"
    if name in EXACT_MAKERS:
        notes.add(where, maker, f"{spelled(name)} wrote the table", f"vmm={name}", CERTAIN)
    elif name:
        notes.add(where, maker, f"the tables of {spelled(name)}", f"device-model={name}", LIKELY)
    else:
        notes.add(where, maker)


def identity(fadt: bytes) -> str:
    """The hypervisor's vendor that an FADT names; empty for none, or where it is too old to."""
    if len(fadt) < IDENTITY.stop or fadt[8] < _WITH_IDENTITY:
        return ""
    return re.sub(r"[^ -~]", "", fadt[IDENTITY].decode("latin-1")).strip()


def _note_identity(notes: Notes) -> None:
    path = f"{TABLES}/FACP"
    try:
        vendor = identity(notes.tree.bytes(path))
    except Unavailable:
        return  # said with the makers
    where, name = f"{path} hypervisor vendor", IDENTITIES.get(vendor)
    proves = f"the firmware names the hypervisor {spelled(name)}"
    if name in EXACT_MAKERS:
        notes.add(where, vendor, proves, f"vmm={name}", CERTAIN)
    elif name == "hyperv":
        notes.add(where, vendor, proves, "platform=hyperv", CERTAIN)
    elif name:
        notes.add(where, vendor, proves, f"device-model={name}", LIKELY)
    elif vendor:
        notes.add(where, vendor)


def _note_devices(notes: Notes) -> None:
    seen: set[str] = set()
    for device in notes.names(DEVICES, quiet=True)[:MOST_DEVICES]:
        path = f"{DEVICES}/{device}/hid"
        kind = notes.text(path, quiet=True) or ""
        if kind in seen:
            continue
        seen.add(kind)
        if kind.upper() == "VMGENCTR" or kind == "VM_Gen_Counter":
            proves = "a virtual machine is told here when it was copied"
            notes.add(path, kind, proves, "guest=vmgenid", CERTAIN)
        elif name := HARDWARE_IDS.get(kind.upper()):
            proves = f"a device of {spelled(name)}"
            notes.add(path, kind, proves, f"device-model={name}", LIKELY)
        elif kind in AMAZON_IDS:
            notes.add(path, kind, "Amazon's identifier; Firecracker uses it too", "", WEAK)
