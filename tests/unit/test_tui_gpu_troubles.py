"""The gravest trouble of all GPUs comes first, in words that fit."""

from __future__ import annotations

import json

import pytest

from tests.doubles.drawing import picture
from tests.doubles.gpu_scenes import GIB, HEALTH, last, lost, row, silent, watched
from tests.doubles.scenes import NS, FakeRun, unavailable
from tuiapp.events import PROBE_UNAVAILABLE, Frame, Kind, facts_frame
from tuiapp.session.view import View
from tuiapp.tui.panes.devices import devices
from tuiapp.tui.panes.gpu import _summary
from tuiapp.tui.panes.gpu_troubles import gpu_fields, troubles, worst_words
from tuiapp.tui.renderables.numbers import NumberLines
from tuiapp.tui.renderables.palette import Ink

NAN = float("nan")
GONE = {"probe": "gpu0", "reason": "the GPU is lost: it has fallen off the bus"}
SLOW = {"pcie_gen": 3.0, "pcie_width": 16.0, "pcie_gen_max": 5.0, "pcie_width_max": 16.0}
FACTS = {"index": 0, "power_default_w": 800.0}

WRONG = {
    "lost at 00:58": lambda run: run.fold(
        facts_frame(58 * NS, PROBE_UNAVAILABLE, json.dumps(GONE)),
        last(run, 0, throttle_reasons=NAN, util=NAN),
    ),
    "12 uncorrected ECC": lambda run: run.fold(
        row(65.0, "gpu0.health", **(HEALTH | {"ecc_uncorrected": 12.0}))
    ),
    "hw thermal": lambda run: run.fold(last(run, 0, throttle_reasons=float(0x40 | 0x8 | 0x20))),
    "sw thermal": lambda run: run.fold(last(run, 0, throttle_reasons=float(0x20 | 0x4))),
    "PCIe 3 × 16 of 5 × 16": lambda run: run.fold(last(run, 0, **SLOW)),
    "limit 700 of 800 W": lambda run: run.fold(
        Frame(Kind.META, 0, 0, attrs={"host": {"gpus": [FACTS]}})
    ),
    "others keep it 35 % busy": lambda run: run.fold(
        last(run, 0, other_bytes=NAN, other_util=0.35)
    ),
    "power cap": lambda run: run.fold(last(run, 0, throttle_reasons=float(0x4))),
}
"""The gravest first."""


def view_of(run: FakeRun) -> View:
    return View(run.session, run.clock.now_ns(), None)


@pytest.mark.parametrize("words", WRONG)
def test_each_trouble_is_told(words: str) -> None:
    run = watched(1)
    WRONG[words](run)
    assert troubles(devices(view_of(run))[0])[0].words == words


@pytest.mark.parametrize("at", range(len(WRONG) - 1))
def test_troubles_are_ranked(at: int) -> None:
    graver, lesser = list(WRONG)[at : at + 2]
    found = []
    for words in (lesser, graver):
        run = watched(1)
        WRONG[words](run)
        found += devices(view_of(run))
    words, _ = worst_words(found, 60)
    assert graver in words
    assert words.endswith("+1 more")


def test_the_gravest_is_told_though_another_gpu_comes_first() -> None:
    run = watched(8)
    run.fold(*(last(run, at, throttle_reasons=float(0x4)) for at in range(8)))
    run.fold(last(run, 2, throttle_reasons=float(0x40)))
    run.fold(last(run, 4, other_bytes=12 * GIB, other_procs=1.0, throttle_reasons=0.0))
    run.fold(row(65.0, "gpu6.health", **(HEALTH | {"ecc_uncorrected": 12.0})))
    found = devices(view_of(run))
    assert worst_words(found, 36) == ("gpu6: 12 uncorrected ECC · +7 more", Ink.BAD)
    assert worst_words(found, 30) == ("gpu6: 12 uncorrected ECC +7", Ink.BAD)


def test_what_several_gpus_have_is_told_once() -> None:
    run = watched(4)
    run.fold(*(last(run, at, throttle_reasons=float(0x4)) for at in range(3)))
    assert worst_words(devices(view_of(run)), 36) == ("3 GPUs: power cap", Ink.WARN)


def test_of_one_gpu_everything_is_told_or_counted() -> None:
    run = watched(1)
    run.fold(last(run, 0, throttle_reasons=float(0x40 | 0x20)))
    found = devices(view_of(run))
    assert worst_words(found, 22) == ("hw thermal, sw thermal", Ink.BAD)
    assert worst_words(found, 21) == ("hw thermal +1", Ink.BAD)


def test_nothing_wrong_is_good_and_unknown_is_not() -> None:
    run = watched(2)
    assert worst_words(devices(view_of(run)), 36) == ("not throttled", Ink.GOOD)
    run.fold(last(run, 1, throttle_reasons=NAN), unavailable("gpu1.throttle_reasons", "no rights"))
    assert worst_words(devices(view_of(run)), 36) == ("throttling unknown: no rights", Ink.DIM)


@pytest.mark.parametrize("width", range(8, 60))
def test_words_fit(width: int) -> None:
    words, _ = worst_words(devices(view_of(lost())), width)
    assert len(words) <= width
    assert words.startswith("gpu5 lo")


def test_power_is_summed_where_both_are_known() -> None:
    run = watched(8)
    run.fold(last(run, 7, power_w=NAN))
    (line, _) = picture(NumberLines(tuple(_summary(devices(view_of(run)), 60))), 60, 2)
    assert "of 4.9 kW  7 of 8 GPUs" in line
    small = watched(1)
    small.fold(last(small, 0, power_w=71.0, power_limit_w=150.0))
    (line, _) = picture(NumberLines(tuple(_summary(devices(view_of(small)), 60))), 60, 2)
    assert "power  71 of 150 W" in line


def test_numbers_of_silent_gpus_are_not_shown_in_the_one_line() -> None:
    (line,) = picture(NumberLines((gpu_fields(view_of(silent(2))),)), 78, 1)
    assert line.split()[:9] == ["2", "GPU", "—", "%", "mem", "—", "%", "—", "°C"]
    assert line.endswith("gpu0, gpu1 no answer for 12 s")
