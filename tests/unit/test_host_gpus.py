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

TICK_S = 0.5


def host(library: Path, scenario: str, *argv: str) -> str:
    env = os.environ | nvml.environment(library, scenario) | {"COLUMNS": "100"}
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
    assert (lost["severity"], lost["title"]) == ("bad", "gpu0 has fallen off the bus")


def test_a_hung_driver_is_a_cause(library: Path) -> None:
    hung = told(library, "count = 2\ngpu1.power_mw = hang")["by_rule"]["gpu_lost"]
    assert (hung["severity"], hung["title"]) == ("bad", "the NVIDIA driver does not answer")


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
"""


def test_gpus_are_a_table_that_fits(library: Path) -> None:
    lines = host(library, SCENARIO).splitlines()
    assert max(map(len, lines)) <= 100
    at = next(at for at, line in enumerate(lines) if line.startswith("GPU  "))
    head, first, lost, divided, driver, refused = (" ".join(x.split()) for x in lines[at : at + 6])
    assert head == "GPU name memory busy limit W PCIe ECC path bus"
    assert first == "GPU 0 H100 80GB HBM3 60 of 80 GiB 80 % 500 of 700 3×16 of 5×16 on — 01:00.0"
    assert lost.endswith("0000:02:00.0 · the GPU is lost: it has fallen off the bus")
    assert "MIG × 2" in divided
    assert driver == "driver NVIDIA 0.0 (test double) · CUDA 13.0"
    assert refused == "refused GPU 0 temp_c: not permitted by the driver"


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
