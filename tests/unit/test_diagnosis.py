"""Every rule of the diagnosis: fires, does not fire at its bound, and is unknown when unread."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.synthetic import NS
from tuiapp.collectors import COLLECTORS, collector_class
from tuiapp.collectors.base import Host
from tuiapp.diagnosis import RULES, diagnose, rule
from tuiapp.diagnosis.finding import BAD, FINE, SEVERITIES, UNKNOWN, WARN, Finding
from tuiapp.errors import Unavailable
from tuiapp.events import PROBE_UNAVAILABLE, Frame, Kind, facts_frame
from tuiapp.session.columns import Session
from tuiapp.session.file import SessionFile
from tuiapp.session.samples import sample
from tuiapp.session.view import View

ROWS = 8


def session(
    host: Mapping[str, Any] | None = None,
    gauges: Mapping[str, Mapping[str, Any]] | None = None,
    **meta: Any,
) -> Session:
    """A session of eight samples, a second apart; a gauge is a value or eight of them."""
    made = Session()
    made.fold(Frame(Kind.META, 0, 0, attrs={"host": dict(host or {}), **meta}))
    t_ns = [at * NS for at in range(1, ROWS + 1)]
    for group, columns in (gauges or {}).items():
        rows = {
            name: value if isinstance(value, list) else [value] * ROWS
            for name, value in columns.items()
        }
        frame = Frame(Kind.SAMPLES, t_ns[0], t_ns[-1], {"t_ns": t_ns, **rows}, {"group": group})
        made.fold(frame)
    assert not made.rejected
    return made


def view(*arguments: Any, **meta: Any) -> View:
    made = session(*arguments, **meta)
    return View(made, max(made.end_ns, NS))


@dataclass(frozen=True)
class Scene:
    """What a host tells, and what a rule should make of it."""

    rule: str
    severity: str
    host: Mapping[str, Any] = field(default_factory=dict)
    gauges: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)
    says: str = ""


GPU = {"util": 0.9, "throttle_reasons": 0, "power_limit_w": 700, "temp_c": 60}
LINK = {"pcie_gen": 5, "pcie_width": 16, "pcie_gen_max": 5, "pcie_width_max": 16}
TWO_NODES = [{"node": 0, "cpus": "0-3"}, {"node": 1, "cpus": "4-7"}]
LAGS = {"loop_lag_10s_p99_s": 0.0049, "schedule_lag_10s_p99_s": 0.0099}
CUDA = {"device": "cuda", "tensor_parallel": 2, "enforce_eager": False, "prefix_caching": True}


def gpu(**changes: Any) -> dict[str, dict[str, Any]]:
    return {"gpu0": GPU | changes}


def told(**facts: Any) -> dict[str, Any]:
    return {"gpus": [{"index": 0, **facts}]}


def machine(**facts: Any) -> dict[str, Any]:
    return {"machine": facts}


def cpu(**gauges: Any) -> dict[str, dict[str, Any]]:
    return {"cpu": gauges}


SCENES = (
    Scene("layers", UNKNOWN),
    Scene("layers", UNKNOWN, machine(machine="unknown", because="no signal")),
    Scene("layers", UNKNOWN, {"cpuinfo_hypervisor": False}),  # no flag is no proof of bare metal
    Scene("layers", FINE, {"cpuinfo_hypervisor": True}, says="a guest"),
    Scene("layers", FINE, machine(machine="bare-metal"), says="bare metal"),
    Scene("layers", FINE, machine(machine="guest", hypervisor="kvm"), says="guest of kvm"),
    Scene("layers", WARN, machine(machine="guest", hypervisor="kvm", nested=True), says="nested"),
    Scene("cores", UNKNOWN),
    Scene("cores", FINE, {"cores_physical": 2}),
    Scene("cores", BAD, {"cores_physical": 1}, says="only 1 cores"),
    Scene("cores", BAD, {"cores_physical": 8, "cpu_quota_cores": 1.5}, says="only 1.5 cores"),
    Scene("cores", BAD, {"cores_physical": 9, "gpus": [{}] * 8}, says="needed for 8 GPUs"),
    Scene("cores", FINE, {"cores_physical": 10, "gpus": [{}] * 8}),
    Scene("cores", FINE, {"cores_physical": 4, "gpus": [{}] * 8}, meta={"engine": CUDA}),
    Scene("cores", FINE, {"cores_physical": 2}, gpu(), {"engine": {"device": "cpu"}}),
    Scene("cores", FINE, {"cores_logical": 2}, says="how many cores is unknown"),
    Scene("clock", UNKNOWN),
    Scene("clock", UNKNOWN, {}, cpu(freq_mhz=2600, total=0.9), says="nothing to compare it with"),
    Scene("clock", UNKNOWN, {"cpu_freq_max_mhz": 3800}, cpu(freq_mhz=800, total=0.1)),
    Scene("clock", FINE, {"cpu_freq_max_mhz": 4000}, cpu(freq_mhz=2801, total=0.9)),
    Scene("clock", WARN, {"cpu_freq_max_mhz": 4000}, cpu(freq_mhz=2799, total=0.9)),
    Scene("clock", BAD, {"cpu_freq_base_mhz": 2500}, cpu(freq_mhz=2000, total=0.9), says="low"),
    Scene("clock", FINE, {"cpu_freq_base_mhz": 2500}, cpu(freq_mhz=2400, total=0.9)),
    Scene("steal", UNKNOWN),
    Scene("steal", FINE, {}, cpu(steal=0.0099)),
    Scene("steal", BAD, {}, cpu(steal=0.031), says="steal 3.1 %"),
    Scene("steal", FINE, machine(machine="guest", hypervisor="kvm"), cpu(steal=0)),
    Scene("steal", UNKNOWN, machine(machine="guest", hypervisor="vmware"), cpu(steal=0)),
    Scene("quota", UNKNOWN),
    Scene("quota", FINE, {"cpu_quota_cores": None}, says="no CPU limit"),
    Scene("quota", FINE, {"cpu_quota_cores": 2}, cpu(quota_throttled_s=0)),
    Scene("quota", WARN, {"cpu_quota_cores": 2}, cpu(quota_throttled_s=[0.05] + [0] * 7)),
    Scene("quota", BAD, {"cpu_quota_cores": 2}, cpu(quota_throttled_s=0.02)),
    Scene("run_wait", UNKNOWN),
    Scene("run_wait", FINE, {}, {"process": {"cpu_cores": 0.91, "run_wait_cores": 0.09}}),
    Scene("run_wait", WARN, {}, {"process": {"cpu_cores": 0.8, "run_wait_cores": 0.2}}),
    Scene("run_wait", BAD, {}, {"process": {"cpu_cores": 0.5, "run_wait_cores": 0.5}}),
    Scene("run_wait", FINE, {}, {"process": {"cpu_cores": 0, "run_wait_cores": 0}}),
    Scene("run_wait", FINE, {}, {"process": {"cpu_cores": 0.02, "run_wait_cores": 0.02}}),
    Scene("run_wait", FINE, {}, {"load": {"psi_cpu_some_avg10": 25}}, says="own wait is unknown"),
    Scene("run_wait", WARN, {}, {"load": {"psi_cpu_some_avg10": 26}}),
    Scene("run_wait", BAD, {}, {"load": {"psi_cpu_some_avg10": 99}}),
    Scene("sessions", UNKNOWN, {"cpu_by_session": True}),
    Scene("sessions", FINE, {"cpu_by_session": True}, {"load": {"psi_cpu_some_avg10": 25}}),
    Scene("sessions", WARN, {"cpu_by_session": True}, {"load": {"psi_cpu_some_avg10": 26}}),
    Scene("neighbours", UNKNOWN, {}, {"process": {"cpu_cores": 1}}),
    Scene("neighbours", FINE, {"cores_online": 4},
          {"process": {"cpu_cores": 2}, "cpu": {"total": 0.59}}),
    Scene("neighbours", WARN, {"cores_online": 4},
          {"process": {"cpu_cores": 2}, "cpu": {"total": 0.65}}),
    Scene("neighbours", BAD, {"cores_online": 4},
          {"process": {"cpu_cores": 1}, "cpu": {"total": 1}}, says="75 %"),
    Scene("interrupts", UNKNOWN),
    Scene("interrupts", FINE, {}, cpu(irq=0.09)),
    Scene("interrupts", WARN, {}, cpu(irq=0.11)),
    Scene("jitter", UNKNOWN),
    Scene("jitter", FINE, {}, {"hiccup": {"p99_s": 0.0009, "max_s": 0.0199}}),
    Scene("jitter", WARN, {}, {"hiccup": {"p99_s": 0.0011, "max_s": 0.004}}),
    Scene("jitter", WARN, {}, {"hiccup": {"p99_s": 0.0002, "max_s": [0.001] * 7 + [0.03]}}),
    Scene("jitter", BAD, {}, {"hiccup": {"p99_s": 0.0002, "max_s": [0.001] * 7 + [0.2]}},
          says="200.0 ms"),
    Scene("jitter", BAD, {}, {"hiccup": {"p99_s": 0.006, "max_s": 0.008}}),
    Scene("vm_exit", UNKNOWN),
    Scene("vm_exit", FINE, {"tax": {"cpuid_exit_s": 6.2e-8}}),
    Scene("vm_exit", FINE, {"tax": {"cpuid_exit_s": 2e-6}}),
    Scene("vm_exit", WARN, {"tax": {"cpuid_exit_s": 3.8e-6}}, says="3.80 µs"),
    Scene("governor", UNKNOWN),
    Scene("governor", FINE, {"governor": "performance", "cpufreq_driver": "acpi-cpufreq"}),
    Scene("governor", WARN, {"governor": "ondemand", "cpufreq_driver": "acpi-cpufreq"}),
    Scene("governor", WARN, {"governor": "powersave", "cpufreq_driver": "intel_pstate"}),
    Scene("governor", FINE, {"governor": "powersave", "cpufreq_driver": "intel_pstate",
                             "energy_preference": "balance_performance"}),
    Scene("governor", WARN, {"governor": "performance", "boost": False}, says="no boost"),
    Scene("idle_states", UNKNOWN),
    Scene("idle_states", UNKNOWN, {"idle_states": [{"name": "C1"}]}),
    Scene("idle_states", FINE, {"idle_states": [{"name": "C1E", "exit_latency_us": 50}]}),
    Scene("idle_states", WARN, {"idle_states": [{"name": "C6", "exit_latency_us": 133}]}),
    Scene("idle_states", FINE, {"idle_states": [
        {"name": "C1", "exit_latency_us": 2, "enabled": True},
        {"name": "C6", "exit_latency_us": 133, "enabled": False}]}),
    Scene("numa", UNKNOWN),
    Scene("numa", FINE, {"numa_nodes": TWO_NODES[:1]}),
    Scene("numa", UNKNOWN, {"numa_nodes": TWO_NODES}),
    Scene("numa", WARN, {"numa_nodes": TWO_NODES, "cpus_allowed": "0-7"}, says="2 NUMA nodes"),
    Scene("numa", FINE, {"numa_nodes": TWO_NODES, "cpus_allowed": "1-3"}),
    Scene("numa", BAD, {"numa_nodes": TWO_NODES, "cpus_allowed": "0-3",
                        "pci_gpus": [{"address": "0000:81:00.0", "numa_node": 1}]},
          says="0000:81:00.0 on node 1"),
    Scene("numa", WARN, {"numa_nodes": TWO_NODES, "cpus_allowed": "0-7",
                         "pci_gpus": [{"address": "a", "numa_node": 1}]}),
    Scene("numa", FINE, {"numa_nodes": TWO_NODES, "cpus_allowed": "4-7",
                         "pci_gpus": [{"address": "a", "numa_node": 1}]}),
    Scene("numa", UNKNOWN, {"numa_nodes": TWO_NODES, "cpus_allowed": "4-7",
                            "pci_gpus": [{"address": "a", "numa_node": None}]}),
    Scene("memory", UNKNOWN),
    Scene("memory", FINE, {}, {"memory": {"psi_some_avg10": 1}}),
    Scene("memory", WARN, {}, {"memory": {"psi_some_avg10": 1.1}}),
    Scene("memory", BAD, {}, {"memory": {"psi_some_avg10": 11}}),
    Scene("memory", FINE, {}, {"memory": {"swap_in_bytes_per_s": 1 << 19,
                                          "swap_out_bytes_per_s": 1 << 19}}),
    Scene("memory", BAD, {}, {"memory": {"swap_in_bytes_per_s": 1 << 21,
                                         "swap_out_bytes_per_s": 0}}, says="swapping 2.0 MiB/s"),
    Scene("clocksource", UNKNOWN),
    Scene("clocksource", FINE, {"clocksource": "tsc"}),
    Scene("clocksource", FINE, {"clocksource": "kvm-clock"}),
    Scene("clocksource", BAD, {"clocksource": "hpet"}),
    Scene("clocksource", UNKNOWN, {"clocksource": "sundial"}),
    Scene("pages", UNKNOWN),
    Scene("pages", FINE, {"thp": "madvise", "thp_defrag": "madvise"}),
    Scene("pages", WARN, {"thp": "never", "hugepages_total": 0}),
    Scene("pages", FINE, {"thp": "never", "hugepages_total": 512}),
    Scene("pages", WARN, {"thp": "always", "thp_defrag": "always"}),
    Scene("iommu", UNKNOWN),
    Scene("iommu", UNKNOWN, {"iommu_groups": 0}),
    Scene("iommu", FINE, {"iommu_groups": 0, **machine(machine="bare-metal")}),
    Scene("iommu", FINE, {"iommu_groups": 40}),
    Scene("gpu_visible", UNKNOWN, {"pci_gpus": [{"address": "0000:01:00.0"}]}, says="0000:01:00.0"),
    Scene("pcie", UNKNOWN, {}, gpu()),
    Scene("pcie", UNKNOWN, {}, gpu(**LINK | {"pcie_gen": 1}, util=0.1), says="never busy"),
    Scene("pcie", FINE, {}, gpu(**LINK)),
    Scene("pcie", FINE, {}, gpu(**LINK | {"pcie_gen": [1] * 7 + [5]})),
    Scene("pcie", BAD, {}, gpu(**LINK | {"pcie_width": 8}), says="5 × 8 of 5 × 16"),
    Scene("pcie", BAD, {}, gpu(**LINK | {"pcie_gen": 4})),
    Scene("pcie_replays", UNKNOWN, {}, gpu()),
    Scene("pcie_replays", FINE, {}, gpu() | {"gpu0.health": {"pcie_replays": 17}}),
    Scene("pcie_replays", WARN, {},
          gpu() | {"gpu0.health": {"pcie_replays": [0] * 7 + [5]}}),
    Scene("pcie_replays", BAD, {},
          gpu() | {"gpu0.health": {"pcie_replays": [0] * 7 + [500]}}),
    Scene("p2p", UNKNOWN, told(), gpu(), {"engine": CUDA}),
    Scene("p2p", FINE, told(p2p={"1": "ok"}), gpu(), {"engine": CUDA}),
    Scene("p2p", WARN, told(p2p={"1": "chipset"}), gpu(), {"engine": CUDA}, "gpu1 chipset"),
    Scene("p2p", BAD, told(nvlink={"links": 18, "active": 17}), gpu(), {"engine": CUDA}),
    Scene("power", FINE, told(power_default_w=700), gpu()),
    Scene("power", BAD, told(power_default_w=700), gpu(power_limit_w=500), says="500 W"),
    Scene("power", FINE, told(), gpu(throttle_reasons=[4] * 4 + [0] * 4)),
    Scene("power", WARN, told(), gpu(throttle_reasons=[4] * 5 + [0] * 3)),
    Scene("power", UNKNOWN, told(), gpu(util=0.0, throttle_reasons=4)),
    Scene("thermal", FINE, {}, gpu()),
    Scene("thermal", FINE, {}, gpu(throttle_reasons=0x4)),
    Scene("thermal", BAD, {}, gpu(throttle_reasons=0x40), says="heat (hardware)"),
    Scene("thermal", BAD, {}, gpu(throttle_reasons=0x80), says="power brake"),
    Scene("thermal", WARN, {}, gpu(temp_slowdown_c=62)),
    Scene("thermal", UNKNOWN, {}, {"gpu0": {"util": 0.9}}),
    Scene("thermal", WARN, {}, {"gpu0": {"throttle_reasons": 0x8}}, says="load unknown"),
    Scene("thermal", UNKNOWN, {}, {"gpu0": {"throttle_reasons": 0x4}}),
    Scene("clocks", UNKNOWN, {}, gpu()),
    Scene("clocks", FINE, {}, gpu(sm_clock_mhz=1400, sm_clock_max_mhz=1980)),
    Scene("clocks", WARN, {}, gpu(sm_clock_mhz=1300, sm_clock_max_mhz=1980), says="low"),
    Scene("clocks", WARN, {}, gpu(throttle_reasons=2), says="locked"),
    Scene("clocks", WARN, told(sm_clock_set_mhz=1200, sm_clock_default_mhz=1755), gpu()),
    Scene("ecc", UNKNOWN, {}, gpu()),
    Scene("ecc", FINE, {}, gpu() | {"gpu0.health": {"ecc_uncorrected": 0, "ecc_corrected": 3}}),
    Scene("ecc", WARN, {}, gpu() | {"gpu0.health": {"ecc_corrected": [3] * 7 + [4]}}),
    Scene("ecc", WARN, {}, gpu() | {"gpu0.health": {"rows_remap_pending": 1}}),
    Scene("ecc", BAD, {}, gpu() | {"gpu0.health": {"ecc_uncorrected": 1}}),
    Scene("ecc", BAD, {}, gpu() | {"gpu0.health": {"rows_remap_failed": 1}}),
    Scene("slices", UNKNOWN, told(), gpu()),
    Scene("slices", FINE, told(path="bare", virtualization="none"), gpu()),
    Scene("slices", FINE, told(path="passthrough"), gpu()),
    Scene("slices", WARN, told(path="vgpu"), gpu()),
    Scene("slices", WARN, told(mig={"enabled": True}), gpu()),
    Scene("slices", WARN, told(path="sriov-vf"), gpu()),
    Scene("slices", BAD, told(path="vgpu", licence=[{"feature": "vGPU", "licensed": False}]),
          gpu()),
    Scene("gpu_neighbour", UNKNOWN, {}, gpu(), {"engine": CUDA}),
    Scene("gpu_neighbour", FINE, {}, gpu(other_bytes=0, other_util=0.02), {"engine": CUDA}),
    Scene("gpu_neighbour", WARN, {}, gpu(other_bytes=2 << 30), {"engine": CUDA}),
    Scene("gpu_neighbour", WARN, {}, gpu(other_util=0.05), {"engine": CUDA}),
    Scene("gpu_neighbour", BAD, {}, gpu(other_util=0.4), {"engine": CUDA}),
    Scene("gpu_neighbour", BAD, {}, gpu(util=0.4), says="while no engine of ours runs"),
    Scene("gpu_neighbour", FINE, {}, gpu(util=0.0, mem_used_bytes=1 << 28)),
    Scene("confidential", UNKNOWN, {}, gpu()),
    Scene("confidential", FINE, {"gpu_confidential": {"enabled": False}}, gpu()),
    Scene("confidential", WARN, {"gpu_confidential": {"enabled": True}}, gpu()),
    Scene("confidential", WARN, machine(machine="guest", confidential="sev-snp")),
    Scene("engine", UNKNOWN, meta={"engine": {"name": "vLLM"}}),
    Scene("engine", FINE, meta={"engine": CUDA}),
    Scene("engine", FINE, meta={"engine": CUDA | {"device": "cpu", "enforce_eager": True}}),
    Scene("engine", WARN, meta={"engine": CUDA | {"enforce_eager": True}}, says="eager"),
    Scene("engine", WARN, meta={"engine": CUDA | {"prefix_caching": False}}),
    Scene("client", UNKNOWN, {}, {"driver": {"rate": 4}}),
    Scene("client", FINE, {}, {"driver": LAGS}),
    Scene("client", BAD, {}, {"driver": LAGS | {"loop_lag_10s_p99_s": 0.006}}),
)  # fmt: skip


@pytest.mark.parametrize("scene", SCENES, ids=lambda s: f"{s.rule}-{s.severity}-{s.says}")
def test_a_scene(scene: Scene) -> None:
    found = rule(scene.rule)(view(scene.host, scene.gauges, **scene.meta))
    assert found is not None
    assert found.rule == scene.rule
    assert found.severity == scene.severity, found
    assert scene.says in f"{found.title}; {found.evidence}"
    assert found.title
    assert found.evidence
    assert bool(found.advice and found.weight) == found.is_cause or found.severity == UNKNOWN


def test_every_rule_fires_is_fine_and_is_unknown_in_some_scene() -> None:
    seen = {name: {scene.severity for scene in SCENES if scene.rule == name} for name in RULES}
    del seen["gpu_lost"]  # test_diagnosis_lost.py
    for name, severities in seen.items():
        assert UNKNOWN in severities
        assert FINE in severities or name == "gpu_visible"  # tells what could not be read
        assert severities & {BAD, WARN} or name in ("gpu_visible", "iommu")  # context alone


NOT_HERE = ("gpu_visible", "gpu_lost", "pcie", "pcie_replays", "p2p", "power", "thermal", "clocks",
            "ecc", "slices", "gpu_neighbour", "confidential", "engine", "client",
            "neighbours")  # fmt: skip


@pytest.mark.parametrize("name", NOT_HERE)
def test_what_there_is_not_is_no_factor(name: str) -> None:
    assert rule(name)(view()) is None


def test_bare_metal_has_no_vm_exit() -> None:
    assert rule("vm_exit")(view({"machine": {"machine": "bare-metal"}})) is None


# Ranking and reasons


def test_the_gravest_come_first_then_the_heaviest() -> None:
    found = diagnose(
        view({"governor": "powersave", "thp": "never"}, {"cpu": {"steal": 0.2}, "load": {}})
    )
    keys = [(SEVERITIES.index(finding.severity), -finding.weight) for finding in found]
    assert keys == sorted(keys)
    assert [finding.rule for finding in found[:3]] == ["steal", "governor", "pages"]


def test_the_reason_of_the_probe_is_told() -> None:
    made = session()
    reason = json.dumps({"probe": "tuning.governor", "reason": "no cpufreq"})
    made.fold(facts_frame(NS, PROBE_UNAVAILABLE, reason))
    reason = json.dumps({"probe": "cpu", "reason": "only zeros"})
    made.fold(facts_frame(NS, PROBE_UNAVAILABLE, reason))
    seen = View(made, 2 * NS)
    for name, told in (("governor", "no cpufreq"), ("steal", "only zeros")):
        found = rule(name)(seen)
        assert found is not None
        assert found.severity == UNKNOWN
        assert told in found.evidence


def test_only_the_window_up_to_the_cursor_counts() -> None:
    made = session({}, {"cpu": {"steal": [0.5, 0.5, 0, 0, 0, 0, 0.5, 0.5]}})
    severities = [
        getattr(rule("steal")(View(made, cursor * NS, 2 * NS)), "severity", None)
        for cursor in (2, 4, 6, 8)
    ]
    assert severities == [BAD, FINE, FINE, BAD]


def test_the_worst_of_several_gpus_is_named() -> None:
    groups = {"gpu0": GPU | LINK, "gpu1": GPU | LINK | {"pcie_width": 4}, "gpu2": GPU | LINK}
    found = rule("pcie")(view({}, groups))
    assert found is not None
    assert found.severity == BAD
    assert found.title.startswith("gpu1: PCIe 5 × 4")
    assert found.evidence.endswith("1 of 3 GPUs")


# Real ones


def recorded(name: str) -> dict[str, Finding]:
    made = Session()
    with SessionFile(sample(name).path) as file:
        for frame in file.frames():
            made.fold(frame)
    return {finding.rule: finding for finding in diagnose(View(made, made.end_ns))}


def test_the_noisy_neighbour_is_named_and_the_quiet_one_is_not() -> None:
    noisy, quiet = recorded("neighbour-noisy"), recorded("neighbour-quiet")
    assert next(iter(noisy)) == "neighbours"
    assert noisy["neighbours"].severity == noisy["run_wait"].severity == BAD
    assert not [finding for finding in quiet.values() if finding.is_cause]
    # The loops ran inside the guest: its hypervisor took nothing, and the rule says so.
    assert noisy["steal"].severity == FINE


def test_this_machine_is_diagnosed() -> None:
    """Every collector once, as a single look at a host does."""
    made = Session()
    for name in COLLECTORS:
        collector = collector_class(name)(Host())
        try:
            collector.open()
        except Unavailable as answer:
            reason = json.dumps({"probe": name, "reason": answer.message})
            made.fold(facts_frame(1, PROBE_UNAVAILABLE, reason))
            continue
        made.fold(Frame(Kind.META, 1, 1, attrs={"host": collector.facts()}))
        for group, gauges in collector.sample(0.5).items():
            columns = {"t_ns": [NS], **{key: [value] for key, value in gauges.items()}}
            made.fold(Frame(Kind.SAMPLES, NS, NS, columns, {"group": group}))
        collector.close()
    assert not made.rejected
    found = {finding.rule: finding for finding in diagnose(View(made, NS))}
    assert found["cores"].severity != UNKNOWN
    assert {finding.severity for finding in found.values()} <= set(SEVERITIES)


def test_the_documentation_has_a_row_for_every_rule() -> None:
    text = (Path(__file__).parents[2] / "docs/diagnosis.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| `")]
    assert rows == [f"`{name}`" for name in RULES]
