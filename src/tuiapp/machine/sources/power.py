"""POWER: the platform, the partition, and QEMU's imitation of both."""

from __future__ import annotations

import re

from tuiapp.machine.report import CERTAIN, LIKELY
from tuiapp.machine.sources.base import Notes

CPUINFO, LPARCFG = "/proc/cpuinfo", "/proc/ppc64/lparcfg"
PARTITION = "/proc/device-tree/ibm,partition-name"
_FIELD = re.compile(r"^(platform|model|machine|firmware)\s*:\s*(\S[^\n]*)$", re.MULTILINE)


def look(notes: Notes) -> None:
    """pSeries is what partitions and guests see; PowerNV is the machine itself."""
    found = dict(_FIELD.findall(notes.text(CPUINFO, quiet=True) or ""))
    platform = found.get("platform", "")
    qemu = "emulated by qemu" in found.get("machine", "") + found.get("model", "")
    if qemu:
        proves = "QEMU imitates a pSeries machine, with KVM on POWER"
        notes.add(f"{CPUINFO} machine", found.get("machine", ""), proves, "platform=kvm", LIKELY)
    elif platform.lower() == "pseries":
        proves = "the platform of partitions, which PowerVM makes"
        notes.add(f"{CPUINFO} platform", platform, proves, "platform=powervm", LIKELY)
    elif platform == "PowerNV":
        proves = "the platform without a hypervisor"
        fact = "physical=powernv" if "qemu" not in found.get("machine", "").lower() else ""
        notes.add(f"{CPUINFO} platform", platform, proves, fact, LIKELY)
    if not qemu:
        _note_partition(notes)


def _note_partition(notes: Notes) -> None:
    text = notes.text(LPARCFG, quiet=True)
    if text and (number := re.search(r"^partition_id=(\d+)", text, re.MULTILINE)):
        proves = "this is a logical partition"
        notes.add(f"{LPARCFG} partition_id", number[1], proves, "platform=powervm", CERTAIN)
    if notes.tree.exists(PARTITION):
        proves = "this is a logical partition"
        notes.add(PARTITION, "exists", proves, "platform=powervm", CERTAIN)
