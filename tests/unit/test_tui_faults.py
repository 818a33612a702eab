"""A mistake in one drawing: the pane says so, everything else goes on, and the end tells of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.doubles.scenes import serving
from tests.doubles.terminal import shown
from tuiapp.cli.screen import tell_faults
from tuiapp.tui.app import MonitorApp
from tuiapp.tui.panes.base import Part, Scene
from tuiapp.tui.panes.heatmap import HeatmapPane


def fails(pane: HeatmapPane, scene: Scene, width: int, height: int) -> Sequence[Part]:
    raise IndexError("index 15 is out of bounds [red]")


async def test_the_pane_says_so_and_all_else_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    async with shown(serving()) as monitor:
        monkeypatch.setattr(MonitorApp, "is_headless", False)
        monkeypatch.setattr(HeatmapPane, "parts", fails)
        await monitor.draw()
        said = " ".join(strip.text.strip() for strip in monitor.pane("heatmap")._lines).strip()
        where = "(test_tui_faults.py:18)"
        fault = f"IndexError: index 15 is out of bounds [red] {where}"
        assert said == f"cannot be drawn: {fault}"
        assert monitor.app.faults == {HeatmapPane.TITLE: fault}
        assert "p99" in "".join(strip.text for strip in monitor.pane("ttft")._lines)
        monkeypatch.undo()
        await monitor.draw()
        assert "cannot" not in "".join(strip.text for strip in monitor.pane("heatmap")._lines)


async def test_in_tests_it_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    async with shown(serving()) as monitor:
        monkeypatch.setattr(HeatmapPane, "parts", fails)
        with pytest.raises(IndexError):
            monitor.live.redraw(force=True)


def test_it_is_told_when_the_screen_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    tell_faults({"Latency over time": "IndexError: index 15 (heatmap.py:175)"})
    said = capsys.readouterr().err
    assert "The pane 'Latency over time' could not be drawn: IndexError: index 15" in said
    assert "report it" in said
