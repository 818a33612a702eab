"""The replay and the home screen in a real terminal."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles.synthetic import Load, frames
from tests.integration.program import TUIAPP, Surroundings, until
from tests.integration.terminal import Terminal
from tuiapp.session.reader import load
from tuiapp.session.writer import SessionWriter
from tuiapp.tui.renderables.numbers import format_clock

pytestmark = [
    pytest.mark.terminal,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]


def record(around: Surroundings, name: str) -> Path:
    writer = SessionWriter(around.folder / "data" / "tuiapp" / "sessions" / f"{name}.tuiapp")
    for frame in frames(Load(seed=2, duration_s=60.0)):
        writer.put(frame)
    writer.close()
    return writer.path


class Shell:
    """A shell that can say ``tuiapp``."""

    def __init__(self, columns: int = 100, rows: int = 30) -> None:
        self.around = Surroundings()
        self.terminal = Terminal(self.around.folder, self.around.env, columns, rows)

    def tuiapp(self, args: str = "") -> None:
        self.terminal.type(f"clear; {TUIAPP} {args}; echo code=$?")

    def pid(self) -> int:
        """The program itself, not its terminal's guard."""
        found = subprocess.run(
            ["pgrep", "-o", "-t", self.terminal.tty.removeprefix("/dev/"), "-f", str(TUIAPP)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return int(found.stdout or 0)

    def close(self) -> None:
        self.terminal.close()
        self.around.close()


@pytest.fixture
def shell() -> Iterator[Shell]:
    found = Shell()
    yield found
    found.close()


def clock_of(screen: str) -> str:
    """The time on the transport bar."""
    found = re.search(r"[▶‖] [\d.]+×.? +(\d\d:\d\d) /", screen)
    return found[1] if found else ""


def test_a_run_is_watched_while_it_is_recorded_elsewhere(shell: Shell) -> None:
    shell.tuiapp("attach")
    shell.terminal.wait_for("No run is being recorded in")
    shell.terminal.wait_for("code=1")
    folder = shell.around.folder / "data" / "tuiapp" / "sessions"
    told = list(frames(Load(seed=2, duration_s=60.0)))
    writer = SessionWriter(folder / "elsewhere.tuiapp")
    try:
        for frame in told[: len(told) // 3]:
            writer.put(frame)
        writer.flush()
        shell.tuiapp()
        shell.terminal.wait_for("elsewhere")
        shell.terminal.press("a")
        shell.terminal.wait_for("▶ live")
        before = newest_of(shell.terminal.screen())
        for frame in told[len(told) // 3 :]:
            writer.put(frame)
        writer.flush()
        shell.terminal.wait_until(lambda screen: newest_of(screen) > before)
        shell.terminal.press("Home")
        shell.terminal.wait_for("▶ 1×")
        shell.terminal.press("End")
        shell.terminal.wait_for("▶ live")
    finally:
        writer.close()
    shell.terminal.wait_for("‖ 1×")
    shell.terminal.press("q")
    shell.terminal.wait_for("1 recording ·")
    shell.terminal.press("q")
    shell.terminal.wait_for("code=0")


def newest_of(screen: str) -> str:
    """The end of the recording, as the transport bar tells it."""
    found = re.search(r"/ (\d\d:\d\d)", screen)
    return found[1] if found else ""


def test_a_replay_plays_seeks_and_leaves_the_terminal_as_it_was(shell: Shell) -> None:
    path = record(shell.around, "one")
    shell.tuiapp(f"replay {path} --speed 8")
    shell.terminal.wait_for("▶ 8×")
    shell.terminal.wait_until(lambda screen: clock_of(screen) > "00:20")
    shell.terminal.press("Space")
    shell.terminal.wait_for("‖ 8×")
    shell.terminal.press("g")
    shell.terminal.wait_for("Go to, from")
    shell.terminal.press("3", "0", "s", "Enter")
    shell.terminal.wait_until(lambda screen: clock_of(screen) == "00:30")
    shell.terminal.press("m")
    shell.terminal.wait_for("what happened?")
    shell.terminal.press("h", "i", "Enter")
    until(lambda: [mark.text for mark in load(path).marks] == ["hi"])
    shell.terminal.press("q")
    shell.terminal.wait_for("code=0")
    shell.terminal.assert_restored()


def test_the_start_of_a_name_is_enough_and_at_says_where(shell: Shell) -> None:
    path = record(shell.around, "20260101-one")
    shell.tuiapp("replay 2026 --paused --at 50%")
    screen = shell.terminal.wait_for("‖ 1×")
    assert clock_of(screen) == f"00:{load(path).end_ns / 2e9:02.0f}"
    shell.terminal.press("q")
    shell.terminal.wait_for("code=0")


def test_at_the_end_it_stands_at_the_end(shell: Shell) -> None:
    path = record(shell.around, "one")
    shell.tuiapp(f"replay {path} --at end")
    screen = shell.terminal.wait_for("‖ 1×")
    assert clock_of(screen) == format_clock(load(path).end_ns / 1e9)
    shell.terminal.press("q")
    shell.terminal.wait_for("code=0")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_replay_leaves_a_usable_terminal(shell: Shell, number: signal.Signals) -> None:
    path = record(shell.around, "one")
    shell.tuiapp(f"replay {path}")
    shell.terminal.wait_for("▶ 1×")
    os.kill(until(shell.pid), number)
    # The shell may have said its part while the other screen was still shown.
    shell.terminal.wait_for("tuiapp was killed")
    shell.terminal.assert_restored()


def test_home_opens_a_recording_and_comes_back(shell: Shell) -> None:
    record(shell.around, "first")
    shell.tuiapp()
    shell.terminal.wait_for("1 recording ·")
    shell.terminal.press("Enter")
    shell.terminal.wait_for("▶ 1×")
    shell.terminal.press("q")
    shell.terminal.wait_for("1 recording ·")
    shell.terminal.press("q")
    shell.terminal.wait_for("code=0")
    shell.terminal.assert_restored()


def test_home_starts_a_run_and_has_its_recording_afterwards(shell: Shell) -> None:
    shell.tuiapp()
    shell.terminal.wait_for("No recordings yet")
    shell.terminal.press("n")
    shell.terminal.wait_for("tuiapp run …")
    shell.terminal.press(*"--rate", "Space", *"20", "Enter")
    shell.terminal.wait_for(" serving ")
    shell.terminal.press("q")
    shell.terminal.wait_for("enter goes back to the recordings")
    shell.terminal.press("Enter")
    shell.terminal.wait_for("1 recording ·")
    shell.terminal.press("q")
    shell.terminal.wait_for("code=0")
    shell.terminal.assert_restored()
    shell.around.assert_clean()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("replay nothing-there", "There is no recording"),
        ("replay /etc/passwd", "is no tuiapp session"),
        ("replay {path} --at soon", "'soon' is no moment."),
        ("replay {path} --speed 0", "--speed 0.0 is out of range."),
        ("replay {path} --theme pink", "There is no theme 'pink'."),
        ("replay", "the following arguments are required: FILE"),
        ("demo no-such-sample", "There is no sample 'no-such-sample'."),
    ],
)
def test_what_cannot_be_replayed_is_a_sentence(shell: Shell, args: str, said: str) -> None:
    path = record(shell.around, "one")
    shell.tuiapp(args.format(path=path))
    screen = shell.terminal.wait_until(lambda screen: re.search(r"code=\d", screen))
    flat = " ".join(screen.split())
    assert said in flat
    assert "Traceback" not in flat
    assert re.search(r"code=[12]\b", flat)
    shell.terminal.assert_usable()
