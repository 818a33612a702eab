"""Whole screens as plain text: what a person reads in the main states, at three sizes.

After a wanted change: ``pytest tests/snapshots --update-golden``, then read the difference.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Golden
from tests.doubles import gpu_scenes
from tests.doubles.scenes import NEVER_FPS, NS, SCENES, FakeRun, mark_frame, screen_text, serving
from tests.doubles.terminal import shown
from tuiapp.compare.reading import Question
from tuiapp.tui.compare_app import CompareApp

SAMPLES = Path(__file__).parents[2] / "sample_sessions"


def eight_gpus() -> FakeRun:
    return serving(gpus=8)


def after_a_stall() -> FakeRun:
    """Half a minute after a stall of two seconds, with a note on it."""
    return serving(stall=(40.0, 42.0)).fold(mark_frame(46 * NS, "stall"))


def hiccups() -> FakeRun:
    """A host that stalls now and then, and once for long."""
    return serving(stall=(40.0, 40.3), hiccups=True)


PICTURES: dict[str, tuple[Callable[[], FakeRun], tuple[int, int], str]] = {
    "serving": (SCENES["serving"], (80, 24), ""),
    "failed_start": (SCENES["failed_start"], (80, 24), ""),
    "dead": (SCENES["dead"], (80, 24), ""),
    "help": (SCENES["serving"], (80, 24), "question_mark"),
    "findings": (SCENES["serving"], (80, 24), "w"),
    "starting": (SCENES["starting"], (120, 35), ""),
    "eight_gpus": (eight_gpus, (120, 35), ""),
    "one_gpu": (lambda: gpu_scenes.watched(1), (120, 35), ""),
    "four_gpus": (lambda: gpu_scenes.watched(4), (200, 60), ""),
    "gpu_shared": (gpu_scenes.shared, (120, 35), "8"),
    "gpu_lost": (gpu_scenes.lost, (120, 35), "8"),
    "gpu_lost_wide": (gpu_scenes.lost, (200, 60), "8"),
    "gpu_lost_small": (gpu_scenes.lost, (80, 24), "8"),
    "gpu_silent": (gpu_scenes.silent, (120, 35), ""),
    "gpu_divided": (gpu_scenes.divided, (120, 35), "8"),
    "gpu_divided_live": (gpu_scenes.divided, (120, 35), ""),
    "stalled": (SCENES["stalled"], (120, 35), ""),
    "looking_back": (after_a_stall, (120, 35), "z z left left l"),
    "hiccups": (hiccups, (120, 35), ""),
    "hiccups_narrow": (hiccups, (80, 24), ""),
    "finished": (SCENES["finished"], (200, 60), ""),
}


@pytest.mark.parametrize("name", PICTURES)
async def test_screen(name: str, golden: Golden) -> None:
    make, (width, height), keys = PICTURES[name]
    async with shown(make(), (width, height)) as monitor:
        await monitor.press(*keys.split())
        if monitor.screen is monitor.live:
            await monitor.draw()
        golden(f"{name}_{width}x{height}.txt", monitor.text)


async def test_comparison(golden: Golden) -> None:
    """The two samples side by side: one host, quiet and with a noisy neighbour."""
    question = Question(
        ([SAMPLES / "neighbour-quiet.tuiapp"], [SAMPLES / "neighbour-noisy.tuiapp"])
    )
    app = CompareApp(question, fps=NEVER_FPS)
    async with app.run_test(size=(120, 35)) as pilot:
        await app.workers.wait_for_complete()
        for _ in range(3):
            await pilot.pause()
        golden("comparison_120x35.txt", screen_text(app))  # type: ignore[arg-type]
