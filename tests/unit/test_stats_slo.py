"""Objectives: what is understood, what is refused and how, and the presets."""

from __future__ import annotations

import pytest

from tuiapp.errors import UsageError
from tuiapp.stats.slo import METRICS, SLO_PRESETS, Slo, parse_slos


@pytest.mark.parametrize(
    ("text", "limit_ns", "q", "shown"),
    [
        ("ttft:p99<100ms", 100_000_000, 0.99, "ttft:p99<100ms"),
        (" TTFT : P99.90 <= 1.5 s ", 1_500_000_000, 0.999, "ttft:p99.9<1.5s"),
        ("tpot:p50<0.5ms", 500_000, 0.5, "tpot:p50<500us"),
        ("itl:max<500µs", 500_000, 1.0, "itl:max<500us"),
        ("itl:max<500μs", 500_000, 1.0, "itl:max<500us"),
        ("e2el:mean<2000ms", 2_000_000_000, None, "e2el:mean<2s"),
        ("tpot:p5<33.333333ms", 33_333_333, 0.05, "tpot:p5<33.333333ms"),
    ],
)
def test_understood(text: str, limit_ns: int, q: float | None, shown: str) -> None:
    slo = Slo.parse(text)
    assert (slo.limit_ns, slo.q, str(slo)) == (limit_ns, q, shown)
    assert Slo.parse(shown) == slo


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "form"),
        ("ttft<100ms", "form"),
        ("ttft:p99>100ms", "form"),
        ("ttft:p99<-1ms", "form"),
        ("ttft:p99<nanms", "form"),
        ("ttft:p99<1e3ms", "form"),
        ("latency:p99<100ms", "'latency' is no latency metric"),
        ("ttft:p0<100ms", "'p0' is no statistic"),
        ("ttft:p100<100ms", "'p100' is no statistic"),
        ("ttft:median<100ms", "'median' is no statistic"),
        ("ttft:p99<100", "unit is missing"),
        ("ttft:p99<100h", "'h' is no unit"),
        ("ttft:p99<0ms", "above zero"),
        ("ttft:p99<9999999s", "below twelve days"),
        ("ttft:p99<" + "9" * 5_000 + "ms", "form"),
    ],
)
def test_refused_with_the_reason_and_what_is_allowed(text: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        Slo.parse(text)
    assert why in caught.value.message
    assert len(caught.value.message) < 200
    for allowed in (*METRICS, "p99", "mean", "max", "ms", "chat"):
        assert allowed in caught.value.advice


def test_a_limit_is_met_by_a_value_equal_to_it() -> None:
    slo = Slo.parse("ttft:p99<100ms")
    assert [slo.judge(ns) for ns in (99e6, 100e6, 100e6 + 1, float("inf"))] == [
        True,
        True,
        False,
        False,
    ]
    assert slo.judge(None) is None


def test_presets_expand_beside_objectives_without_repeats() -> None:
    slos = parse_slos(["chat", "e2el:mean<2s", "ttft:p99<200 ms", "Voice"])
    assert [str(slo) for slo in slos] == [
        "ttft:p99<200ms",
        "tpot:p99<50ms",
        "e2el:mean<2s",
        "ttft:p99<400ms",
    ]
    assert parse_slos([]) == ()


@pytest.mark.parametrize("name", SLO_PRESETS)
def test_every_preset_reads_and_is_written_in_its_shortest_form(name: str) -> None:
    assert tuple(str(slo) for slo in parse_slos([name])) == SLO_PRESETS[name]


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(UsageError, match="mlperf-gpt9"):
        parse_slos(["mlperf-gpt9"])
