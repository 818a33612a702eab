"""What a difference costs, and what is advised: formulas by hand, nothing from an undecided one."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.unit.test_compare import SAMPLES, STEADY, made
from tuiapp import cli
from tuiapp.compare import cost
from tuiapp.compare.advice import advise
from tuiapp.compare.comparison import compare
from tuiapp.compare.cost import Prices, Span, bill, goodput_tokens_per_s, session_cost
from tuiapp.compare.money import bill_rows, break_even_line
from tuiapp.compare.prices import read_prices
from tuiapp.compare.runs import Run, read_run
from tuiapp.errors import UsageError


@pytest.fixture
def goodput(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Goodput by the name of a run, in place of what its recording holds."""
    told: dict[str, float] = {}
    monkeypatch.setattr(cost, "goodput_tokens_per_s", lambda run: told[run.name])
    return told


def sides(goodput: dict[str, float], a: list[float], b: list[float]) -> tuple[list[Run], list[Run]]:
    runs = made([1.0] * len(a)), made([1.0] * len(b))
    for name, side, values in zip("ab", runs, (a, b), strict=True):
        for run, value in zip(side, values, strict=True):
            object.__setattr__(run, "name", f"{name}{run.name}")
            goodput[run.name] = value
    return runs


def test_a_million_tokens_cost_what_the_hours_cost(goodput: dict[str, float]) -> None:
    a, b = sides(goodput, [1000.0], [500.0])
    found = bill(a, b, Prices(3.6), Prices(3.6))
    assert found.a.per_million.value == pytest.approx(1.0)
    assert found.b.per_million.value == pytest.approx(2.0)
    assert dict(found.a.by_share)[0.25].value == pytest.approx(4.0)
    assert found.a.per_million.low is None  # one run has no interval


def test_the_interval_of_goodput_is_that_of_the_price(goodput: dict[str, float]) -> None:
    a, b = sides(goodput, [990, 1000, 1010, 995, 1005], [500, 505, 495, 502, 498])
    found = bill(a, b, Prices(3.6), Prices(1.0))
    low, high = found.a.goodput.low, found.a.goodput.high
    assert low is not None
    assert high is not None
    assert found.a.per_million.high == pytest.approx(1000 / low)
    assert found.a.per_million.low == pytest.approx(1000 / high)


def test_a_started_step_is_paid_in_full() -> None:
    assert session_cost(3600, 60, 61) == pytest.approx(120)
    assert session_cost(3600, 60, 60) == pytest.approx(60)
    assert session_cost(3600, 1, 0) == 0


def with_starts(side: list[Run], seconds: list[float | None]) -> None:
    """Let the engines of these runs have taken that long to start."""
    for run, took in zip(side, seconds, strict=True):
        view = copy(run.view)
        view.__dict__["cold_start_s"] = {} if took is None else {"ready": took}
        object.__setattr__(run, "view", view)


def test_a_session_pays_for_its_start_and_for_whole_steps(
    goodput: dict[str, float],
) -> None:
    a, b = sides(goodput, [1000.0], [1000.0])
    with_starts(a, [90.0])
    found = bill(a, b, Prices(3600, quantum_s=60, session_s=600), Prices(3600)).a
    assert found.start == Span(90)  # seconds at 1 a second: its time, and no step of its own
    assert found.session == Span(720)  # 690 s are twelve steps
    assert found.session_per_million is not None
    assert found.session_per_million.value == pytest.approx(720 / 0.6)
    told = {what: x for what, x, _ in bill_rows(bill(a, b, Prices(1), Prices(1)))}
    assert told["$ / start + 1 h"] == "1.025"


def test_starts_that_differ_make_intervals(goodput: dict[str, float]) -> None:
    a, b = sides(goodput, [990, 1000, 1010, 995, 1005], [1000.0])
    with_starts(a, [88, 90, 92, 89, 91])
    prices = Prices(3600, session_s=600, reserved_per_h=1800, spot_per_h=1800)
    found = bill(a, b, replace(prices, interruptions_per_h=1), Prices(3600)).a
    start, session, goods = found.start, found.session, found.goodput
    assert start is not None
    assert session is not None
    assert start.low is not None
    assert start.high is not None
    assert start.low < 90 < start.high
    assert (session.low, session.high) == (math.ceil(600 + start.low), math.ceil(600 + start.high))
    each = found.session_per_million
    assert each is not None
    assert goods.low is not None
    assert goods.high is not None
    assert session.low is not None
    assert session.high is not None
    assert each.low == pytest.approx(session.low / (goods.high * 600 / 1e6))
    assert each.high == pytest.approx(session.high / (goods.low * 600 / 1e6))
    for amount in (found.spot_effective_per_h, found.spot_per_million, found.hybrid_from):
        assert amount is not None
        assert amount.low is not None
        assert amount.high is not None
        assert amount.low < amount.value < amount.high


def test_without_a_start_there_is_no_cost_of_a_session(
    goodput: dict[str, float],
) -> None:
    a, b = sides(goodput, [1000.0], [1000.0])
    with_starts([*a, *b], [None, None])
    found = bill(a, b, Prices(1), Prices(1))
    assert found.a.session is None
    assert not [what for what, *_ in bill_rows(found) if "start" in what]


@pytest.mark.parametrize(
    ("slow", "choice"),
    [
        ([200, 201, 199, 200, 202], "A"),
        ([90, 90.2, 89.9, 90, 90.1], "either"),
        ([70, 140, 95, 60, 120], "open"),
    ],
)
def test_advice_on_bursts_goes_by_the_interval_of_the_starts(
    goodput: dict[str, float], slow: list[float | None], choice: str
) -> None:
    a, b = sides(goodput, [1000.0] * 5, [1000.0] * 5)
    with_starts([*a, *b], [90, 90.1, 89.9, 90, 90.2, *slow])
    found = advise(compare(a, b), bill(a, b, Prices(1), Prices(1)))
    assert choices(found)["bursty or flexible load"] == choice


def test_interruptions_make_spot_dearer(goodput: dict[str, float]) -> None:
    a, b = sides(goodput, [1000.0], [1000.0])
    recover_s = a[0].view.cold_start_s["ready"]
    prices = Prices(4, spot_per_h=1, interruptions_per_h=0.5, per_interruption=0.2)
    found = bill(a, b, prices, Prices(4))
    useful = 1 - 0.5 * recover_s / 3600
    assert found.a.spot_effective_per_h is not None
    assert found.a.spot_effective_per_h.value == pytest.approx((1 + 0.5 * 0.2) / useful)


def test_interruptions_that_leave_no_time_cost_infinitely_much(goodput: dict[str, float]) -> None:
    a, b = sides(goodput, [1000.0], [1000.0])
    often = 1.01 * 3600 / a[0].view.cold_start_s["ready"]
    found = bill(a, b, Prices(4, spot_per_h=1, interruptions_per_h=often), Prices(4))
    assert found.a.spot_effective_per_h is not None
    assert found.a.spot_effective_per_h.value == np.inf
    told = {what: x for what, x, _ in bill_rows(found)}
    assert told["spot, $ / useful hour"] == "∞"


def test_what_was_not_measured_is_unknown_and_not_zero(goodput: dict[str, float]) -> None:
    a, b = sides(goodput, [np.nan], [1000.0])
    found = bill(a, b, Prices(3), Prices(4))
    told = {what: (x, y) for what, x, y in bill_rows(found)}
    assert told["good tokens/s"] == ("—", "1,000.00")
    assert told["$ / 1 M good, full use"][0] == "—"
    assert "A serves — × B's" in break_even_line(found)
    assert found.break_even.cheaper == ""
    advice = next(x for x in advise(compare(a, b), found) if x.want == "throughput for the money")
    assert (advice.choice, "nan" in advice.because) == ("open", False)
    some, others = sides(goodput, [np.nan, 990.0, 1010.0], [500.0, 505, 495])
    known = bill(some, others, Prices(3), Prices(4))
    assert known.a.goodput.value == pytest.approx(np.sqrt(990 * 1010))
    assert known.a.goodput.value / known.b.goodput.value == pytest.approx(
        known.break_even.goodput_ratio.value
    )


def test_break_evens_are_ratios_of_prices(goodput: dict[str, float]) -> None:
    a, b = sides(goodput, [1000.0], [1000.0])
    prices = Prices(4, reserved_per_h=2, serverless_per_h=8, spot_per_h=2.5)
    both = bill(a, b, prices, Prices(4, serverless_per_h=3))
    told = {what: (x, y) for what, x, y in bill_rows(both)}
    assert told["serverless until busy"] == ("50%", "always")
    assert told["spot until needed"][0] == "80%"
    found = both.a
    assert found.serverless_from == pytest.approx(0.5)
    assert found.reserved_from == pytest.approx(0.5)
    assert found.hybrid_from is not None
    assert found.hybrid_from.value == pytest.approx(0.8)


@pytest.mark.parametrize(("rate_a", "cheaper"), [(1.5, "A"), (2.5, "B"), (2.0, "")])
def test_the_dearer_host_is_worth_it_below_the_ratio_of_goodputs(
    goodput: dict[str, float], rate_a: float, cheaper: str
) -> None:
    a, b = sides(goodput, [990, 1000, 1010, 995, 1005], [500, 505, 495, 502, 498])
    found = bill(a, b, Prices(rate_a), Prices(1.0)).break_even
    assert found.cheaper == cheaper
    assert found.b_may_cost.value == pytest.approx(rate_a / found.goodput_ratio.value)


def test_a_side_without_good_tokens_costs_infinitely_much(goodput: dict[str, float]) -> None:
    a, b = sides(goodput, [0.0, 0.0], [500.0, 510.0])
    found = bill(a, b, Prices(1), Prices(1))
    assert found.a.per_million.value == np.inf
    assert found.break_even.cheaper == "B"
    assert bill(a, a, Prices(1), Prices(1)).break_even.cheaper == ""
    assert "∞" in {what: x for what, x, _ in bill_rows(found)}["$ / 1 M good, full use"]
    assert break_even_line(found)


def test_goodput_counts_tokens_of_requests_in_time() -> None:
    quiet, noisy = (read_run(SAMPLES / f"neighbour-{n}.tuiapp") for n in ("quiet", "noisy"))
    assert goodput_tokens_per_s(quiet) > goodput_tokens_per_s(noisy) > 0
    throughput = quiet.values["output_tokens_per_s"]
    assert throughput is not None
    assert goodput_tokens_per_s(quiet) <= 1.01 * throughput


def choices(found: tuple[object, ...]) -> dict[str, str]:
    return {advice.want: advice.choice for advice in found}  # type: ignore[attr-defined]


def test_nothing_undecided_is_recommended(goodput: dict[str, float]) -> None:
    noisy = [1.0, 1.3, 0.8, 1.1, 0.9]
    told = choices(advise(compare(made(noisy), made(noisy[::-1]))))
    assert told["low latency, all the time"] == "open"
    assert told["throughput for the money"] == "open"
    a, b = sides(goodput, [1000.0, 1001.0], [500.0, 501.0])
    money = bill(a, b, Prices(1), Prices(1))
    assert choices(advise(compare(a, b), money))["throughput for the money"] == "open"


def test_a_decided_comparison_recommends() -> None:
    told = choices(advise(compare(made(STEADY), made([1.2 * factor for factor in STEADY]))))
    assert told["low latency, all the time"] == "A"
    assert told["throughput for the money"] == "A"
    alike = choices(advise(compare(made(STEADY), made(STEADY[::-1]))))
    assert alike["low latency, all the time"] == "either"


def test_a_confounder_recommends_nothing(goodput: dict[str, float]) -> None:
    a, b = sides(goodput, [1000.0] * 5, [500.0, 501, 499, 500, 500])
    for run in b:
        object.__setattr__(run, "meta", {**run.meta, "model": {"name": "other"}})
    money = bill(a, b, Prices(1), Prices(1))
    assert choices(advise(compare(a, b), money))["throughput for the money"] == "open"


def test_isolation_goes_by_what_was_detected() -> None:
    a = made(STEADY, host={"machine": {"machine": "bare-metal"}})
    b = made(STEADY, host={"machine": {"machine": "guest"}})
    assert choices(advise(compare(a, b)))["isolation and compliance"] == "A"
    assert choices(advise(compare(made(STEADY), b)))["isolation and compliance"] == "open"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[a]\non_demand_per_h=1\n", "no table [b]"),
        ("[a]\n[b]\n", "no on_demand_per_h"),
        ("[a]\non_demand_per_h='x'\n[b]\n", "no number"),
        ("[a]\non_demand_per_h=0\n[b]\n", "above 0"),
        ("[a]\non_demand_per_h=1\nspot_per_h=-1\n[b]\n", "negative"),
        ("[a]\non_demand_per_h=nan\n[b]\n", "no number"),
        ("[a]\nrate=1\n[b]\n", "knows no rate"),
        ("[a]\non_demand_per_h=1\nspot_discount=1\n[b]\n", "no discount"),
        ("[a]\non_demand_per_h=1\nspot_discount=0.5\nspot_per_h=1\n[b]\n", "spot_per_h and"),
        ("[a]\nspot_discount=0.5\n[b]\n", "no on_demand_per_h"),
        ("[a]\non_demand_per_h=1\nsession_s=0\n[b]\n", "above 0"),
        ("[c]\n", "table [c]"),
        ("[a", "no TOML"),
    ],
)
def test_bad_prices_are_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        read_prices(path)
    assert says in error.value.message


def test_spot_may_be_told_as_a_discount(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text("[a]\non_demand_per_h=4\nspot_discount=0.6\n[b]\non_demand_per_h=1\n")
    assert read_prices(path)[0].spot_per_h == pytest.approx(1.6)


def test_the_length_of_a_session_goes_with_the_rates(capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(SAMPLES / f"neighbour-{name}.tuiapp") for name in ("quiet", "noisy")]
    assert cli.main(["compare", *files, "--session", "2h"]) == 2
    assert "--rate-a and --rate-b" in capsys.readouterr().err
    options = ["--rate-a", "1", "--rate-b", "2", "--session", "90m", "--format", "text"]
    assert cli.main(["compare", *files, *options]) == 5
    assert "$ / start + 1.5 h" in capsys.readouterr().out


def test_one_rate_alone_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(SAMPLES / f"neighbour-{name}.tuiapp") for name in ("quiet", "noisy")]
    assert cli.main(["compare", *files, "--rate-a", "1"]) == 2
    assert "--rate-a and --rate-b" in capsys.readouterr().err


def test_costs_stand_in_every_form(capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(SAMPLES / f"neighbour-{name}.tuiapp") for name in ("quiet", "noisy")]
    for form in ("text", "markdown", "html", "json"):
        cli.main(["compare", *files, "--rate-a", "1", "--rate-b", "2", "--format", form])
        out = capsys.readouterr().out
        assert "per_million" in out if form == "json" else "good tokens" in out
