"""How names are written for people; elsewhere they are short, in lower case and never change."""

from __future__ import annotations

HYPERVISORS = {
    "acrn": "ACRN", "apple": "Apple Virtualization", "bhyve": "bhyve", "bochs": "Bochs",
    "cloud-hypervisor": "Cloud Hypervisor", "crosvm": "crosvm", "firecracker": "Firecracker",
    "gunyah": "Gunyah", "haxm": "HAXM", "hyperv": "Hyper-V", "intel-evmm": "Intel eVMM",
    "jailhouse": "Jailhouse", "kvm": "KVM", "ldoms": "LDoms", "lkvm": "kvmtool", "nvmm": "NVMM",
    "openbsd-vmm": "OpenBSD vmm", "parallels": "Parallels", "powervm": "PowerVM",
    "powervm-lx86": "PowerVM Lx86", "pr/sm": "PR/SM", "qemu": "QEMU", "qnx": "QNX", "sre": "SRE",
    "uml": "User Mode Linux", "unisys": "Unisys s-Par", "virtualbox": "VirtualBox",
    "vmware": "VMware", "xen": "Xen", "zvm": "z/VM",
}  # fmt: skip
CLOUDS = {
    "alibaba": "Alibaba Cloud", "aws": "AWS", "azure": "Azure", "baidu": "Baidu Cloud",
    "brightbox": "Brightbox", "cloudcix": "CloudCIX", "cloudsigma": "CloudSigma",
    "cloudstack": "CloudStack", "coreweave": "CoreWeave", "crusoe": "Crusoe",
    "digitalocean": "DigitalOcean", "e24cloud": "e24cloud", "exoscale": "Exoscale",
    "gce": "Google Cloud", "gcore": "Gcore", "hetzner": "Hetzner", "huawei": "Huawei Cloud",
    "ibm": "IBM Cloud", "jdcloud": "JD Cloud", "joyent": "Joyent", "kamatera": "Kamatera",
    "linode": "Akamai Linode", "modal": "Modal", "nebius": "Nebius", "nwcs": "NWCS",
    "oci": "Oracle Cloud", "openstack": "OpenStack", "otc": "Open Telekom Cloud",
    "outscale": "Outscale", "ovh": "OVH", "paperspace": "Paperspace", "runpod": "RunPod",
    "samsung": "Samsung Cloud", "sap": "SAP Cloud", "scaleway": "Scaleway",
    "tencent": "Tencent Cloud", "tilaa": "Tilaa", "ucloud": "UCloud", "upcloud": "UpCloud",
    "vast": "Vast.ai", "volcengine": "Volcengine", "vultr": "Vultr", "yandex": "Yandex Cloud",
    "zstack": "ZStack",
}  # fmt: skip
CONFIDENTIAL = {
    "cca": "CCA", "secure-execution": "Secure Execution", "sev": "SEV", "sev-es": "SEV-ES",
    "sev-snp": "SEV-SNP", "tdx": "TDX",
}  # fmt: skip
CONTAINERS = {
    "namespaces-only": "unnamed container", "oci": "OCI container", "other": "unnamed container",
}  # fmt: skip


def spelled(name: str | None) -> str:
    """The hypervisor or the provider as its maker writes it; the short name for others."""
    return HYPERVISORS.get(name or "") or CLOUDS.get(name or "") or name or ""
