"""What is said beside the numbers: which sides, what failed, whose noise, what costs rest on."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.unit.test_compare import SAMPLES, STEADY, made
from tests.unit.test_compare_cost import choices, goodput, sides
from tuiapp.compare.advice import advise
from tuiapp.compare.answer import answer
from tuiapp.compare.cells import heading, method_line, noise_lines, picture, reach
from tuiapp.compare.comparison import compare
from tuiapp.compare.cost import Prices, bill
from tuiapp.compare.noise import Noise
from tuiapp.compare.quantities import FAMILY
from tuiapp.compare.reports import report
from tuiapp.compare.runs import Run, read_run
from tuiapp.compare.verdict import NONE
from tuiapp.events import Status
from tuiapp.session.deliveries import between

__all__ = ["goodput"]


def changed(runs: list[Run], **changes: object) -> list[Run]:
    return [replace(run, **changes) for run in runs]  # type: ignore[arg-type]


def in_folder(runs: list[Run], folder: str) -> list[Run]:
    return [replace(run, path=Path(folder) / run.path.name) for run in runs]


# -- which sides -----------------------------------------------------------------------------


def test_sides_of_one_host_are_told_apart_by_their_recordings() -> None:
    a, b = in_folder(made(STEADY), "/x/base"), in_folder(made(STEADY), "/x/new")
    assert [told.split(" · ")[0] for told in heading(compare(a, b))] == ["base/0 … 4", "new/0 … 4"]
    one, other = heading(compare(a[:1], b[1:2]))
    assert (one.split(" · ")[0], other.split(" · ")[0]) == ("0", "1")
    same = heading(compare(a[:1], b[:1]))
    assert [told.split(" · ")[0] for told in same] == ["base/0", "new/0"]


def test_a_long_name_keeps_both_its_ends() -> None:
    (run,) = changed(made([1.0]), name="20261124-101500-" + "m" * 60 + "-last")
    told = heading(compare([run], made([1.0])))[0].split(" · ")[0]
    assert len(told) == 33
    assert (told[:15], told[-4:]) == ("20261124-101500", "last")


def test_a_side_of_several_machines_is_none_of_one_host() -> None:
    hosts = [{**run.meta, "host": {"hostname": f"h{at}", "cpu_model": "Made-up CPU"}}
             for at, run in enumerate(made(STEADY))]  # fmt: skip
    b = [replace(run, meta=meta) for run, meta in zip(made(STEADY), hosts, strict=True)]
    a = made(STEADY, host={"hostname": "a", "cpu_model": "Made-up CPU"})
    found = compare(a, b)
    assert "h0 · Made-up CPU and 4 others · 5 runs" in heading(found)[1]
    assert found.scope == "these machines as they were then, 1 on side A and 5 on side B"
    assert any("B's runs were made on 5 machines" in caveat for caveat in found.caveats)
    assert not any("A's runs" in caveat for caveat in found.caveats)


# -- failures --------------------------------------------------------------------------------


def test_failures_are_told_with_each_side() -> None:
    found = compare(made(STEADY), changed(made(STEADY), failed=5))
    assert "5 runs of 1,000 requests, 0.5% failed" in heading(found)[1]
    assert "failed" not in heading(found)[0]
    assert "B: 25 of 5,000 requests failed or never finished" in found.caveats
    assert all(row.verdict != NONE for row in found.rows)


@pytest.mark.parametrize(("failed", "without"), [
    (20, {"ttft_p99_s", "itl_p99_s", "e2el_p99_s"}),
    (600, {quantity.name for quantity in FAMILY}),
])  # fmt: skip
def test_the_survivors_of_many_failures_get_no_verdict(failed: int, without: set[str]) -> None:
    found = compare(made(STEADY), changed(made(STEADY), failed=failed))
    assert {row.quantity.name for row in found.rows if row.verdict == NONE} == without
    assert all("too many requests failed" in r.why for r in found.rows if r.verdict == NONE)


def test_all_failed_is_said_and_nothing_is_recommended(goodput: dict[str, float]) -> None:
    a, b = sides(goodput, [100.0] * 5, [0.0] * 5)
    b = changed(b, failed=1000)
    for run in b:
        goodput[run.name] = 0.0
    comparison = compare(a, b)
    money = bill(a, b, Prices(4), Prices(2))
    assert ", all failed" in heading(comparison)[1]
    told = report("text")(replace(answer(comparison), bill=money))
    assert "Only A serves anything in time: B is not worth any price." in " ".join(told.split())
    assert "inf " not in report("text")(answer(comparison, (Prices(4), Prices(2))))
    reasons = {advice.want: advice.because for advice in advise(comparison, money)}
    assert "only A serves anything in time" in reasons["throughput for the money"]
    assert set(choices(advise(comparison, money)).values()) == {"open"}


def test_the_same_caveat_of_many_runs_is_one() -> None:
    runs = changed(made(STEADY), caveats=("it ends early",))
    assert "A all 5 runs: it ends early" in compare(runs, made(STEADY)).caveats
    some = [*runs[:4], *made(STEADY)[4:]]
    assert "A 0, 1, 2 and 1 more: it ends early" in compare(some, made(STEADY)).caveats


def test_counts_that_do_not_vary_are_no_ranges() -> None:
    found = compare(changed(made(STEADY), requests=328), changed(made(STEADY), requests=602))
    assert "requests a run differ: A 328, B 602" in found.caveats


# -- numbers ---------------------------------------------------------------------------------


def test_the_picture_reaches_to_the_estimates() -> None:
    found = compare(made(STEADY), made([1.6 * factor for factor in STEADY]))
    assert reach(found) == 14
    row = found.rows[0]
    assert "●" not in picture(row, 0.05)
    drawn = picture(row, 0.05, far=reach(found))
    assert drawn.index("●") > drawn.rindex("┊") > drawn.index("┊")
    assert reach(compare(made(STEADY), made(STEADY))) == 4


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_robust_estimates_and_the_method_stand_beside_the_verdicts(form: str) -> None:
    found = compare(made(STEADY), made([1.1 * factor for factor in STEADY]))
    assert method_line(found).startswith("Welch t, each at 99.2%")
    told = " ".join(report(form)(answer(found)).split())
    assert "B/A by Hodges and Lehmann: TTFT p50 1.1" in told
    assert "these recordings; not all of them tell" in told


def test_noise_says_where_it_is_from() -> None:
    noise = Noise({"ttft_p50_s": 0.2}, 5, "noisy", "d")
    found = replace(compare(made(STEADY), made(STEADY)), noise=(noise, noise))
    (line,) = noise_lines(found)
    assert line.endswith("TTFT p50 ±20.0% (5 runs of noisy, no A/A trial)")
    runs = changed(made(STEADY), trial={"set": "noisy"})
    (line,) = noise_lines(replace(found, a=tuple(runs)))
    assert line.endswith("no A/A trial, compared here)")
    (line,) = noise_lines(replace(found, noise=(replace(noise, aa=True), None)))
    assert line.endswith("(5 runs of the A/A trial noisy)")


def test_markdown_has_a_heading_for_each_list() -> None:
    found = answer(compare(made(STEADY), made(STEADY)), (Prices(4), Prices(2)))
    heads = [x for x in report("markdown")(found).splitlines() if x.startswith("#")]
    assert heads == ["### Cost", "### Why", "### Advice", "### To know"]


# -- costs and advice ------------------------------------------------------------------------


def test_prices_far_apart_do_not_decide_an_inconclusive_comparison(
    goodput: dict[str, float],
) -> None:
    a, b = sides(goodput, [100.0, 101, 99, 100, 100], [99.0, 100, 101, 100, 100])
    noisy = [1.0, 1.3, 0.8, 1.1, 0.9]
    a, b = (
        [replace(run, values=other.values) for run, other in zip(side, made(noise), strict=True)]
        for side, noise in ((a, noisy), (b, noisy[::-1]))
    )
    money = bill(a, b, Prices(4), Prices(2))
    assert money.break_even.cheaper == "B"
    assert set(choices(advise(compare(a, b), money)).values()) == {"open"}


def test_the_cheaper_hour_is_for_development_unless_its_tail_is_many_times_worse(
    goodput: dict[str, float],
) -> None:
    for times, choice in ((1.0, "B"), (2.0, "B"), (4.0, "open")):
        a, _ = sides(goodput, [100.0] * 5, [100.0] * 5)
        b = [replace(run, name=f"b{run.name}") for run in made([times * f for f in STEADY])]
        money = bill(a, b, Prices(4), Prices(2))
        assert choices(advise(compare(a, b), money))["development and tests"] == choice


@pytest.mark.parametrize("name", ["steady", "bursty", "neighbour-noisy"])
def test_good_tokens_are_those_delivered_in_the_window(name: str) -> None:
    view = read_run(SAMPLES / f"{name}.tuiapp").view
    window = view.measured
    assert window is not None
    table = view.session.requests
    limits = view._limits_ns
    req = np.flatnonzero(table["status"][:] == Status.OK)
    wait = table["t_first_ns"][req] - table["t_sched_ns"][req]
    tokens = table["output_tokens"][req].astype(np.int64)
    tpot = (table["t_last_ns"][req] - table["t_first_ns"][req]) / np.maximum(tokens - 1, 1)
    good = req[(wait <= limits.get("ttft", math.inf)) & (tpot <= limits.get("tpot", math.inf))]
    exact = sum(
        int(batch.n[np.isin(batch.req, good)].sum())
        for batch in between(view.session, window.start_ns - 1, window.end_ns)
    )
    assert view.good_tokens(window.start_ns - 1, window.end_ns) == pytest.approx(exact, rel=0.002)
    assert exact > 0
