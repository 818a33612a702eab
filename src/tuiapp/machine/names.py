"""Whose guest it is, where the hypervisor's own answer is missing or says too little."""

from __future__ import annotations

from tuiapp.machine.facts import Facts
from tuiapp.machine.sources.clouds import HYPERVISOR_OF
from tuiapp.machine.spelling import spelled

OVERRULING = ("virtualbox", "parallels")
"""They answer CPUID as KVM or Hyper-V do, for the sake of the guest's drivers."""

REFINING = ("firecracker", "cloud-hypervisor", "crosvm", "apple")
"""Device models over KVM or a hypervisor without a name of its own."""

FIRECRACKER_LIKE = "firecracker-like"


def refined_name(facts: Facts, signature: str) -> tuple[str, str]:
    """The name for a CPUID signature, and why it is another, as the end of a sentence."""
    dmi = facts.all("dmi")
    for name in OVERRULING:
        if name in dmi and name != signature:
            shown, where = spelled(name), facts.where("dmi", name)
            return name, f", as {shown} lets it; {where} is {shown}'s"
    if signature == "hyperv" and (other := next((one for one in dmi if one != "hyperv"), None)):
        name = "kvm" if other == "qemu" else other
        whose = f"{facts.where('dmi', other)} is {spelled(other)}'s"
        return name, f", an interface that {spelled(name)} offers; {whose}"
    if signature == "kvm":
        return _kvm_name(facts)
    return signature, ""


def unnamed_guest(facts: Facts) -> tuple[str | None, str]:
    """A name from everything but CPUID, and where it comes from, as the end of a sentence."""
    for kind in ("platform", "vmm", "dmi", "board", "lscpu"):
        if name := _specific(facts, kind):
            if name == "qemu" and _accelerated(facts):
                return "kvm", "; QEMU's machine, on a real processor"
            if name == "qemu" and (cloud := facts.first("cloud")) in HYPERVISOR_OF:
                return HYPERVISOR_OF[cloud], f"; QEMU's machine, at {spelled(cloud)}"
            return name, f"; {facts.where(kind, name)} names {spelled(name)}"
    if name := model_name(facts):
        return name, f"; its devices, or the processor's name, are those of {spelled(name)}"
    if (cloud := facts.first("cloud")) in HYPERVISOR_OF:
        name = HYPERVISOR_OF[cloud]
        return name, f"; {spelled(cloud)} runs {spelled(name)}"
    return None, "; nothing names it"


def model_name(facts: Facts) -> str | None:
    """A name from clocks, tables, devices and invented processor names."""
    if name := facts.first("vmm", "clock"):
        return name
    named = [name for name in facts.all("device-model") if name != FIRECRACKER_LIKE]
    name = next((name for name in named if name != "qemu"), named[0] if named else None)
    if name is None and facts.has("brand", "qemu"):
        name = "qemu"
    if name == "qemu" and (_accelerated(facts) or _rented(facts) == "kvm"):
        return "kvm"
    return name


def _rented(facts: Facts) -> str | None:
    """What the provider's guests run on: nobody rents out emulated ones."""
    return HYPERVISOR_OF.get(facts.first("cloud") or "")


def _kvm_name(facts: Facts) -> tuple[str, str]:
    for kind in ("vmm", "dmi"):
        if name := next((one for one in facts.all(kind) if one in REFINING), None):
            return name, f"; {facts.where(kind, name)} is {spelled(name)}'s"
    devices = facts.has("device-model", FIRECRACKER_LIKE)
    if not facts.first("dmi", "physical", "cloud") and (
        facts.has("brand", "firecracker") or devices
    ):
        return (
            "firecracker",
            "; its name or bus is Firecracker's, and DMI is missing",
        )
    return "kvm", ""


def _specific(facts: Facts, kind: str) -> str | None:
    """The first name, QEMU's only when there is no other: many build upon it."""
    names = facts.all(kind)
    return next((name for name in names if name != "qemu"), names[0] if names else None)


def _accelerated(facts: Facts) -> bool:
    return facts.has("accelerated", "yes") or facts.has("clock", "kvm")
