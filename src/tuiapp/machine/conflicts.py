"""Signals that disagree with the answer, each in a sentence that says which won, and why."""

from __future__ import annotations

from tuiapp.machine.containers import left_over
from tuiapp.machine.facts import Facts
from tuiapp.machine.provider import inherited
from tuiapp.machine.report import BARE_METAL, GUEST, XEN_DOM0
from tuiapp.machine.rules import Verdict
from tuiapp.machine.spelling import spelled

RELATED = (
    frozenset({"kvm", "qemu", "firecracker", "cloud-hypervisor", "crosvm", "lkvm"}),
    frozenset({"powervm", "powervm-lx86"}),
)
"""Names of one thing: a device model and the accelerator it uses."""

NAMING = {
    "signature": "CPUID may be another's interface, offered for the guest's drivers",
    "dmi": "DMI strings can be set at will",
    "lscpu": "lscpu looks at CPUID first",
    "platform": "it describes another layer",
}


def conflicts(facts: Facts, verdict: Verdict) -> tuple[str, ...]:
    """Every disagreement, in the order of the rules."""
    found = [*_names(facts, verdict), *_bits(facts, verdict), left_over(facts)]
    found.append(inherited(facts, verdict.hypervisor))
    return tuple(dict.fromkeys(sentence for sentence in found if sentence))


def _names(facts: Facts, verdict: Verdict) -> list[str]:
    if verdict.hypervisor is None:
        return []
    found = []
    # Under a nested partition they speak of the machine that it runs on.
    outer = _outer_kinds(verdict)
    for kind, why in NAMING.items():
        if kind in outer:
            continue
        for name in dict.fromkeys(facts.all(kind)):
            if not _related(name, verdict.hypervisor):
                where = facts.where(kind, name)
                found.append(
                    f"{where} says {spelled(name)}; {spelled(verdict.hypervisor)} won: {why}"
                )
    return found


def _outer_kinds(verdict: Verdict) -> tuple[str, ...]:
    if not verdict.nested or verdict.role is None:
        return ()
    return ("dmi", "signature") if verdict.role == XEN_DOM0 else ("dmi",)


def _bits(facts: Facts, verdict: Verdict) -> list[str]:
    found = []
    if verdict.machine == GUEST:
        hidden = [kind for kind in ("bit", "flag") if facts.has(kind, "off")]
        if hidden and not _plain_off(facts):
            where = facts.where(hidden[0], "off")
            found.append(f"{where} shows no hypervisor; it can be hidden, so the guest's signs won")
        if facts.has("physical", "dmi") and (won := _stronger(facts)):
            where = facts.where("physical", "dmi")
            found.append(f"{where} names hardware; DMI strings can be set, so {won} won")
    if verdict.machine == BARE_METAL and facts.first("virtio"):
        where = facts.where("virtio")
        found.append(f"{where} is virtio; cards for servers imitate it, so bare metal won")
    if verdict.machine == BARE_METAL and facts.has("smbios", "on"):
        where = facts.where("smbios")
        found.append(f"{where} calls it a virtual machine; some PCs' does, so their bus won")
    if verdict.machine == BARE_METAL and facts.first("device-model"):
        where = facts.where("device-model")
        found.append(
            f"{where} looks like a virtual machine's; that is weak, so hardware's names won"
        )
    return found


def _stronger(facts: Facts) -> str:
    """What says guest, and is not set as easily as firmware's strings."""
    if facts.first("signature"):
        return "CPUID"
    if facts.first("xen"):
        return facts.where("xen")
    kind = next((one for one in ("bit", "flag") if facts.has(one, "on")), "trusted-module")
    return facts.where(kind)


def _plain_off(facts: Facts) -> bool:
    """Emulated and Xen's paravirtual machines never had the bit."""
    return bool(facts.first("emulated", "xen"))


def _related(one: str, other: str) -> bool:
    return one == other or any(one in family and other in family for family in RELATED)
