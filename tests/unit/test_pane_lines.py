"""Panes put their lines together themselves: they must look as if Textual had done it."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widget import Widget

from tests.doubles.scenes import serving
from tests.doubles.synthetic import NS, Load, frames
from tuiapp.tui.panes.base import Pane
from tuiapp.tui.screens.live import LiveScreen

SIZES = [(140, 45), (80, 24), (170, 52)]
STEPS = ["tab", "z", "l", "5", "5", "question_mark", "escape"]


def cells(strip: Strip) -> list[tuple[str, object]]:
    """Every cell with its style, however the line is cut into segments."""
    return [(char, segment.style) for segment in strip for char in segment.text]


def compare(screen: LiveScreen) -> int:
    """How many panes were looked at."""
    shown = [pane for pane in screen.query(Pane) if pane.display and pane.size.width]
    for pane in shown:
        whole = pane.outer_size.region
        ours = pane.render_lines(whole)
        pane._styles_cache.clear()
        textuals = Widget.render_lines(pane, whole)
        for y, (our, textual) in enumerate(zip(ours, textuals, strict=True)):
            assert (pane.id, y, our.text) == (pane.id, y, textual.text)
            pairs = enumerate(zip(cells(our), cells(textual), strict=True))
            assert not [(pane.id, x, y, a, b) for x, (a, b) in pairs if a != b][:1]
        assert {line.cell_length for line in ours} == {whole.width}
    return len(shown)


async def redraw(pilot: Pilot[None]) -> None:
    pilot.app.screen.redraw()  # type: ignore[attr-defined]
    await pilot.pause()
    await pilot.pause(0.05)


@pytest.mark.parametrize("size", SIZES)
async def test_lines_are_textuals(size: tuple[int, int]) -> None:
    run = serving(60.0)
    coming = (frame for frame in frames(Load(duration_s=90.0)) if frame.t1_ns > 60 * NS)
    async with run.app().run_test(size=size) as pilot:
        await pilot.pause()
        for key in STEPS:
            run.clock.advance(NS)
            for frame in coming:
                run.fold(frame)
                if frame.t1_ns > run.clock.now_ns():
                    break
            await pilot.press(key)
            if isinstance(pilot.app.screen, LiveScreen):
                await redraw(pilot)
                assert compare(pilot.app.screen) >= 1


async def test_a_part_of_the_lines() -> None:
    async with serving().app().run_test(size=(140, 45)) as pilot:
        await redraw(pilot)
        pane = pilot.app.screen.query_one("#ttft", Pane)
        crop = pane.outer_size.region.shrink((2, 5, 3, 4))
        ours = pane.render_lines(crop)
        pane._styles_cache.clear()
        assert list(map(cells, ours)) == list(map(cells, Widget.render_lines(pane, crop)))


async def test_another_theme() -> None:
    async with serving().app().run_test(size=(140, 45)) as pilot:
        await redraw(pilot)
        before = cells(
            pilot.app.screen.query_one("#ttft", Pane).render_lines(pilot.app.size.region)[0]
        )
        pilot.app.theme = "tuiapp-light"
        await redraw(pilot)
        assert compare(pilot.app.screen) > 4  # type: ignore[arg-type]
        pane = pilot.app.screen.query_one("#ttft", Pane)
        assert cells(pane.render_lines(pane.outer_size.region)[0]) != before
