"""Waiting for an absolute time on the monotonic clock, to tens of microseconds.

asyncio rounds its own timeouts up to the next millisecond; a Linux timerfd does not.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
from contextlib import suppress

from tuiapp.clock import NS_PER_S

_CLOCK_MONOTONIC = 1
_TFD_TIMER_ABSTIME = 1
_libc = ctypes.CDLL(None, use_errno=True)


class _Timespec(ctypes.Structure):
    _fields_ = (("s", ctypes.c_long), ("ns", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class Alarm:
    """Wakes one waiting task at a time of CLOCK_MONOTONIC, or when poked.

    Raises:
        OSError: the kernel gives no timer.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._fd = _libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._loop.add_reader(self._fd, self._fired)

    async def wait(self, until_ns: int | None) -> None:
        """Return at ``until_ns`` (at once when that has passed), or when poked before."""
        self._set(until_ns)
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def poke(self) -> None:
        """Wake the waiting task now, if there is one."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        self._loop.remove_reader(self._fd)
        os.close(self._fd)

    def _set(self, until_ns: int | None) -> None:
        # All zeros disarm a timer, so "at once" is one nanosecond after boot.
        seconds, ns = divmod(0 if until_ns is None else max(1, until_ns), NS_PER_S)
        spec = _Itimerspec(_Timespec(0, 0), _Timespec(seconds, ns))
        _libc.timerfd_settime(self._fd, _TFD_TIMER_ABSTIME, ctypes.byref(spec), None)

    def _fired(self) -> None:
        with suppress(BlockingIOError):  # set anew between firing and now
            os.read(self._fd, 8)
            self.poke()
