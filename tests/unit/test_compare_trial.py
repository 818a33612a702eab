"""Designs of trials and sweeps, and a host's own noise."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from shutil import copyfile

import pytest

from tests.unit.test_compare import SAMPLES, STEADY, made
from tuiapp import cli
from tuiapp.cli.sweep import parse_over
from tuiapp.compare.comparison import compare
from tuiapp.compare.design import AA, DONE, ONE, PLAN, plan, plan_sweep, read, save
from tuiapp.compare.noise import Noise, host_key, keep, learn, recall
from tuiapp.errors import UsageError


def test_two_arms_are_interleaved_in_pairs_that_turn() -> None:
    design = plan("t", AA, "d", 4)
    assert "".join(run.arm for run in design.runs) == "ABBAABBA"
    assert [run.block for run in design.runs] == [0, 0, 1, 1, 2, 2, 3, 3]


def test_one_arm_is_made_in_order() -> None:
    assert [run.arm for run in plan("t", ONE, "d", 3).runs] == ["A", "A", "A"]


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    design = plan_sweep("t", "d", "rate", [1, 2, 4], 2, seed=1)
    design = design.with_outcome(design.runs[0], DONE)
    save(tmp_path, design)
    assert read(tmp_path) == design
    assert design.is_like(plan_sweep("t", "d", "rate", [1, 2, 4], 2, seed=1))
    assert not design.is_like(plan_sweep("t", "d", "rate", [1, 2, 5], 2, seed=1))


def test_every_round_of_a_sweep_visits_every_level() -> None:
    design = plan_sweep("t", "d", "rate", [1, 2, 4, 8], 3, seed=5)
    rounds = [[run.level for run in design.runs if run.block == block] for block in range(3)]
    assert all(sorted(levels) == [1, 2, 4, 8] for levels in rounds)
    assert len({tuple(levels) for levels in rounds}) > 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "x"}', "[" * 5000, "\0"])
def test_what_is_no_plan_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / PLAN).write_text(text)
    with pytest.raises(UsageError, match="no plan"):
        read(tmp_path)


def test_a_plan_cannot_name_a_file_elsewhere(tmp_path: Path) -> None:
    design = plan("t", ONE, "d", 1)
    save(tmp_path, replace(design, runs=(replace(design.runs[0], file="../../etc/x"),)))
    found = read(tmp_path)
    assert found is not None
    assert found.runs[0].file == "x"


def test_one_a_a_trial_has_both_sides_of_a_comparison(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    design = plan("t", AA, "d", 1)
    save(tmp_path, design)
    assert cli.main(["compare", str(tmp_path), "--json"]) == 2
    assert "no run of one arm yet" in capsys.readouterr().err
    for run, name in zip(design.runs, ("quiet", "noisy"), strict=True):
        copyfile(SAMPLES / f"neighbour-{name}.tuiapp", tmp_path / run.file)
        design = design.with_outcome(run, DONE)
    save(tmp_path, design)
    assert cli.main(["compare", str(tmp_path), "--json"]) == 5
    told = json.loads(capsys.readouterr().out)
    assert [run["name"] for run in (*told["a"], *told["b"])] == ["01-a", "02-b"]


def test_one_folder_of_another_trial_is_one_side(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path, plan("t", ONE, "d", 1))
    assert cli.main(["compare", str(tmp_path)]) == 2
    assert "one side of a comparison" in capsys.readouterr().err


def test_what_an_a_a_trial_found_stays_until_the_next_one(tmp_path: Path) -> None:
    learned = [Noise({"ttft_p50_s": 0.01 * at}, 5, f"t{at}", "d", aa) for at, aa in
               enumerate((False, True, False, True), start=1)]  # fmt: skip
    kept = []
    for noise in learned:
        keep(tmp_path, "abc", noise)
        kept.append(recall(tmp_path, "abc"))
    assert kept == [learned[0], learned[1], learned[1], learned[3]]


def test_noise_is_kept_with_the_host_and_shown(tmp_path: Path) -> None:
    host = {"fingerprint": {"digest": "abc"}}
    runs = made(STEADY, host=host)
    noise = learn(runs, "t")
    assert noise is not None
    assert noise.spread["ttft_p50_s"] == pytest.approx(0.00316, rel=0.01)
    keep(tmp_path, host_key(runs[0]), noise)
    assert recall(tmp_path, "abc") == noise
    assert recall(tmp_path, "other") is None
    found = compare(runs, made(STEADY), noise_folder=tmp_path)
    assert found.noise == (noise, None)


@pytest.mark.parametrize("text", ["", "[]", '{"abc": 1}', '{"abc": {"spread": 1}}', "[" * 9999])
def test_noise_that_makes_no_sense_is_unknown(tmp_path: Path, text: str) -> None:
    (tmp_path / "noise.json").write_text(text)
    assert recall(tmp_path, "abc") is None


def test_one_run_has_no_noise() -> None:
    assert learn(made([1.0]), "t") is None


def test_levels_are_read_in_rising_order() -> None:
    assert parse_over("rate=4,1,2,2") == ("rate", [1.0, 2.0, 4.0])


@pytest.mark.parametrize(
    "text", ["", "rate", "rate=", "rate=a,b", "rate=1", "rate=0,1", "rate=1,inf", "x=1,2",
             "concurrency=1.5,2"],
)  # fmt: skip
def test_levels_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_over(text)
