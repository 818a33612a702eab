"""What ``lscpu`` printed, where only that was kept of a machine."""

from __future__ import annotations

from tuiapp.errors import Unavailable
from tuiapp.machine.report import LIKELY
from tuiapp.machine.sources.base import Notes
from tuiapp.machine.spelling import spelled

VENDORS = {
    "KVM": "kvm",
    "Xen": "xen",
    "Microsoft": "hyperv",
    "VMware": "vmware",
    "IBM": "zvm",
    "Oracle": "virtualbox",
    "Parallels": "parallels",
    "bhyve": "bhyve",
    "pHyp": "powervm",
    "UML": "uml",
    "QEMU": "qemu",
    "OS/400": "powervm",
}
"""Only these: old versions print ``vertical`` or ``(null)`` for a vendor."""

MOST_LINES = 500


def look(notes: Notes) -> None:
    """lscpu looks at the same things as we do: its word counts where they are missing."""
    try:
        text = notes.tree.output("lscpu.txt")
    except Unavailable:
        return
    found: dict[str, str] = {}
    for line in text.split("\n", MOST_LINES)[:MOST_LINES]:
        name, _, value = line.partition(":")
        found.setdefault(name.strip(), value.strip())
    _note_vendor(notes, found)
    _note_bios(notes, found)


def _note_vendor(notes: Notes, found: dict[str, str]) -> None:
    vendor, kind = found.get("Hypervisor vendor", ""), found.get("Virtualization type", "")
    name = VENDORS.get(vendor)
    if name is None:
        return
    where, shown = "lscpu, Hypervisor vendor", f"{vendor}, {kind}"
    if kind == "container":
        proves = "lscpu calls an OpenVZ container so"
        notes.add(where, shown, proves, "container=openvz", LIKELY)
    elif name == "xen" and kind == "none":
        notes.add(where, shown, "lscpu calls Xen's control domain so", "xen=dom0", LIKELY)
    elif name == "xen":
        notes.add(where, shown, "lscpu calls a Xen domain so", "xen=domain", LIKELY)
    elif kind in ("full", "para"):
        notes.add(where, shown, f"lscpu names {spelled(name)}", f"lscpu={name}", LIKELY)


def _note_bios(notes: Notes, found: dict[str, str]) -> None:
    if found.get("BIOS Vendor ID") not in ("QEMU", "Red Hat"):
        return
    model = found.get("BIOS Model name", "")
    # Machine types with this ending are built into qemu-kvm only.
    name = "kvm" if "-rhel" in model or found["BIOS Vendor ID"] == "Red Hat" else "qemu"
    shown = f"{found['BIOS Vendor ID']}, {model}"
    notes.add(
        "lscpu, BIOS Vendor ID", shown, f"{spelled(name)} calls its processors so", f"dmi={name}"
    )
