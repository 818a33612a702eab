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
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.integration.program import HELPER, TUIAPP, WATCHED, S, Surroundings, until
from tests.integration.terminal import Terminal
from tuiapp.clock import monotonic_ns
from tuiapp.events import Status
from tuiapp.session import health
from tuiapp.session.view import View

pytestmark = [
    pytest.mark.terminal,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]

BLOCK_S = 1.7
"""What a killed program may lose: the block that was being filled, and some time to write it."""

KILLED = "tuiapp was killed; the recording up to then is readable."


@dataclass(frozen=True)
class Moment:
    """A command line, and the state of the engine in which something happens."""

    args: str
    state: str


MOMENTS = {
    "start": Moment("-- --hang --helper", health.STARTING),
    "load": Moment("--rate 20 --warmup 2 -- --helper", health.SERVING),
    "drain": Moment(
        "--requests 3 --rate 20 --warmup 0 --output-len 3000 -- --helper", health.DRAINING
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
        self.terminal.wait_for(f" {moment.state} ")
        until(lambda: self.around.has(HELPER))
        self.around.note()

    def close(self) -> None:
        self.terminal.close()
        self.around.close()


@pytest.fixture
def run() -> Iterator[Run]:
    """With the stand-in engine."""
    found = Run(Surroundings())
    yield found
    found.close()


@pytest.fixture
def real(cache: Path) -> Iterator[Run]:
    """With vLLM and the demo model."""
    if find_spec("vllm") is None:
        pytest.skip("vllm is not installed")
    found = Run(Surroundings(engine=None, cache=cache))
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
    assert run.around.recording.name in screen.replace("\n", "")
    run.terminal.assert_restored()
    run.around.assert_clean()
    run.around.assert_recorded_until(left_ns, 0)
    assert recorded_state(run) == health.DONE


@pytest.mark.parametrize("moment", MOMENTS)
def test_closing_the_terminal(run: Run, moment: str):
    run.come_to(MOMENTS[moment])
    left_ns = leave(run, "close")
    run.around.assert_clean(10)
    run.around.assert_recorded_until(left_ns, 0)
    assert recorded_state(run) == health.DONE


@pytest.mark.parametrize("moment", MOMENTS)
def test_kill_9_of_the_program(run: Run, moment: str):
    run.come_to(MOMENTS[moment])
    until(lambda: recorded_state(run) == MOMENTS[moment].state)
    if moment == "load":
        time.sleep(2.2)  # into a block that follows
    left_ns = leave(run, "kill")
    run.terminal.wait_for(KILLED)
    run.terminal.assert_restored()
    run.around.assert_clean()
    session = run.around.assert_recorded_until(left_ns, BLOCK_S)
    assert recorded_state(run) == MOMENTS[moment].state
    if moment == "load":
        last_ns = session.meta["origin_ns"] + int(session.requests["t_sent_ns"].max())
        assert (left_ns - last_ns) / S < BLOCK_S + 0.3


def test_the_monitor_never_interrupts_the_engine(run: Run):
    run.come_to(MOMENTS["load"])
    agent, engine = (run.around.named(part) for part in ("tuiapp.agent", "bootstrap.py"))
    policies = [os.sched_getscheduler(pid) for pid in (run.around.app(), agent, engine)]
    assert policies == [os.SCHED_BATCH, os.SCHED_BATCH, os.SCHED_OTHER]
    leave(run, "q")
    run.terminal.wait_for("code=0")


def recorded_state(run: Run) -> str:
    """What the file tells, as far as it is written; nothing while it is empty."""
    session = run.around.load()
    return View(session, session.end_ns).health.state if session.meta else ""


def test_kill_9_of_the_whole_job(run: Run):
    run.come_to(MOMENTS["start"])
    os.killpg(os.getpgid(run.around.app()), signal.SIGKILL)
    run.terminal.wait_for(KILLED)
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

    def is_told(screen: str) -> bool:
        live = "serving" in screen or "draining" in screen or re.search(r"out +\d", screen)
        return " dead " in screen and reason in flat(screen) and not live

    run.terminal.wait_until(is_told, 3)


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


def test_a_window_that_becomes_too_small(run: Run):
    run.come_to(MOMENTS["load"])
    run.terminal.resize(40, 10)
    run.terminal.wait_for("40×10 is too small")
    run.terminal.resize(100, 30)
    run.terminal.wait_for(f" {health.SERVING} ")
    leave(run, "q")
    run.terminal.wait_for("code=0")
    run.terminal.assert_restored()


def test_asking_twice_does_not_wait_for_the_screen(run: Run):
    run.come_to(Moment("-- --hang --helper --stubborn", health.STARTING))
    run.terminal.press("q", "q")
    run.terminal.wait_for("code=0")
    run.terminal.assert_restored()
    run.around.assert_clean()
    assert recorded_state(run) == health.DONE


@pytest.mark.parametrize("delay_s", [0.1, 0.3, 0.5, 0.8])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_before_anything_is_drawn(run: Run, number: signal.Signals, delay_s: float):
    run.start("-- --hang")
    app = until(lambda: next(iter(run.around.processes()), 0))
    time.sleep(delay_s)
    os.kill(app, number)
    run.around.assert_clean(15)
    run.terminal.assert_usable()
    assert "Traceback" not in run.terminal.screen()


# -- the real engine -----------------------------------------------------------------------

SMALL = "--max-model-len 1024 --max-num-seqs 16"


def come_to_import(run: Run) -> None:
    """Into the seconds that vLLM's import takes."""
    run.start(f"-- {SMALL}")
    run.terminal.wait_for(f" {health.STARTING} ")
    until(lambda: recorded_state(run) == health.STARTING)
    until(lambda: run.around.has("bootstrap.py"))
    time.sleep(4)
    run.around.note()


def come_to_load(run: Run) -> None:
    """To a load of which there is always something in flight."""
    run.start(f"--concurrency 4 -- {SMALL}")
    run.terminal.wait_for(f" {health.SERVING} ", 240)
    # The screen knows at once; a busy machine may be long about the file.
    until(lambda: recorded_state(run) == health.SERVING, 90)
    run.around.note()


@pytest.mark.engine
@pytest.mark.timeout(400)
@pytest.mark.parametrize("come_to", [come_to_import, come_to_load])
def test_leaving_the_real_engine(real: Run, come_to: Callable[[Run], None]):
    come_to(real)
    left_ns = leave(real, "q")
    real.terminal.wait_for("code=0")
    real.terminal.assert_restored()
    real.around.assert_clean()
    real.around.assert_recorded_until(left_ns, 0)
    assert recorded_state(real) == health.DONE


@pytest.mark.engine
@pytest.mark.timeout(400)
@pytest.mark.parametrize("come_to", [come_to_import, come_to_load])
def test_kill_9_of_the_program_over_the_real_engine(real: Run, come_to: Callable[[Run], None]):
    come_to(real)
    left_ns = leave(real, "kill")
    real.terminal.wait_for(KILLED)
    real.terminal.assert_restored()
    real.around.assert_clean()
    real.around.assert_recorded_until(left_ns, BLOCK_S)


@pytest.mark.engine
@pytest.mark.timeout(400)
def test_kill_9_inside_the_real_engine(real: Run):
    """Of its core; that of the client's process is tried over the stand-in engine."""
    come_to_load(real)
    os.kill(real.around.named("EngineCore"), signal.SIGKILL)
    assert_shown_dead(real, "killed by SIGKILL")
    real.terminal.press("q")
    assert_told(real, "tuiapp: vLLM's process EngineCore was killed by SIGKILL.")
    status = real.around.load().requests["status"][:]
    assert (status != Status.IN_FLIGHT).all()
    assert (status == Status.OK).any()
    assert (status == Status.FAILED).any()  # the client lived to tell of those it had sent
