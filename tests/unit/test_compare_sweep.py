"""Sweeps: knees and capacities, and two of them beside each other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.doubles.comparing import sweep
from tuiapp import cli
from tuiapp.compare.design import read, save
from tuiapp.compare.sweep import Point, Sweep, capacity, knee, knee_span, read_sweep
from tuiapp.compare.sweep_text import findings, text


def point(level: float, tokens: float, e2el_s: float, worst: float | None) -> Point:
    meets = None if worst is None else worst <= 1
    return Point(
        level, 1, 100, 0.01, 0.02, 0.01, 0.02, e2el_s, tokens, meets, worst, tokens / e2el_s
    )


def test_the_knee_has_the_most_throughput_for_its_response_time() -> None:
    saturating = [
        point(load, min(load, 8.0), 1 / (1 - min(load / 10, 0.95)), None)
        for load in (1.0, 2.0, 4.0, 5.0, 8.0, 16.0)
    ]
    assert knee(saturating) == 5.0  # of M/M/1 with a capacity of 10
    assert knee(saturating[:3]) is None  # still rising at the end


def test_capacity_is_where_the_worst_statistic_reaches_its_limit() -> None:
    points = [point(1, 1, 1, 0.25), point(4, 1, 1, 0.5), point(16, 1, 1, 2.0)]
    assert capacity(points) == pytest.approx(8.0)
    assert capacity(points[:2]) is None
    assert capacity([point(1, 1, 1, 2.0), point(2, 1, 1, 3.0)]) is None
    assert capacity([point(1, 1, 1, None), point(2, 1, 1, None)]) is None


def test_the_knee_may_be_where_the_power_is_not_surely_lower() -> None:
    def between(level: float, low: float, high: float) -> Point:
        return replace(point(level, (low + high) / 2, 1, None), power_span=(low, high))

    points = [
        between(1, 1, 2),
        between(2, 5, 9),
        between(4, 7, 8),
        between(8, 4, 7),
        between(16, 2, 3),
    ]
    assert knee(points) == 4
    assert knee_span(points) == (2, 8)
    assert knee_span([*points, point(32, 1, 1, None)]) is None  # one run there tells no interval


def test_several_runs_a_level_give_the_knee_an_interval(tmp_path: Path) -> None:
    folder = sweep(tmp_path / "a", [4, 8, 16], runs=3)
    design = read(folder)
    assert design is not None
    found = read_sweep(folder, design)
    assert [p.runs for p in found.points] == [3, 3, 3]
    for p in found.points:
        assert p.power is not None
        assert p.power_span is not None
        assert p.power_span[0] < p.power < p.power_span[1]
    assert found.knee_span is not None


def test_a_level_whose_run_failed_is_told(tmp_path: Path) -> None:
    folder = sweep(tmp_path / "a", [4, 8, 16])
    design = read(folder)
    assert design is not None
    lost = next(run for run in design.runs if run.level == 8)
    design = design.with_outcome(lost, "failed")
    found = read_sweep(folder, design)
    assert found.failed == (8,)
    (line,) = (line for line in text([found]).splitlines() if line.startswith("8 "))
    assert line.endswith("no run was made")


def test_two_sweeps_in_text_pass_the_gate_and_fit_a_narrow_tab(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = (sweep(tmp_path / f"host{at}", [4, 8, 16], ttft_s=0.02 * (1 + at)) for at in (0, 1))
    assert cli.main(["compare", str(a), str(b), "--rate-a", "1", "--rate-b", "2"]) == 5
    table, rest = capsys.readouterr().out.split("Both at 8 requests/s:")
    assert max(map(len, table.splitlines())) <= 76
    assert "B host1: objectives are met up to 16 requests/s at least" in table
    assert "gate" in rest
    assert "$ / start + 1 h" in rest
    assert cli.main(["compare", str(a), str(b), "--json"]) == 5
    told = json.loads(capsys.readouterr().out)
    assert told["level"] == 8
    assert told["comparison"]["schema"] == "tuiapp.compare/1"
    assert [len(found["points"]) for found in told["sweeps"]] == [3, 3]


def test_no_interval_is_wider_than_its_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = (sweep(tmp_path / f"host{at}", [4, 8], runs=2, ttft_s=0.02 * (1 + at)) for at in (0, 1))
    assert cli.main(["compare", str(a), str(b), "--format", "text"]) == 5
    (line,) = (x for x in capsys.readouterr().out.splitlines() if x.startswith("output tokens/s "))
    assert ">1000" in line  # two runs a side say next to nothing
    assert line.index("◀") == 62, "where the other rows begin theirs"


def test_a_sweep_of_which_nothing_was_made_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = (sweep(tmp_path / f"host{at}", [4, 8]) for at in (0, 1))
    design = read(b)
    assert design is not None
    save(b, replace(design, runs=tuple(replace(run, outcome="planned") for run in design.runs)))
    assert cli.main(["compare", str(a), str(b), "--format", "text"]) == 2
    assert "holds no run of a sweep" in capsys.readouterr().err


def test_sweeps_end_in_the_verdict_at_their_middle_level(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = (
        sweep(tmp_path / f"host{at}", [4, 8, 16], runs=5, ttft_s=0.02 * (1 + at)) for at in (0, 1)
    )
    assert cli.main(["compare", str(a), str(b), "--format", "text"]) == 4
    assert "SLOWER" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_sweeps_are_written_in_every_form(
    tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = (sweep(tmp_path / f"<host{at}>", [4, 8], ttft_s=0.02 * (1 + at)) for at in (0, 1))
    assert cli.main(["compare", str(a), str(b), "--format", form]) == 5
    out = capsys.readouterr().out
    assert "p99/p50" in out
    assert "Both at 8 requests/s" in out
    assert "end-to-end p99" in out
    if form == "html":
        assert "<host" not in out
        assert "&lt;host0&gt;" in out
    else:
        assert "\\<host0\\>" in out
        rows = [line for line in out.splitlines() if line.startswith("| 4 | A |")]
        assert [row.count("|") for row in rows] == [12]


def test_how_much_more_load_one_host_carries() -> None:
    def found(name: str, about: float | None, span: tuple[float | None, float | None]) -> Sweep:
        return Sweep(name, "rate", "d", (point(1, 1, 1, None),), None, about, span)

    a = found("a", 8.0, (6.0, 10.0))
    assert findings([a, found("b", 6.0, (5.0, 8.0))])[-1] == (
        "highest load, B/A: about 0.75 (surely 0.50 to 1.33)"
    )
    assert "B/A" not in findings([a, found("b", None, (None, 8.0))])[-1]
    assert "B/A" not in findings([a])[-1]
