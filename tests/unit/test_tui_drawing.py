"""What is drawn, and above all what is not."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.doubles.scenes import SCENES, serving, starting
from tests.doubles.terminal import Shown, shown
from tuiapp.events import ENGINE_EXIT, facts_frame
from tuiapp.tui.panes import PANES
from tuiapp.tui.panes.base import Pane
from tuiapp.tui.panes.status import StatusBar
from tuiapp.tui.renderables.palette import Depth


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How often each pane has computed its drawing."""
    counts: Counter[str] = Counter()
    real = Pane.show

    def counted(pane: Pane, *arguments: object, **options: object) -> None:
        counts[pane.id or ""] += 1
        real(pane, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Pane, "show", counted)
    return counts


async def test_hidden_panes_are_never_drawn(drawn: Counter[str]) -> None:
    async with shown(serving(), (80, 24)) as monitor:
        await monitor.draw()
        assert set(drawn) == {"ttft", "tpot", "traffic", "host"}
        drawn.clear()
        await monitor.press("4")
        await monitor.draw()
        assert set(drawn) == {"heatmap"}


@pytest.mark.parametrize("key", ["question_mark", "m", "slash", "d"])
async def test_nothing_is_drawn_under_another_screen(drawn: Counter[str], key: str) -> None:
    async with shown(serving()) as monitor:
        monitor.pane("requests").focus()
        await monitor.press(key)
        assert monitor.screen is not monitor.live
        drawn.clear()
        for _ in range(3):
            monitor.run.clock.advance(10**9)
            monitor.live.redraw()
            monitor.live.redraw(force=True)
        await monitor.settle()
        assert not drawn
        await monitor.press("escape")
        assert drawn["ttft"], "uncovered, the screen is up to date at once"


async def test_under_a_dialog_a_dead_engine_is_told_at_once() -> None:
    async with shown(serving()) as monitor:
        await monitor.press("question_mark")
        assert "serving" in monitor.text
        now_ns = monitor.run.clock.now_ns()
        value = json.dumps({"signal": "SIGKILL", "expected": False, "reason": "it was killed."})
        monitor.run.session.fold(facts_frame(now_ns, ENGINE_EXIT, value))
        for _ in range(5):
            monitor.run.clock.advance(5 * 10**8)
            monitor.live.redraw()
            await monitor.settle()
        assert "dead for 00:02" in monitor.text
        assert "it was killed." in monitor.text
        beneath = monitor.live.query_one(StatusBar)._line
        assert beneath is not None
        assert "serving" in beneath.text, "what is covered is not touched"


def _count_parts(monitor: Shown, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each pane composes its drawing from now on."""
    counts: Counter[str] = Counter()
    for pane in monitor.live.query(Pane):

        def counted(*arguments: Any, name: str = pane.id or "", real: Any = pane.parts) -> Any:
            counts[name] += 1
            return real(*arguments)

        monkeypatch.setattr(pane, "parts", counted)
    return counts


async def test_panes_of_one_screen_are_of_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    async with shown(serving(), (140, 45)) as monitor:
        await monitor.draw()
        counts = _count_parts(monitor, monkeypatch)
        each: list[set[str]] = []
        for _ in range(4):
            counts.clear()
            monitor.run.clock.advance(3 * 10**8)  # too short for the engine to count as silent
            monitor.live.redraw()
            each.append(set(counts) - {"heatmap"})
        assert sorted(map(len, each)) == [0, 0, 5, 5]
        assert {"ttft", "tpot", "traffic", "host", "requests"} in each


async def test_no_pane_waits_to_show_a_dead_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with shown(serving(), (140, 45)) as monitor:
        await monitor.draw()
        monitor.live.redraw()
        counts = _count_parts(monitor, monkeypatch)
        value = json.dumps({"signal": "SIGKILL", "expected": False, "reason": "it was killed."})
        now_ns = monitor.run.clock.now_ns()
        monitor.run.session.fold(facts_frame(now_ns, ENGINE_EXIT, value))
        monitor.live.redraw()
        assert {"ttft", "tpot", "heatmap", "traffic", "host", "requests"} <= set(counts)


async def test_only_lines_that_changed_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    async with shown(serving()) as monitor:
        regions: list[object] = []
        real = Pane.refresh

        def noted(pane: Pane, *arguments: object, **options: object) -> object:
            regions.append((pane.id, arguments))
            return real(pane, *arguments, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(Pane, "refresh", noted)
        monitor.live.redraw(force=True)
        assert regions == [], "the same moment is the same picture"
        monitor.run.clock.advance(10**8)
        monitor.live.redraw(force=True)
        assert all(arguments for _, arguments in regions), "never a whole pane"


def check_screen(monitor: Shown, width: int, height: int) -> None:
    """Every line of the screen and of each pane has exactly its width."""
    assert [len(line) for line in monitor.lines] == [width] * height
    for pane in monitor.live.query(Pane):
        if pane.display and pane.size.width:
            strips = pane.render_lines(pane.outer_size.region)
            assert {strip.cell_length for strip in strips} == {pane.outer_size.width}, pane.id
            for strip in strips:
                assert sum(segment.cell_length for segment in strip) == pane.outer_size.width
            assert len(pane._lines) == pane.content_size.height, pane.id


@pytest.mark.parametrize("scene", ["serving", "dead", "failed_start", "empty", "gpus"])
async def test_lines_have_their_width_at_every_size(scene: str) -> None:
    """Through sizes at random, so that every reflow is also one from something else."""
    rng = random.Random(scene)
    run = serving(gpus=3) if scene == "gpus" else SCENES[scene]()
    sizes = [(rng.randint(60, 220), rng.randint(16, 70)) for _ in range(10)]
    async with shown(run) as monitor:
        for width, height in [*sizes, (60, 16), (80, 24), (220, 70)]:
            await monitor.resize(width, height)
            check_screen(monitor, width, height)


async def test_from_large_to_tiny_and_back() -> None:
    async with shown(serving(), (200, 60)) as monitor:
        before = monitor.text
        await monitor.resize(50, 10)
        assert "50×10 is too small: tuiapp needs 60×16." in monitor.text
        assert "The run and the recording go on." in monitor.text
        await monitor.resize(10, 3)
        await monitor.resize(200, 60)
        await monitor.draw()
        assert monitor.text == before


async def test_keys_do_no_harm_while_the_terminal_is_too_small() -> None:
    async with shown(serving(), (40, 8)) as monitor:
        for key in ("4", "escape", "z", "space", "5", "down", "enter", "escape", "tab"):
            await monitor.press(key)
        await monitor.resize(80, 24)
        assert "TTFT ms" in monitor.text


async def test_another_theme_changes_the_plots() -> None:
    async with shown(serving()) as monitor:
        text, palette = monitor.text, monitor.app.palette
        ink = _colours(monitor)
        monitor.app.theme = "tuiapp-light"
        await monitor.settle()
        assert monitor.app.palette is not palette
        assert not ink & _colours(monitor)
        assert monitor.text == text


async def test_the_theme_can_be_chosen_in_the_palette() -> None:
    async with shown(serving()) as monitor:
        await monitor.press("slash", *"theme")
        await monitor.pilot.pause(0.3)
        await monitor.press("enter")
        await monitor.pilot.pause(0.3)
        await monitor.press(*"high")
        await monitor.pilot.pause(0.3)
        await monitor.press("enter")
        await monitor.pilot.pause(0.3)
        assert monitor.app.theme == "high-contrast"


async def test_a_pane_called_from_the_palette_is_drawn_at_once() -> None:
    async with shown(serving(), (80, 24)) as monitor:
        await monitor.press("slash", *"where the")
        await monitor.pilot.pause(0.3)
        await monitor.press("enter")
        await monitor.pilot.pause(0.3)
        assert "▼TTFT" in monitor.text


def _colours(monitor: Shown) -> set[object]:
    """Foregrounds of the bars in the first distribution."""
    return {
        segment.style.color
        for strip in monitor.pane("ttft")._lines
        for segment in strip
        if segment.style and "█" in segment.text
    }


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
async def test_without_colours_nothing_has_one_and_everything_is_still_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "restored afterwards, whatever the app does to it")
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv(name, value)
    async with shown(SCENES["dead"]()) as monitor:
        strips = monitor.screen._compositor.render_strips()
        styles = [segment.style for strip in strips for segment in strip if segment.style]
        for style in styles:
            assert style.color is None or style.color.is_default
            assert style.bgcolor is None or style.bgcolor.is_default
        assert any(style.reverse for style in styles), "the banner"
        assert "┏━ TTFT ms" in monitor.text, "the focus"
        assert {"▒", "▓", "█"} <= set(pane_text(monitor, "heatmap"))
        await monitor.press("question_mark", "escape", "m", "escape", "5", "down", "d")
        assert "Request #" in monitor.text


async def test_with_16_colours_glyphs_tell_things_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    monkeypatch.delenv("COLORTERM")
    async with shown(serving()) as monitor:
        assert monitor.app.palette.depth == Depth.ANSI_16
        assert {"▒", "▓", "█"} <= set(pane_text(monitor, "heatmap"))
        assert "×" in pane_text(monitor, "host"), "steal and use"


def pane_text(monitor: Shown, name: str) -> str:
    return "\n".join(strip.text for strip in monitor.pane(name)._lines)


async def test_the_cold_start_gives_way_to_the_panes(drawn: Counter[str]) -> None:
    async with shown(starting()) as monitor:
        visible = {pane.id for pane in monitor.live.query(Pane) if pane.display}
        assert visible == {"start", "log"}
        monitor.run.session = monitor.live.viewport.session = serving().session
        monitor.run.clock.advance(60 * 10**9)
        drawn.clear()
        monitor.live.redraw()
        await monitor.settle()
        visible = {pane.id for pane in monitor.live.query(Pane) if pane.display}
        assert visible == {"ttft", "tpot", "heatmap", "requests", "traffic", "host"}
        assert drawn == dict.fromkeys(visible, 1), "once, when all of it is laid out"
        check_screen(monitor, 120, 35)


def test_every_pane_is_registered_once() -> None:
    assert len(set(PANES.values())) == len(PANES) == 11
