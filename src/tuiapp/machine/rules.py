"""The written rules that turn facts into an answer. The first that applies decides.

1. A machine that is a program (UML, Lx86) is that, whatever CPUID says: CPUID is the outer one's.
2. Xen comes before CPUID, which paravirtual domains do not trap. Under dom0 an outer one may lie.
3. Hyper-V's answer with the rights to create partitions and manage CPUs is its root partition. If
   they are not known, it is what has hardware's names beside Hyper-V's, or its driver for parents.
4. CPUID's highest known signature names the hypervisor; DMI refines it, and overrules it only for
   VirtualBox and Parallels, and where Hyper-V's interface is merely offered by another.
5. The hypervisor bit without a known signature is a guest, named by whatever else names one.
6. Without CPUID: device tree, IBM Z, POWER, SPARC, the kernel of WSL.
7. DMI strings of a hypervisor, though the hypervisor bit be off.
8. lscpu's word, where nothing else was kept.
9. A device model's tables, devices or processor names, or the firmware's virtual machine bit where
   nothing names hardware: weak.
10. Bare metal needs a witness, and nothing above: names of hardware, or CPUID without the bit where
    no device looks virtual. A provider's label is none: its virtual machines carry it too.
11. Otherwise it is unknown, and said what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tuiapp.machine.facts import Facts
from tuiapp.machine.names import model_name, refined_name, unnamed_guest
from tuiapp.machine.report import (
    BARE_METAL,
    CERTAIN,
    GUEST,
    HOST_PARTITION,
    HYPERV_ROOT,
    LIKELY,
    UNKNOWN,
    WEAK,
    XEN_DOM0,
)
from tuiapp.machine.spelling import spelled

NAMES = frozenset({"dmi", "firmware"})
"""What the firmware alone says of the hardware, and whoever sets its strings can."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule decided; the fields are those of ``Machine``."""

    machine: str
    hypervisor: str | None = None
    role: str | None = None
    nested: bool | None = None
    confidence: str = ""
    because: str = ""


def decide(facts: Facts) -> Verdict:
    """The verdict of the first rule that applies."""
    return next(verdict for rule in RULES if (verdict := rule(facts)))


def _program(facts: Facts) -> Verdict | None:
    if (name := facts.first("emulated")) is None:
        return None
    outer = facts.first("signature") or (facts.has("bit", "on") or facts.has("flag", "on"))
    because = f"{facts.where('emulated')} says that this machine is a program, {spelled(name)}"
    return Verdict(GUEST, name, nested=bool(outer) or None, confidence=CERTAIN, because=because)


def _xen(facts: Facts) -> Verdict | None:
    found = facts.all("xen")
    if not found and facts.last("signature") != "xen":
        return None
    if "dom0" not in found and "domu" not in found and facts.has("physical", "dmi"):
        because = (
            "Xen is below, yet the firmware is hardware's, whose names its control domain sees"
        )
        because += "; a guest may be given them, too"
        return Verdict(HOST_PARTITION, "xen", XEN_DOM0, None, WEAK, because)
    if not found:
        return None
    if "dom0" in found:
        # QEMU and other hypervisors name themselves in DMI; Xen's own dom0 sees the hardware's.
        # The instruction is not trapped there, so that the answer may be the outer one's, too.
        answers = [name for name in facts.all("signature") if name != "xen"]
        outer = facts.first("dmi") or (answers[-1] if answers else None)
        because = f"{facts.where('xen', 'dom0')} shows Xen's control domain"
        because += f", itself a guest of {spelled(outer)}" if outer else ""
        return Verdict(
            HOST_PARTITION, "xen", XEN_DOM0, bool(outer) or None, facts.strength("xen"), because
        )
    because = f"{facts.where('xen')} shows a Xen domain, and nothing that it controls the others"
    return Verdict(GUEST, "xen", confidence=facts.strength("xen"), because=because)


def _hyperv_root(facts: Facts) -> Verdict | None:
    if facts.last("signature") not in (None, "hyperv"):
        return None
    outer = facts.first("dmi")
    if facts.has("root", "yes"):
        because = "Hyper-V answers CPUID and grants the rights of the root partition"
        if outer:
            because += f", on a machine of {spelled(outer)}"
        return Verdict(HOST_PARTITION, "hyperv", HYPERV_ROOT, bool(outer) or None, CERTAIN, because)
    if facts.all("root") or outer or not facts.has("physical", "dmi"):
        return None
    if (where := _below(facts)) is None:
        return None
    because = f"{where} shows Hyper-V, yet the firmware is hardware's; its rights are not known"
    strength = LIKELY if facts.first("parent") else WEAK
    return Verdict(HOST_PARTITION, "hyperv", HYPERV_ROOT, None, strength, because)


def _below(facts: Facts) -> str | None:
    """Where Hyper-V shows; on ARM there is no CPUID, but a field of the FADT and a driver."""
    if facts.first("parent"):
        return facts.where("parent")
    if facts.last("signature"):
        return facts.where("signature")
    named = "hyperv" in facts.from_source("platform", "acpi")
    return facts.where("platform", "hyperv") if named else None


def _signature(facts: Facts) -> Verdict | None:
    if (signature := facts.last("signature")) is None:
        return None
    name, why = refined_name(facts, signature)
    because = (
        f"{spelled(signature)} answers CPUID at {facts.where('signature', signature)[6:]}{why}"
    )
    return Verdict(GUEST, name, nested=_nested(facts), confidence=CERTAIN, because=because)


def _bit(facts: Facts) -> Verdict | None:
    kinds = [kind for kind in ("bit", "flag") if facts.has(kind, "on")]
    kinds += ["trusted-module"] if facts.first("trusted-module") else []
    if not kinds:
        return None
    name, why = unnamed_guest(facts)
    because = f"a hypervisor shows in {facts.where(kinds[0])}{why}"
    return Verdict(GUEST, name, nested=_nested(facts), confidence=CERTAIN, because=because)


def _platform(facts: Facts) -> Verdict | None:
    kind = "platform" if facts.first("platform") else "guest"
    if facts.first(kind) is None:
        return None
    name, why = facts.first("platform"), ""
    if name is None:
        name, why = unnamed_guest(facts)
    because = f"{facts.where(kind)} describes a guest" + (why or f" of {spelled(name)}")
    return Verdict(GUEST, name, None, _nested(facts), facts.strength(kind), because)


def _dmi(facts: Facts) -> Verdict | None:
    if facts.first("dmi") is None:
        return None
    name, _ = unnamed_guest(facts)
    strength = LIKELY if facts.strength("dmi") == CERTAIN else facts.strength("dmi")
    because = f"the firmware calls it a machine of {spelled(name)}: {facts.where('dmi')}"
    return Verdict(GUEST, name, confidence=strength, because=because)


def _lscpu(facts: Facts) -> Verdict | None:
    if (name := facts.first("lscpu")) is None:
        return None
    because = f"lscpu found {spelled(name)}, and what it looked at was not kept"
    return Verdict(GUEST, name, confidence=LIKELY, because=because)


def _device_model(facts: Facts) -> Verdict | None:
    for kind in ("vmm", "clock", "device-model"):
        if facts.first(kind) and (kind != "device-model" or facts.strength(kind) != WEAK):
            because = f"{facts.where(kind)} belongs to virtual machines; nothing else says so"
            return Verdict(GUEST, model_name(facts), None, None, WEAK, because)
    if facts.first("device-model") and not facts.first("physical", "bit", "flag"):
        because = f"{facts.where('device-model')} looks like a virtual machine's, which is weak"
        return Verdict(GUEST, model_name(facts), None, None, WEAK, because)
    if facts.has("brand", "qemu"):
        because = f"{facts.where('brand', 'qemu')} names a processor that only QEMU has"
        return Verdict(GUEST, model_name(facts) or "qemu", None, None, WEAK, because)
    named = facts.first("physical", "metal")
    if facts.has("smbios", "on") and (not named or _virtual_devices(facts)):
        because = f"{facts.where('smbios')} calls it a virtual machine, and nothing else does"
        return Verdict(GUEST, unnamed_guest(facts)[0], None, None, WEAK, because)
    return None


def _bare_metal(facts: Facts) -> Verdict | None:
    bit = facts.has("bit", "off")
    # Inside gVisor the files are its own invention; the instruction is not.
    files = not facts.has("container", "gvisor")
    flag = facts.has("flag", "off") and files
    physical = sorted(set(facts.all("physical"))) if files else []
    metal = facts.first("metal")
    if not (bit or physical or metal):
        return None
    if not (physical or metal) and _virtual_devices(facts):
        return None  # one hidden bit, and nothing but a virtual machine's devices
    if facts.has("smbios", "on") and not set(physical) - NAMES:
        return None  # the firmware's names against the firmware's bit
    seen = [facts.where("bit") + " is off"] if bit else []
    seen += [facts.where("flag") + " show no hypervisor"] if flag else []
    seen += [f"{facts.where('metal')} is a whole machine's"] if metal else []
    seen += [f"{facts.where('physical', kind)} names hardware" for kind in physical]
    confidence = _bare_confidence(facts, bit, flag, physical, metal)
    because = "; ".join(seen)
    return Verdict(BARE_METAL, confidence=confidence, because=because)


def _bare_confidence(
    facts: Facts, bit: bool, flag: bool, physical: list[str], metal: str | None
) -> str:
    """Several independent witnesses are certain; one that can be bent is weak."""
    if metal or "dmi" in physical:
        whole = not facts.first("device-model")  # a virtual machine's bridge is no certainty
        whole = whole and not facts.has("smbios", "on")
        if bit and whole and (facts.has("smbios", "off") or "pci" in physical or metal):
            return CERTAIN
        return LIKELY if bit or flag or metal or facts.has("smbios", "off") else WEAK
    return LIKELY if bit or set(physical) - NAMES else WEAK


def _virtual_devices(facts: Facts) -> bool:
    return bool(facts.first("virtio", "device-model"))


def _unknown(facts: Facts) -> Verdict:
    missing = []
    if facts.has("smbios", "on") and facts.first("physical", "metal"):
        where = facts.where("smbios")
        missing.append(f"{where} calls the machine virtual, yet its names are hardware's")
    elif not facts.first("bit", "flag"):
        flags = "and the kernel's flags are not known to be an x86 processor's"
        strange = facts.first("flags")
        nothing = "neither CPUID nor flags of an x86 processor could be read"
        missing.append(f"CPUID could not be read, {flags}" if strange else nothing)
    elif facts.has("bit", "off"):
        where = facts.where("device-model") or facts.where("virtio")
        missing.append(f"CPUID shows no hypervisor, yet {where} looks like a virtual machine's")
    elif not facts.first("bit"):
        missing.append("the kernel shows no hypervisor, which a hidden one does not either")
    if not facts.first("physical"):
        missing.append("no firmware, device tree or PCI bus names hardware")
    return Verdict(UNKNOWN, because="; ".join(missing) or "nothing decides it")


def _nested(facts: Facts) -> bool | None:
    return True if facts.first("outer") else None


RULES: tuple[Callable[[Facts], Verdict | None], ...] = (
    _program,
    _xen,
    _hyperv_root,
    _signature,
    _bit,
    _platform,
    _dmi,
    _lscpu,
    _device_model,
    _bare_metal,
    _unknown,
)
