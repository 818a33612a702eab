"""The engine's processes one by one, in the full-screen host pane."""

from __future__ import annotations

import math

import pytest

from tests.doubles.drawing import HOSTILE, PALETTE
from tests.doubles.scenes import NS, FakeRun, meta, serving
from tests.doubles.terminal import shown
from tuiapp.events import Frame, Kind
from tuiapp.session.view import View
from tuiapp.tui.panes.processes import process_table

PROCESSES = ((700, 1, 0.25, 2**28), (712, 700, 0.5, 2**29), (733, 712, 1.25, 2**30))
NAMES = {"700": "python", "712": "VLLM::EngineCor", "733": "VLLM::Worker"}


def with_processes(processes: tuple[tuple[float, ...], ...] = PROCESSES) -> FakeRun:
    gauges = {
        f"p{slot}_{name}": [float(value)]
        for slot, values in enumerate(processes)
        for name, value in zip(("pid", "parent", "cpu_cores", "rss_bytes"), values, strict=True)
    }
    run = serving()
    t_ns = 64 * NS
    columns = {"t_ns": [t_ns], **gauges}
    run.fold(Frame(Kind.SAMPLES, t_ns, t_ns, columns, {"group": "process.tree"}))
    return run.fold(meta(host={"engine_processes": NAMES}))


async def test_each_stands_below_its_parent_with_what_it_takes() -> None:
    async with shown(with_processes()) as monitor:
        await monitor.press("7")
        lines = [line.strip("│ ") for line in monitor.lines]
        at = next(at for at, line in enumerate(lines) if "engine's process" in line)
        rows = [line.split() for line in lines[at + 1 : at + 4]]
        assert rows == [
            ["700", "python", "0.25", "256", "MiB", "—"],
            ["712", "└", "VLLM::EngineCor", "0.50", "512", "MiB", "—"],
            ["733", "└", "VLLM::Worker", "1.25", "1.0", "GiB", "—"],
        ]


async def test_there_is_no_empty_table_for_a_recording_without_them() -> None:
    async with shown(serving()) as monitor:
        await monitor.press("7")
        assert "engine's process" not in monitor.text


@pytest.mark.parametrize(
    "processes",
    [
        ((7, 8, 0, 0), (8, 7, 0, 0)),
        ((7, 7, 0, 0),),
        ((math.inf, 1, 0, 0),),
        ((7, math.inf, math.inf, math.inf), (7, 1, -1, -1)),
    ],
)
def test_no_file_can_make_it_loop_or_fail(processes: tuple[tuple[float, ...], ...]) -> None:
    run = with_processes(processes).fold(meta(host={"engine_processes": {"7": HOSTILE}}))
    table = process_table(View(run.session, run.clock.now_ns()))
    if table is not None:
        assert all("\x1b" not in strip.text for strip in table.strips(60, 5, PALETTE))
