"""However the program ends, and whenever: the terminal, the recording, and what is left."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.integration.program import TUIAPP, WATCHED, Surroundings, until
from tests.integration.terminal import Terminal
from tuiapp.clock import monotonic_ns
from tuiapp.session import health
from tuiapp.session.view import View

pytestmark = [
    pytest.mark.terminal,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]

BLOCK_S = 1.7
"""What a killed program may lose: the block that was being filled, and some time to write it."""


@dataclass(frozen=True)
class Moment:
    """A command line, and when a run of it has come to the moment that is meant."""

    args: str
    come: Callable[[str], object]
    state: str


def _busy(screen: str) -> object:
    return "serving" in screen and re.search(r"sent +[1-9]\d", screen)


MOMENTS = {
    "start": Moment("-- --hang --helper", lambda text: "config" in text, health.STARTING),
    "load": Moment("--rate 20 --warmup 2 -- --helper", _busy, health.SERVING),
    "drain": Moment(
        "--requests 3 --rate 20 --warmup 0 --output-len 3000 -- --helper",
        lambda text: "draining" in text,
        health.DRAINING,
    ),
}


class Run:
    """``tuiapp run`` in a terminal."""

    def __init__(self, around: Surroundings, columns: int = 100, rows: int = 30) -> None:
        self.around = around
        self.terminal = Terminal(around.folder, around.env, columns, rows)

    def start(self, args: str = "") -> None:
        mark = shlex.quote(self.around.env[WATCHED])
        self.terminal.type(f"clear; {WATCHED}={mark} {TUIAPP} run {args}; echo code=$?")

    def come_to(self, moment: Moment) -> None:
        self.start(moment.args)
        self.terminal.wait_until(moment.come)
        self.around.note()

    def close(self) -> None:
        self.terminal.close()
        self.around.close()


@pytest.fixture
def run() -> Iterator[Run]:
    found = Run(Surroundings())
    yield found
    found.close()


def leave(run: Run, how: str) -> int:
    """End the run; returns when, on CLOCK_MONOTONIC."""
    now_ns = monotonic_ns()
    match how:
        case "q":
            run.terminal.press("q")
        case "ctrl-c":
            run.terminal.press("C-c")
        case "sigterm":
            os.kill(run.around.app(), signal.SIGTERM)
        case "kill":
            os.kill(run.around.app(), signal.SIGKILL)
        case "close":
            run.terminal.hang_up()
    return now_ns


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("how", ["q", "ctrl-c", "sigterm"])
def test_leaving(run: Run, how: str, moment: str):
    run.come_to(MOMENTS[moment])
    left_ns = leave(run, how)
    screen = run.terminal.wait_for("code=")
    assert "code=0" in screen
    assert "Traceback" not in screen
    assert str(run.around.recording.name)[:8] in screen.replace("\n", "")
    run.terminal.assert_restored()
    run.around.assert_clean()
    session = run.around.assert_recorded_until(left_ns, 0)
    assert View(session, session.end_ns).health.state == health.DONE


@pytest.mark.parametrize("moment", MOMENTS)
def test_closing_the_terminal(run: Run, moment: str):
    run.come_to(MOMENTS[moment])
    left_ns = leave(run, "close")
    run.around.assert_clean(10)
    session = run.around.assert_recorded_until(left_ns, 0)
    assert View(session, session.end_ns).health.state == health.DONE


@pytest.mark.parametrize("moment", MOMENTS)
def test_kill_9_of_the_program(run: Run, moment: str):
    run.come_to(MOMENTS[moment])
    left_ns = leave(run, "kill")
    screen = run.terminal.wait_for("tuiapp was killed; the recording up to then is readable.")
    run.terminal.assert_restored()
    run.around.assert_clean()
    session = run.around.assert_recorded_until(left_ns, BLOCK_S)
    assert View(session, session.end_ns).health.state == MOMENTS[moment].state
    assert "Traceback" not in screen


def test_kill_9_of_the_whole_job(run: Run):
    run.come_to(MOMENTS["start"])
    os.killpg(os.getpgid(run.around.app()), signal.SIGKILL)
    run.terminal.wait_for("code=137")
    run.terminal.assert_restored()
    run.around.assert_clean()


@pytest.mark.parametrize("moment", MOMENTS)
def test_kill_9_of_the_engine(run: Run, moment: str):
    run.come_to(MOMENTS[moment])
    os.kill(run.around.named("bootstrap.py"), signal.SIGKILL)
    assert_shown_dead(run, "killed by SIGKILL")
    run.terminal.press("q")
    assert_told(run, "tuiapp: The engine's process was killed by SIGKILL.")


def assert_shown_dead(run: Run, reason: str) -> None:
    """The screen tells so soon, says why, and shows no number that only a living engine has."""
    screen = run.terminal.wait_until(lambda text: "dead" in text and reason in flat(text), 3)
    assert "serving" not in screen
    assert not re.search(r"out +\d", screen)


def assert_told(run: Run, sentence: str) -> None:
    """The program ends with code 1 and the reason, and all is in order."""
    screen = run.terminal.wait_for("code=1")
    assert sentence in flat(screen)
    run.terminal.assert_restored()
    run.around.assert_clean()
    session = run.around.load()
    end = View(session, session.end_ns).health
    assert end.state == health.DEAD
    assert end.reason
    assert end.reason in flat(screen)


def flat(screen: str) -> str:
    """The screen's text without the breaks of its lines."""
    return re.sub(r"\s*\n\s*", " ", screen)


@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_before_anything_is_drawn(run: Run, number: signal.Signals, delay_s: float):
    run.start("-- --hang")
    app = until(lambda: next(iter(run.around.processes()), 0))
    time.sleep(delay_s)
    os.kill(app, number)
    screen = run.terminal.wait_for("code=", 15)
    assert "Traceback" not in screen
    run.terminal.assert_usable()
    run.around.assert_clean()
