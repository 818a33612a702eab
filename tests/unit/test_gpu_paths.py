"""How an NVIDIA GPU reaches the system: what the driver says, and what the machine says to that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tuiapp.collectors.base import Host
from tuiapp.collectors.facts import FactBoard
from tuiapp.collectors.nvml_path import PATHS, gpu_path, path_facts
from tuiapp.machine.fingerprint import fingerprint

PLACE = "00000000:3B:00.0"
DEVICE = "sys/bus/pci/devices/0000:3b:00.0"
GUEST = "flags\t\t: fpu hypervisor vme\n"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("processor\t: 0\nflags\t\t: fpu vme\n")
    (tmp_path / DEVICE).mkdir(parents=True)
    (tmp_path / DEVICE / "vendor").write_text("0x10de\n")
    return tmp_path


def path(machine: Path, mode: str | None, *, divided: bool = False, place: str = PLACE) -> str:
    return gpu_path(Host(str(machine)), place, mode, divided=divided).path


@pytest.mark.parametrize(
    ("mode", "divided", "told"),
    [
        ("none", False, "bare"),
        ("host_vgpu", False, "bare"),
        ("passthrough", False, "passthrough"),
        ("passthrough", True, "mig"),
        ("vgpu", True, "vgpu"),
        (None, False, "unknown"),
        ("mode 9", False, "unknown"),
    ],
)
def test_paths(machine: Path, mode: str | None, divided: bool, told: str) -> None:
    assert path(machine, mode, divided=divided) == told
    assert told in PATHS


def test_a_virtual_function_has_a_physical_one(machine: Path) -> None:
    (machine / DEVICE / "physfn").symlink_to("../0000:3b:00.1")
    assert path(machine, "none") == "sriov-vf"
    assert path(machine, "none", place="../../etc") == "bare"


def test_what_is_bare_in_a_guest_is_passed_through(machine: Path) -> None:
    (machine / "proc/cpuinfo").write_text(GUEST)
    found = gpu_path(Host(str(machine)), PLACE, "none", divided=False)
    assert found[:2] == ("passthrough", "likely")
    assert (
        found.because == "on the PCI bus of a guest, and neither virtual function, vGPU nor slice"
    )
    assert found.conflict.startswith("NVML says that nothing virtualizes this GPU; the hypervisor")


@pytest.mark.parametrize("mode", ["host_vgpu", "passthrough", "vgpu"])
def test_a_driver_that_does_not_say_none_contradicts_nothing(machine: Path, mode: str) -> None:
    (machine / "proc/cpuinfo").write_text(GUEST)
    assert not gpu_path(Host(str(machine)), PLACE, mode, divided=False).conflict


def test_what_is_not_on_the_bus_of_a_guest_is_not_called_passed_through(machine: Path) -> None:
    (machine / "proc/cpuinfo").write_text(GUEST)
    found = gpu_path(Host(str(machine)), "00000000:01:00.0", "none", divided=False)
    assert (found.path, found.confidence) == ("unknown", "")
    assert "without it on the PCI bus" in found.because
    assert found.conflict


@pytest.mark.parametrize(
    ("files", "told", "sure"),
    [
        ({"proc/xen/capabilities": "control_d\n"}, "bare", "certain"),
        ({"sys/class/misc/mshv/dev": "10:1\n"}, "bare", "weak"),
    ],
)
def test_a_partition_that_owns_its_hardware_has_the_flag_as_well(
    machine: Path, files: dict[str, str], told: str, sure: str
) -> None:
    (machine / "proc/cpuinfo").write_text(GUEST)
    for name, text in files.items():
        (machine / name).parent.mkdir(parents=True, exist_ok=True)
        (machine / name).write_text(text)
    assert gpu_path(Host(str(machine)), PLACE, "none", divided=False)[:2] == (told, sure)


def test_a_slice_tells_how_its_card_comes(machine: Path) -> None:
    found = path_facts(Host(str(machine)), PLACE, "passthrough", divided=True)
    assert (found["path"], found["card_path"]) == ("mig", "passthrough")


def gpu(machine: Path, mode: str = "none", *, divided: bool = False) -> dict[str, Any]:
    told = path_facts(Host(str(machine)), PLACE, mode, divided=divided)
    return {"index": 0, "name": "X", "virtualization": mode, **told}


@pytest.mark.parametrize(
    ("mode", "divided", "verdict", "told"),
    [
        ("none", False, "guest", ("passthrough", "passthrough")),
        ("none", True, "guest", ("mig", "passthrough")),
        ("none", False, "bare-metal", ("bare", "bare")),
        ("none", False, "unknown", ("bare", "bare")),
        ("passthrough", False, "bare-metal", ("passthrough", "passthrough")),
    ],
)
def test_the_verdict_on_the_machine_settles_what_its_flag_hides(
    machine: Path, mode: str, divided: bool, verdict: str, told: tuple[str, str]
) -> None:
    """The CPU shows no hypervisor here, as a guest that hides it, or an ARM processor."""
    board = FactBoard()
    board.merged([{"gpus": [gpu(machine, mode, divided=divided)]}])
    facts = board.merged([{"machine": {"machine": verdict}, "fingerprint": fingerprint({})}])
    (found,) = facts["gpus"]
    assert (found["path"], found["card_path"]) == told
    assert told[0] in facts["fingerprint"]["gpu_devices"][0]
    assert bool(found["path_conflict"]) == (verdict == "guest")


@pytest.mark.parametrize(
    ("module", "told"),
    [(None, "nvidia 570.86.15"), ("nvidia", "nvidia 570.86.15"), ("nvidia 1.2", "nvidia 1.2")],
)
def test_the_drivers_version_is_nvmls_where_its_module_tells_none(
    machine: Path, module: str | None, told: str
) -> None:
    found = fingerprint({"gpu_driver": module})
    facts = {"gpus": [gpu(machine)], "nvidia_driver": "570.86.15"}
    board = FactBoard()
    board.merged([{"fingerprint": found}])
    assert board.merged([facts])["fingerprint"]["gpu_driver"] == told
    board = FactBoard()
    board.merged([facts])
    assert board.merged([{"fingerprint": found}])["fingerprint"]["gpu_driver"] == told
