"""How a GPU reaches the system: what the driver says, and what the machine says to that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.doubles import cards as trees
from tuiapp.collectors.amdgpu import AmdgpuCollector
from tuiapp.collectors.base import Host
from tuiapp.collectors.card_path import OPEN, path_by_files, path_by_library
from tuiapp.collectors.facts import FactBoard
from tuiapp.collectors.guest import guest_sign
from tuiapp.collectors.intel_gpu import IntelGpuCollector
from tuiapp.collectors.nvml_path import PATHS, gpu_path, path_facts, settled
from tuiapp.machine.fingerprint import fingerprint
from tuiapp.machine.looking import look

PLACE = "00000000:3B:00.0"
DEVICE = "sys/bus/pci/devices/0000:3b:00.0"
AMD = "vendor_id\t: AuthenticAMD\n"
GUEST = AMD + "flags\t\t: fpu hypervisor vme\n"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(AMD + "flags\t\t: fpu vme\n")
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


def card(machine: Path, pci_id: str, driver: str, **more: str) -> dict[str, Any]:
    files = {"product_name": "AMD Instinct MI300X\n"} if driver == "amdgpu" else {}
    trees.add(machine, 0, "0000:83:00.0", pci_id, files | more, driver=driver)
    collector = (AmdgpuCollector if driver == "amdgpu" else IntelGpuCollector)(Host(str(machine)))
    collector.open()
    (found,) = collector.facts()["gpus"]
    return dict(found)


@pytest.mark.parametrize(
    ("driver", "more", "verdict", "told"),
    [
        ("amdgpu", {}, ("guest", "certain"), ("passthrough", "likely")),
        ("amdgpu", {}, ("guest", "weak"), ("passthrough", "weak")),
        ("amdgpu", {"product_name": "\n"}, ("guest", "certain"), ("unknown", None)),
        ("amdgpu", {"product_name": "X VF\n"}, ("bare-metal", "certain"), ("sriov-vf", "likely")),
        ("amdgpu", {"physfn/vendor": ""}, ("guest", "certain"), ("sriov-vf", "certain")),
        ("amdgpu", {}, ("bare-metal", "weak"), ("bare", "weak")),
        ("amdgpu", {}, ("host-partition", "certain"), ("bare", "certain")),
        ("amdgpu", {}, ("unknown", ""), ("bare", "weak")),
        ("xe", {}, ("bare-metal", "likely"), ("bare", "likely")),
        ("xe", {}, ("guest", "certain"), ("unknown", None)),
    ],
)
def test_the_verdict_settles_the_path_of_every_makers_gpus(
    machine: Path,
    driver: str,
    more: dict[str, str],
    verdict: tuple[str, str],
    told: tuple[str, str | None],
) -> None:
    """The CPU shows no hypervisor here."""
    gpu = card(machine, trees.MI300X if driver == "amdgpu" else "8086:E20B", driver, **more)
    board = FactBoard()
    (before,) = board.merged([{"gpus": [gpu]}])["gpus"]
    assert OPEN not in before
    verdicts = {"machine": verdict[0], "confidence": verdict[1]}
    facts = board.merged([{"machine": verdicts, "fingerprint": fingerprint({})}])
    (found,) = facts["gpus"]
    assert (found["path"], found["path_confidence"]) == told
    assert found["card_path"] == found["path"]
    assert found["path_conflict"] is None
    assert OPEN not in found
    assert ("bare" in facts["fingerprint"]["gpu_devices"][0]) == (told[0] == "bare")


def test_a_library_that_calls_a_guests_gpu_bare_is_contradicted(machine: Path) -> None:
    gpu = {"index": 0, **path_by_library("bare", "AMD", path_by_files(Host(""), "/x", "X"))}
    assert gpu["path_confidence"] == "certain"
    found = settled(gpu, "guest", "certain")
    assert (found["path"], found["path_confidence"]) == ("passthrough", "likely")
    assert found["path_conflict"].startswith("AMD's library says that nothing virtualizes")
    assert settled(gpu, "bare-metal", "weak")["path_because"] == "AMD's library says so"


@pytest.mark.parametrize(
    ("files", "guest", "says"),
    [
        ({"proc/xen/capabilities": "control_d\n"}, False, "Xen's control domain owns"),
        ({"sys/class/misc/mshv/dev": "10:1\n"}, None, "Hyper-V's own partition"),
        ({"proc/cpuinfo": "flags\t: fpu hypervisor\n"}, None, "nothing that the driver shows"),
        ({}, True, "the hypervisor flag"),
    ],
)
def test_the_sign_of_a_guest_says_what_it_rests_on(
    machine: Path, files: dict[str, str], guest: bool | None, says: str
) -> None:
    trees.put(machine, {"proc/cpuinfo": GUEST, **files})
    found = guest_sign(Host(str(machine)))
    assert found[0] is guest
    assert says in found[1]


def test_flags_without_a_maker_count_for_nobody_and_are_not_called_unread(machine: Path) -> None:
    (machine / "proc/cpuinfo").write_text("processor\t: 0\nflags\t\t: fpu hypervisor\n")
    found = look(machine).machine
    assert found.machine == "unknown"
    assert "the kernel's flags are not known to be an x86 processor's" in found.because
    (machine / "proc/cpuinfo").write_text("processor\t: 0\n")
    assert "neither CPUID nor flags of an x86 processor" in look(machine).machine.because


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
