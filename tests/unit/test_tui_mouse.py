"""What the mouse does."""

from __future__ import annotations

import pytest

from tests.doubles.scenes import NS, serving
from tests.doubles.terminal import shown
from tuiapp.tui.screens.help import HelpScreen
from tuiapp.tui.screens.request import RequestScreen


async def test_a_click_gives_a_pane_the_focus() -> None:
    async with shown(serving()) as monitor:
        await monitor.click("#traffic", 3, 1)
        assert monitor.live.focused is monitor.pane("traffic")


async def test_a_click_on_the_heatmap_goes_to_that_moment_and_at_its_end_follows() -> None:
    async with shown(serving()) as monitor:
        line = next(line for line in monitor.lines if "00:15" in line and "01:00" in line)
        heatmap = monitor.pane("heatmap")
        for label, seconds in (("00:45", 45), ("00:30", 30)):
            middle = line.index(label) + 2 - heatmap.content_region.x
            await monitor.click("#heatmap", middle, 3)
            cursor_s = monitor.live.viewport.cursor_ns / NS
            assert cursor_s == pytest.approx(seconds, abs=2.5)
            line = next(line for line in monitor.lines if "00:15" in line and "00:00" in line)
        await monitor.press("end")
        await monitor.click("#heatmap", heatmap.content_size.width - 1, 3)
        assert monitor.live.viewport.pinned


async def test_a_click_beside_the_map_moves_nothing() -> None:
    async with shown(serving()) as monitor:
        await monitor.click("#heatmap", 2, 3)
        assert monitor.live.viewport.pinned


async def test_a_click_selects_a_request_and_a_double_click_shows_it() -> None:
    async with shown(serving()) as monitor:
        requests = monitor.pane("requests")
        await monitor.click("#requests", 8, 1)
        assert requests._selected is None, "the head is no request"
        await monitor.click("#requests", 8, 4)
        assert requests._selected == requests._rows[2].req
        await monitor.click("#requests", 8, 5, times=2)
        assert isinstance(monitor.screen, RequestScreen)
        assert f"Request #{requests._rows[3].req} " in monitor.text


async def test_a_click_on_an_empty_line_of_the_table_selects_nothing() -> None:
    async with shown(serving(5.6), (120, 60)) as monitor:
        requests = monitor.pane("requests")
        assert 0 < len(requests._rows) < requests.content_size.height - 3
        await monitor.click("#requests", 8, requests.content_size.height - 1)
        assert requests._selected is None


async def test_the_keys_in_the_bottom_line_can_be_clicked() -> None:
    async with shown(serving()) as monitor:
        line = monitor.lines[-1]
        for label, check in (
            ("pause", lambda: not monitor.live.viewport.pinned),
            ("window", lambda: monitor.live.viewport.window_ns is None),
            ("full", lambda: monitor.pane("ttft").outer_size.width == 120),
        ):
            await monitor.click("#keys", monitor.lines[-1].index(label) - 1, 0)
            assert check(), label
        await monitor.click("#keys", monitor.lines[-1].index("help") - 1, 0)
        assert isinstance(monitor.screen, HelpScreen)
        assert "quit" in line


async def test_keys_of_the_focused_pane_can_be_clicked() -> None:
    async with shown(serving()) as monitor:
        monitor.pane("requests").focus()
        await monitor.settle()
        requests = monitor.pane("requests")
        await monitor.click("#keys", monitor.lines[-1].index("select") - 1, 0)
        assert requests._selected == requests._rows[0].req
        await monitor.click("#keys", monitor.lines[-1].index("detail") - 1, 0)
        assert isinstance(monitor.screen, RequestScreen)


async def test_the_wheel_goes_through_the_requests() -> None:
    async with shown(serving()) as monitor:
        requests = monitor.pane("requests")
        for _ in range(3):
            await monitor.pilot._post_mouse_events([_wheel()], requests, (4, 4))
        await monitor.settle()
        assert requests._selected == requests._rows[2].req


def _wheel() -> type:
    from textual.events import MouseScrollDown

    return MouseScrollDown
