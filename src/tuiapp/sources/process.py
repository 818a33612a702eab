"""A child process in a session of its own: control pipe in, frames pipe out, output captured.

The child finds the numbers of the two pipes as its last two arguments (``child_fds``). It ends when
the control pipe closes: that is how it learns that its parent is gone, however the parent ended.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgpack

from tuiapp.sources import descendants
from tuiapp.sources.shared_memory import Segments

_PIPE_BYTES = 1 << 20
_READ_BYTES = 1 << 18
_POLL_S = 0.05
_TRACKER_S = 15.0


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended: an exit ``code``, or the name of the ``signal`` that killed it."""

    code: int | None
    signal: str | None


class Child:
    """A running child process and everything that descends from it.

    Args:
        argv: the command; the numbers of the control and frames pipes are appended.
        env: variables set on top of this process's environment.

    Raises:
        OSError: the command cannot be run.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        loop = asyncio.get_running_loop()
        self._marker = secrets.token_hex(8)
        self._segments = Segments()
        self._stopping: asyncio.Task[None] | None = None
        self._exit: asyncio.Future[Exit] = loop.create_future()
        control_read, self._control = os.pipe()
        self._frames, frames_write = os.pipe()
        self._output, output_write = os.pipe()
        os.set_blocking(self._control, False)
        with suppress(OSError):  # the system's limit may be lower
            fcntl.fcntl(self._frames, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        try:
            self._process = subprocess.Popen(
                [*argv, str(control_read), str(frames_write)],
                stdin=subprocess.DEVNULL,
                stdout=output_write,
                stderr=output_write,
                env={**os.environ, **(env or {}), descendants.MARKER: self._marker},
                pass_fds=(control_read, frames_write),
                start_new_session=True,
            )
        except OSError:
            _close(self._control, self._frames, self._output)
            raise
        finally:
            _close(control_read, frames_write, output_write)
        threading.Thread(target=self._watch, args=(loop,), daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    async def frames(self) -> asyncio.StreamReader:
        """The bytes the child writes to its frames pipe; call once."""
        fd, self._frames = self._frames, -1
        return await _reader(fd)

    async def output(self) -> asyncio.StreamReader:
        """What the child and its descendants write to stdout and stderr; call once."""
        fd, self._output = self._output, -1
        return await _reader(fd)

    def send(self, message: Mapping[str, Any]) -> bool:
        """Write one msgpack map to the control pipe; False when the child does not take it."""
        if self._control < 0:
            return False
        try:
            os.write(self._control, msgpack.packb(dict(message)))
        except (BlockingIOError, BrokenPipeError):
            return False
        return True

    async def exited(self) -> Exit:
        """Wait until the child itself has ended; its descendants may live on until ``stop``."""
        return await asyncio.shield(self._exit)

    def members(self) -> list[int]:
        """Ids of the child's living processes: its session, and whatever carries its marker."""
        return descendants.members(self.pid, self._marker)

    async def note_segments(self) -> None:
        """Remember the shared memory in use now: ``stop`` removes it, whoever is killed before."""
        await asyncio.to_thread(lambda: self._segments.note(self.members()))

    async def stop(self, grace_s: float = 2.0, term_s: float = 2.0) -> None:
        """End the child and all its descendants; returns when nothing of them is left.

        Closes the control pipe and waits ``grace_s`` for them to end by themselves, then sends
        SIGTERM and waits ``term_s``, then SIGKILL. A cancelled caller does not stop the stopping.
        """
        if self._stopping is None:
            self._stopping = asyncio.get_running_loop().create_task(self._stop(grace_s, term_s))
        await asyncio.shield(self._stopping)

    async def _stop(self, grace_s: float, term_s: float) -> None:
        _close(self._control)
        self._control = -1
        await self.note_segments()
        if not await self._gone(grace_s):
            await self._strike(signal.SIGTERM)
            if not await self._gone(term_s):
                await self._kill()
        await self.exited()
        await asyncio.to_thread(self._segments.remove)
        self._process.wait()
        _close(*(fd for fd in (self._frames, self._output) if fd >= 0))

    async def _kill(self) -> None:
        # Again and again: the listing may have been cut short by a process that would not stop.
        while self._not_trackers():
            await self._strike(signal.SIGKILL)
            await asyncio.sleep(_POLL_S)
        if not await self._gone(_TRACKER_S):
            descendants.signal_all(self.members(), signal.SIGKILL)

    async def _strike(self, number: signal.Signals) -> None:
        await asyncio.to_thread(descendants.strike, self._not_trackers, number, self._segments.note)

    def _not_trackers(self) -> list[int]:
        return descendants.without_trackers(self.members())

    async def _gone(self, bound_s: float) -> bool:
        for _ in range(round(bound_s / _POLL_S)):
            if not self.members():
                return True
            await asyncio.sleep(_POLL_S)
        return not self.members()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        # WNOWAIT leaves the zombie, so that its session id stays taken until _stop has used it.
        info = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        assert info is not None
        if info.si_code == os.CLD_EXITED:
            status = Exit(info.si_status, None)
        else:
            status = Exit(None, _signal_name(info.si_status))
        with suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(self._exit.set_result, status)


def child_fds(argv: Sequence[str]) -> tuple[int, int]:
    """In the child: the control and the frames pipe, kept from its own children."""
    control, frames = int(argv[-2]), int(argv[-1])
    os.set_inheritable(control, False)
    os.set_inheritable(frames, False)
    return control, frames


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals have numbers only
        return f"signal {number}"


def _close(*fds: int) -> None:
    for fd in fds:
        os.close(fd)


async def _reader(fd: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=_READ_BYTES)
    protocol = asyncio.StreamReaderProtocol(reader)
    pipe = os.fdopen(fd, "rb", buffering=0)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, pipe)
    return reader
