"""The child's end of the frames pipe: it never blocks, drops rather than wait, and says so."""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Iterable

from tuiapp import clock
from tuiapp.events import Frame, Kind
from tuiapp.session.frames import pack

BOUND_BYTES = 16 << 20
"""Bytes kept while the reader is slow; frames beyond are dropped and counted."""


class Outbox:
    """Writes frames to ``fd``.

    Args:
        fd: the frames pipe; made non-blocking.
        sync: the stream's 8 sync bytes.
        now: the session's clock.
        bound_bytes: how much may wait.
    """

    def __init__(
        self, fd: int, sync: bytes, now: clock.Clock, bound_bytes: int = BOUND_BYTES
    ) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._sync = sync
        self._clock = now
        self._bound = bound_bytes
        self._seq = 0
        self._waiting: deque[memoryview] = deque()
        self._size = 0
        self._dropped = 0
        self._dropped_from_ns = 0

    def put(self, frames: Iterable[Frame]) -> None:
        """Queue ``frames``, and write what the pipe takes now."""
        for frame in frames:
            self._queue(frame)
        self.flush()

    def flush(self) -> bool:
        """Write what the pipe takes now; True when nothing is left."""
        while self._waiting:
            try:
                written = os.write(self._fd, self._waiting[0])
            except BlockingIOError:
                return False
            except OSError:  # the reader is gone; the control pipe will tell
                self._waiting.clear()
                self._size = 0
                return True
            self._size -= written
            rest = self._waiting.popleft()[written:]
            if rest:
                self._waiting.appendleft(rest)
        return True

    def finish(self, bound_s: float) -> None:
        """Wait until everything is written, or ``bound_s`` are over."""
        if self._dropped:
            self._append(self._gap())
        end_ns = clock.monotonic_ns() + round(bound_s * clock.NS_PER_S)
        while not self.flush() and (left := end_ns - clock.monotonic_ns()) > 0:
            select.select((), (self._fd,), (), left / clock.NS_PER_S)

    def _queue(self, frame: Frame) -> None:
        if self._size >= self._bound:
            self._dropped_from_ns = self._dropped_from_ns or frame.t0_ns
            self._dropped += 1
            return
        if self._dropped:
            self._append(self._gap())
        self._append(frame)

    def _gap(self) -> Frame:
        lost = {"reason": "the reader of the frames pipe was too slow", "frames": self._dropped}
        gap = Frame(Kind.GAP, self._dropped_from_ns, self._clock.now_ns(), {}, lost)
        self._dropped = self._dropped_from_ns = 0
        return gap

    def _append(self, frame: Frame) -> None:
        data = pack(frame, self._sync, self._seq)
        self._seq += 1
        self._waiting.append(memoryview(data))
        self._size += len(data)
