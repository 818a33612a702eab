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
from tuiapp.sources.shared_memory import Segments

Command = dict[str, Any]

_WAIT_S, _POLL_S = 1.5, 0.02
_HOLD = signal.SIGRTMAX
_HOLD_S, _HELD_WITHIN_S = 5.0, 0.5


class Control:
    """Reads commands from ``fd`` until it closes; starts reading at once.

    Args:
        fd: the control pipe.
        scratch: folder of the engine's sockets; removed at the end.

    Raises:
        ValueError: it is not made on the main thread.
    """

    def __init__(self, fd: int, scratch: str = "") -> None:
        self._fd = fd
        self._scratch = scratch
        self._lock = threading.Lock()
        self._segments = Segments()
        self._killed: set[int] = set()
        self._ending = threading.Lock()
        self._held = threading.Event()
        signal.signal(_HOLD, self._hold)
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
        try:
            self._hold_main_thread()
            self._kill_others()
            own = os.getpid()
            self._segments.note([own])
            self._segments.remove(ending={own, *self._killed})
            if self._scratch:
                shutil.rmtree(self._scratch, ignore_errors=True)
        finally:
            os._exit(code)

    def _hold_main_thread(self) -> None:
        """Let the main thread make nothing more that would be left."""
        main = threading.main_thread()
        if main is not threading.current_thread() and main.ident is not None:
            signal.pthread_kill(main.ident, _HOLD)
            self._held.wait(_HELD_WITHIN_S)  # it may be inside a long call of a library

    def _hold(self, *_: object) -> None:
        # Not for ever: it may have a lock that the ending turns out to need.
        self._held.set()
        clock.sleep_s(_HOLD_S)

    def _kill_others(self) -> None:
        end_ns = clock.monotonic_ns() + round(_WAIT_S * clock.NS_PER_S)
        while self._others() and clock.monotonic_ns() < end_ns:
            if self._not_killed():
                struck = descendants.strike(self._not_killed, signal.SIGKILL, self._segments.note)
                self._killed.update(struck)
            clock.sleep_s(_POLL_S)

    def _not_killed(self) -> list[int]:
        return [pid for pid in self._others() if pid not in self._killed]

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
