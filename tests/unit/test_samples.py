"""The recordings that come with the program are what they are said to be."""

from __future__ import annotations

import argparse
import shlex
from functools import cache

import numpy as np
import pytest

from tuiapp.cli import _parse
from tuiapp.cli.demo import run
from tuiapp.events import CLIENT_LIMITED
from tuiapp.exports.summary import summary
from tuiapp.session.columns import Session
from tuiapp.session.file import SessionFile
from tuiapp.session.reader import Report, load
from tuiapp.session.samples import folder, sample, samples
from tuiapp.session.verify import verify
from tuiapp.session.view import View

SAMPLES = {found.name: found for found in samples()}
MOST_BYTES = 5_000_000


@cache
def opened(name: str) -> Session:
    return load(SAMPLES[name].path)


def result(name: str) -> dict[str, object]:
    session = opened(name)
    return summary(View(session, session.end_ns))


def ttft(name: str, q: str) -> float:
    return float(result(name)["ttft_s"][q])  # type: ignore[index]


def test_they_are_all_there_and_together_small() -> None:
    files = {path.stem for path in folder().glob("*.tuiapp")}
    assert files == set(SAMPLES)
    assert {"steady", "bursty", "neighbour-quiet", "neighbour-noisy"} <= set(SAMPLES)
    assert sum(found.path.stat().st_size for found in SAMPLES.values()) <= MOST_BYTES


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_sample_is_a_whole_recording_of_this_program(name: str) -> None:
    report = Report()
    session = load(SAMPLES[name].path, report)
    assert report.whole
    with SessionFile(SAMPLES[name].path) as file:
        assert file.indexed
    assert session.meta["program"]["name"] == "tuiapp"
    assert session.meta["engine"]["name"] == "vLLM"
    assert len(session.ends) > 100


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_sample_holds_nothing_identifying(name: str) -> None:
    verdict = verify(SAMPLES[name].path)
    assert verdict.identifying == {}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_sample_says_how_it_can_be_recorded_again(name: str) -> None:
    found = SAMPLES[name]
    assert found.shows.endswith(".")
    assert found.recorded.endswith(".")
    words = shlex.split(found.command)
    again = _parse(words[words.index("tuiapp") + 1 :])
    workload = opened(name).meta["workload"]
    assert again.rate == workload["rate"]
    assert again.duration == workload["duration_s"]
    assert again.seed == workload["seed"]
    assert again.preset == workload["name"]


def test_the_steady_one_is_steady_and_the_bursty_one_is_not() -> None:
    assert ttft("steady", "p99") < 20 * ttft("steady", "p50")
    assert int(np.max(opened("bursty").gauges["waiting"])) >= 10
    assert ttft("bursty", "p99") > 10 * ttft("steady", "p99")


def test_the_noisy_neighbour_made_the_same_load_slower() -> None:
    quiet, noisy = (opened(f"neighbour-{how}").meta for how in ("quiet", "noisy"))
    assert quiet["workload"]["digest"] == noisy["workload"]["digest"]
    assert quiet["host"]["cpu_model"] == noisy["host"]["cpu_model"]
    assert ttft("neighbour-noisy", "p50") > 1.2 * ttft("neighbour-quiet", "p50")


def test_the_quiet_ones_were_not_limited_by_their_client() -> None:
    for name in ("steady", "neighbour-quiet"):
        limited = [fact.value for fact in opened(name).facts if fact.name == CLIENT_LIMITED]
        assert not any(value.get("limited") for value in limited), name


def test_demo_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argparse.Namespace(list=True)) == 0
    text = capsys.readouterr().out
    for found in SAMPLES.values():
        assert found.name in text
        assert " ".join(found.command.split())[:40] in " ".join(text.split())


def test_the_first_is_the_default() -> None:
    assert sample(None).name == next(iter(SAMPLES))
