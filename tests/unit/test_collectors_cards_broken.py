"""Files of AMD and Intel GPUs that hold what cannot be, or are no files."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from tests.doubles import cards as trees
from tests.unit.test_collectors_cards import opened
from tuiapp.collectors.amdgpu import AmdgpuCollector
from tuiapp.collectors.cards import GAUGES, CardsCollector
from tuiapp.collectors.intel_gpu import IntelGpuCollector
from tuiapp.collectors.plausible import BOUNDS, impossible
from tuiapp.collectors.recorded import TreeHost
from tuiapp.machine.tree import Tree

HWMON = "hwmon/hwmon3"


@pytest.mark.parametrize(
    ("file", "holds", "gauge", "reason"),
    [
        ("mem_info_vram_used", "-5", "mem_used_bytes", "-5 bytes, which is no amount of memory"),
        ("mem_info_vram_used", f"{25 << 30}", "mem_used_bytes", "which cannot be"),
        ("gpu_busy_percent", "200", "util", "200 %, which is no share of time"),
        (f"{HWMON}/freq1_input", "1000000000000000000", "sm_clock_mhz", "1e+12 MHz, which is no"),
        (f"{HWMON}/freq2_input", "-5000000", "mem_clock_mhz", "-5 MHz, which is no clock"),
        (f"{HWMON}/power1_average", "-5000000", "power_w", "-5 W, which is no power"),
        (f"{HWMON}/power1_cap", "6000000000", "power_limit_w", "6000 W, which is no power limit"),
        (f"{HWMON}/temp2_input", "2000000", "temp_c", "2000 °C, which is no temperature"),
        (f"{HWMON}/temp2_crit", "-5", "temp_slowdown_c", "-0.005 °C, which is no temperature to"),
        (f"{HWMON}/pwm1", "10000", "fan", "39.22 of its full speed, which is no speed"),
        ("current_link_width", "0", "pcie_width", "0, which is no number of lanes"),
    ],
)
def test_what_cannot_be_is_no_measurement(
    tmp_path: Path, file: str, holds: str, gauge: str, reason: str
) -> None:
    device = trees.add(tmp_path, 0, "0000:03:00.0", trees.RX7900, trees.dgpu() | {file: holds})
    collector = opened(tmp_path)
    assert math.isnan(collector.sample(0.5)["gpu0"][gauge])
    ((field, told),) = [
        (f, r) for f, r in collector.take_reasons() if "cannot be" in r or "no " in r
    ]
    assert field.startswith("gpu0.")
    assert reason in told
    trees.put(device, {file: str(trees.dgpu()[file])})
    for _ in range(20):
        row = collector.sample(0.5)["gpu0"]
    assert not math.isnan(row[gauge])
    assert (field, "") in collector.take_reasons()


@pytest.mark.parametrize(
    ("file", "gauge", "reason"),
    [
        ("hwmon/hwmon4/energy1_input", "power_w", "-5 µJ, which is no amount of energy"),
        ("tile0/gt0/freq0/throttle/reason_pl1", "throttle_reasons", "-5, which is no yes or no"),
        ("tile0/gt0/freq0/act_freq", "sm_clock_mhz", "-5 MHz, which is no clock"),
    ],
)
def test_what_cannot_be_of_an_intel_card(
    tmp_path: Path, file: str, gauge: str, reason: str
) -> None:
    files = trees.xe_card() | {file: "-5\n"}
    trees.add(tmp_path, 0, "0000:03:00.0", "8086:E20B", files, driver="xe")
    collector = opened(tmp_path, IntelGpuCollector)
    collector.sample(0.5)
    assert math.isnan(collector.sample(0.5)["gpu0"][gauge])
    assert reason in dict(collector.take_reasons())[f"gpu0.{gauge}"]


def test_every_gauge_that_is_read_has_bounds() -> None:
    assert set(GAUGES) - set(BOUNDS) == {"pcie_tx_bytes_per_s", "pcie_rx_bytes_per_s"}
    assert not impossible(dict.fromkeys(GAUGES, math.nan))
    assert impossible({"temp_c": math.inf})


def _make(path: Path, how: str) -> None:
    path.unlink()
    if how == "fifo":
        os.mkfifo(path)
    elif how == "folder":
        path.mkdir()
    else:
        path.symlink_to({"loop": path.name, "outside": "/etc/hostname"}[how])


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("fifo", "the driver's file is no regular file"),
        ("folder", "a folder stands where the driver's file should"),
        ("loop", "the driver's file is a link that leads in a loop"),
        ("outside", "the driver's file is a link to what is not in this tree"),
    ],
)
@pytest.mark.parametrize(
    ("kind", "files", "gauges"),
    [
        (
            AmdgpuCollector,
            {"gpu_busy_percent": "util", f"{HWMON}/power1_average": "power_w"},
            trees.dgpu(),
        ),
        (
            IntelGpuCollector,
            {
                "hwmon/hwmon4/temp2_label": "temp_c",
                "hwmon/hwmon4/energy1_input": "power_w",
                "tile0/gt0/freq0/throttle/reason_pl1": "throttle_reasons",
            },
            trees.xe_card(),
        ),
    ],
)
def test_a_file_that_is_none_is_not_called_absent(
    tmp_path: Path,
    how: str,
    reason: str,
    kind: type[CardsCollector],
    files: dict[str, str],
    gauges: trees.Files,
) -> None:
    driver = "xe" if kind is IntelGpuCollector else "amdgpu"
    device = trees.add(tmp_path, 0, "0000:03:00.0", trees.RX7900, gauges, driver=driver)
    for file in files:
        _make(device / file, how)
    collector = kind(TreeHost(Tree(tmp_path)))
    collector.open()
    collector.sample(0.5)
    reasons = dict(collector.take_reasons())
    assert {reasons[f"gpu0.{gauge}"] for gauge in files.values()} == {reason}
