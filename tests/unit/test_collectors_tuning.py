"""How a machine is set up: from trees a test writes, and this machine itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tuiapp.collectors.base import Host
from tuiapp.collectors.tuning import TuningCollector

CPU = "sys/devices/system/cpu"
SERVER = {
    "proc/self/status": "Name:\tx\nCpus_allowed_list:\t2-3\n",
    "proc/cmdline": "root=UUID=1234 isolcpus=2-3 mitigations=off password=hunter2 -- --token=x",
    "proc/meminfo": "HugePages_Total:     512\nHugepagesize:    2048 kB\nSwapTotal:  1024 kB\n",
    f"{CPU}/online": "0-3",
    f"{CPU}/smt/control": "on",
    f"{CPU}/isolated": "2-3",
    **{f"{CPU}/cpu{cpu}/topology/physical_package_id": str(cpu // 2) for cpu in range(4)},
    f"{CPU}/cpu2/cpufreq/cpuinfo_max_freq": "3800000",
    f"{CPU}/cpu2/cpufreq/scaling_governor": "powersave",
    f"{CPU}/intel_pstate/no_turbo": "1",
    f"{CPU}/cpuidle/current_driver": "intel_idle",
    f"{CPU}/cpu2/cpuidle/state0/name": "POLL",
    f"{CPU}/cpu2/cpuidle/state0/latency": "0",
    f"{CPU}/cpu2/cpuidle/state0/disable": "0",
    f"{CPU}/cpu2/cpuidle/state1/name": "C6",
    f"{CPU}/cpu2/cpuidle/state1/latency": "133",
    f"{CPU}/cpu2/cpuidle/state1/disable": "1",
    f"{CPU}/cpu2/cache/index0/type": "Instruction",
    f"{CPU}/cpu2/cache/index3/type": "Unified",
    f"{CPU}/cpu2/cache/index3/level": "3",
    f"{CPU}/cpu2/cache/index3/size": "32768K",
    f"{CPU}/cpu2/cache/index3/shared_cpu_list": "2-3",
    f"{CPU}/vulnerabilities/meltdown": "Mitigation: PTI",
    f"{CPU}/vulnerabilities/mds": "Vulnerable; SMT vulnerable",
    f"{CPU}/vulnerabilities/l1tf": "Not affected",
    "sys/devices/system/node/online": "0-1",
    "sys/devices/system/node/node0/cpulist": "0-1",
    "sys/devices/system/node/node0/meminfo": "Node 0 MemTotal:  1000 kB\nNode 0 MemFree: 1 kB",
    "sys/devices/system/node/node1/cpulist": "2-3",
    "sys/devices/system/node/node1/meminfo": "nonsense",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
    "sys/bus/pci/devices/0000:01:00.0/class": "0x030200",
    "sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de",
    "sys/bus/pci/devices/0000:01:00.0/numa_node": "1",
    "sys/bus/pci/devices/0000:01:00.0/current_link_speed": "2.5 GT/s PCIe",
    "sys/bus/pci/devices/0000:01:00.0/max_link_speed": "32.0 GT/s PCIe",
    "sys/bus/pci/devices/0000:01:00.0/current_link_width": "16",
    "sys/bus/pci/devices/0000:01:00.0/max_link_width": "255",
    "sys/bus/pci/devices/0000:02:00.0/class": "0x020000",
    "sys/bus/pci/devices/0000:03:00.0/class": "0x030000",
    "sys/bus/pci/devices/0000:03:00.0/vendor": "0x1234",
}


def facts(root: Path, files: dict[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    collector = TuningCollector(Host(str(root)))
    collector.open()
    return collector.facts(), dict(collector.take_reasons())


def test_a_server(tmp_path: Path) -> None:
    known, reasons = facts(tmp_path, SERVER)
    assert known["cpus_allowed"] == "2-3"
    assert known["sockets"] == 2
    assert known["numa_nodes"] == [
        {"node": 0, "cpus": "0-1", "memory_total_bytes": 1000 << 10},
        {"node": 1, "cpus": "2-3", "memory_total_bytes": None},
    ]
    assert known["caches"] == {"l3_bytes": 32 << 20, "last_level_cpus": "2-3"}
    assert known["cpu_freq_max_mhz"] == 3800
    assert known["governor"] == "powersave"
    assert known["boost"] is False
    assert known["idle_states"] == [
        {"name": "POLL", "exit_latency_us": 0, "enabled": True},
        {"name": "C6", "exit_latency_us": 133, "enabled": False},
    ]
    assert known["thp"] == "madvise"
    assert (known["hugepages_total"], known["hugepage_bytes"]) == (512, 2 << 20)
    assert known["mitigations"] == {"active": ["meltdown"], "missing": ["mds"]}
    assert reasons["tuning.iommu_groups"].endswith("no such file or directory")


def test_the_kernel_parameters_told_hold_no_secret(tmp_path: Path) -> None:
    known, _ = facts(tmp_path, SERVER)
    assert known["kernel_parameters"] == ["isolcpus=2-3", "mitigations=off"]


def test_only_what_may_compute_is_a_gpu(tmp_path: Path) -> None:
    known, _ = facts(tmp_path, SERVER)
    assert known["pci_gpus"] == [
        {
            "address": "0000:01:00.0",
            "vendor": "0x10de",
            "device": None,
            "numa_node": 1,
            "local_cpus": None,
            "link_gt_per_s": 2.5,
            "link_max_gt_per_s": 32.0,
            "link_width": 16,
            "link_max_width": None,
        }
    ]


def test_nothing_readable_is_unknown_with_reasons(tmp_path: Path) -> None:
    known, reasons = facts(tmp_path, {})
    assert set(known.values()) == {None}
    assert set(reasons) == {f"tuning.{name}" for name in known}


@pytest.mark.parametrize("text", ["", "x", "-", "9-3-1", "\x00"])
def test_odd_files_are_unknown_not_an_error(tmp_path: Path, text: str) -> None:
    known, _ = facts(tmp_path, dict.fromkeys(SERVER, text))
    assert known["numa_nodes"] in (None, [])


def test_this_machine_tells_something() -> None:
    collector = TuningCollector(Host())
    collector.open()
    known = collector.facts()
    reasons = dict(collector.take_reasons())
    assert known["cpus_allowed"]
    for name, value in known.items():
        assert (value is None) == (f"tuning.{name}" in reasons)


AUTOGROUP = {"proc/sys/kernel/sched_autogroup_enabled": "1"}
IN_SCOPE = {
    "proc/self/cgroup": "0::/user.slice/session-1.scope",
    "proc/self/mountinfo": "1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw",
}

OLD = "sys/fs/cgroup/cpu"
OLD_ROOT = {
    "proc/self/cgroup": "1:cpu:/",
    "proc/self/mountinfo": f"1 0 0:1 / /{OLD} rw - cgroup cgroup rw,cpu",
    f"{OLD}/cpu.shares": "1024",
    f"{OLD}/cgroup.sane_behavior": "0",
}


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (AUTOGROUP | IN_SCOPE, True),
        (AUTOGROUP | IN_SCOPE | {"sys/fs/cgroup/user.slice/cpu.max": "max 100000"}, False),
        (AUTOGROUP | OLD_ROOT, True),
        (AUTOGROUP | OLD_ROOT | {f"{OLD}/cgroup.sane_behavior": ""}, False),
        ({"proc/sys/kernel/sched_autogroup_enabled": "0"}, False),
        (IN_SCOPE, None),
        (AUTOGROUP, None),
    ],
)
def test_sessions_share_the_cpu_unless_a_control_group_goes_before(
    tmp_path: Path, files: dict[str, str], told: bool | None
) -> None:
    known, reasons = facts(tmp_path, files)
    assert known["cpu_by_session"] is told
    assert ("tuning.cpu_by_session" in reasons) is (told is None)
