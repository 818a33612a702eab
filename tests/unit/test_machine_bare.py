"""Bare metal is a finding: what suffices for it, and what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.doubles.machines import OFF, PLAIN, dmi, leaves, machine, pci
from tuiapp.machine.report import BARE_METAL, CERTAIN, GUEST, LIKELY, UNKNOWN, WEAK

SERVER = dmi(sys_vendor="Supermicro", product_name="X", board_vendor="Supermicro", board_name="Y")
BRIDGE = pci("0000:00:00.0 8086:4621 060000", "0000:00:02.0 8086:46a6 030000")
REFERENCE_BOARD = "440BX Desktop Reference Platform"
GCE = "Google Compute Engine"
OFF_BIT = leaves(x00000001=OFF)
TYPE_0 = bytes([0, 0x18, 0, 0]) + bytes(15)
VM_BIT_OFF, VM_BIT_ON = TYPE_0 + bytes([0x00]) + bytes(6), TYPE_0 + bytes([0x10]) + bytes(6)
ENTRY = "/sys/firmware/dmi/entries/0-0/raw"

BARE: list[tuple[str, dict[str, Any], dict[str, Any] | None, str]] = [
    ("three witnesses", {**SERVER, ENTRY: VM_BIT_OFF}, OFF_BIT, CERTAIN),
    ("with its bus", {**SERVER, **BRIDGE}, OFF_BIT, CERTAIN),
    ("cpuid and names", SERVER, OFF_BIT, LIKELY),
    ("cpuid alone", {}, OFF_BIT, LIKELY),
    ("flags and names", {**PLAIN, **SERVER}, None, LIKELY),
    ("flags and the bus", {**PLAIN, **BRIDGE}, None, LIKELY),
    ("names alone", SERVER, None, WEAK),
    ("the old list of the bus", {"/proc/bus/pci/devices": "0000\t17cb0113\t0\t 0\n"}, None, LIKELY),
    ("a board", {"/proc/device-tree/model": b"Raspberry Pi 4 Model B Rev 1.4\0"}, None, LIKELY),
    ("powernv", {"/proc/cpuinfo": "cpu : POWER9\n\nplatform : PowerNV\n"}, None, LIKELY),
    ("a named core", {"/proc/cpuinfo": "processor : 0\nuarch : thead,c910\n"}, None, LIKELY),
    # systemd 18929, 19403, 20628, 27267, 38125: whole machines of EC2
    (
        "ec2 metal",
        {**PLAIN, **dmi(sys_vendor="Amazon EC2", product_name="c6i.metal")},
        None,
        LIKELY,
    ),
    ("ec2 metal, sized", dmi(sys_vendor="Amazon EC2", product_name="m7i.metal-24xl"), None, LIKELY),
    ("ec2 metal on arm", dmi(sys_vendor="Amazon EC2", product_name="m6g.metal"), None, LIKELY),
    # systemd 38562: the same names on virtual and on whole machines
    ("gce metal", dmi(sys_vendor="Google", product_name=GCE), OFF_BIT, LIKELY),
    (
        "gce metal by its bus",
        {**PLAIN, **dmi(sys_vendor="Google", product_name=GCE), **BRIDGE},
        None,
        LIKELY,
    ),
    # systemd 21468, ansible 80197: Microsoft makes hardware
    ("surface", dmi(sys_vendor="Microsoft Corporation", product_name="Surface Pro 6"), None, WEAK),
    # systemd 21100, 31871: so does Oracle
    ("oracle", dmi(sys_vendor="Oracle Corporation", board_vendor="Oracle Corporation"), None, WEAK),
    ("sun", dmi(sys_vendor="SUN MICROSYSTEMS", board_vendor="Oracle Corporation"), None, WEAK),
    ("hetzner", dmi(sys_vendor="Hetzner", board_vendor="ASRockRack", board_name="B1"), None, WEAK),
    ("ovh", dmi(sys_vendor="OVH", board_vendor="Intel Corporation", board_name="S1"), None, WEAK),
    (
        "edk2 on arm",
        dmi(sys_vendor="SolidRun", bios_vendor="EFI Development Kit II / SolidRun"),
        None,
        WEAK,
    ),
    (
        "a chromebook",
        dmi(sys_vendor="Google", product_name="Eve", board_vendor="Google", board_name="E"),
        OFF_BIT,
        LIKELY,
    ),
    (
        "a laptop called as Nutanix calls its machines",
        dmi(sys_vendor="Standard", product_name="AHV", board_vendor="INTEL Corporation"),
        None,
        WEAK,
    ),
    # EDK II of a maker that gave only the board a name
    (
        "a board of nobody's",
        dmi(sys_vendor="Unknown", product_name="Board Developer Kit", bios_vendor="EDK II"),
        None,
        WEAK,
    ),
    (
        "firmware for boards, its names as they came",
        dmi(sys_vendor="Default string", board_vendor="", bios_vendor="American Megatrends Inc."),
        None,
        WEAK,
    ),
    (
        "the same, and no hypervisor",
        dmi(sys_vendor="OEM", board_vendor="OEM", bios_vendor="INSYDE Corp."),
        OFF_BIT,
        LIKELY,
    ),
    (
        "a processor called HV",
        dmi(sys_vendor="Loongson", product_name="Loongson-3A5000-HV-EVB"),
        None,
        WEAK,
    ),
]


@pytest.mark.parametrize(
    ("case", "files", "cpuid", "confidence"), BARE, ids=[row[0] for row in BARE]
)
def test_bare_metal_by_its_witnesses(
    tmp_path: Path,
    case: str,
    files: dict[str, Any],
    cpuid: dict[str, Any] | None,
    confidence: str,
) -> None:
    found = machine(tmp_path, files, cpuid)
    assert (found.machine, found.confidence) == (BARE_METAL, confidence), found.because
    assert found.hypervisor is None
    assert found.because


NOT_ENOUGH: list[tuple[str, dict[str, Any]]] = [
    ("nothing", {}),
    ("flags alone", PLAIN),
    ("an empty cpuinfo", {"/proc/cpuinfo": ""}),
    ("arm's cpuinfo", {"/proc/cpuinfo": "processor : 0\nCPU implementer : 0x41\n"}),
    ("placeholders", dmi(sys_vendor="To Be Filled By O.E.M.", board_vendor="Default string")),
    ("no word", dmi(sys_vendor="\ud7fc", board_vendor="??", product_name="1")),
    ("a provider's name", dmi(sys_vendor="Vultr", product_name="VHP")),
    ("a provider's, on bought firmware", dmi(sys_vendor="OVH", bios_vendor="Phoenix")),
    ("firmware's maker, and nothing else was kept", dmi(bios_vendor="American Megatrends Inc.")),
    ("firmware that device models use as well", dmi(sys_vendor="Unknown", bios_vendor="U-Boot")),
    (
        "what u-boot calls a machine that it does not know",
        dmi(sys_vendor="Unknown", product_name="Unknown Product", bios_vendor="U-Boot"),
    ),
    *(
        (name, dmi(sys_vendor="Somebody", product_name=name, bios_vendor="Somebody"))
        for name in ("Virtual Server", "Cloud Compute 4", "VPS", "Big VM", "KVM Guest", "qemu")
    ),
    *(
        (f"{name!r}, and nothing bears it out", dmi(sys_vendor=name, product_name="M1 large"))
        for name in ("Acme Cloud", "Contabo", "Foobar GmbH", "\x1b[31mQEMU", "vmware, inc.")
    ),
    (
        "no text at all",
        {f"/sys/class/dmi/id/{name}": b"AB\xff\xfe" for name in ("sys_vendor", "bios_vendor")},
    ),
    ("a provider's metal, cpuid not read", {**PLAIN, **dmi(product_name="Alibaba Cloud ECS")}),
    ("google's metal, cpuid not read", {**PLAIN, **dmi(sys_vendor="Google", product_name=GCE)}),
    ("a variable of a provider's", {**PLAIN, "/proc/self/environ": b"CODESPACES=true\0"}),
    ("a pod's variable", {**PLAIN, "/proc/1/environ": b"RUNPOD_POD_ID=x\0"}),
    ("a provider's kind", dmi(sys_vendor="Amazon EC2", bios_vendor="Amazon EC2")),
    ("a card passed through", {**PLAIN, **pci("0000:00:00.0 10de:2330 030200")}),
    ("a bridge's kind is wrong", {**PLAIN, **pci("0000:00:00.0 1002:744c 030000")}),
    ("hyper-v's domains", {**PLAIN, **pci("c05b:00:00.0 8086:0a54 010802")}),
    (
        "inside gvisor",
        {**PLAIN, "/proc/version": "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016"},
    ),
]


@pytest.mark.parametrize(("case", "files"), NOT_ENOUGH, ids=[row[0] for row in NOT_ENOUGH])
def test_without_a_witness_it_is_unknown_and_says_why(
    tmp_path: Path, case: str, files: dict[str, Any]
) -> None:
    found = machine(tmp_path, files)
    assert found.machine == UNKNOWN
    assert found.confidence == ""
    assert found.because


@pytest.mark.parametrize(
    "files",
    [
        {"/sys/bus/virtio/devices/virtio0/modalias": "virtio:d00000001v00001AF4\n"},
        pci("0000:00:01.0 1af4:1041 020000"),
        pci("0000:00:00.0 8086:29c0 060000"),
        {**dmi(sys_vendor="Google", product_name=GCE), **pci("0000:00:04.0 1af4:1000 020000")},
    ],
)
def test_a_bit_that_is_off_is_not_believed_beside_virtual_devices(
    tmp_path: Path, files: dict[str, str]
) -> None:
    found = machine(tmp_path, {**PLAIN, **files}, OFF_BIT)
    assert found.machine == UNKNOWN
    assert "looks like a virtual machine's" in found.because


def test_the_firmwares_bit_alone_is_a_weak_guest(tmp_path: Path) -> None:
    found = machine(tmp_path, {ENTRY: VM_BIT_ON}, OFF_BIT)
    assert (found.machine, found.confidence) == (GUEST, WEAK)


def test_the_bit_is_found_in_dmidecodes_output(tmp_path: Path) -> None:
    said = "BIOS Information\n\tCharacteristics:\n\t\tSystem is a virtual machine\n\nSystem\n"
    (tmp_path / "dmidecode.txt").write_text(said)
    assert machine(tmp_path / "root", {}).machine == GUEST


@pytest.mark.parametrize("cpuid", [None, OFF_BIT])
@pytest.mark.parametrize("names", [SERVER, dmi(sys_vendor="Amazon EC2", product_name="m6g.metal")])
def test_the_firmwares_bit_against_the_firmwares_names_is_unknown(
    tmp_path: Path, cpuid: dict[str, Any] | None, names: dict[str, str]
) -> None:
    """Some makers of PCs leave it on; QEMU sets it, whatever names it is told to give."""
    found = machine(tmp_path, {**names, ENTRY: VM_BIT_ON}, cpuid)
    assert found.machine == UNKNOWN
    assert "byte 0x13 bit 4" in found.because


def test_the_bus_of_hardware_outweighs_the_firmwares_bit(tmp_path: Path) -> None:
    found = machine(tmp_path, {**PLAIN, **SERVER, **BRIDGE, ENTRY: VM_BIT_ON}, OFF_BIT)
    assert (found.machine, found.confidence) == (BARE_METAL, LIKELY)
    (conflict,) = found.conflicts
    assert "calls it a virtual machine" in conflict


def test_the_firmwares_bit_and_virtual_devices_are_a_guest(tmp_path: Path) -> None:
    files = {**SERVER, ENTRY: VM_BIT_ON, **pci("0000:00:00.0 8086:29c0 060000")}
    found = machine(tmp_path, files, OFF_BIT)
    assert (found.machine, found.confidence) == (GUEST, WEAK)


@pytest.mark.parametrize(
    ("files", "hypervisor"),
    [
        # distributions build it for virtual machines only
        (dmi(bios_vendor="Proxmox distribution of EDK II"), "qemu"),
        (dmi(bios_vendor="Debian distribution of EDK II"), "qemu"),
        (dmi(board_name=REFERENCE_BOARD, bios_vendor="Phoenix Technologies LTD"), "vmware"),
    ],
)
def test_a_part_that_only_virtual_machines_have_outweighs_a_servers_name(
    tmp_path: Path, files: dict[str, str], hypervisor: str
) -> None:
    found = machine(tmp_path, {**PLAIN, **SERVER, **files}, OFF_BIT)
    assert (found.machine, found.hypervisor, found.confidence) == (GUEST, hypervisor, WEAK)
    assert any("can be hidden" in conflict for conflict in found.conflicts)


def test_firmware_without_a_makers_name_is_no_hardware(tmp_path: Path) -> None:
    files = dmi(sys_vendor="", product_name="", bios_vendor="EDK II")
    assert machine(tmp_path, {**PLAIN, **files}, OFF_BIT).machine == UNKNOWN


def test_an_imitated_bridge_beside_a_servers_names_is_a_conflict(tmp_path: Path) -> None:
    files = {**PLAIN, **SERVER, ENTRY: VM_BIT_OFF, **pci("0000:00:00.0 8086:29c0 060000")}
    found = machine(tmp_path, files, OFF_BIT)
    assert (found.machine, found.confidence) == (BARE_METAL, LIKELY)
    (conflict,) = found.conflicts
    assert "PCI 0000:00:00.0" in conflict


def test_virtio_cards_are_sold_for_servers(tmp_path: Path) -> None:
    files = {
        **PLAIN,
        **SERVER,
        **pci("0000:00:00.0 8086:2020 060000", "0000:3b:00.0 1af4:1000 020000"),
    }
    found = machine(tmp_path, files, OFF_BIT)
    assert found.machine == BARE_METAL
    assert any("virtio" in conflict for conflict in found.conflicts)


def test_functions_of_cards_are_no_sign_of_a_guest(tmp_path: Path) -> None:
    files = {**PLAIN, **pci("0000:00:00.0 1022:1450 060000", "0000:08:10.0 8086:1520 020000")}
    assert machine(tmp_path, files).machine == BARE_METAL


@pytest.mark.parametrize("raw", [b"", b"\0", bytes(4), bytes([1, 4, 0, 0, 9, 9]), b"\xff" * 5000])
def test_broken_firmware_tables_say_nothing(tmp_path: Path, raw: bytes) -> None:
    found = machine(tmp_path, {ENTRY: raw, "/sys/firmware/dmi/tables/DMI": raw})
    assert found.machine == UNKNOWN
