"""The diagnosis in words: counts of one, and sentences that are told whole."""

from __future__ import annotations

from typing import Any

import pytest

from tuiapp.diagnosis import diagnose
from tuiapp.diagnosis.finding import Finding
from tuiapp.diagnosis.moment import Moment

LONG = "KVM answers CPUID at 0x40000000; /sys/firmware/acpi/tables/FACP OEM id is Firecracker's"


def found(
    rule: str,
    host: dict[str, Any] | None = None,
    samples: dict[str, dict[str, float]] | None = None,
    reasons: dict[str, str] | None = None,
) -> Finding:
    rows = {group: [(0, gauges)] for group, gauges in (samples or {}).items()}
    seen = Moment({"host": host or {}}, rows, reasons or {})
    return next(finding for finding in diagnose(seen) if finding.rule == rule)


@pytest.mark.parametrize(
    ("counts", "evidence"),
    [
        ({"ecc_uncorrected": 1}, "1 uncorrected memory error (NVML)"),
        ({"ecc_uncorrected": 12}, "12 uncorrected memory errors (NVML)"),
        ({"rows_remap_failed": 1}, "1 row that could not be remapped (NVML)"),
        ({"rows_remap_failed": 2, "pages_retire_pending": 1},
         "2 rows that could not be remapped, 1 page to be retired at the next reset (NVML)"),
    ],
)  # fmt: skip
def test_errors_of_memory_are_counted_in_words(counts: dict[str, float], evidence: str) -> None:
    told = found("ecc", samples={"gpu0": {"util": 0.5}, "gpu0.health": counts})
    assert told.evidence == evidence
    assert told.title == f"GPU memory: {evidence.partition(',')[0].removesuffix(' (NVML)')}"


def test_what_the_machine_is_known_by_is_told_whole() -> None:
    machine = {"machine": "guest", "hypervisor": "firecracker", "because": LONG}
    assert LONG in found("layers", {"machine": machine}).evidence


@pytest.mark.parametrize("rule", ["ecc", "slices"])
def test_a_reason_is_told_whole(rule: str) -> None:
    reason = "not read, " * 15 + "for a reason that takes long to tell"
    fields = ("ecc_uncorrected", "virtualization")
    reasons = {f"gpu0.{field}": reason for field in fields}
    assert found(rule, samples={"gpu0": {}}, reasons=reasons).evidence == reason


def test_a_recording_cannot_tell_without_end() -> None:
    machine = {"machine": "guest", "hypervisor": "kvm", "because": "x" * 10_000}
    assert len(found("layers", {"machine": machine}).evidence) < 500


@pytest.mark.parametrize(
    ("facts", "source"),
    [({"source": "nvml"}, "NVML"), ({"driver": "amdgpu"}, "amdgpu"), ({}, "NVML")],
)
@pytest.mark.parametrize("rule", ["power", "thermal", "clocks", "gpu_neighbour", "pcie", "slices"])
def test_evidence_names_who_told_it(facts: dict[str, Any], source: str, rule: str) -> None:
    gauges = {
        "util": 0.9, "throttle_reasons": 0, "power_limit_w": 700, "sm_clock_mhz": 1900,
        "sm_clock_max_mhz": 1980, "pcie_gen": 5, "pcie_width": 16, "pcie_gen_max": 5,
        "pcie_width_max": 16,
    }  # fmt: skip
    host = {"gpus": [{"index": 0, "path": "bare", **facts}]}
    assert f"({source}" in found(rule, host, {"gpu0": gauges}).evidence
