"""Whose guest a machine is: each signal, each rule, and each mistake others are known for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.doubles.machines import FLAGGED, OFF, ON, PLAIN, dmi, leaves, machine, pci, signed
from tuiapp.machine.report import CERTAIN, GUEST, HOST_PARTITION, WEAK
from tuiapp.machine.spelling import spelled

ROOT_RIGHTS, GUEST_RIGHTS = (0x3FFF, 0x2BB9FF, 2, 0), (0xAE7F, 0x3B8030, 2, 0)
SERVER = dmi(sys_vendor="Dell Inc.", product_name="PowerEdge R740", board_vendor="Dell Inc.")
QEMU = dmi(sys_vendor="QEMU", product_name="Standard PC (Q35 + ICH9, 2009)")
EC2 = dmi(sys_vendor="Amazon EC2", product_name="m5.large", bios_vendor="Amazon EC2")

SIGNATURES = [
    ("KVMKVMKVM", "kvm"),
    ("Linux KVM Hv", "kvm"),
    ("Microsoft Hv", "hyperv"),
    ("VMwareVMware", "vmware"),
    ("XenVMMXenVMM", "xen"),
    ("TCGTCGTCGTCG", "qemu"),
    ("bhyve bhyve ", "bhyve"),
    ("ACRNACRNACRN", "acrn"),
    ("QNXQVMBSQG", "qnx"),
    ("SRESRESRESRE", "sre"),
    ("Apple VZ", "apple"),
    (" prl hyperv ", "parallels"),
    ("VBoxVBoxVBox", "virtualbox"),
    ("UnisysSpar64", "unisys"),
    ("LKVMLKVMLKVM", "lkvm"),
    ("OpenBSDVMM58", "openbsd-vmm"),
]


@pytest.mark.parametrize(("text", "name"), SIGNATURES)
def test_a_signature_names_the_hypervisor(tmp_path: Path, text: str, name: str) -> None:
    found = machine(tmp_path, {}, leaves(x00000001=ON, x40000000=signed(text)))
    assert (found.machine, found.hypervisor, found.confidence) == (GUEST, name, CERTAIN)
    assert found.container == ("wsl" if name == "hyperv" else None)  # without firmware tables
    assert f"{spelled(name)} answers" in found.because


def test_the_highest_known_signature_wins(tmp_path: Path) -> None:
    slots = leaves(
        x00000001=ON,
        x40000000=signed("Microsoft Hv"),
        x40000003=GUEST_RIGHTS,
        x40000100=signed("KVMKVMKVM"),
        x40000200=signed("\x07\x08 rubbish"),
    )
    found = machine(tmp_path, QEMU, slots)
    assert found.hypervisor == "kvm"
    assert any("Microsoft Hv" in signal.value for signal in found.signals)
    assert any("Hyper-V" in conflict for conflict in found.conflicts)


def test_a_signature_counts_with_the_bit_off(tmp_path: Path) -> None:
    hidden = leaves(x00000001=OFF, x40000000=signed("TCGTCGTCGTCG"))
    found = machine(tmp_path, {**PLAIN, **SERVER}, hidden)
    assert (found.machine, found.hypervisor) == (GUEST, "qemu")
    assert any("hidden" in conflict for conflict in found.conflicts)


@pytest.mark.parametrize(
    ("files", "cpuid"), [(PLAIN, leaves(x00000001=ON)), (FLAGGED, None)], ids=["bit", "flag"]
)
def test_hardwares_names_beside_an_unnamed_hypervisor_are_a_conflict(
    tmp_path: Path, files: dict[str, Any], cpuid: dict[str, Any] | None
) -> None:
    found = machine(tmp_path, {**files, **SERVER}, cpuid)
    assert (found.machine, found.hypervisor) == (GUEST, None)
    assert any("names hardware" in conflict for conflict in found.conflicts)


def test_what_looks_like_text_in_an_unsupported_leaf_is_nothing(tmp_path: Path) -> None:
    chance = (0x16, 0x6B6C6D6E, 0x61626364, 0x41424344)
    found = machine(tmp_path, SERVER, leaves(x00000001=OFF, x40000000=chance))
    assert found.machine == "bare-metal"


def _kvm(**more: tuple[int, int, int, int]) -> dict[str, tuple[int, int, int, int]]:
    return leaves(x00000001=ON, x40000000=signed("KVMKVMKVM"), **more)


def _hyperv(**more: tuple[int, int, int, int]) -> dict[str, tuple[int, int, int, int]]:
    return leaves(x00000001=ON, x40000000=signed("Microsoft Hv"), **more)


def _xen(**more: tuple[int, int, int, int]) -> dict[str, tuple[int, int, int, int]]:
    return leaves(x00000001=ON, x40000000=signed("XenVMMXenVMM", 0x40000005), **more)


VIRTUAL_MACHINE = dmi(sys_vendor="Microsoft Corporation", product_name="Virtual Machine")
VIRTUALBOX = dmi(sys_vendor="innotek GmbH", product_name="VirtualBox")
COPIED = dmi(sys_vendor="LENOVO", product_name="20XX", board_vendor="Oracle Corporation")
XEN_DMI = dmi(sys_vendor="Xen", product_name="HVM domU")
GCE = "Google Compute Engine"
AZURE = dmi(chassis_asset_tag="7783-7084-3265-9085-8269-3286-77")
ACPI = {"/sys/firmware/acpi/tables/FACP": b"FACP\x14\x01\0\0\6\0FIRECKFCVMFADT"}
CLOUDH = {"/sys/firmware/acpi/tables/FACP": b"FACP\x14\x01\0\0\6\0CLOUDHCHFACP  "}

NAMED: list[tuple[str, dict[str, Any], dict[str, Any] | None, str]] = [
    # systemd 13429, 1993: VirtualBox answers as KVM
    ("virtualbox on kvm's interface", VIRTUALBOX, _kvm(), "virtualbox"),
    ("virtualbox with the host's names", COPIED, _kvm(), "virtualbox"),
    ("virtualbox on hyper-v's interface", VIRTUALBOX, _hyperv(), "virtualbox"),
    (
        "parallels on kvm's interface",
        dmi(sys_vendor="Parallels International"),
        _kvm(),
        "parallels",
    ),
    # systemd 17894, 28001: enlightenments
    ("kvm with enlightenments", QEMU, _hyperv(x40000003=GUEST_RIGHTS), "kvm"),
    ("nutanix by its names alone", dmi(sys_vendor="Nutanix", product_name="AHV"), None, "kvm"),
    # of the cloud's machines on ARM some say so on the board
    ("google", dmi(sys_vendor="Google", board_vendor="KVM", product_name=GCE), None, "kvm"),
    ("vmware's firmware", dmi(sys_vendor="Any", bios_version="VMW71.00V.1"), None, "vmware"),
    ("nutanix", dmi(sys_vendor="Nutanix", product_name="AHV"), _hyperv(), "kvm"),
    ("xen with viridian", XEN_DMI, _hyperv(), "xen"),
    ("hyper-v", VIRTUAL_MACHINE, _hyperv(x40000003=GUEST_RIGHTS), "hyperv"),
    ("azure", AZURE, None, "hyperv"),
    ("firecracker by its tables", ACPI, _kvm(), "firecracker"),
    ("cloud hypervisor by its tables", CLOUDH, _kvm(), "cloud-hypervisor"),
    ("kvm under bochs' name", dmi(sys_vendor="Bochs", product_name="Bochs"), _kvm(), "kvm"),
    ("bochs' name alone", dmi(sys_vendor="Bochs", product_name="Bochs"), None, "qemu"),
    ("red hat", dmi(sys_vendor="Red Hat", product_name="KVM"), None, "kvm"),
    ("rhel's machine type", dmi(sys_vendor="Any", product_version="pc-q35-rhel9.4.0"), None, "kvm"),
    (
        "openstack",
        dmi(sys_vendor="OpenStack Foundation", product_name="OpenStack Nova"),
        None,
        "kvm",
    ),
    ("kubevirt", dmi(sys_vendor="KubeVirt", product_name="None"), None, "kvm"),
    ("vmware's newest", dmi(sys_vendor="VMware, Inc.", product_name="VMware20,1"), None, "vmware"),
    ("bhyve", dmi(product_name="BHYVE"), None, "bhyve"),
    ("apple", dmi(product_name="Apple Virtualization Generic Platform"), None, "apple"),
    ("xen by dmi", XEN_DMI, None, "xen"),
    ("ec2 on xen", dmi(bios_vendor="Xen", bios_version="4.11.amazon"), None, "xen"),
    ("ec2 nitro", {**FLAGGED, **EC2}, None, "kvm"),
    ("ec2 on arm", dmi(sys_vendor="Amazon EC2", product_name="t4g.small"), None, "kvm"),
    ("oci", {**QEMU, **dmi(chassis_asset_tag="OracleCloud.com")}, None, "kvm"),
    ("droplet", dmi(sys_vendor="DigitalOcean", product_name="Droplet"), None, "kvm"),
    ("hetzner's cloud", dmi(sys_vendor="Hetzner", product_name="vServer"), None, "kvm"),
]


@pytest.mark.parametrize(("case", "files", "cpuid", "name"), NAMED, ids=[row[0] for row in NAMED])
def test_other_signals_refine_the_name(
    tmp_path: Path, case: str, files: dict[str, Any], cpuid: dict[str, Any] | None, name: str
) -> None:
    found = machine(tmp_path, files, cpuid)
    assert (found.machine, found.hypervisor) == (GUEST, name), found.because
    assert found.because


@pytest.mark.parametrize(
    ("files", "cpuid", "role"),
    [
        # VMAware 324: eight of eight root partitions have both rights
        (SERVER, _hyperv(x40000003=ROOT_RIGHTS), "hyperv-root"),
        ({}, _hyperv(x40000003=ROOT_RIGHTS), "hyperv-root"),
        ({**SERVER, "/proc/xen/capabilities": "control_d\n"}, None, "xen-dom0"),
        (
            {"/sys/hypervisor/type": "xen", "/sys/hypervisor/properties/features": "00000801"},
            None,
            "xen-dom0",
        ),
        # no file of Xen's, but a server's own names
        (SERVER, leaves(x00000001=ON, x40000000=signed("XenVMMXenVMM")), "xen-dom0"),
    ],
)
def test_host_partitions_own_the_hardware(
    tmp_path: Path, files: dict[str, Any], cpuid: dict[str, Any] | None, role: str
) -> None:
    found = machine(tmp_path, files, cpuid)
    assert (found.machine, found.role) == (HOST_PARTITION, role)


@pytest.mark.parametrize(
    ("files", "cpuid", "confidence"),
    [
        (SERVER, {}, WEAK),
        ({**SERVER, "/sys/hypervisor/type": "xen\n"}, {}, WEAK),
        # the control domain with virtual hardware around it: its number
        (SERVER, {"x40000004": (0x1C, 0, 0, 0)}, CERTAIN),
        ({**SERVER, "/proc/xen/capabilities": "control_d\n"}, {}, CERTAIN),
    ],
)
def test_a_servers_names_alone_make_no_certain_control_domain(
    tmp_path: Path, files: dict[str, str], cpuid: dict[str, Any], confidence: str
) -> None:
    found = machine(tmp_path, files, _xen(**cpuid))
    assert (found.role, found.confidence) == ("xen-dom0", confidence)


@pytest.mark.parametrize("features", [(0xC, 0, 0, 0), (0x1C, 0, 7, 0)])
def test_a_xen_guest_may_be_given_a_servers_names(
    tmp_path: Path, features: tuple[int, int, int, int]
) -> None:
    found = machine(tmp_path, SERVER, _xen(x40000004=features))
    assert (found.machine, found.hypervisor) == (GUEST, "xen")
    assert any("names hardware" in conflict for conflict in found.conflicts)
    assert any(conflict.endswith("so CPUID won") for conflict in found.conflicts)


def test_what_won_is_what_was_read(tmp_path: Path) -> None:
    """A Xen node in sysfs, and no processor's answer."""
    domain = {"/sys/hypervisor/type": "xen\n", "/sys/hypervisor/properties/features": "00000000\n"}
    found = machine(tmp_path, {**SERVER, **domain})
    assert found.machine in (GUEST, HOST_PARTITION)
    assert not any("CPUID" in conflict for conflict in found.conflicts)


def test_dom0_inside_a_virtual_machine_is_nested(tmp_path: Path) -> None:
    found = machine(tmp_path, {**QEMU, "/proc/xen/capabilities": "control_d\n"})
    assert (found.role, found.nested) == ("xen-dom0", True)
    assert "guest of QEMU" in found.because
    assert not found.conflicts


def test_what_answers_in_a_paravirtual_dom0_is_the_machine_below(tmp_path: Path) -> None:
    found = machine(tmp_path, {"/proc/xen/capabilities": "control_d\n"}, _kvm())
    assert (found.hypervisor, found.role, found.nested) == ("xen", "xen-dom0", True)
    assert "guest of KVM" in found.because
    assert not found.conflicts


def test_a_root_partition_inside_a_virtual_machine_is_nested(tmp_path: Path) -> None:
    found = machine(tmp_path, QEMU, _hyperv(x40000003=ROOT_RIGHTS))
    assert (found.role, found.nested) == ("hyperv-root", True)
    assert "machine of QEMU" in found.because
    assert not found.conflicts


@pytest.mark.parametrize(
    "files",
    [
        {"/sys/hypervisor/type": "xen\n", "/proc/xen/capabilities": ""},
        {"/proc/xen/privcmd": "", "/proc/cpuinfo": PLAIN["/proc/cpuinfo"]},
        {"/sys/bus/xen/drivers/vbd/bind": ""},
        {"/sys/hypervisor/type": "xen", "/sys/hypervisor/properties/features": "00002705"},
    ],
)
def test_xens_ordinary_domains_are_guests(tmp_path: Path, files: dict[str, str]) -> None:
    assert machine(tmp_path, files).hypervisor == "xen"


def test_a_kernel_that_could_run_under_xen_is_no_domain(tmp_path: Path) -> None:
    (tmp_path / "sys/bus/xen/devices").mkdir(parents=True)
    (tmp_path / "sys/bus/xen/drivers").mkdir(parents=True)
    assert machine(tmp_path, {**PLAIN, **SERVER}).machine == "bare-metal"


def test_user_mode_linux_comes_before_cpuid(tmp_path: Path) -> None:
    uml = {"/proc/cpuinfo": "vendor_id : User Mode Linux\nmodel name : UML\n"}
    found = machine(tmp_path, uml, _kvm())
    assert (found.hypervisor, found.nested) == ("uml", True)


POWER = "cpu : POWER9 (architected)\n\nplatform : pSeries\n"
DUMMY = {"/proc/device-tree/compatible": b"linux,dummy-virt\0"}
PSCI = "/proc/device-tree/psci/compatible"
OTHERS: list[tuple[str, dict[str, Any], str]] = [
    ("powervm", {"/proc/cpuinfo": POWER + "machine : CHRP IBM,9009-22A\n"}, "powervm"),
    (
        "kvm on power",
        {"/proc/cpuinfo": POWER + "machine : CHRP IBM pSeries (emulated by qemu)"},
        "kvm",
    ),
    ("a partition", {"/proc/ppc64/lparcfg": "lparcfg 1.9\npartition_id=4\n"}, "powervm"),
    ("lx86", {"/proc/cpuinfo": "vendor_id : PowerVM Lx86\n"}, "powervm-lx86"),
    ("pr/sm", {"/proc/sysinfo": "LPAR Number: 4\nLPAR Name: LP1\n"}, "pr/sm"),
    ("z/vm", {"/proc/sysinfo": "LPAR Number: 4\nVM00 Control Program: z/VM    7.3.0\n"}, "zvm"),
    ("kvm on z", {"/proc/sysinfo": "LPAR Number: 4\nVM00 Control Program: KVM/Linux\n"}, "kvm"),
    ("ldoms", {"/proc/cpuinfo": "cpu : SPARC-M7\ntype : sun4v\n"}, "ldoms"),
    ("kvmtool, if only its board was kept", DUMMY, "lkvm"),
    (
        "kvmtool by its clock",
        {**DUMMY, PSCI: "", "/proc/device-tree/rtc@1010000/compatible": b"motorola,mc146818\0"},
        "lkvm",
    ),
    ("qemu's channel on that board", {**DUMMY, "/proc/device-tree/fw-cfg@9/reg": ""}, "qemu"),
    ("xen on arm", {"/proc/device-tree/hypervisor/compatible": b"xen,xen-4.17\0xen,xen\0"}, "xen"),
    ("kvm's node", {"/proc/device-tree/hypervisor/compatible": b"linux,kvm\0"}, "kvm"),
    ("qemu's board", {"/proc/device-tree/compatible": b"riscv-virtio\0"}, "qemu"),
    ("wsl 2", {"/proc/sys/kernel/osrelease": "5.15.90.1-microsoft-standard-WSL2\n"}, "hyperv"),
    ("early wsl 2", {"/proc/sys/kernel/osrelease": "4.19.84-microsoft-standard\n"}, "hyperv"),
]


@pytest.mark.parametrize(("case", "files", "name"), OTHERS, ids=[row[0] for row in OTHERS])
def test_machines_without_cpuid(
    tmp_path: Path, case: str, files: dict[str, Any], name: str
) -> None:
    found = machine(tmp_path, files)
    assert (found.machine, found.hypervisor) == (GUEST, name)


def test_a_board_that_many_device_models_write_names_none(tmp_path: Path) -> None:
    """Firecracker and Cloud Hypervisor write the same one as kvmtool."""
    found = machine(tmp_path, {**DUMMY, PSCI: b"arm,psci-0.2\0"})
    assert (found.machine, found.hypervisor, found.confidence) == (GUEST, None, CERTAIN)


def test_two_layers_of_z_are_nested(tmp_path: Path) -> None:
    layers = "VM00 Control Program: KVM/Linux\nVM01 Control Program: z/VM    6.4.0\n"
    found = machine(tmp_path, {"/proc/sysinfo": layers})
    assert (found.hypervisor, found.nested) == ("kvm", True)


@pytest.mark.parametrize(
    ("flags", "name"),
    [("hypervisor sse2", "qemu"), ("hypervisor tsc_deadline_timer ibrs", "kvm")],
)
def test_qemus_processor_is_emulated_unless_its_flags_are_real(
    tmp_path: Path, flags: str, name: str
) -> None:
    brand = "Intel Xeon Processor (Skylake, IBRS)"
    cpuinfo = f"vendor_id : GenuineIntel\nmodel name : {brand}\nflags : fpu {flags}\n"
    assert machine(tmp_path, {"/proc/cpuinfo": cpuinfo}).hypervisor == name


@pytest.mark.parametrize(("features", "name"), [("lsx lasx", "qemu"), ("lsx lbt_x86", "kvm")])
def test_loongarchs_translation_needs_a_real_processor(
    tmp_path: Path, features: str, name: str
) -> None:
    cpuinfo = f"system type\t: generic\n\nprocessor\t: 0\nFeatures\t: cpucfg {features}\n"
    files = {"/proc/cpuinfo": cpuinfo, **pci("0000:00:00.0 1b36:0008 060000")}
    assert machine(tmp_path, files).hypervisor == name


def test_a_providers_device_model_is_accelerated(tmp_path: Path) -> None:
    names = dmi(sys_vendor="Alibaba Cloud", product_name="Alibaba Cloud ECS")
    firmware = dmi(bios_vendor="EFI Development Kit II / OVMF")
    found = machine(tmp_path, {**names, **firmware})
    assert (found.machine, found.hypervisor, found.confidence) == (GUEST, "kvm", WEAK)


def test_devices_alone_are_weak_evidence(tmp_path: Path) -> None:
    files = {
        **PLAIN,
        **SERVER,
        **pci("0000:00:00.0 8086:29c0 060000", "0000:00:01.0 1234:1111 030000"),
    }
    found = machine(tmp_path, files, leaves(x00000001=OFF))
    assert (found.machine, found.confidence) == (GUEST, WEAK)


@pytest.mark.parametrize(
    "lscpu",
    ["Hypervisor vendor: vertical\n", "Hypervisor vendor: (null)\n", "Hypervisor vendor:\n"],
)
def test_lscpus_odd_vendors_are_nobody(tmp_path: Path, lscpu: str) -> None:
    (tmp_path / "lscpu.txt").write_text(lscpu + "Virtualization type: full\n")
    assert machine(tmp_path / "root", {}).machine == "unknown"


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("Xen\nVirtualization type: none", ("host-partition", "xen", None)),
        ("Xen\nVirtualization type: full", ("guest", "xen", None)),
        ("KVM\nVirtualization type: full", ("guest", "kvm", None)),
        ("Parallels\nVirtualization type: container", ("unknown", None, "openvz")),
    ],
)
def test_lscpus_word_counts_where_nothing_else_was_kept(
    tmp_path: Path, kind: str, answer: tuple[str, str | None, str | None]
) -> None:
    (tmp_path / "lscpu.txt").write_text(f"Hypervisor vendor: {kind}\n")
    found = machine(tmp_path / "root", {})
    assert (found.machine, found.hypervisor, found.container) == answer
