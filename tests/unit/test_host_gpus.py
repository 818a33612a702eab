"""``tuiapp host`` on machines with GPUs: the real program, and a scripted libnvidia-ml.so.1."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import nvml
from tuiapp.collectors.nvml_counters import HEALTH
from tuiapp.collectors.nvml_gpu import PROCESSES
from tuiapp.collectors.tax import TaxCollector
from tuiapp.events import PERIODS_S
from tuiapp.words import counted

TICK_S = 0.5


def host(library: Path, scenario: str, *argv: str, width: int = 100) -> str:
    env = os.environ | nvml.environment(library, scenario) | {"COLUMNS": str(width)}
    command = [sys.executable, "-m", "tuiapp", "host", *argv]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return done.stdout


def told(library: Path, scenario: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(host(library, scenario, "--json"))
    found["by_rule"] = {finding["rule"]: finding for finding in found["findings"]}
    return found


def test_every_one_of_many_gpus_is_judged(library: Path) -> None:
    scenario = """
        count = 8
        gpu*.util = 80
        gpu*.pcie_gen = 5
        gpu5.pcie_gen = 3
    """
    pcie = told(library, scenario)["by_rule"]["pcie"]
    assert (pcie["severity"], pcie["title"]) == ("bad", "gpu5: PCIe 3 × 16 of 5 × 16")
    assert pcie["evidence"].endswith("1 of 8 GPUs")


def test_counters_are_read_twice(library: Path) -> None:
    found = told(library, "count = 2\ngpu1.fi.94 = 0 90")["by_rule"]["pcie_replays"]
    assert (found["severity"], found["title"]) == ("bad", "gpu1: 90 PCIe replays")


def test_slow_groups_come_as_often_as_is_said() -> None:
    strides = {"health": HEALTH, "procs": PROCESSES, "tax": TaxCollector.every}
    assert {name: stride * TICK_S for name, stride in strides.items()} == PERIODS_S


def test_a_lost_gpu_is_a_cause(library: Path) -> None:
    lost = told(library, "count = 2\ngpu0 = !GPU_IS_LOST")["by_rule"]["gpu_lost"]
    assert (lost["severity"], lost["title"]) == ("bad", "gpu0 lost")


def test_a_hung_driver_is_a_cause(library: Path) -> None:
    hung = told(library, "count = 2\ngpu1.power_mw = hang")["by_rule"]["gpu_lost"]
    assert (hung["severity"], hung["title"]) == ("bad", "NVIDIA driver silent")


SCENARIO = """
    count = 3
    gpu*.name = NVIDIA H100 80GB HBM3
    gpu*.mem_used_mib = 61440
    gpu*.util = 80
    gpu*.pcie_gen = 5
    gpu0.pcie_gen = 3
    gpu0.power_limit_mw = 500000
    gpu0.temp = !NO_PERMISSION
    gpu1 = !GPU_IS_LOST after 40
    gpu2.mig = 1
    gpu2.mig_instances = 2
    gpu*.virtualization = 4
"""


def table(out: str) -> list[str]:
    """The lines from the table's head to the driver's version, without the gaps."""
    lines = out.splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith("GPU  "))
    end = next(at for at, line in enumerate(lines) if line.startswith("driver"))
    return [" ".join(line.split()) for line in lines[at : end + 1]]


def test_gpus_are_a_table_that_fits(library: Path) -> None:
    out = host(library, SCENARIO)
    assert max(map(len, out.splitlines())) <= 100
    head, first, lost, divided, slice_0, _, room, *_, driver = table(out)
    assert head == "GPU name memory busy °C power W held back path"
    assert first == "GPU 0 H100 80GB HBM3 60 of 80 GiB 80 % — 70 of 500 (700) idle bare"
    assert lost.endswith("0000:02:00.0 · the GPU is lost: it has fallen off the bus")
    assert divided.startswith("GPU 2 H100 80GB HBM3")
    assert slice_0 == "slice 0 MIG 1g.10gb 60 of 80 GiB MIG slice"
    assert room == "no room for SM MHz, PCIe, ECC, bus (a wider terminal, or --json, has them)"
    assert driver == "driver NVIDIA 0.0 (test double) · CUDA 13.0"


@pytest.mark.parametrize(
    ("numbers", "words"),
    [([], ""), ([3], "3"), ([1, 0], "0, 1"), ([0, 1, 2, 5, 7, 8], "0-2, 5, 7, 8")],
)
def test_numbers_that_follow_each_other_are_a_range(numbers: list[int], words: str) -> None:
    assert counted(numbers) == words


def test_every_dash_has_its_reason_below_the_table(library: Path) -> None:
    scenario = """
        count = 3
        gpu*.virtualization = 1
        gpu*.power_mw = !NO_PERMISSION
        gpu1.util = !UNKNOWN
        gpu2.temp = !NOT_SUPPORTED
        gpu2.fan = !NOT_SUPPORTED
    """
    out = " ".join(table(host(library, scenario)))
    assert (
        "unknown all GPUs power: not permitted by the driver; GPU 1 busy: NVML says: Unknown "
        "Error; GPU 2 temperature: not supported by this GPU driver"
    ) in out
    out = " ".join(table(host(library, scenario, "--explain")))
    assert "unknown all GPUs power_w: not permitted by the driver" in out
    assert "unknown GPU 2 temp_c, fan: not supported by this GPU" in out


def test_columns_that_a_vgpu_does_not_fill_are_named_with_the_reason(library: Path) -> None:
    fields = ("power_mw", "power_limit_mw", "temp", "ecc", "throttle_reasons", "pcie_gen",
              "pcie_width", "pcie_gen_max", "pcie_width_max")  # fmt: skip
    scenario = "gpu0.virtualization = 2\n" + "".join(
        f"gpu0.{field} = !NOT_SUPPORTED\n" for field in fields
    )
    head, _, *rest = table(host(library, scenario))
    assert "power" not in head
    assert (
        "unknown GPU 0 temperature, power, power limit, held back, PCIe, best PCIe, ECC: "
        "not supported by this GPU"
    ) in " ".join(rest)


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (80, "name memory busy °C power W held back"),
        (100, "name memory busy °C power W held back PCIe path"),
        (120, "name memory busy °C power W SM MHz held back PCIe ECC path"),
        (160, "name memory busy °C power W SM MHz held back PCIe ECC processes path bus"),
    ],
)
def test_what_matters_less_goes_first_where_it_is_narrow(
    library: Path, width: int, columns: str
) -> None:
    scenario = "gpu*.name = NVIDIA H100 80GB HBM3\ngpu*.virtualization = 1\n"
    out = host(library, scenario, width=width)
    assert table(out)[0] == f"GPU {columns}"
    assert max(map(len, out.splitlines())) <= width
    assert ("no room for" in out) == (width < 160)


BUSY = """
    gpu*.name = NVIDIA H100 80GB HBM3
    gpu*.sm_clock = 1755
    gpu*.power_mw = 612000
    gpu*.temp = 88
    gpu*.throttle_reasons = 96
    gpu*.mem_used_mib = 20480
    gpu*.processes = 12:20000
    gpu*.process_util = 12:35
    gpu*.fi.4 = 12
    gpu*.fi.142 = 3
    gpu*.fi.143 = 2
    gpu*.fi.145 = 1
"""


def test_the_table_has_what_one_opens_other_tools_for(library: Path) -> None:
    _, row, *_ = table(host(library, BUSY, width=160))
    assert "20 of 80 GiB 0 % 88 612 of 700 1755 of 1980 hw thermal +1 5×16" in row
    assert "12 unc, 5 rows, 1 failed 1, 20 GiB" in row


def test_scripts_get_clocks_counters_and_processes(library: Path) -> None:
    (gpu,) = told(library, BUSY)["gpus"]
    wanted = {"sm_clock_mhz": 1755, "sm_clock_max_mhz": 1980, "throttle_reasons": 96,
              "throttled_by": ["hw thermal", "sw thermal"], "other_bytes": 20000 << 20,
              "other_util": 0.35, "processes": [{"pid": 12, "bytes": 20000 << 20}]}  # fmt: skip
    assert {name: gpu[name] for name in wanted} == wanted
    health = {"ecc_uncorrected": 12, "rows_remapped_corrected": 3, "rows_remap_failed": 1}
    assert {name: gpu["health"][name] for name in health} == health


DIVIDED = """
    gpu*.name = NVIDIA A100-SXM4-80GB
    gpu*.virtualization = 1
    gpu*.mig = 1
    gpu*.mig_instances = 2
    gpu*.util = !NOT_SUPPORTED
    gpu0.mig0.mem_total_mib = 19968
    gpu0.mig0.mem_used_mib = 18000
    gpu0.mig1.mem_used_mib = 900
"""


def test_slices_are_rows_with_their_memory(library: Path) -> None:
    out = host(library, DIVIDED, width=160)
    _, whole, first, second, unknown, *_ = table(out)
    assert "A100-SXM4-80GB 18 of 80 GiB" in whole  # no less than its slices have in use
    assert "MIG × 2" in whole
    assert first == "slice 0 MIG 1g.10gb 18 of 20 GiB — MIG slice, passed through"
    assert second == "slice 1 MIG 1g.10gb 0.9 of 80 GiB — MIG slice, passed through"
    assert unknown.startswith(
        "unknown GPU 0 busy: not given while MIG divides the GPU; GPU 0 slice"
    )
    assert "MIG slice, passed through" in out.partition("driver")[2]  # the finding
    (gpu,) = told(library, DIVIDED)["gpus"]
    assert (gpu["path"], gpu["card_path"], gpu["mig"]["enabled"]) == ("mig", "passthrough", True)
    used = [part["mem_used_bytes"] for part in gpu["mig"]["instances"]]
    assert used == [18000 << 20, 900 << 20]


def test_a_driver_that_contradicts_the_machine_is_a_conflict(library: Path) -> None:
    if "hypervisor" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("this machine is no guest")
    found = told(library, "count = 2")
    assert "all GPUs: NVML says that nothing virtualizes this GPU; " in found["conflicts"][-1]
    assert found["gpus"][0]["path_conflict"] in found["conflicts"][-1]
    assert "nothing virtualizes this GPU" in " ".join(host(library, "count = 2").split())


def test_scripts_get_what_the_table_shows(library: Path) -> None:
    first, lost, _ = told(library, SCENARIO)["gpus"]
    wanted = {"util": 0.8, "mem_used_bytes": 60 << 30, "temp_c": None,
              "power_limit_w": 500, "power_default_w": 700, "pcie_gen": 3, "pcie_gen_max": 5,
              "trouble": None, "refused": {"temp_c": "not permitted by the driver"}}  # fmt: skip
    assert {name: first[name] for name in wanted} == wanted
    assert (lost["util"], lost["trouble"]) == (None, "the GPU is lost: it has fallen off the bus")


def test_a_hung_drivers_gpus_look_like_it(library: Path) -> None:
    out = host(library, "count = 2\ngpu1.power_mw = hang")
    for at in (0, 1):
        bus = f"0000:0{at + 1}:00.0"
        assert f"GPU {at}        Test double GPU · {bus} · the driver does not answer" in out


def test_what_is_not_there_is_not_imported() -> None:
    code = "import sys; from tuiapp.cli import main; main(['host']); print(*sys.modules)"
    env = os.environ | {"LD_LIBRARY_PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    if "none: libnvidia-ml.so.1 not found" not in done.stdout:
        pytest.skip("NVIDIA's library is installed")
    assert "tuiapp.cli.host_report" in loaded
    assert not loaded & {"pynvml", "tuiapp.collectors.nvml_gpu", "tuiapp.cli.replay"}
