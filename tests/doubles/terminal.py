"""The monitor in a terminal that is not there: keys go in, text comes out, no timer runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from textual.pilot import Pilot
from textual.screen import Screen

from tests.doubles.scenes import FakeRun, screen_lines, screen_text
from tuiapp.tui.app import MonitorApp
from tuiapp.tui.panes.base import Pane
from tuiapp.tui.screens.live import LiveScreen


@dataclass
class Shown:
    """A running monitor."""

    app: MonitorApp
    run: FakeRun
    pilot: Pilot[None]

    @property
    def live(self) -> LiveScreen:
        """The live screen, covered or not."""
        return next(screen for screen in self.app.screen_stack if isinstance(screen, LiveScreen))

    @property
    def screen(self) -> Screen[Any]:
        """What is on top."""
        return self.app.screen

    def pane(self, name: str) -> Pane:
        return self.live.query_one(f"#{name}", Pane)

    async def settle(self) -> None:
        """Let everything that was set off happen."""
        for _ in range(2):
            await self.pilot.pause()

    async def draw(self) -> None:
        """One redraw, the same wherever the animation stood."""
        self.live._frame = 0
        self.live.redraw(force=True)
        await self.settle()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def click(self, selector: str, x: int, y: int, *, times: int = 1) -> None:
        """Click on a cell of a widget's content."""
        left, top = self.live.query_one(selector).content_region.offset
        await self.pilot.click(offset=(left + x, top + y), times=times)
        await self.settle()

    async def resize(self, width: int, height: int) -> None:
        await self.pilot.resize_terminal(width, height)
        await self.settle()

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def lines(self) -> list[str]:
        return screen_lines(self.app)


@asynccontextmanager
async def shown(
    run: FakeRun, size: tuple[int, int] = (120, 35), **options: Any
) -> AsyncIterator[Shown]:
    """The monitor over ``run``, drawn once."""
    app = run.app(**options)
    async with app.run_test(size=size) as pilot:
        monitor = Shown(app, run, pilot)
        await monitor.settle()
        await monitor.draw()
        yield monitor
