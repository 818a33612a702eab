"""Writing to a session file: one writer at a time, and all of a write or nothing."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path

from tuiapp.errors import SessionError


def open_regular(path: Path) -> tuple[int, int]:
    """(descriptor, bytes) of the file at ``path``, open for reading.

    Raises:
        OSError: it cannot be opened, or is a folder, a pipe or a device: those may never end.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    found = os.fstat(fd)
    if stat.S_ISREG(found.st_mode):
        return fd, found.st_size
    os.close(fd)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "It is no regular file", str(path))


def lock(fd: int) -> bool:
    """Be the one who writes to the file, until ``fd`` is closed; False when somebody else is."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def is_locked(fd: int) -> bool:
    """Somebody else writes to the file now."""
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(fd, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def is_being_written(path: Path) -> bool:
    """Somebody writes to the file at ``path`` now; False for one that cannot be opened."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return is_locked(fd)
    finally:
        os.close(fd)


def write_at(fd: int, data: bytes, offset: int) -> None:
    """Write and sync ``data`` from ``offset`` on; when the disk refuses, cut it off again.

    Raises:
        OSError: nothing of it is in the file.
    """
    try:
        rest, at = memoryview(data), offset
        while rest:
            written = os.pwrite(fd, rest, at)
            rest, at = rest[written:], at + written
        os.fdatasync(fd)
    except OSError:
        with suppress(OSError):  # then the next write overwrites what is there
            os.ftruncate(fd, offset)
        raise


def append(path: Path, data: bytes, offset: int) -> None:
    """Write ``data`` to a file that nobody writes to, from ``offset`` on; what was there goes.

    Raises:
        SessionError: it is being recorded, or cannot be written to.
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError as error:
        raise SessionError(f"Cannot write to {path}: {error.strerror}.") from error
    try:
        if not lock(fd):
            raise SessionError(
                f"{path} is being recorded.", "Note it in the live screen, or wait for its end."
            )
        os.ftruncate(fd, offset)
        write_at(fd, data, offset)
    except OSError as error:
        raise SessionError(f"Cannot write to {path}: {error.strerror}.") from error
    finally:
        os.close(fd)
