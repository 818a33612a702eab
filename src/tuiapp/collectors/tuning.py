"""How this machine is set up: everything that makes hosts slow and stays as it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tuiapp.collectors import cgroup, pci, topology
from tuiapp.collectors.base import RARELY, Collector, Gauges
from tuiapp.errors import Unavailable

_CPU = "/sys/devices/system/cpu"
_THP = "/sys/kernel/mm/transparent_hugepage"
_SOURCES = "/sys/devices/system/clocksource/clocksource0/available_clocksource"
_AUTOGROUP = "/proc/sys/kernel/sched_autogroup_enabled"
_CHOSEN = re.compile(r"\[([\w+-]{1,30})\]")
_PARAMETERS = (
    "isolcpus", "nohz_full", "rcu_nocbs", "mitigations", "idle", "processor.max_cstate",
    "intel_idle.max_cstate", "intel_pstate", "amd_pstate", "transparent_hugepage", "iommu",
    "intel_iommu", "amd_iommu", "nosmt", "preempt", "hugepages", "hugepagesz", "clocksource", "tsc",
)  # fmt: skip
"""What may be told of the kernel's command line; the rest can hold secrets."""
_PLAIN = re.compile(r"[\w.,:+=-]{1,100}")
_MOST_STATES = 16


class TuningCollector(Collector):
    """Facts alone. None stands for what is unknown; the reason is on record under ``tuning.NAME``.

    Frequencies, governor and idle states are those of the first CPU we may run on.
    """

    name = "tuning"
    every = RARELY

    def sample(self, dt_s: float) -> dict[str, Gauges]:  # noqa: ARG002 - facts only
        return {}

    def facts(self) -> dict[str, Any]:
        host = self.host
        readers: dict[str, Callable[[], Any]] = {
            "cpus_allowed": lambda: topology.cpus_allowed(host),
            "smt": lambda: host.text(f"{_CPU}/smt/control"),
            "sockets": lambda: topology.sockets(host),
            "numa_nodes": lambda: topology.numa_nodes(host),
            "caches": lambda: topology.caches(host),
            "cpu_freq_max_mhz": lambda: self._mhz("cpuinfo_max_freq"),
            "cpu_freq_base_mhz": lambda: self._mhz("base_frequency"),
            "cpu_freq_limit_mhz": lambda: self._mhz("scaling_max_freq"),
            "governor": lambda: self._cpufreq("scaling_governor"),
            "cpufreq_driver": lambda: self._cpufreq("scaling_driver"),
            "energy_preference": lambda: self._cpufreq("energy_performance_preference"),
            "boost": self._boost,
            "idle_driver": lambda: host.text(f"{_CPU}/cpuidle/current_driver"),
            "idle_governor": lambda: host.text(f"{_CPU}/cpuidle/current_governor"),
            "idle_states": self._idle_states,
            "thp": lambda: self._chosen("enabled"),
            "thp_defrag": lambda: self._chosen("defrag"),
            "hugepages_total": lambda: self._meminfo("HugePages_Total"),
            "hugepage_bytes": lambda: self._meminfo("Hugepagesize") << 10,
            "swap_total_bytes": lambda: self._meminfo("SwapTotal") << 10,
            "cpu_by_session": self._cpu_by_session,
            "clocksources": lambda: host.text(_SOURCES).split(),
            "iommu_groups": lambda: len(host.names("/sys/kernel/iommu_groups")),
            "mitigations": self._mitigations,
            "isolated_cpus": lambda: host.text(f"{_CPU}/isolated"),
            "kernel_parameters": self._parameters,
            "pci_gpus": lambda: pci.gpus(host),
        }
        return {name: self.known(f"tuning.{name}", read) for name, read in readers.items()}

    def _cpufreq(self, name: str) -> str:
        folder = f"{_CPU}/cpu{topology.first_cpu(self.host)}/cpufreq"
        try:
            self.host.names(folder)
        except OSError as error:
            raise Unavailable("this kernel sets no CPU frequency (no cpufreq)") from error
        return self.host.text(f"{folder}/{name}")

    def _mhz(self, name: str) -> float:
        text = self._cpufreq(name)
        if not text.isdigit():
            raise Unavailable(f"{name} holds no number")
        return int(text) / 1000

    def _boost(self) -> bool:
        with suppress(OSError):
            return self.host.text(f"{_CPU}/intel_pstate/no_turbo") == "0"
        return self.host.text(f"{_CPU}/cpufreq/boost") == "1"

    def _idle_states(self) -> list[dict[str, Any]]:
        """Name, exit latency and whether it may be entered, the shallowest first."""
        folder = f"{_CPU}/cpu{topology.first_cpu(self.host)}/cpuidle"
        try:
            names = [name for name in self.host.names(folder) if name.startswith("state")]
        except OSError as error:
            raise Unavailable("the kernel lists no idle states") from error
        states = []
        for name in sorted(names, key=lambda name: (len(name), name))[:_MOST_STATES]:
            latency = self.host.text(f"{folder}/{name}/latency")
            states.append(
                {
                    "name": self.host.text(f"{folder}/{name}/name"),
                    "exit_latency_us": int(latency) if latency.isdigit() else None,
                    "enabled": self.host.text(f"{folder}/{name}/disable") == "0",
                }
            )
        return states

    def _chosen(self, name: str) -> str:
        """The word in brackets of a file such as ``always [madvise] never``."""
        found = _CHOSEN.search(self.host.text(f"{_THP}/{name}"))
        if found is None:
            raise Unavailable(f"{_THP}/{name} marks no choice")
        return found[1]

    def _meminfo(self, key: str) -> int:
        for line in self.host.text("/proc/meminfo").splitlines():
            name, _, value = line.partition(":")
            words = value.split()
            if name == key and words and words[0].isdigit():
                return int(words[0])
        raise Unavailable(f"/proc/meminfo holds no {key}")

    def _cpu_by_session(self) -> bool:
        """Whether terminal sessions share the CPU evenly, however many threads each has: sched(7),
        autogroup. A control group with a CPU share of its own goes before that."""
        return self.host.text(_AUTOGROUP) == "1" and not cgroup.shares_cpu(self.host)

    def _mitigations(self) -> dict[str, list[str]]:
        """CPU vulnerabilities by what the kernel does about them; most cost time."""
        folder = f"{_CPU}/vulnerabilities"
        found: dict[str, list[str]] = {"active": [], "missing": []}
        for name in sorted(self.host.names(folder))[:64]:
            status = self.host.text(f"{folder}/{name}")
            if status.startswith("Mitigation"):
                found["active"].append(name)
            elif status.startswith("Vulnerable"):
                found["missing"].append(name)
        return found

    def _parameters(self) -> list[str]:
        words = self.host.text("/proc/cmdline").partition(" -- ")[0].split()
        named = (word for word in words if word.partition("=")[0] in _PARAMETERS)
        return [word for word in named if _PLAIN.fullmatch(word)]
