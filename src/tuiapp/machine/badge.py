"""A machine in a few words, for a status line or a list."""

from __future__ import annotations

from tuiapp.machine.report import (
    BARE_METAL,
    GUEST,
    HYPERV_ROOT,
    XEN_DOM0,
    Machine,
)

HYPERVISORS = {
    "acrn": "ACRN", "apple": "Apple Virtualization", "bhyve": "bhyve", "bochs": "Bochs",
    "cloud-hypervisor": "Cloud Hypervisor", "crosvm": "crosvm", "firecracker": "Firecracker",
    "hyperv": "Hyper-V", "kvm": "KVM", "ldoms": "LDoms", "lkvm": "kvmtool",
    "openbsd-vmm": "OpenBSD vmm", "parallels": "Parallels", "powervm": "PowerVM", "pr/sm": "PR/SM",
    "qemu": "QEMU", "qnx": "QNX", "uml": "User Mode Linux", "virtualbox": "VirtualBox",
    "vmware": "VMware", "xen": "Xen", "zvm": "z/VM",
}  # fmt: skip
_CLOUDS = {
    "alibaba": "Alibaba Cloud", "aws": "AWS", "azure": "Azure", "digitalocean": "DigitalOcean",
    "gce": "Google Cloud", "hetzner": "Hetzner", "oci": "Oracle Cloud", "ovh": "OVH",
    "runpod": "RunPod", "scaleway": "Scaleway", "tencent": "Tencent Cloud",
}  # fmt: skip
_ROLES = {XEN_DOM0: "Xen dom0", HYPERV_ROOT: "Hyper-V root"}
_CONFIDENTIAL = {"sev": "SEV", "sev-es": "SEV-ES", "sev-snp": "SEV-SNP", "tdx": "TDX"}


def badge(machine: Machine) -> str:
    """``docker in VM · Firecracker, nested (AWS)``: what a person wants to know first."""
    words = _kind(machine)
    if machine.container:
        words = f"{machine.container} in {words}" if machine.container != "wsl" else f"WSL, {words}"
    cloud = _CLOUDS.get(machine.cloud or "", machine.cloud or "")
    return f"{words} ({cloud})" if cloud else words


def _kind(machine: Machine) -> str:
    if machine.machine == BARE_METAL:
        return "bare metal"
    nested = ["nested"] if machine.nested else []
    if machine.role:
        return ", ".join([_ROLES.get(machine.role, machine.role), *nested])
    if machine.machine != GUEST:
        return "unknown machine"
    words = ["VM"]
    if machine.hypervisor:
        words.append(HYPERVISORS.get(machine.hypervisor, machine.hypervisor))
    more = (
        [_CONFIDENTIAL.get(machine.confidential, machine.confidential)]
        if machine.confidential
        else []
    )
    return ", ".join([" · ".join(words), *more, *nested])
