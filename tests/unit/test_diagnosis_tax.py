"""What was measured counts in the findings of the same look."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doubles.synthetic import NS
from tuiapp.diagnosis import rule
from tuiapp.diagnosis.finding import BAD, FINE, UNKNOWN, WARN, Finding
from tuiapp.events import Frame, Kind
from tuiapp.session.columns import Session
from tuiapp.session.view import View


def judged(name: str, tax: dict[str, Any] | None, **gauges: dict[str, float]) -> Finding:
    made = Session()
    made.fold(Frame(Kind.META, 0, 0, attrs={"host": {"tax": tax}}))
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
