"""Comparing two sides: the gate, the intervals, the outcomes, what is said when none can be had."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.doubles.synthetic import Load, frames
from tuiapp import cli
from tuiapp.compare.advice import advise
from tuiapp.compare.answer import answer
from tuiapp.compare.cells import gate_lines, picture, verdict_text
from tuiapp.compare.comparison import Comparison, compare
from tuiapp.compare.quantities import FAMILY, LEVEL
from tuiapp.compare.reading import Question
from tuiapp.compare.reports import FORMATS, report
from tuiapp.compare.runs import Run, read_run
from tuiapp.compare.verdict import (
    EQUIVALENT,
    FASTER,
    FASTER_BY_SOME,
    INCONCLUSIVE,
    NONE,
    SLOWER,
    SLOWER_BY_SOME,
    decide,
    runs_needed,
)
from tuiapp.errors import UsageError
from tuiapp.events import Frame, Kind
from tuiapp.imports import import_file
from tuiapp.session.edit import rewrite
from tuiapp.session.writer import SessionWriter

SAMPLES = Path(__file__).parents[2] / "sample_sessions"
META = {
    "model": {"name": "m", "dtype": "bfloat16"},
    "engine": {"name": "vLLM", "version": "1"},
    "workload": {"digest": "d"},
    "host": {"cpu_model": "Made-up CPU"},
}


@cache
def steady() -> Run:
    return read_run(SAMPLES / "steady.tuiapp")


def made(factors: list[float], **changes: object) -> list[Run]:
    """Runs whose latencies are ``factors`` times 10 ms and whose throughput is the inverse."""
    meta = {**META, **changes}
    return [
        Run(
            path=Path(f"{at}.tuiapp"),
            name=str(at),
            created_ns=at,
            values={
                q.name: (100 / factor if q.higher_is_better else 0.01 * factor) for q in FAMILY
            },
            requests=1000,
            failed=0,
            meta=meta,
            trial={},
            caveats=(),
            view=steady().view,
        )
        for at, factor in enumerate(factors)
    ]


def verdicts(found: Comparison) -> set[str]:
    return {row.verdict for row in found.rows}


STEADY = [1.0, 1.004, 0.996, 1.002, 0.998]


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.06, 0.09, SLOWER),
        (-0.09, -0.06, FASTER),
        (0.01, 0.09, SLOWER_BY_SOME),
        (-0.09, -0.01, FASTER_BY_SOME),
        (-0.03, 0.04, EQUIVALENT),
        (0.01, 0.04, EQUIVALENT),
        (-0.03, 0.06, INCONCLUSIVE),
        (-0.2, 0.2, INCONCLUSIVE),
    ],
)
def test_each_interval_has_one_outcome(low: float, high: float, verdict: str) -> None:
    assert decide(low, high, 0.05) == verdict


def test_runs_that_agree_are_equivalent() -> None:
    found = compare(made(STEADY), made(STEADY[::-1]))
    assert verdicts(found) == {EQUIVALENT}
    assert found.exit_code == 0


def test_a_slower_host_is_slower_in_time_and_in_tokens() -> None:
    found = compare(made(STEADY), made([1.2 * factor for factor in STEADY]))
    assert verdicts(found) == {SLOWER}
    assert found.exit_code == 4
    assert found.rows[0].ratio == pytest.approx(1.2, rel=1e-6)
    assert found.rows[-1].ratio == pytest.approx(1 / 1.2, rel=1e-6)


def test_a_faster_host_is_faster_and_that_is_fine() -> None:
    found = compare(made(STEADY), made([factor / 1.2 for factor in STEADY]))
    assert verdicts(found) == {FASTER}
    assert found.exit_code == 0


def test_noisy_runs_are_inconclusive_and_say_how_many_would_do() -> None:
    noisy = [1.0, 1.3, 0.8, 1.1, 0.9]
    found = compare(made(noisy), made(noisy[::-1]))
    assert verdicts(found) == {INCONCLUSIVE}
    assert found.exit_code == 5
    needed = found.rows[0].runs_needed
    assert needed is not None
    assert needed > 5
    assert f"{needed} runs a side" in verdict_text(found.rows[0], 0.05)


def test_the_runs_needed_would_settle_it() -> None:
    needed = runs_needed(0.0, 2 * 0.05**2, 2.0, 0.05, LEVEL)
    assert needed is not None
    rng = np.random.default_rng(1)
    base = rng.standard_normal(needed)
    spread = 0.05 * (base - base.mean()) / base.std(ddof=1)
    found = compare(made(list(np.exp(spread))), made(list(np.exp(spread[::-1]))))
    assert verdicts(found) == {EQUIVALENT}


@pytest.mark.parametrize("runs", [2, 4])
def test_few_runs_give_intervals_and_no_verdict(runs: int) -> None:
    found = compare(made(STEADY[:runs]), made([1.5 * factor for factor in STEADY[:runs]]))
    assert verdicts(found) == {NONE}
    assert all(row.interval is not None for row in found.rows)
    assert found.exit_code == 5


def test_two_recordings_differ_but_hosts_get_no_verdict() -> None:
    found = compare(
        [read_run(SAMPLES / "neighbour-quiet.tuiapp")],
        [read_run(SAMPLES / "neighbour-noisy.tuiapp")],
    )
    assert verdicts(found) == {NONE}
    ttft = found.rows[0]
    assert ttft.interval is not None
    assert ttft.interval[0] > 1
    assert found.rows[1].interval is None  # p99 of fewer than 368 requests


@pytest.mark.parametrize(
    "change",
    [
        {"engine": {"name": "vLLM", "version": "2"}},
        {"model": {"name": "other", "dtype": "bfloat16"}},
        {"workload": {"digest": "e"}},
        {"host": {"nvidia_driver": "580"}},
    ],
)
def test_a_confounder_caps_every_verdict(change: dict[str, object]) -> None:
    a = made(STEADY, host={"nvidia_driver": "570"})
    b = made([1.5 * factor for factor in STEADY], **{"host": {"nvidia_driver": "570"}, **change})
    found = compare(a, b)
    assert verdicts(found) == {INCONCLUSIVE}
    assert found.gate.confounders


def test_hosts_that_differ_are_what_is_compared() -> None:
    a = made(STEADY, host={"virtualization": "bare metal", "cpu_model": "x"})
    b = made(STEADY, host={"virtualization": "guest of KVM", "cpu_model": "x"})
    found = compare(a, b)
    assert found.gate.open
    assert [(d.field, d.kind) for d in found.gate.differences] == [
        ("host.virtualization", "intended")
    ]
    assert verdicts(found) == {EQUIVALENT}


def test_runs_of_one_side_must_be_alike() -> None:
    mixed = [*made(STEADY[:4]), *made(STEADY[4:], workload={"digest": "e"})]
    found = compare(mixed, made(STEADY))
    assert found.gate.mixed == ("workload.digest differs among the runs of A: d, e",)
    assert not found.gate.differences, "told once"
    assert verdicts(found) == {INCONCLUSIVE}


def test_one_run_beside_several_tells_of_that_recording() -> None:
    found = compare(made(STEADY[:3]), made(STEADY[3:4]))
    assert {row.why for row in found.rows} == {"one run tells of that recording, not of its host"}


def test_a_model_in_another_folder_is_the_same_model() -> None:
    a, b = (made(STEADY, model={"name": name}) for name in ("/a/m", "/home/b/m"))
    assert compare(a, b).gate.open


def test_interleaved_runs_are_paired() -> None:
    drift = [1.0, 1.3, 0.8, 1.5, 1.1]
    a, b = made(drift), made([1.2 * factor for factor in drift])
    for side, arm in ((a, "A"), (b, "B")):
        for at, run in enumerate(side):
            object.__setattr__(run, "trial", {"set": "s", "block": at, "arm": arm})
    found = compare(a, b)
    assert verdicts(found) == {SLOWER}
    assert {row.method for row in found.rows} == {"paired t"}
    for run in (*a, *b):
        object.__setattr__(run, "trial", {})
    assert SLOWER not in verdicts(compare(a, b))  # unpaired, the drift hides it


def test_the_runs_that_pairs_need_follow_from_the_pairs() -> None:
    drift = np.exp(np.linspace(-0.5, 0.5, 8))  # large, and the same for both of a pair
    noise = np.exp(0.03 * np.array([1, -1, 1, -1, 1, -1, 1, -1.0]))

    def interleaved(times: int) -> Comparison:
        a, b = made(list(drift) * times), made(list(1.02 * noise * drift) * times)
        for side in (a, b):
            for at, run in enumerate(side):
                object.__setattr__(run, "trial", {"set": "s", "block": at})
        return compare(a, b)

    row = interleaved(1).rows[0]
    assert row.verdict == INCONCLUSIVE
    assert row.runs_needed is not None
    assert 8 < row.runs_needed <= 24
    settled = interleaved(-(-row.runs_needed // 8)).rows[0]
    assert settled.verdict != INCONCLUSIVE


def test_failed_requests_leave_no_ratio() -> None:
    b = made(STEADY)
    for run in b:
        object.__setattr__(run, "values", {**run.values, "ttft_p99_s": math.inf})
    row = compare(made(STEADY), b).rows[1]
    assert (row.verdict, row.ratio) == (NONE, None)
    assert "failed in 5 of 5 runs" in row.why


def test_nothing_measured_is_said(tmp_path: Path) -> None:
    empty = tmp_path / "empty.tuiapp"
    writer = SessionWriter(empty)
    writer.put(Frame(Kind.META, 0, 0, attrs=META))
    writer.close()
    found = compare([read_run(empty)], [read_run(SAMPLES / "steady.tuiapp")])
    assert verdicts(found) == {NONE}
    assert "nothing was measured" in found.rows[0].why


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_says_every_quantity(form: str) -> None:
    text = report(form)(answer(compare(made(STEADY), made([1.2 * factor for factor in STEADY]))))
    for quantity in FAMILY:
        assert (quantity.name if form == "json" else quantity.title) in text
    if form == "json":
        assert json.loads(text)["exit_code"] == 4
    else:
        assert "SLOWER" in text


def test_words_of_a_recording_do_not_become_markup() -> None:
    a = made(STEADY, host={"hostname": "<script>|`x`"})
    found = answer(compare(a, made(STEADY)))
    assert "<script>" not in report("html")(found)
    assert "\\<script\\>\\|\\`x\\`" in report("markdown")(found)


def test_the_picture_shows_where_the_interval_lies() -> None:
    slower = compare(made(STEADY), made([1.1 * factor for factor in STEADY])).rows[0]
    equal = compare(made(STEADY), made(STEADY)).rows[0]
    far = compare(made(STEADY), made([9 * factor for factor in STEADY])).rows[0]
    assert picture(slower, 0.05).index("●") > picture(slower, 0.05).rindex("┊")
    assert picture(equal, 0.05)[14] == "●"
    assert picture(far, 0.05).endswith("»"), "the estimate itself lies out there"


def run_cli(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = cli.main(["compare", *argv])
    out, err = capsys.readouterr()
    return code, out, err


def test_two_files_need_no_vs(capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(SAMPLES / f"neighbour-{name}.tuiapp") for name in ("quiet", "noisy")]
    code, out, _ = run_cli(capsys, *files, "--json")
    assert code == 5
    assert json.loads(out)["rows"][0]["ratio"] > 1.2


def test_folders_are_sides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for side in (0, 1):
        folder = tmp_path / "ab"[side]
        folder.mkdir()
        for at in range(3):
            load = Load(seed=10 * side + at, duration_s=3.0)
            rewrite(frames(load), folder / f"{at}.tuiapp")
    code, out, _ = run_cli(capsys, str(tmp_path / "a"), "vs", str(tmp_path / "b"))
    assert code == 5
    assert "3+3 runs" in out


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "needs two sides"),
        (["x"], "needs two sides"),
        (["a", "b", "c"], "not clear where B begins"),
        (["a", "vs", "b", "vs", "c"], "more than two sides"),
        (["a", "vs"], "needs two sides"),
        (["a", "b", "--margin", "x"], "no share"),
        (["a", "b", "--margin", "0"], "out of range"),
        (["a", "b", "--margin", "200%"], "out of range"),
    ],
)
def test_bad_words_are_one_sentence(
    argv: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run_cli(capsys, *argv)
    assert (code, out) == (2, "")
    assert says in err


def test_a_run_on_both_sides_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    steady = str(SAMPLES / "steady.tuiapp")
    code, _, err = run_cli(capsys, steady, "vs", steady)
    assert code == 2
    assert "both sides" in err


def test_an_empty_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run_cli(capsys, str(tmp_path), "vs", str(SAMPLES))
    assert code == 2
    assert "holds no recording" in err


def test_a_file_that_is_no_recording_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "x.tuiapp"
    other.write_bytes(b"no session")
    code, _, err = run_cli(capsys, str(other), str(SAMPLES / "steady.tuiapp"))
    assert code == 1
    assert "no tuiapp session" in err


@pytest.mark.parametrize(
    ("section", "field"),
    [("model", "name"), ("engine", "version"), ("workload", "digest"), ("host", "cpu_model")],
)
def test_what_neither_side_tells_keeps_the_gate_shut(section: str, field: str) -> None:
    """Twice unknown is not alike: results of other programs tell neither host nor engine."""
    less = {name: value for name, value in META[section].items() if name != field}
    sides = [made(factors, **{section: less}) for factors in (STEADY, [1.5 * f for f in STEADY])]
    found = compare(*sides)
    assert verdicts(found) == {INCONCLUSIVE}
    assert found.exit_code == 5
    assert found.gate.missing == tuple(f"{side} does not tell {section}.{field}" for side in "AB")
    assert "NOT COMPARABLE: what was compared is not known well enough" in "".join(
        gate_lines(found)
    )
    assert {advice.choice for advice in advise(found)} <= {"open"}


def test_throughput_of_runs_of_two_lengths_lies_in_its_interval() -> None:
    long, short = (read_run(SAMPLES / f"{name}.tuiapp") for name in ("steady", "neighbour-quiet"))
    (row,) = (row for row in compare([long], [short]).rows if row.quantity.higher_is_better)
    assert row.ratio is not None
    assert row.interval is not None
    assert row.interval[0] < row.ratio < row.interval[1]
    assert row.interval[1] / row.interval[0] < 1.6


def test_one_result_under_two_names_is_refused(tmp_path: Path) -> None:
    source = Path(__file__).parents[1] / "fixtures" / "imports" / "vllm-rate.json"
    paths = [import_file(source, tmp_path / f"{name}.tuiapp") for name in "ab"]
    with pytest.raises(UsageError, match="are one recording"):
        Question(([paths[0]], [paths[1]])).read()
