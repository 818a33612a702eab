"""Facts, memory and load, from recorded trees."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest

from tuiapp.collectors.base import Host
from tuiapp.collectors.host import HostCollector, parse_list
from tuiapp.collectors.load import LoadCollector
from tuiapp.collectors.memory import MemoryCollector
from tuiapp.errors import Unavailable

HOSTS = Path(__file__).parents[1] / "fixtures" / "hosts"


def facts(tree: str) -> tuple[dict[str, object], dict[str, str]]:
    collector = HostCollector(Host(str(HOSTS / tree)))
    collector.open()
    return collector.facts(), dict(collector.take_reasons())


def test_a_recorded_guest() -> None:
    known, reasons = facts("firecracker-cgroup1")
    assert known == {
        "hostname": "vm",
        "kernel": "6.18.44-fc-v657",
        "os": "Debian GNU/Linux 12 (bookworm)",
        "cpu_model": "Intel(R) Xeon(R) Processor @ 2.80GHz",
        "cores_online": 2,
        "cores_logical": 2,
        "cores_physical": 2,
        "cpu_quota_cores": None,
        "cpu_cache_bytes": None,  # its caches were not recorded
        "memory_total_bytes": 24684092 * 1024,
        "memory_limit_bytes": None,
        "clocksource": "tsc",
        "cpuinfo_hypervisor": True,
    }
    assert reasons == {"host.cpu_cache_bytes": "the kernel lists no CPU caches"}


def test_a_limited_service_on_bare_metal() -> None:
    known, reasons = facts("bare-cgroup2")
    assert known["os"] == "Ubuntu 24.04.1 LTS"
    assert known["cores_online"] == 4
    assert known["cores_logical"] == 3  # affinity
    assert known["cores_physical"] == 2
    assert known["cpu_quota_cores"] == 2.0
    assert known["memory_limit_bytes"] == 64 << 30
    assert known["cpuinfo_hypervisor"] is False
    assert known["cpu_cache_bytes"] == 2 * 16 << 20  # of both caches, one CPU of the second
    assert not reasons


def test_a_container_sees_its_group_at_the_mount_point() -> None:
    known, _ = facts("container-cgroup1")
    assert known["cpu_quota_cores"] == 1.5
    assert known["memory_limit_bytes"] is None


def test_what_is_unknown_says_why() -> None:
    known, reasons = facts("arm64")
    assert known["cpuinfo_hypervisor"] is None
    assert "no flags" in reasons["host.cpuinfo_hypervisor"]
    assert known["cpu_model"] is None
    assert known["cpu_quota_cores"] is None
    assert "control group" in reasons["host.cpu_quota_cores"]
    assert set(reasons) == {f"host.{name}" for name, value in known.items() if value is None}


def test_nothing_there_is_an_answer_too(tmp_path: Path) -> None:
    collector = HostCollector(Host(str(tmp_path)))
    collector.open()
    known = collector.facts()
    assert set(known.values()) == {None}
    assert len(collector.take_reasons()) == len(known)


@pytest.mark.parametrize(
    ("text", "cpus"),
    [("0-3,8", [0, 1, 2, 3, 8]), ("5\n", [5]), ("", []), ("0-1,4-5", [0, 1, 4, 5])],
)
def test_cpu_lists(text: str, cpus: list[int]) -> None:
    assert parse_list(text) == cpus


@pytest.mark.parametrize("text", ["all of them", "0-99999999999", "1,2-3-4"])
def test_a_broken_cpu_list(text: str) -> None:
    with pytest.raises(Unavailable):
        parse_list(text)


def test_memory() -> None:
    collector = MemoryCollector(Host(str(HOSTS / "bare-cgroup2")))
    collector.open()
    gauges = collector.sample(1.0)["memory"]
    assert gauges["total_bytes"] == 131072000 * 1024
    assert gauges["used_bytes"] == (131072000 - 98304000) * 1024
    assert gauges["swap_used_bytes"] == 2 << 30
    assert math.isnan(gauges["psi_some_avg10"])
    reasons = dict(collector.take_reasons())
    assert set(reasons) == {"memory.swap_in_bytes_per_s", "memory.psi_some_avg10"}


def test_swapping_is_told_in_bytes_a_second(tmp_path: Path) -> None:
    tree = tmp_path / "h"
    shutil.copytree(HOSTS / "bare-cgroup2", tree)
    (tree / "proc/vmstat").write_text("pgfault 7\npswpin 100\npswpout 40\n")
    collector = MemoryCollector(Host(str(tree), page_bytes=4096))
    collector.open()
    (tree / "proc/vmstat").write_text("pgfault 9\npswpin 150\npswpout 40\n")
    gauges = collector.sample(2.0)["memory"]
    assert gauges["swap_in_bytes_per_s"] == 50 * 4096 / 2
    assert gauges["swap_out_bytes_per_s"] == 0


def test_memory_of_a_kernel_that_tells_little() -> None:
    collector = MemoryCollector(Host(str(HOSTS / "gvisor")))
    collector.open()
    gauges = collector.sample(1.0)["memory"]
    assert gauges["total_bytes"] == 8 << 30
    assert math.isnan(gauges["used_bytes"])
    assert dict(collector.take_reasons())["memory.available_bytes"] == (
        "/proc/meminfo holds no MemAvailable"
    )


def test_memory_is_unavailable_without_meminfo(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        MemoryCollector(Host(str(tmp_path))).open()


def test_load() -> None:
    collector = LoadCollector(Host(str(HOSTS / "firecracker-cgroup1")))
    collector.open()
    gauges = collector.sample(1.0)["load"]
    words = (HOSTS / "firecracker-cgroup1/proc/loadavg").read_text().split()
    assert [gauges["load1"], gauges["load5"], gauges["load15"]] == [float(w) for w in words[:3]]
    pressure = (HOSTS / "firecracker-cgroup1/proc/pressure/cpu").read_text()
    assert f"some avg10={gauges['psi_cpu_some_avg10']:.2f} " in pressure


def test_load_that_is_cut_short(tmp_path: Path) -> None:
    shutil.copytree(HOSTS / "gvisor", tmp_path / "h")
    (tmp_path / "h/proc/loadavg").write_text("0.1\n")
    with pytest.raises(Unavailable, match="three averages"):
        LoadCollector(Host(str(tmp_path / "h"))).open()
