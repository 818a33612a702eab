"""Encrypted memory: what the guest's kernel, its devices and its CPUID say."""

from __future__ import annotations

import os

from tuiapp.machine.cpuid import Cpuid
from tuiapp.machine.report import CERTAIN, LIKELY
from tuiapp.machine.sources.base import Notes
from tuiapp.machine.spelling import CONFIDENTIAL

_DEVICE = "the guest's own device for attestation"
DEVICES = (
    ("/dev/sev-guest", "sev-snp", _DEVICE),
    ("/sys/class/misc/sev-guest", "sev-snp", _DEVICE),
    ("/sys/devices/platform/sev-guest", "sev-snp", _DEVICE),
    ("/sys/devices/system/cpu/sev/vmpl", "sev-snp", "the privilege level of an encrypted guest"),
    ("/dev/tdx_guest", "tdx", _DEVICE),
    ("/dev/tdx-guest", "tdx", _DEVICE),
    ("/sys/class/misc/tdx_guest", "tdx", _DEVICE),
    ("/sys/class/misc/tdx-guest", "tdx", _DEVICE),
    ("/sys/devices/platform/arm-cca-dev", "cca", "the realm's own device for attestation"),
)
"""In a container /dev has few nodes, while /sys shows what the kernel has."""
ULTRAVISOR = "/sys/firmware/uv/prot_virt_guest"
MSR_DEVICE, SEV_STATUS = "/dev/cpu/0/msr", 0xC0010131
SEV_BITS = ((1 << 2, "sev-snp"), (1 << 1, "sev-es"), (1 << 0, "sev"))
ISOLATION = 1 << 22
ISOLATION_KINDS = {2: "sev-snp", 3: "tdx"}


def look(notes: Notes) -> None:
    """Nothing here is proved by a processor that merely could."""
    for path, name, why in DEVICES:
        if notes.tree.exists(path):
            notes.add(path, "exists", why, f"confidential={name}", CERTAIN)
    if notes.text(ULTRAVISOR, quiet=True) == "1":
        proves = "the ultravisor protects this guest"
        notes.add(ULTRAVISOR, "1", proves, "confidential=secure-execution", CERTAIN)
    if notes.cpuid is None:
        return
    _note_hyperv(notes, notes.cpuid)
    _note_sev(notes, notes.cpuid)


def sev_kind(status: int) -> str | None:
    """The strongest kind that the SEV status register says is on."""
    return next((name for bit, name in SEV_BITS if status & bit), None)


def _note_hyperv(notes: Notes, cpuid: Cpuid) -> None:
    """Hyper-V describes the isolation of its guests in a leaf of its own."""
    vendor, rights, kind = (cpuid.read(0x40000000 + n) for n in (0, 3, 0xC))
    if not vendor or vendor[1:] != (0x7263694D, 0x666F736F, 0x76482074):
        return
    if not rights or not kind or not rights[1] & ISOLATION:
        return
    name = ISOLATION_KINDS.get(kind[1] & 0xF)
    if name:
        where = "CPUID 0x4000000c EBX"
        proves = f"Hyper-V isolates this guest with {CONFIDENTIAL[name]}"
        notes.add(where, f"{kind[1]:#x}", proves, f"confidential={name}", CERTAIN)


def _note_sev(notes: Notes, cpuid: Cpuid) -> None:
    registers, top = cpuid.read(0x8000001F), cpuid.read(0x80000000)
    if not registers or not top or not 0x8000001F <= top[0] < 0x80010000:
        return
    if not registers[0] & 0b10:
        return
    where = "CPUID 0x8000001f EAX.1"
    notes.add(where, "1", "SEV is offered; that alone does not say that it is on", "", LIKELY)
    where = f"MSR {SEV_STATUS:#x}"
    if not notes.tree.live:
        notes.miss(where, "registers of this kind are not recorded")
        return
    try:
        status = _read_msr()
    except OSError as error:
        notes.miss(where, f"{MSR_DEVICE}: {error.strerror}")
        return
    name = sev_kind(status)
    proves = (
        f"memory is encrypted with {CONFIDENTIAL[name]}" if name else "memory encryption is off"
    )
    notes.add(where, f"{status:#x}", proves, f"confidential={name}" if name else "", CERTAIN)


def _read_msr() -> int:
    handle = os.open(MSR_DEVICE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return int.from_bytes(os.pread(handle, 8, SEV_STATUS), "little")
    finally:
        os.close(handle)
