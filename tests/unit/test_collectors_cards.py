"""AMD and Intel GPUs, from written trees of /sys."""

from __future__ import annotations

import math
import shutil
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import cards as trees
from tuiapp.collectors import amd_library, nvml_gpu, throttle
from tuiapp.collectors.amd_metrics import parse
from tuiapp.collectors.amdgpu import AmdgpuCollector
from tuiapp.collectors.base import RARELY, Host
from tuiapp.collectors.cards import GAUGES, CardsCollector, cards
from tuiapp.collectors.intel_gpu import IntelGpuCollector
from tuiapp.errors import Unavailable
from tuiapp.tui.panes.devices import _REASONS


def opened(root: Path, kind: type[CardsCollector] = AmdgpuCollector) -> CardsCollector:
    collector = kind(Host(str(root)))
    collector.open()
    return collector


def gpus(collector: CardsCollector) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = collector.facts()["gpus"]
    return found


def test_a_card_in_base_units(tmp_path: Path) -> None:
    trees.add(tmp_path, 0, "0000:03:00.0", trees.RX7900, trees.dgpu())
    row = opened(tmp_path).sample(0.5)["gpu0"]
    assert set(row) == set(GAUGES)
    assert (row["util"], row["mem_util"]) == (0.87, 0.41)
    assert (row["mem_used_bytes"], row["mem_total_bytes"]) == (6 << 30, 24 << 30)
    assert (row["sm_clock_mhz"], row["sm_clock_max_mhz"], row["mem_clock_mhz"]) == (
        2255,
        2526,
        1249,
    )
    assert (row["power_w"], row["power_limit_w"]) == (291, 327)
    assert (row["temp_c"], row["temp_slowdown_c"]) == (84, 110)
    assert row["fan"] == 0.4
    assert row["throttle_reasons"] == 0
    assert (row["pcie_gen"], row["pcie_width"]) == (4, 16)
    assert math.isnan(row["pcie_tx_bytes_per_s"])


def test_gauges_are_called_as_nvml_calls_them() -> None:
    assert set(GAUGES) <= set(nvml_gpu.GAUGES)


def test_the_link_is_the_cards_and_not_the_one_inside_it(tmp_path: Path) -> None:
    outer: trees.Files = {
        "current_link_speed": "8.0 GT/s PCIe\n",
        "current_link_width": "8\n",
        "max_link_speed": "16.0 GT/s PCIe\n",
        "max_link_width": "16\n",
    }
    trees.add(tmp_path, 0, "0000:03:00.0", trees.RX7900, trees.dgpu(), bridges=outer)
    row = opened(tmp_path).sample(0.5)["gpu0"]
    assert [row[f"pcie_{name}"] for name in ("gen", "width", "gen_max", "width_max")] == [
        3,
        8,
        4,
        16,
    ]


def test_an_accelerator(tmp_path: Path) -> None:
    device = trees.add(tmp_path, 1, "0000:05:00.0", trees.MI300X, trees.accelerator())
    collector = opened(tmp_path)
    (facts,) = gpus(collector)
    assert facts["name"] == "AMD Instinct MI300X"
    assert (facts["maker"], facts["pci_bus_id"]) == ("AMD", "0000:05:00.0")
    assert facts["mem_bandwidth_bytes_per_s"] == 5325e9
    assert facts["integrated"] is False
    row = collector.sample(0.5)["gpu0"]
    assert (row["power_w"], row["temp_c"], row["sm_clock_mhz"]) == (612, 71, 132)
    assert math.isnan(row["fan"])
    assert math.isnan(row["throttle_reasons"])
    reasons = dict(collector.take_reasons())
    assert reasons["gpu0.fan"] == "the driver has no file for it"
    assert reasons["gpu0.throttle_reasons"] == "counted from the next sample on"
    trees.put(device, {"gpu_metrics": trees.metrics_1_8((0, 7, 0, 0, 3))})
    row = collector.sample(0.5)["gpu0"]
    assert int(row["throttle_reasons"]) == throttle.POWER_CAP | throttle.THERMAL
    assert ("gpu0.throttle_reasons", "") in collector.take_reasons()
    assert collector.sample(0.5)["gpu0"]["throttle_reasons"] == 0


def test_a_processors_graphics_use_the_systems_memory(tmp_path: Path) -> None:
    trees.add(tmp_path, 0, "0000:c4:00.0", "1002:1681", trees.apu())
    collector = opened(tmp_path)
    assert gpus(collector)[0]["integrated"] is True
    row = collector.sample(0.5)["gpu0"]
    assert (row["mem_used_bytes"], row["mem_total_bytes"]) == (150 << 20, (512 << 20) + (8 << 30))
    assert math.isnan(row["mem_util"])
    assert math.isnan(row["power_limit_w"])


def test_a_gpu_without_memory_of_its_own(tmp_path: Path) -> None:
    files = trees.apu() | {"mem_info_vram_total": "0\n", "mem_info_vram_used": "0\n"}
    del files["gpu_metrics"]
    trees.add(tmp_path, 0, "0000:c4:00.0", "1002:1681", files)
    collector = opened(tmp_path)
    assert gpus(collector)[0]["integrated"] is None
    assert collector.sample(0.5)["gpu0"]["mem_total_bytes"] == 8 << 30


@pytest.mark.parametrize(
    ("bits", "mask"),
    [
        ((0,), throttle.POWER_CAP),
        ((16, 22), throttle.CURRENT_CAP),
        ((34, 36), throttle.THERMAL),
        ((47,), throttle.HW_SLOWDOWN),
        ((57, 1), throttle.FIRMWARE | throttle.POWER_CAP),
    ],
)
def test_what_holds_a_card_back(tmp_path: Path, bits: tuple[int, ...], mask: int) -> None:
    status = sum(1 << bit for bit in bits)
    files = trees.dgpu() | {"gpu_metrics": trees.metrics_1_3(status)}
    trees.add(tmp_path, 0, "0000:03:00.0", trees.RX7900, files)
    assert int(opened(tmp_path).sample(0.5)["gpu0"]["throttle_reasons"]) == mask
    assert throttle.from_amd(status) == mask
    words = [name for bit, name, _ in _REASONS if mask & bit]
    assert len(words) == mask.bit_count()


@pytest.mark.parametrize("data", [b"", b"\x78", b"\xff\xff\x01\x03" + bytes(60), bytes(4)])
def test_metrics_that_are_none(data: bytes) -> None:
    with pytest.raises(Unavailable):
        parse(data)


def test_metrics_of_a_later_version_tell_no_throttling() -> None:
    later = parse(b"\x08\x00\x01\x09" + bytes(4))
    with pytest.raises(Unavailable, match=r"version 1\.9"):
        later.throttle_reasons(None)
    assert later.mem_bandwidth_bytes_per_s is None


def test_two_cards_one_of_which_goes_away_and_comes_back(tmp_path: Path) -> None:
    trees.add(tmp_path, 0, "0000:03:00.0", trees.RX7900, trees.dgpu())
    device = trees.add(tmp_path, 1, "0000:83:00.0", trees.RX7900, trees.dgpu())
    collector = opened(tmp_path)
    assert collector.groups == ("gpu0", "gpu1")
    collector.sample(0.5)
    collector.take_reasons()
    away = tmp_path / "away"
    shutil.move(device, away)
    rows = collector.sample(0.5)
    assert rows["gpu0"]["util"] == 0.87
    assert all(math.isnan(value) for value in rows["gpu1"].values())
    collector.sample(0.5)
    assert collector.take_reasons() == [("gpu1", "the GPU is gone: the kernel removed its device")]
    collector.open()  # as after a failure: the one that is gone keeps its number
    assert collector.groups == ("gpu0", "gpu1")
    shutil.move(away, device)
    assert collector.sample(0.5)["gpu1"]["util"] == 0.87


def test_it_says_that_a_gpu_is_back(tmp_path: Path) -> None:
    device = trees.add(tmp_path, 0, "0000:03:00.0", trees.RX7900, trees.dgpu())
    collector = opened(tmp_path)
    shutil.move(device, tmp_path / "away")
    collector.sample(0.5)
    shutil.move(tmp_path / "away", device)
    assert collector.sample(0.5)["gpu0"]["sm_clock_max_mhz"] == 2526
    assert ("gpu0", "") in collector.take_reasons()


def test_hostile_contents_are_unknown_and_nothing_else(tmp_path: Path) -> None:
    files = trees.dgpu() | {
        "gpu_busy_percent": "9" * 100_000,
        "mem_busy_percent": "-1\n",
        "mem_info_vram_used": b"\xff\x00\xfe" * 50,
        "pp_dpm_sclk": "0: 99999999999999999999Mhz *\n\x1b[2J",
        "current_link_speed": "Unknown\n",
        "hwmon/hwmon3/power1_cap": "",
        "hwmon/hwmon3/temp2_input": "hot\n",
        "gpu_metrics": b"\x78\x00\x01\x03" + bytes(40),
    }
    trees.add(tmp_path, 0, "0000:03:00.0", trees.RX7900, files)
    trees.put(tmp_path / "sys/class/drm/card7/device", {"uevent": b"\xff" * 70_000})
    trees.put(tmp_path / "sys/class/drm/cardx/device", {"uevent": "DRIVER=amdgpu\n"})
    collector = opened(tmp_path)
    row = collector.sample(0.5)["gpu0"]
    unknown = {name for name, value in row.items() if math.isnan(value)}
    assert unknown >= {
        "util", "mem_util", "mem_used_bytes", "mem_total_bytes", "sm_clock_max_mhz", "pcie_gen",
        "power_limit_w", "temp_c", "throttle_reasons",
    }  # fmt: skip
    assert row["power_w"] == 291
    assert all(len(reason) < 200 for _, reason in collector.take_reasons())


def test_unreadable_files_are_that_gauges_alone(tmp_path: Path) -> None:
    device = trees.add(tmp_path, 0, "0000:03:00.0", trees.RX7900, trees.dgpu())
    (device / "gpu_busy_percent").unlink()
    (device / "gpu_busy_percent").mkdir()  # reading it fails, even for root
    collector = opened(tmp_path)
    row = collector.sample(0.5)["gpu0"]
    assert math.isnan(row["util"])
    assert row["mem_util"] == 0.41
    assert "gpu0.util" in dict(collector.take_reasons())


def test_cards_are_found_on_the_bus_where_drm_is_hidden(tmp_path: Path) -> None:
    place = tmp_path / "sys/bus/pci/devices/0000:05:00.0"
    event = "DRIVER=amdgpu\nPCI_ID=1002:74A1\nPCI_SLOT_NAME=0000:05:00.0\n"
    trees.put(place, {**trees.accelerator(), "class": "0x120000\n", "uevent": event})
    trees.put(place.with_name("0000:06:00.0"), {"class": "0x020000\n", "uevent": event})
    collector = opened(tmp_path)
    assert [gpu["name"] for gpu in gpus(collector)] == ["AMD Instinct MI300X"]
    row = collector.sample(0.5)["gpu0"]
    assert (row["mem_total_bytes"], row["pcie_gen"], row["temp_c"]) == (192 << 30, 5, 71)


def test_names_come_from_the_lists_that_are_installed(tmp_path: Path) -> None:
    trees.add(tmp_path, 0, "0000:03:00.0", trees.RX7900, trees.dgpu())
    assert gpus(opened(tmp_path))[0]["name"] == "AMD GPU 1002:744c"
    pci = "10de  NVIDIA\n\t744c  Not this\n1002  AMD\n\t744c  Navi 31\n\t\t1002 1  Sub\n1003  Z\n"
    trees.put(tmp_path / "usr/share/misc", {"pci.ids": pci})
    assert gpus(opened(tmp_path))[0]["name"] == "Navi 31"
    ids = "# list\n1.0.0\n744C,\tC0,\tOther\n744C,\tC8,\tAMD Radeon RX 7900 XTX\n"
    trees.put(tmp_path / "usr/share/libdrm", {"amdgpu.ids": ids})
    assert gpus(opened(tmp_path))[0]["name"] == "AMD Radeon RX 7900 XTX"


@pytest.mark.parametrize(
    ("more", "cpuinfo", "path"),
    [
        ({"product_name": "AMD Instinct MI300X\n"}, "flags\t\t: fpu sse\n", "bare"),
        ({"product_name": "AMD Instinct MI300X\n"}, "flags\t\t: fpu hypervisor\n", "passthrough"),
        ({"product_name": "AMD Instinct MI300X VF\n"}, "flags\t\t: hypervisor\n", "sriov-vf"),
        ({"physfn/vendor": "0x1002\n"}, "flags\t\t: fpu\n", "sriov-vf"),
        ({}, "flags\t\t: fpu hypervisor\n", "unknown"),
        ({}, "Features\t: fp asimd\n", "unknown"),
    ],
)
def test_how_a_gpu_reaches_this_system(
    tmp_path: Path, more: trees.Files, cpuinfo: str, path: str
) -> None:
    trees.add(tmp_path, 0, "0000:03:00.0", trees.MI300X, trees.dgpu() | more)
    trees.put(tmp_path / "proc", {"cpuinfo": f"vendor_id\t: AuthenticAMD\n{cpuinfo}"})
    assert gpus(opened(tmp_path))[0]["path"] == path


def test_numbers_continue_after_nvidias_and_never_collide(tmp_path: Path) -> None:
    trees.add(tmp_path, 3, "0000:c4:00.0", "8086:E20B", trees.xe_card(), driver="xe")
    trees.add(tmp_path, 2, "0000:83:00.0", trees.RX7900, trees.dgpu())
    trees.add(tmp_path, 0, "0000:03:00.0", trees.RX7900, trees.dgpu())
    trees.add(tmp_path, 1, "0000:01:00.0", "10DE:2330", {}, driver="nvidia")
    trees.put(tmp_path / "sys/bus/pci/drivers/nvidia", {"0000:01:00.0": "", "new_id": ""})
    amd, intel = opened(tmp_path), opened(tmp_path, IntelGpuCollector)
    assert [gpu["index"] for gpu in gpus(amd) + gpus(intel)] == [1, 2, 3]
    assert (amd.groups, intel.groups) == (("gpu1", "gpu2"), ("gpu3",))
    assert [card.address for card in cards(amd.host)] == [
        "0000:03:00.0", "0000:83:00.0", "0000:c4:00.0",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [AmdgpuCollector, IntelGpuCollector])
def test_a_machine_without_such_gpus_is_nothing_unknown(
    tmp_path: Path, kind: type[CardsCollector]
) -> None:
    collector = opened(tmp_path, kind)
    assert (collector.groups, collector.facts(), collector.sample(0.5)) == ((), {}, {})
    assert collector.take_reasons() == []
    assert collector.every == RARELY  # nothing is worth waking up for
    trees.add(tmp_path, 0, "0000:05:00.0", trees.MI300X, trees.accelerator())
    assert opened(tmp_path).every == 1


def test_partitions_of_an_accelerator_are_no_gpus_of_their_own(tmp_path: Path) -> None:
    trees.add(tmp_path, 0, "0000:05:00.0", trees.MI300X, trees.accelerator())
    trees.put(
        tmp_path / "sys/class/drm/card1/device",
        {"uevent": "DRIVER=amdgpu_xcp\nMODALIAS=platform:amdgpu_xcp\n"},
    )
    assert opened(tmp_path).groups == ("gpu0",)


def test_an_intel_card_under_xe(tmp_path: Path) -> None:
    device = trees.add(tmp_path, 0, "0000:03:00.0", "8086:E20B", trees.xe_card(), driver="xe")
    collector = opened(tmp_path, IntelGpuCollector)
    (gpu,) = gpus(collector)
    for name in ("path_because", "path_confidence", "path_conflict", "path_open", "card_path"):
        gpu.pop(name)
    assert gpu | {"name": ""} == {
        "index": 0,
        "maker": "Intel",
        "driver": "xe",
        "pci_bus_id": "0000:03:00.0",
        "name": "",
        "path": "unknown",
        "integrated": False,
    }
    row = collector.sample(0.5)["gpu0"]
    assert (row["sm_clock_mhz"], row["sm_clock_max_mhz"], row["temp_c"]) == (2400, 2850, 58)
    assert int(row["throttle_reasons"]) == throttle.POWER_CAP
    assert math.isnan(row["power_w"])
    assert math.isnan(row["util"])
    trees.put(device, {"hwmon/hwmon4/energy1_input": f"{1_000_000_000 + 60_000_000}\n"})
    assert collector.sample(0.5)["gpu0"]["power_w"] == 120
    reasons = dict(collector.take_reasons())
    assert reasons["gpu0.util"].startswith("Intel's drivers do not tell")
    assert row["power_limit_w"] == 190  # the card's own is 0, which means that none is set
    trees.put(device, {"hwmon/hwmon4/power2_max": "0\n"})
    assert math.isnan(opened(tmp_path, IntelGpuCollector).sample(0.5)["gpu0"]["power_limit_w"])


def test_a_processors_graphics_under_i915(tmp_path: Path) -> None:
    device = trees.add(tmp_path, 0, "0000:00:02.0", "8086:9A49", {}, driver="i915")
    trees.put(device, {"drm/card0/gt_act_freq_mhz": "350\n", "drm/card0/gt_RP0_freq_mhz": "1300\n"})
    collector = opened(tmp_path, IntelGpuCollector)
    assert gpus(collector)[0]["integrated"] is True
    row = collector.sample(0.5)["gpu0"]
    assert (row["sm_clock_mhz"], row["sm_clock_max_mhz"]) == (350, 1300)
    assert math.isnan(row["throttle_reasons"])
    trees.put(device, {"drm/card0/gt/gt0/throttle_reason_prochot": "1\n"})
    assert int(collector.sample(0.5)["gpu0"]["throttle_reasons"]) == throttle.HW_SLOWDOWN


class Mode:
    """A member of the double's enumeration."""

    name = "GUEST"


def scripted_library(**changes: Any) -> types.ModuleType:
    """A TEST DOUBLE of the package amdsmi: two GPUs, no hardware."""
    smi = types.ModuleType("amdsmi")
    smi.__spec__ = types.SimpleNamespace()  # type: ignore[assignment]
    functions = {
        "amdsmi_init": lambda: None,
        "amdsmi_shut_down": lambda: None,
        "amdsmi_get_processor_handles": lambda: [0, 1],
        "amdsmi_get_gpu_device_bdf": lambda gpu: f"0000:0{gpu + 3}:00.0",
        "amdsmi_get_gpu_virtualization_mode": lambda gpu: {"mode": Mode()},
        "amdsmi_get_gpu_vram_info": lambda gpu: {"vram_max_bandwidth": (5325, "N/A")[gpu]},
    }
    for name, function in (functions | changes).items():
        if function is not None:
            setattr(smi, name, function)
    return smi


def test_amds_library_adds_what_sysfs_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "amdsmi", scripted_library())
    told = amd_library.ask_library(Host())
    assert told == {
        "0000:03:00.0": amd_library.Told("sriov-vf", 5325e9),
        "0000:04:00.0": amd_library.Told("sriov-vf", None),
    }
    monkeypatch.setitem(
        sys.modules, "amdsmi", scripted_library(amdsmi_get_gpu_virtualization_mode=None)
    )
    assert amd_library.ask_library(Host())["0000:03:00.0"].path is None


def test_amds_library_that_fails_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no driver")

    for name in ("amdsmi_init", "amdsmi_get_processor_handles"):
        monkeypatch.setitem(sys.modules, "amdsmi", scripted_library(**{name: fail}))
        assert amd_library.ask_library(Host()) == {}
    assert amd_library.ask_library(Host("/nonexistent")) == {}
