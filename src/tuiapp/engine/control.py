"""The child's end of the control pipe, read on a thread of its own.

Commands are msgpack maps; the first is the configuration. When the pipe closes, the parent is gone,
and this thread ends the engine with everything that belongs to it, whatever the main thread does.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable
from typing import Any, NoReturn

import msgpack

from tuiapp import clock
from tuiapp.sources import descendants

Command = dict[str, Any]

_WAIT_S, _POLL_S = 1.5, 0.02


class Control:
    """Reads commands from ``fd`` until it closes; starts reading at once.

    Args:
        fd: the control pipe.
        scratch: folder of the engine's sockets; removed at the end.
    """

    def __init__(self, fd: int, scratch: str = "") -> None:
        self._fd = fd
        self._scratch = scratch
        self._lock = threading.Lock()
        self._ending = threading.Lock()
        self._first: Command | None = None
        self._ready = threading.Event()
        self._waiting: list[Command] = []
        self._deliver: Callable[[Command], object] | None = None
        threading.Thread(target=self._read, name="control", daemon=True).start()

    def config(self) -> Command:
        """The first map of the stream; waits for it."""
        self._ready.wait()
        assert self._first is not None
        return self._first

    def attach(self, deliver: Callable[[Command], object]) -> None:
        """Hand every further command to ``deliver``, on this object's thread."""
        with self._lock:
            self._deliver = deliver
            for command in self._waiting:
                deliver(command)
            self._waiting.clear()

    def end(self, code: int) -> NoReturn:
        """End this process and all of its descendants, and remove what they would leave."""
        self._ending.acquire()  # and never released: who comes second waits for the end
        held = descendants.segments([os.getpid()])
        for _ in range(round(_WAIT_S / _POLL_S)):
            others = self._others()
            if not others:
                break
            held |= descendants.segments(others)
            descendants.signal_all(others, signal.SIGKILL)
            clock.sleep_s(_POLL_S)
        held |= descendants.segments([os.getpid()])  # the main thread runs on until the end
        descendants.remove_segments(held, leaving=os.getpid())
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)
        os._exit(code)

    def _others(self) -> list[int]:
        # Our own id as the session's: started by hand in a shell's session, we leave that alone.
        own, marker = os.getpid(), os.environ.get(descendants.MARKER, "")
        others = descendants.without_trackers(descendants.members(own, marker))
        return [pid for pid in others if pid != own]

    def _read(self) -> None:
        unpacker = msgpack.Unpacker()
        try:
            while data := os.read(self._fd, 1 << 16):
                unpacker.feed(data)
                for message in unpacker:
                    self._take(message)
        finally:
            self.end(1)

    def _take(self, message: Command) -> None:
        with self._lock:
            if self._first is None:
                self._first = message
                self._ready.set()
            elif self._deliver is not None:
                self._deliver(message)
            elif message.get("op") == "stop":
                self.end(0)  # nothing has been sent yet, so there is nothing to drain
            else:
                self._waiting.append(message)
