"""Calls a function in a process of its own, which may crash or hang without harm to this one."""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import tuiapp
from tuiapp.clock import NS_PER_S, monotonic_ns
from tuiapp.errors import Unavailable
from tuiapp.registry import resolve

MOST_BYTES = 1 << 22
_CHUNK = 1 << 16
_SOURCE = str(Path(tuiapp.__file__).resolve().parent.parent)
_SPAWN = (
    "import sys; sys.path.insert(0, sys.argv[1]); from tuiapp.machine.apart import main; main()"
)


def call_apart(target: str, *arguments: Any, limit_s: float = 1.0) -> Any:
    """What ``target`` returns for ``arguments``, all of them JSON values.

    The process is forked where we are the only thread. Where there are others (numpy's and the
    terminal's count too) a lock of theirs could be held for ever in a fork, so a new Python is
    started instead, without site-packages: ``target`` may use the standard library and tuiapp's
    modules that need no more.

    Args:
        target: ``"module:function"``.
        limit_s: after that it is killed.

    Raises:
        Unavailable: it said so, failed, crashed or took too long; why.
    """
    start = _fork if _single_threaded() else _spawn
    try:
        pid, fd = start(target, arguments)
    except OSError as error:
        raise Unavailable(f"no child process could be started ({error.strerror})") from error
    try:
        data = _read(fd, limit_s)
    except Unavailable:
        os.kill(pid, signal.SIGKILL)
        raise
    finally:
        os.close(fd)
        _, status = os.waitpid(pid, 0)
    return _answer(data, status)


def serve(target: str, arguments: Any, fd: int) -> None:
    """In the child: call, write the answer to ``fd`` as JSON, and end. Never returns."""
    code = 1
    try:
        _harmless()
        function: Callable[..., Any] = resolve(target)
        code = _write(fd, _outcome(function, arguments))
    finally:
        os._exit(code)


def main() -> None:
    """The started child: ``SOURCE TARGET ARGUMENTS`` as arguments, the answer on stdout."""
    serve(sys.argv[2], json.loads(sys.argv[3]), 1)


def _outcome(function: Callable[..., Any], arguments: Any) -> dict[str, Any]:
    try:
        return {"result": function(*arguments)}
    except Unavailable as answer:
        return {"unavailable": answer.message}
    except Exception as error:  # noqa: BLE001 - the process's boundary: the reason is the answer
        return {"unavailable": f"{type(error).__name__}: {error}"}


def _write(fd: int, outcome: dict[str, Any]) -> int:
    data = json.dumps(outcome).encode()
    while data:
        data = data[os.write(fd, data) :]
    return 0


def _harmless() -> None:
    """A crash is an answer here: no traceback on the terminal, no core file, no handler."""
    faulthandler.disable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in (signal.SIGSEGV, signal.SIGILL, signal.SIGBUS, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _single_threaded() -> bool:
    with suppress(OSError):
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - only counted
    return False


def _fork(target: str, arguments: Any) -> tuple[int, int]:
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        serve(target, arguments, theirs)
    os.close(theirs)
    return pid, ours


def _spawn(target: str, arguments: Any) -> tuple[int, int]:
    argv = [sys.executable, "-I", "-S", "-c", _SPAWN, _SOURCE, target, json.dumps(arguments)]
    ours, theirs = os.pipe()
    try:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.DEVNULL
        )
    except OSError:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    child.returncode = 0  # waited for by us, by its id
    return child.pid, ours


def _read(fd: int, limit_s: float) -> bytes:
    deadline_ns = monotonic_ns() + round(limit_s * NS_PER_S)
    data = b""
    while True:
        left_s = (deadline_ns - monotonic_ns()) / NS_PER_S
        if left_s <= 0 or not select.select([fd], [], [], left_s)[0]:
            raise Unavailable(f"it did not answer within {limit_s:g} s")
        chunk = os.read(fd, _CHUNK)
        if not chunk:
            return data
        data += chunk
        if len(data) > MOST_BYTES:
            raise Unavailable(f"it answered with more than {MOST_BYTES >> 20} MiB")


def _answer(data: bytes, status: int) -> Any:
    if os.WIFSIGNALED(status):
        raise Unavailable(f"it was ended by {signal.Signals(os.WTERMSIG(status)).name}")
    try:
        outcome = json.loads(data)
    except ValueError as error:
        code = os.waitstatus_to_exitcode(status)
        raise Unavailable(f"its process ended with {code} and no answer") from error
    if "unavailable" in outcome:
        raise Unavailable(str(outcome["unavailable"]))
    return outcome["result"]
