"""What stands beside the verdicts: whole distributions, causes on both sides, differing hosts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tuiapp.compare.causes import Factor, factors
from tuiapp.compare.comparison import compare
from tuiapp.compare.curves import ecdf, share_above, shifts
from tuiapp.compare.gate import CONFOUNDER, INTENDED
from tuiapp.compare.hosts import host_differences
from tuiapp.compare.reading import Question
from tuiapp.compare.runs import Run, read_run
from tuiapp.diagnosis.finding import BAD, FINE, UNKNOWN, WARN, Finding
from tuiapp.session.latency import Distribution
from tuiapp.stats.histogram import counts_of

SAMPLES = Path(__file__).parents[2] / "sample_sessions"
QUIET, NOISY = SAMPLES / "neighbour-quiet.tuiapp", SAMPLES / "neighbour-noisy.tuiapp"
_RNG = np.random.default_rng(5)
A_NS, B_NS = _RNG.lognormal(16, 0.5, 3000), _RNG.lognormal(16.2, 0.5, 2000)


def valued(values: np.ndarray, failed: int = 0) -> Distribution:
    return Distribution("ttft", (values,), failed=failed)


def counted(values: np.ndarray) -> Distribution:
    return Distribution("itl", counts=counts_of(values))


def test_counts_and_values_say_the_same_within_a_bin() -> None:
    exact, binned = (shifts(kind(A_NS), kind(B_NS)) for kind in (valued, counted))
    assert [share for share, *_ in exact] == [share for share, *_ in binned]
    for one, other in zip(exact, binned, strict=True):
        assert one[1:] == pytest.approx(other[1:], rel=0.004)
    assert share_above(counted(A_NS), counted(B_NS)) == pytest.approx(
        share_above(valued(A_NS), valued(B_NS)), abs=0.002
    )


def test_a_share_needs_values_beyond_it() -> None:
    assert [share for share, *_ in shifts(valued(A_NS[:50]), valued(B_NS))][-1] == 0.95
    assert shifts(counted(A_NS[:0]), counted(B_NS)) == []
    assert share_above(counted(A_NS[:0]), counted(B_NS)) is None


def test_failures_are_later_than_everything() -> None:
    failing = valued(A_NS[:10], failed=90)
    assert shifts(failing, valued(B_NS))[2][1] == np.inf
    above = share_above(failing, valued(B_NS))
    assert above is not None
    assert above < 0.1
    assert ecdf(failing, np.array([1e18]))[0] == pytest.approx(0.1)


def test_the_distribution_function_rises_from_nothing_to_all() -> None:
    edges = np.array([1.0, float(np.median(A_NS)), 1e13])
    for found in (valued(A_NS), counted(A_NS)):
        assert ecdf(found, edges) == pytest.approx([0, 0.5, 1], abs=0.01)
    assert np.isnan(ecdf(valued(A_NS[:0]), edges)).all()


def finding(severity: str, weight: float = 0.5) -> Finding:
    return Finding("r", severity, "title", "evidence", "advice", weight)


@pytest.mark.parametrize(
    ("a", "b", "differs"),
    [(FINE, BAD, True), (WARN, FINE, True), (BAD, WARN, False), (UNKNOWN, BAD, False),
     (FINE, FINE, False)],
)  # fmt: skip
def test_a_factor_differs_where_one_side_alone_has_it(a: str, b: str, differs: bool) -> None:
    assert Factor("r", finding(a), finding(b)).differs is differs


def test_what_differs_comes_before_what_both_have() -> None:
    both = Factor("both", finding(BAD, 0.9), finding(BAD, 0.9))
    one = Factor("one", finding(FINE, 0.0), finding(WARN, 0.3))
    none = Factor("none", finding(FINE), None)
    ordered = sorted([none, both, one], key=lambda factor: factor.rank)
    assert [factor.rule for factor in ordered] == ["one", "both", "none"]


def test_the_neighbour_is_why_the_noisy_sample_is_slow() -> None:
    found = factors(read_run(QUIET).view, read_run(NOISY).view)
    differing = [factor.rule for factor in found if factor.differs]
    assert {"neighbours", "run_wait"} <= set(differing)
    assert [factor.rule for factor in found[: len(differing)]] == differing


def with_host(run: Run, **host: object) -> Run:
    return replace(run, meta={"engine": {"version": host.pop("engine", "1")}, "host": host})


def test_hosts_tell_confounders_first_and_each_fact_once() -> None:
    base = read_run(QUIET)
    a = with_host(base, engine="1", virtualization="none", hostname="a", kernel="6.1",
                  fingerprint={"machine": "bare-metal", "kernel": "6.1", "smt": "on"})  # fmt: skip
    b = with_host(base, engine="2", virtualization="kvm", hostname="b", kernel="6.2",
                  fingerprint={"machine": "guest", "kernel": "6.2", "smt": "on"})  # fmt: skip
    found = host_differences(compare([a], [b]))
    assert [d.field for d in found] == ["engine.version", "machine", "kernel", "host.hostname"]
    assert [d.kind for d in found] == [CONFOUNDER, INTENDED, INTENDED, INTENDED]


def test_hosts_without_fingerprints_are_told_by_their_headers() -> None:
    base = read_run(QUIET)
    found = host_differences(compare([with_host(base, kernel="1")], [with_host(base, kernel="2")]))
    assert [(d.field, d.a, d.b) for d in found] == [("host.kernel", "1", "2")]


def test_reading_says_how_far_it_is() -> None:
    said: list[tuple[int, int, str]] = []
    Question(([QUIET], [NOISY])).read(lambda *told: said.append(told))
    assert said == [(0, 2, "neighbour-quiet"), (1, 2, "neighbour-noisy"), (2, 2, "")]
