"""The comparison's screen in a terminal that is not there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from tests.doubles.scenes import NEVER_FPS, screen_lines
from tests.doubles.synthetic import Load, frames
from tuiapp.compare.design import plan_sweep, save
from tuiapp.compare.reading import Question
from tuiapp.events import Frame, Kind
from tuiapp.session.writer import SessionWriter
from tuiapp.tui.compare_app import CompareApp
from tuiapp.tui.panes.keys import KeysBar
from tuiapp.tui.screens.compare import CompareScreen

SAMPLES = Path(__file__).parents[2] / "sample_sessions"
QUIET, NOISY = SAMPLES / "neighbour-quiet.tuiapp", SAMPLES / "neighbour-noisy.tuiapp"


def record(path: Path, load: Load, **meta: Any) -> Path:
    writer = SessionWriter(path)
    for frame in frames(load):
        writer.put(frame)
    workload = {"digest": "made up", **meta.pop("workload", {})}
    writer.put(Frame(Kind.META, 0, 0, attrs={**meta, "workload": workload}))
    writer.close()
    return path


def sweep(folder: Path, levels: Sequence[float], *, ttft_s: float = 0.02, runs: int = 1) -> Path:
    """A sweep of the rate, made."""
    folder.mkdir()
    design = plan_sweep(folder.name, "d", "rate", levels, runs, 1)
    for run in design.runs:
        seed = round(ttft_s * 1e3) + run.order
        load = Load(seed=seed, duration_s=6, rate=run.level, ttft_s=ttft_s)
        record(folder / run.file, load, workload={"rate": run.level})
        design = design.with_outcome(run, "done")
    save(folder, design)
    return folder


@dataclass
class Compared:
    """A running comparison that draws only when told to."""

    app: CompareApp
    pilot: Pilot[None]

    @property
    def screen(self) -> CompareScreen:
        return self.app.shown

    @property
    def lines(self) -> list[str]:
        return screen_lines(self.app)  # type: ignore[arg-type]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def words(self) -> str:
        return " ".join(self.text.split())

    @property
    def said(self) -> str:
        return self.app.screen.query_one(KeysBar).said

    async def settle(self) -> None:
        await self.app.workers.wait_for_complete()
        for _ in range(3):
            await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()


@asynccontextmanager
async def compared(
    question: Question, size: tuple[int, int] = (120, 35)
) -> AsyncIterator[Compared]:
    app = CompareApp(question, fps=NEVER_FPS)
    async with app.run_test(size=size) as pilot:
        shown = Compared(app, pilot)
        await shown.settle()
        yield shown


SAMPLE_PAIR = Question(([QUIET], [NOISY]))
