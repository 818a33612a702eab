"""``tuiapp host --root`` and captures of machines with AMD and Intel GPUs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import cards as trees
from tuiapp import cli
from tuiapp.cli import host_sampling
from tuiapp.cli.host_report import collect_facts
from tuiapp.cli.host_sampling import recorded
from tuiapp.collectors.base import Host
from tuiapp.collectors.recorded import TreeHost
from tuiapp.machine.capture import RecordingTree, write
from tuiapp.machine.looking import look
from tuiapp.machine.name_lists import shortened

NAMES = b"""# list
1002  Advanced Micro Devices
\t744c  Navi 31
\t7450  Another
8086  Intel Corporation
\te20b  Battlemage G21
\t\t8086 1  Board
9999  Nobody
\te20b  Another
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Two accelerators of AMD behind switches of their own, a card of AMD's and one of Intel's."""
    root = tmp_path / "machine"
    outer = {
        "current_link_speed": "8.0 GT/s PCIe\n",
        "current_link_width": "8\n",
        "max_link_speed": "32.0 GT/s PCIe\n",
        "max_link_width": "16\n",
    }
    for at, place in enumerate(("0000:05:00.0", "0000:26:00.0")):
        trees.add(root, at, place, trees.MI300X, trees.accelerator(), bridges=outer)
    trees.add(root, 2, "0000:83:00.0", trees.RX7900, trees.dgpu())
    trees.add(root, 3, "0000:c4:00.0", "8086:E20B", trees.xe_card(), driver="xe")
    trees.put(root / "usr/share/misc", {"pci.ids": NAMES})
    trees.put(root / "proc", {"cpuinfo": "vendor_id\t: AuthenticAMD\nflags\t\t: fpu sse2\n"})
    for place, vendor, model in (
        ("0000:05:00.0", "1002", "74a1"),
        ("0000:e1:00.0", "10de", "2330"),
    ):
        device = {"vendor": f"0x{vendor}\n", "device": f"0x{model}\n", "class": "0x120000\n"}
        trees.put(root / "sys/bus/pci/devices" / place, device)
    return root


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert cli.main(["host", *argv]) == 0
    return capsys.readouterr()[0]


def gpus(capsys: pytest.CaptureFixture[str], root: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(capsys, "--root", str(root), "--json"))["gpus"]
    return found


def test_a_recorded_machine_has_the_table_of_a_live_one(
    machine: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    lines = [" ".join(line.split()) for line in run(capsys, "--root", str(machine)).splitlines()]
    rows = {line[:5]: line for line in lines if line.startswith("GPU ")}
    assert rows["GPU 0"] == (
        "GPU 0 AMD Instinct MI300X 150 of 192 GiB 99 % 71 612 of 750 132 of 2100 — "
        "3×8 of 5×16 bare 05:00.0"
    )
    assert rows["GPU 2"].startswith("GPU 2 Navi 31 6.0 of 24 GiB 87 % 84 291 of 327")
    assert rows["GPU 3"].startswith("GPU 3 Battlemage G21 — — 58 — of 190 2400 of 2850 power cap")
    assert rows["GPU 4"].startswith("GPU 4 NVIDIA 10de:2330 — —")
    text = " ".join(lines)
    assert "GPU 3 busy: Intel's drivers do not tell in /sys how busy a GPU is" in text
    assert "power: counted from one moment to the next, and this is one alone" in text
    assert "memory, busy, temperature" in text
    assert "no driver told of it" in text


def test_a_capture_has_the_files_of_its_gpus(
    machine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = tmp_path / "capture.tar.gz"
    run(capsys, "--root", str(machine), "--capture", str(packed))
    before, after = gpus(capsys, machine), gpus(capsys, packed)
    assert [gpu["pcie_gen"] for gpu in after] == [3, 3, 4, None, None]
    assert after == before


def test_a_live_capture_names_no_folder_above_a_link(machine: Path, tmp_path: Path) -> None:
    """Members of a capture are plain names: what is read beside the card is asked for by them."""
    tree = RecordingTree(machine)
    tree.live = True
    with pytest.raises(OSError, match="leads through"):
        TreeHost(tree).head("/sys/class/drm/card0/device/../vendor")
    found = look(machine)
    recorded(found.tree, *collect_facts(found))
    assert not [path for path in found.tree.files if ".." in path.split("/")]
    assert not [line for line in write(tmp_path / "x.tar.gz", found.tree, None) if ".." in line]


def test_the_fingerprint_has_the_gpus_that_files_tell(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads(run(capsys, "--root", str(machine), "--json"))
    assert told["fingerprint"]["gpu_devices"] == [
        "2 × AMD Instinct MI300X, bare", "1 × Battlemage G21, bare", "1 × Navi 31, bare",
    ]  # fmt: skip


def test_of_a_list_of_names_what_this_machine_has_is_kept() -> None:
    files = {"/sys/class/drm/card0/device/uevent": b"DRIVER=xe\nPCI_ID=8086:E20B\n"}
    kept = shortened("/usr/share/misc/pci.ids", NAMES, files)
    assert kept == b"8086  Intel Corporation\n\te20b  Battlemage G21\n"
    boards = b"# list\n1.0.0\n744C,\tC8,\tAMD Radeon RX 7900 XTX\n7450,\t0,\tOther\n"
    files = {"/sys/class/drm/card0/device/uevent": b"PCI_ID=1002:744c\n"}
    assert shortened("/usr/share/libdrm/amdgpu.ids", boards, files).startswith(b"744C,\tC8")
    assert shortened("/proc/meminfo", b"x\n", files) == b"x\n"


def test_a_link_out_of_the_tree_is_not_followed(
    machine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("AMD Secret\n")
    name = machine / "sys/devices/pci0000:00/0000:00:01.1/0000:83:00.0/product_name"
    name.symlink_to(secret)
    assert "Secret" not in json.dumps(gpus(capsys, machine))


def test_what_is_counted_between_two_samples_is_told_live(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_sampling, "Host", lambda: Host(str(machine)))
    monkeypatch.setattr(host_sampling, "COLLECTORS", ("amdgpu", "intel_gpu"))
    seen, reasons = host_sampling.sampled({})
    assert seen.gauge("gpu0", "throttle_reasons") == 0
    assert seen.gauge("gpu3", "power_w") == 0
    assert not reasons["gpu0.throttle_reasons"]
    assert not reasons["gpu3.power_w"]
