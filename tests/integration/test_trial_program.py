"""Trials and sweeps through the program, with an engine that is a stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.program import Surroundings


@pytest.fixture
def program() -> Iterator[Surroundings]:
    around = Surroundings()
    yield around
    around.close()


def test_a_trial_of_one_host_against_itself(tmp_path: Path, program: Surroundings) -> None:
    load = ["--duration", "2", "--warmup", "0", "--rate", "40"]
    folder = str(tmp_path / "aa")
    done = program.run("trial", "--aa", "--runs", "2", "-o", folder, *load)
    assert done.code == 0, done.err
    assert "own noise" in done.out
    files = sorted(path.name for path in Path(folder).glob("*.tuiapp"))
    assert files == ["01-a.tuiapp", "02-b.tuiapp", "03-b.tuiapp", "04-a.tuiapp"]
    again = program.run("trial", "--aa", "--runs", "2", "-o", folder, *load)
    assert again.code == 0
    assert "4 of 4 runs are there already" in again.err
    other = program.run("trial", "--aa", "--runs", "2", "-o", folder, "--rate", "5")
    assert other.code == 2
    assert "another load" in other.err


def test_a_sweep_finds_its_levels_and_is_not_compared_with_itself(
    tmp_path: Path, program: Surroundings
) -> None:
    folder = str(tmp_path / "sweep")
    options = ["--over", "rate=5,20", "--duration", "2", "--warmup", "0", "--json"]
    done = program.run("sweep", *options, "-o", folder)
    assert done.code == 0, done.err
    points = done.json["sweeps"][0]["points"]
    assert [point["level"] for point in points] == [5.0, 20.0]
    assert all(point["requests"] > 0 for point in points)
    both = program.run("compare", folder, "vs", folder)
    assert both.code == 2
    assert "are one recording" in both.err
