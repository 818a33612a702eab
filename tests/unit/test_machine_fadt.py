"""Hyper-V without CPUID, and the hypervisor that ACPI's FADT names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.doubles.machines import FLAGGED, dmi, machine
from tuiapp.machine.report import GUEST, HOST_PARTITION, LIKELY, WEAK

SERVER = dmi(sys_vendor="Dell Inc.", product_name="PowerEdge R740", board_vendor="Dell Inc.")
VIRTUAL_MACHINE = dmi(sys_vendor="Microsoft Corporation", product_name="Virtual Machine")


def fadt(vendor: bytes, revision: int = 6) -> dict[str, bytes]:
    """A machine's FADT that names its hypervisor's vendor."""
    table = b"FACP\x14\x01\0\0" + bytes([revision]) + bytes(259) + vendor.ljust(8, b"\0")
    return {"/sys/firmware/acpi/tables/FACP": table}


@pytest.mark.parametrize(
    ("files", "confidence"),
    [
        (fadt(b"MsHyperV"), WEAK),
        ({"/dev/mshv": ""}, LIKELY),
        ({"/sys/class/misc/mshv/dev": "10:124\n", **fadt(b"MsHyperV")}, LIKELY),
        ({"/sys/class/misc/mshv/dev": "10:124\n", **FLAGGED}, LIKELY),
    ],
)
def test_hypervs_root_partition_without_cpuid(
    tmp_path: Path, files: dict[str, Any], confidence: str
) -> None:
    """As on ARM: the FADT may name Hyper-V, and Linux has a driver in partitions of its kind."""
    found = machine(tmp_path, {**SERVER, **files})
    assert (found.machine, found.role) == (HOST_PARTITION, "hyperv-root")
    assert found.confidence == confidence
    assert not found.conflicts


@pytest.mark.parametrize("files", [{"/dev/mshv": ""}, fadt(b"MsHyperV")])
def test_a_guest_of_hypervs_may_manage_guests_of_its_own(
    tmp_path: Path, files: dict[str, Any]
) -> None:
    found = machine(tmp_path, {**VIRTUAL_MACHINE, **files})
    assert (found.machine, found.hypervisor, found.role) == (GUEST, "hyperv", None)


@pytest.mark.parametrize(
    ("vendor", "name"),
    [
        (b"MsHyperV", "hyperv"),
        (b"QEMU", "qemu"),
        (b"CLOUDHYP", "cloud-hypervisor"),
        (b"FIRECKVM", "firecracker"),
        (b"CROSVM", "crosvm"),
    ],
)
def test_the_fadt_names_the_hypervisor(tmp_path: Path, vendor: bytes, name: str) -> None:
    found = machine(tmp_path, fadt(vendor))
    assert (found.machine, found.hypervisor) == (GUEST, name)


@pytest.mark.parametrize(
    "files", [fadt(b""), fadt(b"QEMU", 5), fadt(b"\xff" * 8), fadt(b"ANYBODY")]
)
def test_an_older_fadt_or_an_unknown_name_decides_nothing(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    assert machine(tmp_path, files).machine == "unknown"
