"""A real terminal: a shell in a tmux pane, whose screen and modes can be read."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.integration.program import WATCHED

_FLAGS = ("alternate_on", "cursor_flag", "mouse_any_flag", "wrap_flag", "keypad_flag")
_PRIVATE_MODE = re.compile(rb"\x1b\[\?([\d;]+)([hl])")
_ON_AT_FIRST = {7, 25}  # line wrap and cursor


class Terminal:
    """A POSIX shell in a pane of a tmux server of its own.

    The shell has no line editor, so the pane's modes are those the last program left.

    Args:
        folder: for the server's socket and the copy of the output; a short path.
        env: the shell's environment.
        columns, rows: size.
    """

    def __init__(
        self, folder: Path, env: Mapping[str, str], columns: int = 100, rows: int = 30
    ) -> None:
        self._socket, self._copy = folder / "tmux", folder / "output"
        mine = {name: value for name, value in env.items() if name != WATCHED}
        self._env = {**mine, "TERM": "xterm-256color"}
        size = ("-x", str(columns), "-y", str(rows))
        # A second session keeps the server alive when the first is closed.
        self._tmux("-f", os.devnull, "new-session", "-d", "-s", "other", "sleep 600")
        # An environment's PS1 would not survive the shell that tmux runs this with.
        self._tmux("new-session", "-d", "-s", "test", *size, "exec env PS1='READY> ' sh")
        self._tmux("pipe-pane", "-t", "test", f"cat >{shlex.quote(str(self._copy))}")
        self.wait_for("READY>")
        self.tty = self._ask("#{pane_tty}")
        self._first_stty = self.stty()
        self._first_flags = self.flags()

    def _tmux(self, *args: str, check: bool = True) -> str:
        call = ["tmux", "-S", str(self._socket), *args]
        return subprocess.run(
            call, check=check, capture_output=True, text=True, env=self._env
        ).stdout

    def _ask(self, form: str) -> str:
        return self._tmux("display-message", "-t", "test", "-p", form).strip()

    # -- using it --------------------------------------------------------------------------

    def type(self, line: str) -> None:
        """Type a line and Enter."""
        self._tmux("send-keys", "-t", "test", "-l", line)
        self.press("Enter")

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names for them."""
        self._tmux("send-keys", "-t", "test", *keys)

    def resize(self, columns: int, rows: int) -> None:
        size = ("-x", str(columns), "-y", str(rows))
        self._tmux("resize-window", "-t", "test", *size)

    def hang_up(self) -> None:
        """Close the window, as somebody who has seen enough."""
        self._tmux("kill-session", "-t", "test")

    def close(self) -> None:
        self._tmux("kill-server", check=False)

    # -- reading it ------------------------------------------------------------------------

    def screen(self) -> str:
        """What the pane shows."""
        return self._tmux("capture-pane", "-t", "test", "-p")

    def wait_until(self, condition: Callable[[str], object], bound_s: float = 20.0) -> str:
        """The first screen that fulfils ``condition``."""
        end = time.monotonic() + bound_s
        while not condition(screen := self.screen()):
            assert time.monotonic() < end, screen
            time.sleep(0.05)
        return screen

    def wait_for(self, text: str, bound_s: float = 20.0) -> str:
        """The first screen that shows ``text``."""
        return self.wait_until(lambda screen: text in screen, bound_s)

    def stty(self) -> str:
        """The line discipline's settings."""
        call = ["stty", "-a", "-F", self.tty]
        return subprocess.run(call, check=True, capture_output=True, text=True).stdout

    def flags(self) -> str:
        """tmux's own view: alternate screen, cursor, mouse, wrapping, keypad."""
        return self._ask(" ".join(f"{name}=#{{{name}}}" for name in _FLAGS))

    def private_modes(self) -> dict[int, bool]:
        """Every private mode that was set or reset, and whether it is on now."""
        state: dict[int, bool] = {}
        for numbers, what in _PRIVATE_MODE.findall(self._copy.read_bytes()):
            state |= {int(number): what == b"h" for number in numbers.split(b";")}
        return state

    def assert_restored(self) -> None:
        """The program drew its screen; now all is as it was before."""
        self.assert_usable()
        assert 1049 in self.private_modes()

    def assert_usable(self) -> None:
        """All is as it was before the program, and the shell can be used."""
        self.wait_until(lambda _: self.flags() == self._first_flags, 5)
        assert self.stty() == self._first_stty
        modes = self.private_modes()
        assert {mode: mode in _ON_AT_FIRST for mode in modes} == modes
        output = self._copy.read_bytes()
        assert len(re.findall(rb"\x1b\[<\d*u", output)) >= len(re.findall(rb"\x1b\[>\d+u", output))
        self.type("echo still-$((40 + 2))")
        screen = self.wait_for("still-42", 5)
        assert "echo still-$((40 + 2))" in screen
