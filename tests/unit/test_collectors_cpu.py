"""CPU time, from recorded trees and from the odd things kernels do with their counters."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest

from tuiapp.collectors.base import Host
from tuiapp.collectors.cpu import CpuCollector, compare, parse
from tuiapp.errors import Unavailable

HOSTS = Path(__file__).parents[1] / "fixtures" / "hosts"


def copy(tree: str, to: Path) -> Path:
    return Path(shutil.copytree(HOSTS / tree, to / tree))


def write_stat(root: Path, *lines: str) -> None:
    (root / "proc/stat").write_text("\n".join(lines) + "\n")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return copy("bare-cgroup2", tmp_path)


def opened(root: Path) -> CpuCollector:
    collector = CpuCollector(Host(str(root)))
    collector.open()
    return collector


def test_shares_are_what_the_ticks_went_into(bare: Path) -> None:
    collector = opened(bare)
    write_stat(
        bare,
        # user +100, nice +20, system +40, idle +200, iowait +20, irq +10, softirq +2, steal +8
        "cpu  4100 120 1040 90200 320 60 52 8 0 0",
        "cpu0 1100 25 250 22500 75 12 12 0 0 0",  # +100 user: busy
        "cpu1 1000 25 250 22600 75 13 13 0 0 0",  # +100 idle
        "cpu2 1025 25 250 22575 75 12 12 0 0 0",  # a quarter busy
        "cpu3 1000 25 250 22500 75 13 13 100 0 0",  # +100 steal: not busy
        "ctxt 500600",
        "procs_running 5",
    )
    gauges = collector.sample(0.5)["cpu"]
    assert gauges["user"] == pytest.approx(120 / 400)
    assert gauges["system"] == pytest.approx(52 / 400)
    assert gauges["iowait"] == pytest.approx(20 / 400)
    assert gauges["steal"] == pytest.approx(8 / 400)
    assert gauges["idle"] == pytest.approx(200 / 400)
    assert gauges["total"] == pytest.approx(172 / 400)
    assert [gauges[f"core{n}"] for n in range(4)] == pytest.approx([1.0, 0.0, 0.25, 0.0])
    assert gauges["ctxt_per_s"] == pytest.approx(1200)
    assert gauges["procs_running"] == 5


def test_guest_time_is_not_counted_twice() -> None:
    shares = compare((0,) * 8, parse(b"cpu  50 0 0 50 0 0 0 0 50 0\n").total)
    assert shares.user == pytest.approx(0.5)


def test_no_ticks_between_two_samples_is_unknown_not_zero(bare: Path) -> None:
    collector = opened(bare)
    gauges = collector.sample(0.001)["cpu"]
    assert all(math.isnan(gauges[name]) for name in ("total", "idle", "steal", "core0", "core3"))
    assert gauges["ctxt_per_s"] == 0
    assert ("cpu.total", "no CPU time was counted between two samples") in collector.take_reasons()


def test_the_same_reason_is_told_once(bare: Path) -> None:
    collector = opened(bare)
    collector.sample(0.001)
    assert collector.take_reasons()
    collector.sample(0.001)
    assert not collector.take_reasons()


@pytest.mark.parametrize("field", [3, 4, 7], ids=["idle", "iowait", "steal"])
def test_a_counter_that_goes_backwards_did_not_move(field: int) -> None:
    before = [100, 0, 50, 1000, 30, 0, 0, 40]
    now = list(before)
    now[0] += 10
    now[field] -= 7
    shares = compare(tuple(before), tuple(now))
    assert shares.busy == pytest.approx(1.0)
    assert min(shares.idle, shares.iowait, shares.steal) == 0


def test_kernels_without_a_steal_column() -> None:
    shares = compare((0,) * 7, parse((HOSTS / "arm64/proc/stat").read_bytes()).total)
    assert shares.busy == pytest.approx(0.2)
    assert shares.steal == 0


def test_a_core_that_goes_offline_and_comes_back(bare: Path) -> None:
    collector = opened(bare)

    def step(*cores: str) -> dict[str, float]:
        write_stat(bare, "cpu  5000 100 1000 90000 300 50 50 0 0 0", *cores)
        return collector.sample(0.25)["cpu"]

    gauges = step("cpu0 1010 25 250 22500 75 12 12 0", "cpu3 1000 25 250 22510 75 13 13 0")
    assert gauges["core0"] == 1
    assert math.isnan(gauges["core1"])
    assert ("cpu.core1", "this CPU is offline") in collector.take_reasons()
    # Its counters stood still meanwhile: nothing is known until it has been seen twice.
    gauges = step("cpu0 1010 25 250 22510 75 12 12 0", "cpu1 1000 25 250 22500 75 13 13 0")
    assert gauges["core0"] == 0
    assert math.isnan(gauges["core1"])
    gauges = step("cpu0 1010 25 250 22520 75 12 12 0", "cpu1 1005 25 250 22505 75 13 13 0")
    assert gauges["core1"] == pytest.approx(0.5)


def test_a_core_that_is_added_gets_a_gauge(bare: Path) -> None:
    collector = opened(bare)
    more = (bare / "proc/stat").read_text().replace("intr", "cpu4 0 0 0 0 0 0 0 0 0 0\nintr")
    (bare / "proc/stat").write_text(more)
    collector.sample(0.25)
    (bare / "proc/stat").write_text(more.replace("cpu4 0 0 0 0", "cpu4 3 0 0 1"))
    assert collector.sample(0.25)["cpu"]["core4"] == pytest.approx(0.75)


def test_a_kernel_that_counts_nothing_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="counts no CPU time"):
        CpuCollector(Host(str(HOSTS / "gvisor"))).open()


@pytest.mark.parametrize("text", ["", "cpu0 1 2 3\n", "cpu one two\n", "\0\0\0"])
def test_nonsense_is_unavailable(text: str) -> None:
    with pytest.raises(Unavailable):
        parse(text.encode())


def test_no_proc_at_all(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="/proc/stat cannot be read"):
        CpuCollector(Host(str(tmp_path))).open()


def test_throttling_by_the_tightest_group_above_us(bare: Path) -> None:
    collector = opened(bare)
    stat = bare / "sys/fs/cgroup/serving.slice/cpu.stat"
    stat.write_text(stat.read_text().replace("2500000", "2750000"))
    assert collector.sample(0.25)["cpu"]["quota_throttled_s"] == pytest.approx(0.25)
    assert collector.sample(0.25)["cpu"]["quota_throttled_s"] == 0


def test_throttling_in_a_version_1_container(tmp_path: Path) -> None:
    root = copy("container-cgroup1", tmp_path)
    collector = opened(root)
    stat = root / "sys/fs/cgroup/cpu,cpuacct/cpu.stat"
    stat.write_text(stat.read_text().replace("1500000000", "1900000000"))
    assert collector.sample(0.25)["cpu"]["quota_throttled_s"] == pytest.approx(0.4)


def test_throttling_is_unknown_without_a_limit() -> None:
    collector = opened(HOSTS / "firecracker-cgroup1")
    assert math.isnan(collector.sample(0.25)["cpu"]["quota_throttled_s"])
    reasons = dict(collector.take_reasons())
    assert "no CPU limit is visible" in reasons["cpu.quota_throttled_s"]


def test_a_group_that_vanishes_leaves_the_rest_alone(bare: Path) -> None:
    collector = opened(bare)
    (bare / "sys/fs/cgroup/serving.slice/cpu.stat").unlink()
    gauges = collector.sample(0.25)["cpu"]
    assert math.isnan(gauges["quota_throttled_s"])
    assert gauges["procs_running"] == 3


def test_frequency_from_cpufreq_without_the_cpus_that_are_offline(bare: Path) -> None:
    collector = opened(bare)
    assert collector.sample(0.25)["cpu"]["freq_mhz"] == pytest.approx(2600)
    (bare / "sys/devices/system/cpu/cpu2/cpufreq/scaling_cur_freq").unlink()
    assert collector.sample(0.25)["cpu"]["freq_mhz"] == pytest.approx(9200 / 3)


def test_frequency_from_cpuinfo() -> None:
    collector = opened(HOSTS / "firecracker-cgroup1")
    assert collector.sample(0.25)["cpu"]["freq_mhz"] == pytest.approx(2793.436)


def test_frequency_is_unknown_on_arm_without_cpufreq() -> None:
    collector = opened(HOSTS / "arm64")
    assert math.isnan(collector.sample(0.25)["cpu"]["freq_mhz"])
    assert "tells a frequency" in dict(collector.take_reasons())["cpu.freq_mhz"]
