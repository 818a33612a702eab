"""Programs in terminals: a tmux pane whose screen can be read, and a bare pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shlex
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

COLUMNS, ROWS = 140, 45
TERM = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


class Tmux:
    """A program in a tmux pane of its own server.

    Args:
        argv: the program.
        env: variables set on top of this process's.
        columns, rows: size of the pane.

    Raises:
        RuntimeError: tmux is not installed, or the program ended at once.
    """

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        columns: int = COLUMNS,
        rows: int = ROWS,
    ) -> None:
        if shutil.which("tmux") is None:
            raise RuntimeError("tmux is not installed; it is the terminal of this benchmark")
        self._argv, self._size = list(argv), (columns, rows)
        self._env = {**TERM, **(env or {})}
        self._folder = tempfile.mkdtemp(prefix="tuiapp-tmux-")
        self.pid = 0

    def __enter__(self) -> Self:
        columns, rows = map(str, self._size)
        setting = " ".join(f"{name}={shlex.quote(value)}" for name, value in self._env.items())
        told = Path(self._folder, "pid")
        program = f"echo $$ >{told}; exec env {setting} {shlex.join(self._argv)}"
        self._tmux("-f", os.devnull, "new-session", "-d", "-x", columns, "-y", rows, program)
        self._tmux("set", "-g", "remain-on-exit", "on")
        deadline = time.monotonic() + 5
        while not self.pid:
            if told.exists() and (text := told.read_text().strip()):
                self.pid = int(text)
            elif time.monotonic() > deadline:
                raise RuntimeError(f"{self._argv[0]} did not start in tmux")
            time.sleep(0.01)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
            wait_gone(self.pid, 8)
        self._tmux("kill-server", check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _tmux(self, *args: str, check: bool = True) -> str:
        call = ["tmux", "-S", f"{self._folder}/socket", *args]
        done = subprocess.run(call, check=check, capture_output=True, text=True)
        return done.stdout

    def screen(self) -> str:
        """What the pane shows."""
        return self._tmux("capture-pane", "-p")

    def press(self, *keys: str) -> None:
        """Send keys by tmux's names for them."""
        self._tmux("send-keys", *keys)

    def wait_for(self, text: str, seconds: float) -> bool:
        """Whether ``text`` came onto the screen in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if text in self.screen():
                return True
            time.sleep(0.1)
        return False


class Pty:
    """A program on a pseudo-terminal whose bytes this process reads and times."""

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str] | None = None, *,
        columns: int = COLUMNS, rows: int = ROWS,
    ) -> None:  # fmt: skip
        self._argv, self._env = list(argv), {**os.environ, **TERM, **(env or {})}
        self._size = (rows, columns)
        self.seen = b""

    def __enter__(self) -> Self:
        self.started_s = time.monotonic()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.execvpe(self._argv[0], self._argv, self._env)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", *self._size, 0, 0))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        deadline = time.monotonic() + 8
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
            self.read(0.05)
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                break
        os.close(self._fd)

    def read(self, seconds: float) -> bytes:
        """What the program writes first within ``seconds``; nothing when it is silent."""
        ready, _, _ = select.select([self._fd], [], [], max(seconds, 0))
        if not ready:
            return b""
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:  # the program has closed its end
            return b""
        self.seen += data
        return data

    def write(self, data: bytes) -> None:
        """Press keys."""
        os.write(self._fd, data)

    def read_until(self, text: bytes, seconds: float) -> float | None:
        """When ``text`` had come, on the monotonic clock; None if not in time.

        Only what comes after the call counts.
        """
        start = len(self.seen)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.read(deadline - time.monotonic())
            if text in self.seen[start:]:
                return time.monotonic()
        return None


def wait_gone(pid: int, seconds: float) -> bool:
    """Whether the process ended in time."""
    deadline = time.monotonic() + seconds
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
