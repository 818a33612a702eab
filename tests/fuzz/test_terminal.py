"""Nothing that stands in a session file steers the terminal: every screen, every byte sent."""

from __future__ import annotations

import io
import json
import re

import pytest
from rich.segment import Segment

from tests.doubles.scenes import FakeRun, dead, serving
from tests.doubles.terminal import Shown, shown
from tests.fuzz.strategies import FACT_NAMES, GAUGES, NASTY
from tests.fuzz.uses import ON_A_TERMINAL, assert_harmless
from tuiapp.events import ENGINE_EXIT, Frame, Kind, facts_frame, log_frame, mark_frame
from tuiapp.exports import export
from tuiapp.session.view import View
from tuiapp.tui.panes import PANES

NS = 1_000_000_000
SHORT, LARGE = (80, 24), (160, 50)
_KNOWN = re.compile(r"\x1b\[[0-9;:]*[mHGABCDJK]|\x1b\[\?[0-9]+[hl]")
"""Colours and cursor moves: all that a drawing needs."""
BAD = "".join(text for text in NASTY if len(text) < 100) + "[@click=app.boo]z[/][link=http://x]z[/]"
"""Short enough that the harmful part is within what is shown."""


def hostile(run: FakeRun) -> FakeRun:
    """``run`` with harmful text wherever a file can hold text."""
    names = ("name", "version", "device", "hostname", "os", "cpu_model", "cores_logical", "arrival")
    some = dict.fromkeys(names, BAD) | {BAD: BAD, "args": [BAD], "env": {BAD: BAD}}
    gpus = [{"index": BAD, "name": BAD}, {"index": 0, "name": BAD, "mig": {"enabled": BAD}}]
    attrs = {"model": some, "engine": some, "workload": some, "host": some | {"gpus": gpus}}
    run.fold(Frame(Kind.META, 0, 0, {}, attrs | {"slo": [BAD, "ttft:p99<100ms"], "session": BAD}))
    now = run.clock.now_ns()
    for name in (*FACT_NAMES, BAD):
        keys = ("phase", "reason", "advice", "probe", "state", "concurrency", "name")
        value = dict.fromkeys(keys, BAD) | {"limited": True, "engine": some}
        if name != ENGINE_EXIT:
            run.fold(facts_frame(now - NS, name, json.dumps(value)))
    for probe in ("nvml", "gpu0", "gpu0.throttle_reasons", "psi"):
        run.fold(
            facts_frame(now - NS, "probe.unavailable", json.dumps({"probe": probe, "reason": BAD}))
        )
    run.fold(mark_frame(now - NS, BAD), *(log_frame(now - NS, BAD, BAD, BAD) for _ in range(9)))
    for group in ("cpu", f"gpu{BAD}", BAD, f"process{BAD}"):
        columns = {"t_ns": [now]} | {key: [0.5] for key in (*GAUGES, BAD, f"core{BAD}")}
        run.fold(Frame(Kind.SAMPLES, now, now, columns, {"group": group}))
    assert run.session.rejected == 0
    return run


def ended(run: FakeRun) -> FakeRun:
    value = {"code": 1, "signal": BAD, "expected": False, "reason": BAD, "advice": BAD}
    run.exit_facts = value
    return run.fold(facts_frame(run.clock.now_ns(), ENGINE_EXIT, json.dumps(value)))


RUNS = {
    "serving": lambda: hostile(serving(gpus=1)),
    "without a GPU": lambda: hostile(serving()),
    "dead": lambda: ended(hostile(dead())),
    "failed start": lambda: ended(hostile(serving(4.0))),
}


def assert_clean_screen(monitor: Shown) -> None:
    """What is on the screen, its segments and the bytes that a terminal would get."""
    segments: list[Segment] = []
    for strip in monitor.app.screen._compositor.render_strips():
        segments += strip
    for segment in segments:
        assert_harmless(segment.text)
        assert segment.control is None
        if segment.style is not None:
            assert segment.style.link is None
            assert "boo" not in repr(segment.style.meta)
    update = monitor.app.screen._compositor.render_update(full=True)
    sent = update.render_segments(monitor.app.console)
    assert_harmless(_KNOWN.sub("", sent), lines=True)


@pytest.mark.parametrize(
    ("name", "size"),
    [("serving", SHORT), ("without a GPU", LARGE), ("dead", LARGE), ("failed start", SHORT)],
)
async def test_no_screen_sends_what_a_file_says(name: str, size: tuple[int, int]) -> None:
    async with shown(RUNS[name](), size) as monitor:
        assert_clean_screen(monitor)
        said = [monitor.text]
        for pane in PANES:
            monitor.live.action_full_pane(pane)
            await monitor.draw()
            assert_clean_screen(monitor)
            said.append(monitor.text)
        assert sum("[31mred[0m" in text for text in said) > 2, "it is shown, made harmless"
        monitor.live.action_leave_full()
        for keys in (("question_mark",), ("m",), ("slash", "m", "a", "r", "k"), ("d",)):
            await monitor.press(*keys)
            assert_clean_screen(monitor)
            await monitor.press("escape")
            await monitor.press("escape")
        for key in ("space", "left_square_bracket", "plus", "minus", "p", "z", "l"):
            await monitor.press(key)
            await monitor.draw()
            assert_clean_screen(monitor)


@pytest.mark.parametrize("format_", ON_A_TERMINAL)
@pytest.mark.parametrize("name", RUNS)
def test_no_export_holds_what_steers_a_terminal(name: str, format_: str) -> None:
    session, out = RUNS[name]().session, io.StringIO()
    export(format_)(View(session, session.end_ns), out)
    assert_harmless(out.getvalue(), lines=True)
    assert "red" in out.getvalue(), "the harmful text is there, made harmless"
