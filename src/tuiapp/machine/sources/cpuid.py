"""The CPUID instruction: the hypervisor bit, who answers above 0x40000000, and what it allows."""

from __future__ import annotations

import struct

from tuiapp.machine.cpuid import Cpuid, Registers
from tuiapp.machine.report import CERTAIN, LIKELY
from tuiapp.machine.sources.base import Notes
from tuiapp.machine.sources.brands import note_brand
from tuiapp.machine.spelling import spelled

FIRST, LAST, STEP = 0x40000000, 0x4000FF00, 0x100
HYPERVISOR_BIT = 1 << 31
XEN_NUMBER = 1 << 4
CREATE_PARTITIONS, CPU_MANAGEMENT = 1 << 0, 1 << 12

SIGNATURES = {
    "KVMKVMKVM": "kvm",
    "Linux KVM Hv": "kvm",
    "Microsoft Hv": "hyperv",
    "VMwareVMware": "vmware",
    "XenVMMXenVMM": "xen",
    "TCGTCGTCGTCG": "qemu",
    "bhyve bhyve": "bhyve",
    "BHyVE BHyVE": "bhyve",
    "ACRNACRNACRN": "acrn",
    "QNXQVMBSQG": "qnx",
    "SRESRESRESRE": "sre",
    "Apple VZ": "apple",
    "prl hyperv": "parallels",
    "lrpepyh  vr": "parallels",
    "VBoxVBoxVBox": "virtualbox",
    "UnisysSpar64": "unisys",
    "LKVMLKVMLKVM": "lkvm",
    "OpenBSDVMM58": "openbsd-vmm",
    "___ NVMM ___": "nvmm",
    "HAXMHAXMHAXM": "haxm",
    "MicrosoftXTA": "microsoft-xta",
    "VirtualApple": "rosetta",
    "Jailhouse": "jailhouse",
    "EVMMEVMMEVMM": "intel-evmm",
}
"""Known strings only: what an unsupported leaf answers is chance, and may look like text."""

NO_HYPERVISOR = frozenset({"rosetta", "microsoft-xta"})
"""Translators of instructions that answer in a hypervisor's place."""


def look(notes: Notes) -> None:
    """Read leaf 1, every slot for signatures, and the leaves of the ones that are known."""
    cpuid = notes.cpuid
    if cpuid is None:
        notes.miss("CPUID", notes.no_cpuid or "it was neither executed nor recorded")
        return
    notes.add("CPUID", cpuid.source)
    _note_bit(notes, cpuid)
    for leaf in range(FIRST, LAST + 1, STEP):
        if registers := cpuid.read(leaf):
            _note_signature(notes, cpuid, leaf, registers)
    _note_outer_module(notes, cpuid)
    if brand := _brand(cpuid):
        note_brand(notes, "CPUID 0x80000002", brand)


def signature(registers: Registers) -> str:
    """The twelve characters in EBX, ECX, EDX, without the padding."""
    return struct.pack("<3I", *registers[1:]).decode("latin-1").strip(" \0")


def _note_bit(notes: Notes, cpuid: Cpuid) -> None:
    where = "CPUID 0x1 ECX.31"
    if (registers := cpuid.read(1)) is None:
        notes.miss(where, f"leaf 1 is not known ({cpuid.source})")
    elif registers[2] & HYPERVISOR_BIT:
        notes.add(where, "1", "a hypervisor runs below this kernel", "bit=on", CERTAIN)
    else:
        notes.add(where, "0", "no hypervisor shows itself; one could hide", "bit=off")


def _note_signature(notes: Notes, cpuid: Cpuid, leaf: int, registers: Registers) -> None:
    text = signature(registers)
    name = SIGNATURES.get(text)
    if name is None or name in NO_HYPERVISOR:
        return
    notes.add(f"CPUID {leaf:#x}", text, f"{spelled(name)} answers", f"signature={name}", CERTAIN)
    if name == "hyperv":
        _note_hyperv(notes, cpuid, leaf)
    if name == "kvm":
        _note_kvm(notes, cpuid, leaf)
    if name == "xen":
        _note_xen(notes, cpuid, leaf, registers[0])


def _note_hyperv(notes: Notes, cpuid: Cpuid, base: int) -> None:
    where = f"CPUID {base + 3:#x} EBX.0, EBX.12"
    if (registers := cpuid.read(base + 3)) is None:
        notes.miss(where, "the partition's rights are not known")
        return
    rights = registers[1]
    if rights & CREATE_PARTITIONS and rights & CPU_MANAGEMENT:
        proves = "this is the root partition, which owns the hardware"
        notes.add(where, "1, 1", proves, "root=yes", CERTAIN)
    else:
        held = f"{rights & 1}, {rights >> 12 & 1}"
        notes.add(where, held, "this is a guest partition, if Hyper-V it is", "root=no", LIKELY)


def _note_kvm(notes: Notes, cpuid: Cpuid, base: int) -> None:
    if registers := cpuid.read(base + 1):
        notes.add(f"CPUID {base + 1:#x} EAX", f"{registers[0]:#010x}")
        if registers[3] & 1:
            proves = "the host says that our virtual CPUs are never descheduled"
            notes.add(f"CPUID {base + 1:#x} EDX.0", "1", proves)


def _note_xen(notes: Notes, cpuid: Cpuid, base: int, most: int) -> None:
    """A leaf that Xen fills for domains with virtual hardware, in newer versions with their number.

    Its paravirtual control domain finds the leaf empty, the other kind is number 0.
    """
    registers = cpuid.read(base + 4) if base + 4 <= most < base + STEP else None
    if not registers or not registers[0]:
        return
    where = f"CPUID {base + 4:#x}"
    if not registers[0] & XEN_NUMBER:
        proves = "Xen gives this domain virtual hardware, which its control domain hardly has"
        notes.add(f"{where} EAX", f"{registers[0]:#x}", proves, "xen=domu", LIKELY)
    elif registers[2]:
        proves = "the number of an ordinary domain"
        notes.add(f"{where} ECX", str(registers[2]), proves, "xen=domu", CERTAIN)
    else:
        notes.add(f"{where} ECX", "0", "the number of the control domain", "xen=dom0", CERTAIN)


def _note_outer_module(notes: Notes, cpuid: Cpuid) -> None:
    if registers := cpuid.read(0x21):
        text = struct.pack("<3I", registers[1], registers[3], registers[2]).decode("latin-1")
        if text.strip(" \0") == "IntelTDX":
            proves = "this is a trust domain, its memory encrypted"
            notes.add("CPUID 0x21", text, proves, "confidential=tdx", CERTAIN)
            notes.add("CPUID 0x21", text, "a hypervisor runs below", "trusted-module=tdx", CERTAIN)


def _brand(cpuid: Cpuid) -> str:
    leaves = [cpuid.read(leaf) for leaf in (0x80000002, 0x80000003, 0x80000004)]
    packed = b"".join(struct.pack("<4I", *registers) for registers in leaves if registers)
    return packed.decode("latin-1").partition("\0")[0].strip()
