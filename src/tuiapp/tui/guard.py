"""Gives the terminal back when the program is killed without a chance to do so itself.

A child forked before anything heavy is loaded waits on a pipe. A byte means that the program
ended well; end-of-file without one means that it was killed. Then the child leaves the alternate
screen, shows the cursor, turns the mouse off and restores the terminal's modes, unless
somebody else, such as the shell, has already set other modes.
"""

from __future__ import annotations

import os
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

_RESET = (
    "\x1b[<u"  # keyboard protocol off; each screen has its own, so before leaving this one
    "\x1b[?1049l"  # leave the alternate screen
    "\x1b[?25h"  # show the cursor
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # mouse off
    "\x1b[?1004l\x1b[?2004l"  # focus reports and bracketed paste off
    "\x1b[?2026l"  # synchronized output off
    "\x1b[?7h\x1b[?2048l"  # line wrap on, resize reports off
    "\x1b[0m\r"
)
_NOTE = "\r\ntuiapp was killed; the recording up to then is readable.\r\n"


@contextmanager
def guarded_terminal() -> Iterator[Callable[[], None]]:
    """While inside, a killed program leaves a usable terminal behind.

    Gives what is to be called when the program ends itself, well, before it leaves.
    """
    try:
        before = termios.tcgetattr(sys.stdin.fileno())
    except (termios.error, OSError, ValueError):
        yield lambda: None  # no terminal, nothing to guard
        return
    watched, alive = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(alive)
        _watch(watched, before)
    os.close(watched)

    def end_well() -> None:
        with suppress(BrokenPipeError):  # somebody has killed the guard
            os.write(alive, b"x")

    try:
        yield end_well
    finally:
        end_well()
        os.close(alive)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _watch(watched: int, before: Any) -> None:
    """In the forked child: wait for the end of the parent; never returns."""
    os.setpgid(0, 0)  # a signal to the parent's whole job, `kill -9 %1`, spares this process
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTTOU, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    fd = sys.stdin.fileno()
    try:
        if os.read(watched, 1) == b"":
            _restore(fd, before)
    except (OSError, termios.error):
        pass  # the terminal itself is gone
    finally:
        os._exit(0)


def _restore(fd: int, before: Any) -> None:
    now = termios.tcgetattr(fd)
    raw = not now[3] & (termios.ICANON | termios.ECHO | termios.ISIG)
    os.write(sys.stdout.fileno(), (_RESET + _NOTE).encode())
    if raw:
        termios.tcsetattr(fd, termios.TCSANOW, before)
