"""The pane that says why a host is slow, and the line of it in the host's."""

from __future__ import annotations

import pytest

from tests.doubles.drawing import HOSTILE
from tests.doubles.scenes import FakeRun, meta, serving
from tests.doubles.synthetic import Load, frames
from tests.doubles.terminal import Shown, shown
from tuiapp.clock import NS_PER_S as NS
from tuiapp.diagnosis.finding import BAD, FINE, UNKNOWN, Finding
from tuiapp.session.columns import Session
from tuiapp.session.view import View
from tuiapp.tui.panes import host
from tuiapp.tui.panes.findings import described
from tuiapp.tui.panes.hiccups import steady
from tuiapp.tui.renderables.canvas import cells


def stolen() -> FakeRun:
    run = serving()
    run.session.samples["cpu"]["steal"][:] = 0.031
    return run


def text(monitor: Shown, name: str) -> str:
    return "\n".join(strip.text for strip in monitor.pane(name)._lines)


@pytest.mark.parametrize(
    ("size", "wide"), [((80, 24), False), ((120, 35), True), ((60, 16), False)]
)
async def test_the_likeliest_cause_stands_in_the_host_pane(
    size: tuple[int, int], wide: bool
) -> None:
    async with shown(stolen(), size) as monitor:
        assert "why slow steal 3.1 %" in text(monitor, "host")
        assert ("← hypervisor" in text(monitor, "host")) is wide


async def test_a_host_without_a_cause_is_not_called_slow() -> None:
    async with shown(serving(), (120, 35)) as monitor:
        assert "why slow" not in text(monitor, "host")
        await monitor.press("w")
        assert "nothing found; 19 factors looked at, 16 could not be told" in monitor.text


async def test_the_cause_is_looked_for_once_in_ten_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[int] = []
    monkeypatch.setattr(host, "diagnose", lambda view: looks.append(view.cursor_ns) or ())
    run = stolen()
    async with shown(run, (120, 35)) as monitor:
        assert looks == [60 * NS - 1]
        for step_s, wanted in ((2, looks[:]), (2, looks[:]), (2, [*looks, 70 * NS - 1])):
            run.clock.advance(step_s * NS)
            run.session.end_ns = run.clock.now_ns()  # the host's agent goes on
            await monitor.draw()
            assert looks == wanted


async def test_w_lists_everything_and_it_scrolls() -> None:
    async with shown(stolen(), (80, 24)) as monitor:
        await monitor.press("w")
        page = text(monitor, "findings")
        assert "✗ steal 3.1 %" in page
        assert "3.1 % of CPU time, at most 3.1 % in a sample (/proc/stat)" in page
        assert "change the host" in page
        assert "load driver in time" not in page
        await monitor.press(*["down"] * 60)
        assert "✓ load driver in time" in text(monitor, "findings")
        assert "✗ steal" not in text(monitor, "findings")
        await monitor.press(*["up"] * 60)
        assert text(monitor, "findings") == page
        await monitor.press("w")
        assert "why slow steal 3.1 %" in text(monitor, "host")


async def test_a_gpu_that_is_slowed_is_named() -> None:
    run = serving(gpus=2)
    run.session.samples["gpu1"]["throttle_reasons"][:] = 0x40
    run.fold(meta(2, host={"cores_physical": 8, "gpus": [{"index": 0}, {"index": 1}]}))
    async with shown(run, (120, 35)) as monitor:
        assert "why slow gpu1: GPU slowed by heat" in text(monitor, "host")
        await monitor.press("w")
        assert "held back in 100 % of samples under load (NVML); 61 °C; 1 of 2" in monitor.text


@pytest.mark.parametrize("width", [1, 7, 30, 58, 78, 116, 200])
def test_no_line_is_wider_than_there_is_room(width: int) -> None:
    findings = [
        Finding("x", severity, words * 9, words * 20, words * 9)
        for severity in (BAD, UNKNOWN, FINE)
        for words in ("word ", "unbroken", "漢字", *HOSTILE)
    ]
    for line in described(findings, width):
        for col, piece, _ in line:
            assert col >= 0
            assert piece.isprintable()


@pytest.mark.parametrize("words", HOSTILE)
async def test_a_hostile_header_cannot_break_the_page(words: str) -> None:
    run = serving()
    machine = {"machine": "guest", "hypervisor": words, "nested": True, "because": words}
    run.fold(meta(host={"governor": words, "cpufreq_driver": words, "machine": machine}))
    async with shown(run, (80, 24)) as monitor:
        await monitor.press("w")
        assert "\x1b" not in monitor.text
        assert all(cells(line) == 80 for line in monitor.lines)


def test_the_cause_is_judged_anew_when_more_of_a_recording_is_read() -> None:
    run, session = [*frames(Load(seed=3, duration_s=70.0))], Session()
    for frame in run:
        if frame.t1_ns < 17 * NS:
            session.fold(frame)
    early = steady(View(session, 60 * NS - 1), None)
    assert early.cursor_ns == 10 * NS - 1
    for frame in run:
        if frame.t1_ns >= 17 * NS:
            session.fold(frame)
    later = steady(View(session, 60 * NS - 1), early)
    assert later.cursor_ns == 60 * NS - 1
    assert steady(View(session, 61 * NS), later) is later
