"""An imported session on the screen: what nobody told is a dash, never a zero."""

from __future__ import annotations

import re

import pytest

from tests.doubles.scenes import FakeRun, screen_text
from tests.unit.imported import FIXTURES, result, session
from tuiapp.clock import FakeClock
from tuiapp.tui.panes import PANE_KEYS

FILES = ["vllm-failures.json", "guidellm-concurrent.json", "aiperf-closed.jsonl"]
SIZES = [(140, 44), (80, 24)]


def run(name: str) -> FakeRun:
    found = session(FIXTURES / name)
    return FakeRun(found, FakeClock(found.end_ns), finished=True)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", FILES)
async def test_every_pane_copes_with_an_imported_session(name: str, size: tuple[int, int]) -> None:
    app = run(name).app()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        shown = screen_text(app)
        assert "done" in shown
        for key in PANE_KEYS.values():
            await pilot.press(key)
            await pilot.pause()
            assert screen_text(app).count("\n") == size[1]


async def test_latencies_are_shown_and_the_host_is_unknown() -> None:
    app = run("vllm-failures.json").app()
    async with app.run_test(size=(140, 44)) as pilot:
        await pilot.pause()
        shown = screen_text(app)
        await pilot.press("7")
        await pilot.pause()
        host = screen_text(app)
    p50_ms = result(FIXTURES / "vllm-failures.json")["ttft_s"]["p50"] * 1e3
    assert re.search(rf"TTFT ms(.|\n)*p50 +{p50_ms:.0f} +p90 +∞", shown)
    assert "— cores" in shown
    assert re.search(r"—.%  steal +—.%", host)
    assert "host unknown: an imported result tells nothing of it" in host


async def test_gaps_that_nobody_told_are_no_gaps_of_zero() -> None:
    app = run("guidellm-concurrent.json").app()
    async with app.run_test(size=(140, 44)) as pilot:
        await pilot.press("3")
        await pilot.pause()
        shown = screen_text(app)
    assert "ITL ms" in shown
    assert re.search(r"p50 +— +p90 +—", shown)
