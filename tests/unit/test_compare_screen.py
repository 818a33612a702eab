"""The comparison's screen: two recordings under one clock, at three sizes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.doubles.comparing import SAMPLE_PAIR, SAMPLES, compared, record, sweep
from tests.doubles.synthetic import NS, Load
from tuiapp.compare.cost import Prices
from tuiapp.compare.reading import Question
from tuiapp.stats.axis import LogAxis
from tuiapp.tui.pairs import TABS
from tuiapp.tui.pairs.heads import PairTransport
from tuiapp.tui.pairs.pane import TabPane
from tuiapp.tui.pairs.scene import METRICS, shared_axis
from tuiapp.tui.panes.base import Pane
from tuiapp.tui.screens.help import HelpScreen

SIZES = [(80, 24), (120, 35), (200, 60)]


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Question:
    """Five runs a side; B's first tokens take half as long again."""
    folder = tmp_path_factory.mktemp("five")
    sides: tuple[list[Path], list[Path]] = ([], [])
    hosts = ({"hostname": "metal", "virtualization": "none"},
             {"hostname": "pod", "virtualization": "kvm"})  # fmt: skip
    for side, host in enumerate(hosts):
        for at in range(5):
            load = Load(seed=at, duration_s=12 + side, rate=20, ttft_s=0.02 * (1 + side / 2))
            sides[side].append(record(folder / f"{'ab'[side]}{at}.tuiapp", load, host=host))
    return Question(sides, prices=(Prices(4.0), Prices(3.0)))


@pytest.mark.parametrize("size", SIZES)
async def test_every_tab_fills_every_size(size: tuple[int, int]) -> None:
    async with compared(SAMPLE_PAIR, size) as shown:
        for key in map(str, range(1, len(TABS) + 1)):
            await shown.press(key)
            assert len(shown.lines) == size[1]
            assert all(len(line) == size[0] for line in shown.lines)
            pane = shown.screen.query_one(TabPane)
            assert pane.content_size.height >= 7
            drawn = ["".join(s.text for s in pane.render_line(y)) for y in range(3)]
            assert any(line.strip() for line in drawn)


@pytest.mark.parametrize("size", SIZES)
async def test_the_six_rows_and_the_mirrors_are_there(size: tuple[int, int]) -> None:
    async with compared(SAMPLE_PAIR, size) as shown:
        for title in ("TTFT p50", "TTFT p99", "ITL p50", "ITL p99", "end-to-end p99"):
            assert title in shown.text
        assert "p50 11.1" in shown.text
        assert "p99 94.8 ×6.77" in shown.text
        assert "one run a side tells of these recordings" in shown.words
        shown_mirrors = [pane for pane in shown.screen.query("#mirrors Pane") if pane.display]
        assert len(shown_mirrors) == (1 if size[0] < 100 else 3)


async def test_five_runs_a_side_get_verdicts(five: Question) -> None:
    async with compared(five) as shown:
        assert "B SLOWER" in shown.text
        assert "5+5 runs" in shown.text
        assert "metal" in shown.lines[0]
        assert "pod" in shown.lines[1]
        assert "virtualization none → kvm" in shown.lines[2]


async def test_one_clock_moves_both_from_the_start_of_their_load(tmp_path: Path) -> None:
    early = record(tmp_path / "early.tuiapp", Load(seed=1, duration_s=20, start_s=5))
    late = record(tmp_path / "late.tuiapp", Load(seed=2, duration_s=30, start_s=12))
    async with compared(Question(([early], [late]))) as shown:
        scene = shown.screen.scene()
        assert [v.cursor_ns for v in scene.views] == [v.cursor_ns for v in scene.chosen.ends]
        await shown.press("home", *["right"] * 3)
        scene = shown.screen.scene()
        starts = scene.chosen.starts_ns
        assert starts[1] - starts[0] > 5 * NS
        passed = [view.cursor_ns - start for view, start in zip(scene.views, starts, strict=True)]
        assert passed[0] == passed[1] == round(passed[0])
        assert 0 < passed[0] < scene.chosen.span_ns
        await shown.press("end")
        assert shown.screen.scene().window_label == "whole runs"


async def test_what_the_cursor_shows_is_what_each_run_had_then() -> None:
    async with compared(SAMPLE_PAIR) as shown:
        whole = [view.recent("ttft").n for view in shown.screen.scene().views]
        await shown.press("home", "right", "right", "right")
        some = [view.recent("ttft").n for view in shown.screen.scene().views]
        assert all(0 < part < every for part, every in zip(some, whole, strict=True))
        assert f"n {some[0]}" in shown.text


async def test_axes_are_shared_and_stand_still() -> None:
    async with compared(SAMPLE_PAIR) as shown:
        scene = shown.screen.scene()
        for metric in METRICS:
            axis = shared_axis(scene, metric, 60)
            assert isinstance(axis, LogAxis)
            for view in scene.chosen.ends:
                p50 = view.run(metric).statistic_ns(0.5)
                assert p50 is not None
                assert 0 <= axis.column_of(p50) < 60
            await shown.press("home", "right")
            assert shared_axis(shown.screen.scene(), metric, 60) == axis


async def test_space_plays_and_comes_to_the_end() -> None:
    async with compared(SAMPLE_PAIR) as shown:
        real_ns = [0]
        shown.screen._clock._real_ns = lambda: real_ns[0]
        await shown.press("space")
        assert shown.screen._clock.playing
        assert "▶ 1×" in shown.text
        real_ns[0] += 10 * NS
        shown.screen.redraw()
        await shown.settle()
        assert "00:10 / 01:01" in shown.text
        await shown.press("greater_than_sign")
        assert "▶ 2×" in shown.text
        real_ns[0] += 60 * NS
        shown.screen.redraw()
        await shown.settle()
        assert "‖ 2×" in shown.text
        assert "01:01 / 01:01" in shown.text


async def test_a_click_on_the_strip_seeks() -> None:
    async with compared(SAMPLE_PAIR) as shown:
        strip = shown.screen.query_one(PairTransport)
        left, top = strip.content_region.offset
        middle = 24 + (strip.content_size.width - 24) // 2
        await shown.pilot.click(offset=(left + middle, top))
        await shown.settle()
        at = shown.screen._clock.now_ns() / shown.screen.scene().chosen.span_ns
        assert 0.48 < at < 0.54


async def test_a_click_on_a_tab_opens_it() -> None:
    async with compared(SAMPLE_PAIR) as shown:
        row = next(y for y, line in enumerate(shown.lines) if " 2 shift " in line)
        await shown.pilot.click(offset=(shown.lines[row].index("shift"), row))
        await shown.settle()
        assert shown.screen.query_one(TabPane).shown == "shift"


async def test_keys_choose_other_runs(five: Question) -> None:
    async with compared(five) as shown:
        assert "1/5  a0" in shown.lines[0]
        await shown.press("a", "b", "b")
        assert "2/5  a1" in shown.lines[0]
        assert "3/5  b2" in shown.lines[1]
        await shown.press("A", "A")
        assert "5/5  a4" in shown.lines[0]
        assert shown.screen.scene().views[0].session.path == five.sides[0][4]
        assert "whole runs" in shown.text


async def test_a_side_of_one_run_says_so() -> None:
    async with compared(SAMPLE_PAIR) as shown:
        await shown.press("b")
        assert shown.said == "B has one run only."


async def test_the_shift_function_of_each_metric() -> None:
    async with compared(SAMPLE_PAIR) as shown:
        await shown.press("2")
        line = next(line for line in shown.lines if line.startswith(" p50 "))
        assert "1.75" in line
        assert "11.1" in line
        assert "19.4" in line
        assert "+8.3" in line
        assert "96% of pairs" in shown.text
        await shown.press("d", "d")
        assert "ITL ms" in shown.text
        assert "n 15,057" in shown.text


async def test_why_names_what_one_side_alone_has() -> None:
    async with compared(SAMPLE_PAIR) as shown:
        await shown.press("4", "enter")
        first = next(line for line in shown.lines if "B ✗" in line)
        assert "A ✓ other processes" in first
        assert "B ✗ other processes" in first
        assert "Something else computes on this machine" in shown.words


async def test_cost_needs_prices_and_shows_them(five: Question) -> None:
    async with compared(SAMPLE_PAIR) as shown:
        await shown.press("6")
        assert "--rate-a 4.10 --rate-b 2.90" in shown.text
    async with compared(five) as shown:
        await shown.press("6", "enter")
        assert "good tokens/s" in shown.text
        assert "Both are alike when an hour of B costs" in shown.words
        assert "A B $ for 1 M good tokens, by time used" in shown.text


async def test_advice_tells_what_is_missing() -> None:
    async with compared(SAMPLE_PAIR) as shown:
        await shown.press("7", "enter")
        assert "low latency, all the time" in shown.text
        assert "nothing recommended" not in shown.words
        assert "5 comparable runs a side" in shown.words


async def test_hosts_shows_what_differs_only(tmp_path: Path) -> None:
    sides = [
        record(tmp_path / f"{name}.tuiapp", Load(seed=seed, duration_s=8), engine={"version": name},
               host={"cpu_model": "same", "fingerprint": {"machine": kind, "kernel": "6.1"}})
        for seed, (name, kind) in enumerate((("1.0", "bare-metal"), ("2.0", "guest")))
    ]  # fmt: skip
    async with compared(Question(([sides[0]], [sides[1]]))) as shown:
        assert "NOT COMPARABLE: engine.version 1.0 → 2.0" in shown.lines[2]
        await shown.press("3")
        pane = [line for line in shown.lines if "confounder!" in line or "intended" in line]
        assert "engine.version" in pane[0]
        assert "bare-metal" in pane[1]
        assert "guest" in pane[1]
        assert "cpu_model" not in shown.text
        assert "6.1" not in shown.text


async def test_scaling_of_two_sweeps_and_how_to_make_one(tmp_path: Path) -> None:
    folders = [sweep(tmp_path / f"host{at}", [4, 8, 16], ttft_s=0.02 * (1 + at)) for at in (0, 1)]
    async with compared(Question(([folders[0]], [folders[1]]))) as shown:
        assert "same model, engine and load at level 8 of the sweeps" in shown.lines[2]
        await shown.press("5", "enter")
        assert "TTFT p99, ms" in shown.text
        assert "requests/s" in shown.text
        assert "B host1: objectives are met up to 16 requests/s at least" in shown.words
    async with compared(SAMPLE_PAIR) as shown:
        await shown.press("5")
        assert "tuiapp sweep --over rate=1,2,4,8,16" in shown.text


async def test_enter_gives_the_tab_the_room_and_escape_takes_it_back() -> None:
    async with compared(SAMPLE_PAIR) as shown:
        pane = shown.screen.query_one(TabPane)
        before = pane.size.height
        await shown.press("enter")
        assert pane.size.height > before + 10
        await shown.press("escape")
        assert pane.size.height == before


async def test_tab_goes_round_and_long_tabs_scroll() -> None:
    async with compared(SAMPLE_PAIR, (80, 24)) as shown:
        await shown.press("shift+tab")
        assert shown.screen.query_one(TabPane).shown == "time"
        await shown.press("tab", "4")
        top = shown.text
        await shown.press("down", "down", "pagedown")
        assert shown.text != top
        await shown.press("up", "up", "pageup")
        assert shown.text == top


async def test_help_tells_every_key() -> None:
    async with compared(SAMPLE_PAIR) as shown:
        await shown.press("question_mark")
        assert isinstance(shown.app.screen, HelpScreen)
        assert "next run of A" in shown.text
        await shown.press("escape")
        assert shown.app.screen is shown.screen


async def test_too_small_says_so() -> None:
    async with compared(SAMPLE_PAIR, (50, 12)) as shown:
        assert "50×12 is too small" in shown.text


async def test_verdicts_follow_the_question_not_the_cursor(five: Question) -> None:
    strict = replace(five, margin=0.9)
    async with compared(strict) as shown:
        assert "±90 % band" in shown.text
        pane = shown.screen.query_one(TabPane)
        assert isinstance(pane, Pane)
        rows = [line[:60] for line in shown.lines if line.startswith(" TTFT p50")]
        await shown.press("home")
        assert [line[:60] for line in shown.lines if line.startswith(" TTFT p50")] == rows


async def test_where_there_is_little_room_values_stay_and_ratios_go() -> None:
    """A third of 100 columns holds two values; with their ratios they would not fit."""
    pair = Question(([SAMPLES / "steady.tuiapp"], [SAMPLES / "bursty.tuiapp"]))
    async with compared(pair, (100, 30)) as shown:
        line = next(line for line in shown.lines if line.startswith("│ B "))
        cell = line.split("││")[0]
        assert "p50" in cell
        assert "p99" in cell
        assert "×" not in cell


async def test_narrow_costs_have_both_sides(five: Question) -> None:
    async with compared(five, (80, 24)) as shown:
        await shown.press("6")
        await shown.press("enter")
        assert any(line.split()[:2] == ["A", "B"] for line in shown.lines)
        assert "Both are alike when an hour of B costs" in shown.words
        (start,) = (line for line in shown.lines if line.strip().startswith("cold start"))
        assert len(re.findall(r"\d+\.\d", start)) == 2
        (tokens,) = (line for line in shown.lines if line.strip().startswith("good tokens/s"))
        assert len(re.findall(r"\d+\.\d+ \(\d+\.\d+–\d+\.\d+\)", tokens)) == 2


async def test_all_there_is_to_know_of_the_verdicts_stands_in_the_tab_alone(
    five: Question, tmp_path: Path
) -> None:
    async with compared(five) as shown:
        assert "fewer than 368 requests: p99 is near the largest" not in shown.words
        await shown.press("enter")
        assert "5 runs a side; 10 a side are recommended" in shown.words
        assert "10 runs have fewer than 368 requests: p99 is near the largest" in shown.words
    failed = record(tmp_path / "failed.tuiapp", Load(seed=9, duration_s=12, failed_share=0.3))
    async with compared(Question((five.sides[0][:1], [failed]))) as shown:
        await shown.press("enter")
        assert "end-to-end p99: B: too many requests failed in 1 of 1 run." in shown.words
        assert "TTFT p50: one run a side tells of these recordings" in shown.words


@pytest.mark.parametrize("size", [(80, 24), (140, 45)])
async def test_courses_say_their_means_and_the_difference(size: tuple[int, int]) -> None:
    async with compared(SAMPLE_PAIR, size) as shown:
        await shown.press("8")
        told = re.findall(r"mean ([\d.]+)(?:, |.*mean )([\d.]+)  B−A ([+−])([\d.]+)", shown.text)
        assert len(told) >= 2
        for a, b, sign, less in told:
            assert float(less) == pytest.approx(abs(float(b) - float(a)), abs=0.11)
            assert (sign == "−") == (float(b) < float(a))
