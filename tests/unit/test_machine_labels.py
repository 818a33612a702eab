"""Clouds, encrypted memory, the registry, recorded machines, and what the answer looks like."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.machines import FLAGGED, OFF, ON, build, dmi, leaves, machine, pci, signed
from tuiapp.machine.cpuid_record import open_record
from tuiapp.machine.inspection import inspect
from tuiapp.machine.names import FIRECRACKER_LIKE
from tuiapp.machine.sources import SOURCES, source
from tuiapp.machine.sources.acpi import MAKERS, oem_id
from tuiapp.machine.sources.base import Notes, clean
from tuiapp.machine.sources.cloud import TAGS
from tuiapp.machine.sources.clouds import PROVIDERS
from tuiapp.machine.sources.confidential import sev_kind
from tuiapp.machine.sources.cpuid import NO_HYPERVISOR, SIGNATURES
from tuiapp.machine.sources.dmi import LABELS
from tuiapp.machine.sources.environment import PROVIDERS as VARIABLES
from tuiapp.machine.sources.pci import MODELS
from tuiapp.machine.spelling import CLOUDS as CLOUDS_SPELLED
from tuiapp.machine.spelling import HYPERVISORS
from tuiapp.machine.tree import Tree

MACHINES = Path(__file__).parent.parent / "fixtures" / "machines"
NAMES = sorted(path.parent.name for path in MACHINES.glob("*/expected.json"))

CLOUDS: list[tuple[str, dict[str, str | bytes]]] = [
    ("aws", {**dmi(sys_vendor="Amazon EC2", product_name="c5.large")}),
    ("aws", {**dmi(bios_version="4.11.amazon")}),
    ("aws", {"/sys/hypervisor/type": "xen", "/sys/hypervisor/uuid": "ec2e1916-9099"}),
    ("azure", {**dmi(chassis_asset_tag="7783-7084-3265-9085-8269-3286-77")}),
    ("gce", {**dmi(sys_vendor="Google", product_name="Google Compute Engine")}),
    ("oci", {**dmi(sys_vendor="QEMU", chassis_asset_tag="OracleCloud.com")}),
    ("alibaba", {**dmi(sys_vendor="Alibaba Cloud", product_name="Alibaba Cloud ECS")}),
    ("tencent", {**dmi(sys_vendor="Tencent Cloud", product_name="CVM")}),
    ("openstack", {**dmi(sys_vendor="OpenStack Foundation")}),
    ("digitalocean", {**dmi(sys_vendor="DigitalOcean")}),
    ("hetzner", {**dmi(sys_vendor="Hetzner", board_vendor="ASRockRack")}),
    ("scaleway", {**dmi(sys_vendor="Scaleway")}),
    ("ovh", {**dmi(sys_vendor="OVH")}),
    ("vultr", {**dmi(sys_vendor="Vultr")}),
    ("linode", {**dmi(sys_vendor="Akamai")}),
    ("upcloud", {**dmi(sys_vendor="UpCloud")}),
    ("exoscale", {**dmi(product_name="Exoscale Compute Platform")}),
    ("huawei", {**dmi(chassis_asset_tag="HUAWEICLOUD")}),
    ("sap", {**dmi(chassis_asset_tag="SAP CCloud VM")}),
    ("samsung", {**dmi(chassis_asset_tag="Samsung Cloud Platform")}),
    ("zstack", {**dmi(chassis_asset_tag="123456.zstack.io")}),
    ("openstack", {**dmi(chassis_asset_tag="OpenStack Nova")}),
    ("cloudcix", {**dmi(product_name="CloudCIX")}),
    ("nwcs", {**dmi(sys_vendor="NWCS")}),
    ("tilaa", {**dmi(sys_vendor="Tilaa")}),
    ("runpod", {"/proc/1/environ": b"RUNPOD_POD_ID=x\0", **dmi(sys_vendor="Amazon EC2")}),
]
SHELL = {"/proc/self/environ": b"K_SERVICE=x\0CODESPACES=true\0LAMBDA_TASK_ROOT=/x\0"}
OWN_PID = {"/proc/self/ns/pid.readlink": "pid:[4026532180]\n"}
NO_CLOUDS = [
    SHELL,
    {**SHELL, **dmi(sys_vendor="LENOVO", product_name="ThinkPad")},
    {**SHELL, **OWN_PID},
    {**SHELL, "/proc/sys/kernel/osrelease": "5.15.90.1-microsoft-standard-WSL2\n"},
    dmi(sys_vendor="AWS Elemental", product_name="AWS Elemental Appliance"),
    dmi(sys_vendor="Google", product_name="Eve", board_vendor="Google", chassis_vendor="Google"),
    dmi(sys_vendor="Huawei", product_name="XA320 V2"),
    dmi(sys_vendor="Oracle Corporation", product_name="ORACLE SERVER X5-2"),
    dmi(sys_vendor="Microsoft Corporation", product_name="Surface Go"),
]

EPYC = {"x80000000": (0x8000001F, 0, 0, 0), "x8000001f": (0b1111, 0, 0, 0)}
ISOLATED = (0xAE7F, 0x3B8030 | 1 << 22, 2, 0)


@pytest.mark.parametrize(("name", "files"), CLOUDS)
def test_providers_mark_their_machines(tmp_path: Path, name: str, files: dict[str, Any]) -> None:
    assert machine(tmp_path, files).cloud == name


@pytest.mark.parametrize("files", NO_CLOUDS)
def test_makers_of_hardware_are_no_clouds(tmp_path: Path, files: dict[str, str]) -> None:
    assert machine(tmp_path, files).cloud is None


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"/.dockerenv": "", **OWN_PID}, "azure"),
        ({"/sys/firmware/acpi/tables/FACP": b"FACP\x14\x01\0\0\6\0FIRECKFCVMFADT"}, "aws"),
        (dmi(sys_vendor="Google", product_name="Google Compute Engine"), "gce"),
    ],
)
def test_a_variable_of_our_own_counts_with_a_second_sign(
    tmp_path: Path, files: dict[str, Any], name: str
) -> None:
    variable = {"azure": b"CODESPACES=true\0", "aws": b"LAMBDA_TASK_ROOT=/x\0"}
    own = {"/proc/self/environ": variable.get(name, b"CODESPACES=true\0")}
    assert machine(tmp_path, {**files, **own}).cloud == name


def test_a_variable_that_is_not_believed_is_a_conflict(tmp_path: Path) -> None:
    (conflict,) = machine(tmp_path, {"/proc/self/environ": b"CODESPACES=true\0"}).conflicts
    assert "/proc/self/environ" in conflict


def _azure(kind: int) -> dict[str, tuple[int, int, int, int]]:
    return leaves(
        x00000001=ON,
        x40000000=signed("Microsoft Hv", 0x4000000C),
        x40000003=ISOLATED,
        x4000000c=(0, kind, 0, 0),
    )


@pytest.mark.parametrize(
    ("files", "cpuid", "name"),
    [
        ({}, leaves(x00000000=(0x21, 0, 0, 0), x00000021=(0, *_tdx)), "tdx")
        for _tdx in [(0x65746E49, 0x20202020, 0x5844546C)]
    ]
    + [
        ({"/dev/sev-guest": ""}, None, "sev-snp"),
        ({"/dev/tdx_guest": ""}, None, "tdx"),
        # a container's /dev lacks the nodes
        ({"/sys/class/misc/sev-guest/dev": "10:123\n"}, None, "sev-snp"),
        ({"/sys/devices/platform/sev-guest/uevent": ""}, None, "sev-snp"),
        ({"/sys/devices/system/cpu/sev/vmpl": "0\n"}, None, "sev-snp"),
        ({"/sys/class/misc/tdx_guest/dev": "10:124\n"}, None, "tdx"),
        # the host's device, which starts such guests
        ({"/sys/class/misc/sev/dev": "10:125\n"}, None, None),
        ({"/sys/firmware/uv/prot_virt_guest": "1\n"}, None, "secure-execution"),
        ({"/sys/firmware/uv/prot_virt_guest": "0\n"}, None, None),
        ({}, _azure(2), "sev-snp"),
        ({}, _azure(3), "tdx"),
        ({}, _azure(0), None),
        # the processor could, which is no proof that it does
        ({}, leaves(**EPYC), None),
        ({"/proc/cpuinfo": FLAGGED["/proc/cpuinfo"].replace("fpu", "fpu sev")}, None, None),
    ],
)
def test_encrypted_memory_needs_more_than_a_capability(
    tmp_path: Path,
    files: dict[str, Any],
    cpuid: dict[str, tuple[int, int, int, int]] | None,
    name: str | None,
) -> None:
    assert machine(tmp_path, files, cpuid).confidential == name


def test_a_trust_domain_is_a_guest(tmp_path: Path) -> None:
    cpuid = leaves(x00000001=OFF, x00000021=(0, 0x65746E49, 0x20202020, 0x5844546C))
    assert machine(tmp_path, {}, cpuid).machine == "guest"


@pytest.mark.parametrize(
    ("status", "kind"), [(0, None), (1, "sev"), (3, "sev-es"), (7, "sev-snp"), (1 << 8, None)]
)
def test_sevs_register_names_the_strongest(status: int, kind: str | None) -> None:
    assert sev_kind(status) == kind


def test_the_maker_of_a_table_is_read_from_its_header() -> None:
    assert oem_id(b"FACP\x14\x01\0\0\6\0FIRECKFCVM") == "FIRECK"
    assert oem_id(b"FACP\x14\x01\0\0\6\0Xen\0\0\0x") == "Xen"
    assert oem_id(b"") == ""


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_survives_an_empty_machine(tmp_path: Path, name: str) -> None:
    notes = Notes(name, build(tmp_path, {}), None)
    source(name)(notes)
    assert all(signal.source == name for signal in notes.signals)
    assert {signal.fact for signal in notes.signals} <= {"", "no-dmi=yes"}


@pytest.mark.parametrize("name", NAMES)
def test_recorded_machines_are_what_they_were_built_to_be(name: str) -> None:
    folder = MACHINES / name
    expected = json.loads((folder / "expected.json").read_text())
    found = inspect(Tree(folder / "root"), open_record(folder / "cpuid.json")).as_json()
    assert {key: found[key] for key in expected} == expected, found["because"]
    assert found["evidence"]


def test_all_evidence_is_kept(tmp_path: Path) -> None:
    files = {**FLAGGED, **dmi(sys_vendor="QEMU"), "/.dockerenv": ""}
    found = machine(tmp_path, files, leaves(x00000001=ON, x40000000=signed("KVMKVMKVM")))
    assert {"cpuid", "cpuinfo", "dmi", "manager"} <= {signal.source for signal in found.signals}
    answer = found.as_json()
    assert answer["unread"]
    assert all("unread" not in signal for signal in answer["evidence"])
    json.dumps(answer)


def test_the_running_system_has_an_answer() -> None:
    found = inspect(Tree("/"), None)
    assert found.machine in ("bare-metal", "guest", "host-partition", "unknown")
    assert found.because


def test_people_read_no_internal_names(tmp_path: Path) -> None:
    files = dmi(sys_vendor="Microsoft Corporation", product_name="Virtual Machine")
    found = machine(tmp_path, {**files, **pci("0000:00:08.0 1414:5353 030000")})
    words = " ".join((found.because, *(signal.proves for signal in found.signals)))
    assert "hyperv" not in words
    assert "Hyper-V calls its machines so" in words
    assert "a device of Hyper-V" in words


@pytest.mark.parametrize(
    "name",
    sorted(
        {name for _, name in PROVIDERS}
        | {name for *_, name in TAGS}
        | {*VARIABLES.values(), *MODELS.values(), *MAKERS.values()}
        | {name for *_, name in LABELS}
        | {*SIGNATURES.values()}
    ),
)
def test_every_name_has_a_spelling_for_people(name: str) -> None:
    if name not in (*NO_HYPERVISOR, FIRECRACKER_LIKE):
        assert name in HYPERVISORS or name in CLOUDS_SPELLED


def test_values_are_cleaned_and_cut() -> None:
    assert clean("a\x1b[31m\u202eb\n\tc\udc80") == "a[31mb c"
    assert len(clean("x" * 5000)) == 120


def test_neither_numpy_nor_textual_is_needed() -> None:
    code = (
        "import sys; from tuiapp.machine.inspection import inspect;"
        "from tuiapp.machine.tree import Tree;"
        "inspect(Tree('/'), None); print([m for m in ('numpy', 'textual') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
