"""Errors, processes, links and slices of GPUs, on the scripted libnvidia-ml.so.1."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from tests.doubles import nvml
from tests.doubles.watching import Seen, samples, watch
from tuiapp.collectors.base import Host
from tuiapp.collectors.nvml_gpu import MIG_HIDES
from tuiapp.collectors.nvml_processes import (
    HIDDEN,
    NAMESPACE,
    NO_MEMORY,
    Owners,
    Process,
    attribute,
)

MIB = 1 << 20


def reasons(seen: Seen) -> dict[str, str]:
    return dict(seen.reasons)


async def test_error_counters_and_what_counts_from_the_start(library: Path) -> None:
    scenario = """
        gpu0.fi.4 = 2
        gpu0.fi.5 = 9
        gpu0.fi.143 = 1
        gpu0.fi.144 = 1
        gpu0.fi.38 = 3
        gpu0.fi.45 = 4
        gpu0.fi.94 = 5
        gpu0.fi.83 = 1000000 4500000
        gpu0.fi.74 = 7000000000 7250000000
        gpu0.fi.29 = !NOT_SUPPORTED
        gpu0.fi.77 = !NO_PERMISSION
    """
    seen = await watch(nvml.environment(library, scenario), samples("gpu0.health", 2))
    first, second = seen.rows["gpu0.health"][:2]
    assert (first["ecc_uncorrected"], first["ecc_corrected_lifetime"]) == (2, 9)
    assert (first["rows_remapped_uncorrected"], first["rows_remap_pending"]) == (1, 1)
    assert first["nvlink_crc_errors"] == 3 + 4
    assert first["pcie_replays"] == 5
    assert (first["energy_j"], second["energy_j"]) == (0, 3500)
    assert (first["held_power_s"], second["held_power_s"]) == (0, 0.25)
    assert math.isnan(first["pages_retired_corrected"])
    told = reasons(seen)
    assert told["gpu0.pages_retired_corrected"] == "not supported by this GPU"
    assert told["gpu0.held_board_s"] == "not permitted by the driver"
    assert "pages_retired_corrected" not in second


async def test_traffic_is_counted_where_the_driver_counts_it(library: Path) -> None:
    scenario = """
        gpu0.fi.197 = 0 1000000 2000000 3000000
        gpu0.fi.138 = 0 4096
        gpu0.pcie_tx_kb = !UNKNOWN
    """

    def both(seen: Seen) -> bool:
        rows = seen.rows["gpu0"]
        return any(
            row["pcie_tx_bytes_per_s"] > 0 and row["nvlink_tx_bytes_per_s"] > 0 for row in rows
        )

    seen = await watch(nvml.environment(library, scenario), both)
    assert "gpu0.pcie_tx_bytes_per_s" not in reasons(seen)
    rows = seen.rows["gpu0"]
    known = next(at for at, row in enumerate(rows) if row["pcie_tx_bytes_per_s"] > 0)
    assert math.isnan(rows[0]["pcie_tx_bytes_per_s"]), "a rate needs two readings"
    # Read at every other sample; the counter moves by 1 MB, NVLink's by 4096 KiB at the same time.
    ratio = rows[known]["nvlink_tx_bytes_per_s"] / rows[known]["pcie_tx_bytes_per_s"]
    assert ratio == pytest.approx(4096 * 1024 / 1e6, rel=1e-3)


async def test_older_drivers_measure_traffic_for_20_ms_at_a_time(library: Path) -> None:
    scenario = """
        gpu0.fi.197 = !NOT_SUPPORTED
        gpu0.fi.198 = !NOT_SUPPORTED
        gpu0.pcie_tx_kb = 2000
        gpu0.pcie_rx_kb = 3000
    """
    seen = await watch(
        nvml.environment(library, scenario),
        lambda seen: seen.rows["gpu0"] and seen.rows["gpu0"][-1]["pcie_rx_bytes_per_s"] > 0,
    )
    row = seen.rows["gpu0"][-1]
    assert (row["pcie_tx_bytes_per_s"], row["pcie_rx_bytes_per_s"]) == (2e6, 3e6)
    assert math.isnan(seen.rows["gpu0"][0]["pcie_tx_bytes_per_s"]), "not at the first sample"


async def test_the_slow_calls_of_eight_devices_are_spread(library: Path) -> None:
    lines = ["count = 8", "gpu*.fi.197 = !NOT_SUPPORTED", "gpu*.pcie_tx_kb = 2000"]
    groups = [f"gpu{at}" for at in range(8)]

    def known(seen: Seen) -> bool:
        return all(
            seen.rows[group] and seen.rows[group][-1]["pcie_tx_bytes_per_s"] > 0 for group in groups
        )

    seen = await watch(nvml.environment(library, "\n".join(lines)), known)
    # Odd and even devices are read in turn: what they do at their n-th sample is apart anyway.
    turns = [
        (place % 2, next(at for at, row in enumerate(rows) if row["pcie_tx_bytes_per_s"] > 0))
        for place, rows in enumerate(seen.rows[group] for group in groups)
    ]
    assert len(set(turns)) == 8, turns


async def test_own_processes_and_neighbours(library: Path) -> None:
    """The test's own process plays the engine; process 1 is never its child."""
    scenario = f"""
        gpu0.mem_used_mib = 3000
        gpu0.processes = {os.getpid()}:2000 1:700 99999999:100
        gpu0.process_util = {os.getpid()}:50 1:20
    """
    orders = [{"op": "watch", "pid": os.getpid()}]

    def attributed(seen: Seen) -> bool:
        return bool(seen.rows["gpu0"]) and seen.rows["gpu0"][-1]["own_procs"] == 1

    seen = await watch(nvml.environment(library, scenario), attributed, orders=orders)
    row = seen.rows["gpu0"][-1]
    assert (row["own_bytes"], row["other_bytes"]) == (2000 * MIB, 800 * MIB)
    assert (row["own_procs"], row["other_procs"]) == (1, 2)
    assert row["other_util"] == pytest.approx(0.2)
    one = seen.rows["gpu0.procs"][-1]
    assert (one["p0_pid"], one["p0_own"], one["p1_own"]) == (os.getpid(), 1, 0)
    assert (one["p1_bytes"], one["p2_bytes"]) == (700 * MIB, 100 * MIB)
    assert math.isnan(one["p3_pid"])


async def test_a_list_without_processes_is_not_believed(library: Path) -> None:
    seen = await watch(nvml.environment(library, "gpu0.mem_used_mib = 40000"), samples("gpu0", 2))
    row = seen.rows["gpu0"][-1]
    assert math.isnan(row["own_bytes"])
    assert math.isnan(row["other_bytes"])
    assert reasons(seen)["gpu0.processes"].startswith(HIDDEN)


def test_numbers_of_another_namespace_belong_to_nobody() -> None:
    listed = [Process(4711, 500.0)]
    gauges, reason = attribute(listed, set(), 1e9, namespaced=True)
    assert reason == NAMESPACE
    assert all(math.isnan(value) for value in gauges.values())
    gauges, reason = attribute(listed, set(), 1e9, namespaced=False)
    assert (gauges["own_bytes"], gauges["other_bytes"], reason) == (0, 500, "")
    for namespaced in (False, True):
        reason = attribute([], set(), 1e9, namespaced=namespaced)[1]
        assert ("inside a container" in reason) is namespaced
    gauges, reason = attribute(listed, {4711}, 1e9, namespaced=True)
    assert (gauges["own_bytes"], gauges["other_procs"], reason) == (500, 0, "")


def test_a_process_whose_memory_is_not_told() -> None:
    gauges, reason = attribute([Process(7, math.nan)], {7}, 1e9, namespaced=False)
    assert reason == NO_MEMORY
    assert math.isnan(gauges["own_bytes"])
    assert gauges["own_procs"] == 1


def test_the_namespace_is_read_from_proc(tmp_path: Path) -> None:
    folder = tmp_path / "proc/self/ns"
    folder.mkdir(parents=True)
    owners = Owners(Host(str(tmp_path)))
    assert not owners.namespaced, "unknown is not taken for a container"
    (folder / "pid").symlink_to("pid:[4026531836]")
    assert not owners.namespaced
    (folder / "pid").unlink()
    (folder / "pid").symlink_to("pid:[4026533001]")
    assert owners.namespaced


async def test_mig_instances_have_gauges_of_their_own(library: Path) -> None:
    scenario = f"""
        gpu0.mig = 1
        gpu0.mig_instances = 2
        gpu0.util = !NOT_SUPPORTED
        gpu0.mig0.mem_total_mib = 9856
        gpu0.mig0.mem_used_mib = 5000
        gpu0.mig1.mem_used_mib = 0
        gpu0.mig0.processes = {os.getpid()}:4900
    """
    orders = [{"op": "watch", "pid": os.getpid()}]

    def attributed(seen: Seen) -> bool:
        return bool(seen.rows["gpu0.mig1"]) and seen.rows["gpu0.mig0"][-1]["own_procs"] == 1

    seen = await watch(nvml.environment(library, scenario), attributed, orders=orders)
    row = seen.rows["gpu0.mig0"][-1]
    assert (row["mem_used_bytes"], row["mem_total_bytes"]) == (5000 * MIB, 9856 * MIB)
    assert row["own_bytes"] == 4900 * MIB
    assert math.isnan(row["util"])
    assert seen.rows["gpu0.mig1"][-1]["own_procs"] == 0
    assert reasons(seen)["gpu0.mig0.util"] == MIG_HIDES
    assert seen.host["gpus"][0]["path"] == "mig"


async def test_a_vgpu_and_its_licence(library: Path) -> None:
    scenario = """
        gpu0.virtualization = 2
        gpu0.licensed = 0
        gpu0.pcie_gen = !NOT_SUPPORTED
        gpu0.mem_bus_bits = !NOT_SUPPORTED
    """
    seen = await watch(nvml.environment(library, scenario), samples("gpu0", 1))
    (gpu,) = seen.host["gpus"]
    assert gpu["path"] == "vgpu"
    assert gpu["licence"] == [{"feature": "Compute", "licensed": False, "enabled": False}]
    assert gpu["mem_bandwidth_bytes_per_s"] is None
    assert reasons(seen)["gpu0.mem_bus_bits"] == "not supported by this GPU"


async def test_peers_and_links(library: Path) -> None:
    scenario = """
        count = 3
        gpu0.p2p = 0 3
        gpu1.p2p = !NOT_SUPPORTED
        gpu2.nvlink_links = 0
        gpu1.nvlink_state = 1 0
    """
    seen = await watch(nvml.environment(library, scenario), samples("gpu2", 1))
    first, second, third = seen.host["gpus"]
    assert first["p2p"] == {"1": "ok", "2": "topology"}
    assert second["p2p"] == {"0": None, "2": None}
    assert second["nvlink"]["active"] == 9
    assert third["nvlink"] is None
    assert reasons(seen)["gpu2.nvlink"] == "not supported by this GPU"


async def test_a_driver_that_is_exchanged_is_opened_anew(library: Path) -> None:
    """The library says that it was never initialized, as it does when the driver was reloaded."""
    scenario = "gpu0.power_mw = !UNINITIALIZED after 3 for 1"
    seen = await watch(
        nvml.environment(library, scenario), lambda seen: ("nvml", "") in seen.reasons
    )
    told = [reason for probe, reason in seen.reasons if probe == "nvml"]
    assert told == ["NVML went away: the NVIDIA driver was reset", ""]
    assert not math.isnan(seen.rows["gpu0"][-1]["power_w"])


async def test_a_lost_gpu_tells_what_it_is_once_it_is_back(library: Path) -> None:
    scenario = """
        count = 2
        gpu1 = !GPU_IS_LOST for 3
    """
    seen = await watch(
        nvml.environment(library, scenario), lambda seen: ("gpu1", "") in seen.reasons
    )
    assert seen.host["gpus"][1]["p2p"] == {"0": "ok"}


async def test_nobody_reads_a_serial_number(library: Path) -> None:
    seen = await watch(nvml.environment(library, "count = 2"), samples("gpu1.health", 2))
    assert not [line for line in seen.log if "FORBIDDEN" in line]


async def test_what_cannot_be_is_no_measurement(library: Path) -> None:
    scenario = """
        gpu0.temp = 3000 60
        gpu0.fan = 130
    """

    def back(seen: Seen) -> bool:
        return any(row["temp_c"] == 60 for row in seen.rows["gpu0"])

    seen = await watch(nvml.environment(library, scenario), back)
    first = seen.rows["gpu0"][0]
    assert math.isnan(first["temp_c"])
    assert first["fan"] == pytest.approx(1.3), "NVML says that it may exceed its full speed"
    told = [reason for field, reason in seen.reasons if field == "gpu0.temp_c"]
    assert told[:2] == ["NVML says 3000 °C, which is no temperature", ""]
