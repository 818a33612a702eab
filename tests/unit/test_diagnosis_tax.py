"""What was measured counts in the findings of the same look."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doubles.synthetic import NS
from tuiapp.diagnosis import diagnose, rule
from tuiapp.diagnosis.finding import BAD, FINE, UNKNOWN, WARN, Finding
from tuiapp.events import Frame, Kind
from tuiapp.session.columns import Session
from tuiapp.session.view import View


def judged(
    name: str, measured: dict[str, Any] | None, facts: dict[str, Any] | None = None, **gauges: Any
) -> Finding:
    made = Session()
    made.fold(Frame(Kind.META, 0, 0, attrs={"host": {"tax": measured, **(facts or {})}}))
    for group, row in gauges.items():
        columns = {"t_ns": [NS], **{key: [value] for key, value in row.items()}}
        made.fold(Frame(Kind.SAMPLES, NS, NS, columns, {"group": group}))
    found = rule(name)(View(made, NS))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("p99", "slowest", "severity"),
    [(1e-4, 2e-4, FINE), (2e-3, 3e-3, WARN), (1e-4, 0.03, WARN), (6e-3, 7e-3, BAD)],
)
def test_measured_wakeups_are_judged(p99: float, slowest: float, severity: str) -> None:
    found = judged("jitter", {"wakeup_p99_s": p99, "wakeup_p999_s": slowest})
    assert found.severity == severity
    assert f"{p99 * 1e3:.2f} ms late at p99" in found.evidence


def test_the_meter_counts_before_what_was_measured_once() -> None:
    meter = {"p99_s": 1e-4, "max_s": 2e-4}
    found = judged("jitter", {"wakeup_p99_s": 0.5, "wakeup_p999_s": 0.5}, hiccup=meter)
    assert found.severity == FINE


def test_without_either_the_way_to_know_is_told() -> None:
    found = judged("jitter", None)
    assert found.severity == UNKNOWN
    assert "tuiapp host --tax" in found.evidence


def test_steal_over_seconds_counts_before_a_short_sample() -> None:
    found = judged("steal", {"steal": 0.0, "took_s": 2.5}, cpu={"steal": 0.031})
    assert (found.severity, found.evidence) == (FINE, "0.0 % of CPU time in 2.5 s (/proc/stat)")
    found = judged("steal", {"steal": 0.05, "took_s": 2.5}, cpu={"steal": 0.0})
    assert found.severity == BAD


NOMINAL = {"cpu_freq_base_mhz": 3000.0}


@pytest.mark.parametrize(("hz", "severity"), [(3.4e9, FINE), (2.9e9, FINE), (2.4e9, BAD)])
def test_the_timed_clock_of_a_core_at_work_is_judged(hz: float, severity: str) -> None:
    found = judged("clock", {"core_clock_hz": hz}, NOMINAL)
    assert (found.severity, "at work (timed)" in found.evidence) == (severity, True)


def test_a_clock_timed_in_passing_counts_where_the_cpus_are_busy() -> None:
    timed, constant = {"core_clock_hz": 2.4e9}, {"freq_mhz": 3000.0}
    found = judged("clock", None, NOMINAL, tax=timed, cpu=constant | {"total": 0.9})
    assert (found.severity, found.title) == (WARN, "CPU clock 2.40 GHz, low")
    idle = judged("clock", None, NOMINAL, tax=timed, cpu=constant | {"total": 0.1})
    assert (idle.severity, "idle" in idle.evidence) == (UNKNOWN, True)


def test_without_a_timed_clock_the_kernels_word_counts() -> None:
    found = judged("clock", {"cpuid_exit_s": 1e-6}, NOMINAL, cpu={"freq_mhz": 2000.0, "total": 1.0})
    assert (found.severity, "cpufreq or cpuinfo" in found.evidence) == (BAD, True)


def test_what_was_seen_to_happen_comes_before_what_may_matter() -> None:
    made = Session()
    made.fold(Frame(Kind.META, 0, 0, attrs={"host": {"cores_physical": 1, "cores_online": 1}}))
    made.fold(Frame(Kind.SAMPLES, NS, NS, {"t_ns": [NS], "steal": [0.2]}, {"group": "cpu"}))
    found = diagnose(View(made, NS))
    assert [one.rule for one in found if one.severity == BAD] == ["steal", "cores"]
