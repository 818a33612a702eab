"""GPUs, through the real pynvml and a scripted libnvidia-ml.so.1, in a real agent."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.doubles import nvml
from tests.doubles.watching import Seen, samples, watch
from tuiapp.collectors.nvml_gpu import GAUGES, MIG_HIDES

GPU0 = "gpu0"


async def test_without_a_driver_one_line_says_so() -> None:
    seen = await watch({"LD_LIBRARY_PATH": ""}, lambda seen: bool(seen.reasons))
    assert seen.reasons == [("nvml", "libnvidia-ml.so.1 not found")]


async def test_gauges_are_in_base_units(library: Path) -> None:
    scenario = """
        gpu0.util = 10 50 90
        gpu0.mem_util = 25
        gpu0.mem_used_mib = 1024
        gpu0.mem_total_mib = 4096
        gpu0.power_mw = 312500
        gpu0.fan = 40
        gpu0.fi.82 = 71
        gpu0.processes = 999999:700
        gpu0.pstate = 2
        gpu0.throttle_reasons = 68
    """
    seen = await watch(nvml.environment(library, scenario), samples(GPU0, 4))
    rows = seen.rows[GPU0]
    assert [row["util"] for row in rows[:4]] == pytest.approx([0.1, 0.5, 0.9, 0.1])
    row = rows[0]
    assert set(row) == {"t_ns", *GAUGES}
    assert (row["mem_temp_c"], row["pstate"]) == (71, 2)
    assert row["mem_util"] == 0.25
    assert (row["mem_used_bytes"], row["mem_total_bytes"]) == (1 << 30, 4 << 30)
    assert (row["power_w"], row["power_limit_w"]) == (312.5, 700)
    assert row["fan"] == pytest.approx(0.4)
    assert int(row["throttle_reasons"]) == 68
    assert (row["pcie_gen"], row["pcie_width_max"]) == (5, 16)
    assert (row["temp_c"], row["temp_slowdown_c"]) == (35, 95)
    assert (row["sm_clock_mhz"], row["sm_clock_max_mhz"], row["mem_clock_mhz"]) == (345, 1980, 2619)
    assert seen.reasons == []
    times = [row["t_ns"] for row in rows]
    assert times == sorted(set(times))


@pytest.mark.parametrize("count", [1, 2, 8])
async def test_one_group_a_device(library: Path, count: int) -> None:
    scenario = f"count = {count}\n" + "\n".join(f"gpu{n}.util = {n * 10}" for n in range(count))
    # With more than four, odd and even devices are read in turn.
    seen = await watch(nvml.environment(library, scenario), samples(f"gpu{count - 1}", 1))
    assert seen.gpu_groups == [f"gpu{n}" for n in range(count)]
    assert [seen.rows[group][0]["util"] for group in seen.gpu_groups] == pytest.approx(
        [n / 10 for n in range(count)]
    )
    assert [gpu["index"] for gpu in seen.host["gpus"]] == list(range(count))


async def test_facts_tell_the_double_and_no_serial_number(library: Path) -> None:
    scenario = """
        cuda = 12040
        gpu0.name = Test double H100
        gpu0.virtualization = 1
        gpu0.sm_clock_set = 1200
        confidential = 1
    """
    seen = await watch(nvml.environment(library, scenario), samples(GPU0, 2))
    assert seen.host["nvidia_driver"] == "0.0 (test double)"
    assert seen.host["cuda_driver"] == "12.4"
    (gpu,) = seen.host["gpus"]
    assert gpu["name"] == "Test double H100"
    assert (gpu["index"], gpu["source"]) == (0, "nvml")
    assert (gpu["pci_bus_id"], gpu["virtualization"]) == ("00000000:01:00.0", "passthrough")
    assert gpu["path"] == "passthrough"
    assert gpu["mig"] == {"enabled": False, "pending": False, "instances": []}
    assert (gpu["architecture"], gpu["compute_capability"]) == ("Hopper", "9.0")
    assert (gpu["compute_mode"], gpu["persistence"]) == ("default", True)
    assert gpu["ecc"] == {"enabled": True, "pending": True}
    assert (gpu["power_default_w"], gpu["power_min_w"], gpu["power_max_w"]) == (700, 200, 700)
    assert (gpu["sm_clock_set_mhz"], gpu["sm_clock_default_mhz"]) == (1200, 1980)
    assert gpu["nvlink"] == {"links": 18, "active": 18, "speed_bytes_per_s": 26.562e9}
    # 5120 bit x 2619 MHz x 2: NVIDIA's data sheet says 3.35 TB/s.
    assert gpu["mem_bandwidth_bytes_per_s"] == pytest.approx(3.35e12, rel=1e-2)
    assert seen.host["gpu_confidential"] == {
        "enabled": True,
        "environment": "production",
        "dev_tools": False,
    }
    assert seen.log == ["nvml test double: these GPUs are scripted, no hardware is read"]


async def test_mig_instances_are_listed_and_what_mig_hides_is_unknown(library: Path) -> None:
    scenario = """
        gpu0.mig = 1
        gpu0.mig_instances = 2
        gpu0.util = !NOT_SUPPORTED
    """
    seen = await watch(nvml.environment(library, scenario), samples(GPU0, 1))
    mig = seen.host["gpus"][0]["mig"]
    assert mig["enabled"] is True
    assert [(one["name"], one["gpu_instance"]) for one in mig["instances"]] == [
        ("Test double GPU MIG 1g.10gb", 7),
        ("Test double GPU MIG 1g.10gb", 8),
    ]
    assert math.isnan(seen.rows[GPU0][0]["util"])
    assert ("gpu0.util", MIG_HIDES) in seen.reasons


async def test_each_refusal_is_that_fields_alone_and_told_once(library: Path) -> None:
    scenario = """
        count = 2
        gpu0.fan = !NOT_SUPPORTED
        gpu0.power_mw = !NO_PERMISSION
        gpu0.temp = 61 !UNKNOWN
        gpu1.virtualization = !NOT_SUPPORTED
    """
    seen = await watch(nvml.environment(library, scenario), samples("gpu1", 9))
    rows = seen.rows[GPU0]
    assert all(math.isnan(row["fan"]) and math.isnan(row["power_w"]) for row in rows)
    # Read at every fourth sample, and held in between.
    temperatures = [row["temp_c"] for row in rows[:9]]
    assert [temperatures[place] for place in (0, 3, 8)] == [61, 61, 61]
    assert all(math.isnan(value) for value in temperatures[4:8])
    assert not math.isnan(seen.rows["gpu1"][0]["fan"])
    assert seen.host["gpus"][1]["virtualization"] is None
    assert sorted(seen.reasons) == [
        ("gpu0.fan", "not supported by this GPU"),
        ("gpu0.power_w", "not permitted by the driver"),
        ("gpu0.temp_c", "NVML says: Unknown Error"),
        ("gpu1.virtualization", "not supported by this GPU"),
    ]


async def test_older_drivers_have_older_names(library: Path) -> None:
    scenario = """
        gpu0.event_reasons = !FUNCTION_NOT_FOUND
        gpu0.memory_v2 = !FUNCTION_NOT_FOUND
        gpu0.throttle_reasons = 4
    """
    seen = await watch(nvml.environment(library, scenario), samples(GPU0, 1))
    row = seen.rows[GPU0][0]
    assert (row["throttle_reasons"], row["mem_used_bytes"]) == (4, 100 << 20)
    assert seen.reasons == []


async def test_a_gpu_that_falls_off_the_bus_and_comes_back(library: Path) -> None:
    scenario = """
        count = 2
        gpu1 = !GPU_IS_LOST after 400 for 3
    """
    back = ("gpu1", "")

    def is_back(seen: Seen) -> bool:
        return back in seen.reasons and not math.isnan(seen.rows["gpu1"][-1]["util"])

    seen = await watch(nvml.environment(library, scenario), is_back)
    rows = seen.rows["gpu1"]
    lost = [index for index, row in enumerate(rows) if math.isnan(row["util"])]
    assert lost
    assert lost[0] > 0
    assert all(math.isnan(rows[lost[0]][gauge]) for gauge in GAUGES)
    assert all(not math.isnan(row["util"]) for row in seen.rows[GPU0])
    assert seen.reasons == [("gpu1", "the GPU is lost: it has fallen off the bus"), back]
    assert not math.isnan(rows[-1]["sm_clock_max_mhz"])


async def test_a_gpu_that_was_lost_before_we_came(library: Path) -> None:
    seen = await watch(nvml.environment(library, "gpu0 = !GPU_IS_LOST"), samples(GPU0, 2))
    assert seen.host["gpus"] == [{"index": 0, "source": "nvml"}]
    assert all(math.isnan(row["util"]) for row in seen.rows[GPU0])
    assert len(seen.reasons) == 1


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        ("init = !DRIVER_NOT_LOADED", "NVML does not start: the NVIDIA driver is not loaded"),
        (
            "init = !LIB_RM_VERSION_MISMATCH",
            "NVML does not start: the NVIDIA driver and its library differ in version",
        ),
        ("count = 0", "NVML sees no GPU"),
    ],
)
async def test_a_library_without_gpus(library: Path, scenario: str, reason: str) -> None:
    seen = await watch(nvml.environment(library, scenario), lambda seen: bool(seen.reasons))
    assert seen.reasons == [("nvml", reason)]


async def test_a_driver_that_hangs_holds_nobody_up(library: Path) -> None:
    env = nvml.environment(library, "gpu0.power_mw = hang after 2")
    seen = await watch(env, samples("cpu", 60), ("cpu", "nvml"))
    assert len(seen.rows[GPU0]) == 2
    assert len(seen.rows["cpu"]) >= 60


def test_the_double_says_that_it_is_one() -> None:
    assert "TEST DOUBLE" in nvml.SOURCE.read_text().splitlines()[1]
