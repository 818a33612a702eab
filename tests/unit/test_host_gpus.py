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


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return nvml.build(tmp_path_factory.mktemp("nvml"))
    except LookupError as error:
        pytest.skip(str(error))


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
