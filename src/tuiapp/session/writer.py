"""Writes a session file while it grows, in a thread of its own.

Frames are handed over without waiting; once a second they are merged into blocks, compressed,
written and synced. When the disk refuses, the file is cut back to its last whole frame, frames
are kept up to a bound, and a GAP frame says what was lost once writing works again. Whatever
kills the program, the file holds every block that was written.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tuiapp.errors import SessionError
from tuiapp.events import Frame, Kind
from tuiapp.priority import give_way
from tuiapp.session import disk
from tuiapp.session.blocks import merge_frames
from tuiapp.session.frames import MAGIC, ZLIB, pack
from tuiapp.session.index import Block, Index, closing

BLOCK_S = 1.0
_FIRST_BLOCK_S = 0.02
MAX_HELD_ROWS = 2_000_000


@dataclass(slots=True)
class _Lost:
    """Frames that will not be in the file, and the time they spanned."""

    frames: int = 0
    t0_ns: int = 0
    t1_ns: int = 0

    def add(self, frame: Frame) -> None:
        self.t0_ns = min(self.t0_ns, frame.t0_ns) if self.frames else frame.t0_ns
        self.t1_ns = max(self.t1_ns, frame.t1_ns)
        self.frames += 1

    def as_gap(self, reason: str) -> Frame:
        attrs = {"reason": reason or "the recording fell behind", "frames": self.frames}
        return Frame(Kind.GAP, self.t0_ns, self.t1_ns, {}, attrs)


class SessionWriter:
    """Appends frames to a new file at ``path``.

    Args:
        path: must not exist; its folder is made.
        sync: the stream's random word; 8 bytes, drawn when left out.

    Raises:
        SessionError: the file cannot be made.
    """

    def __init__(self, path: Path, sync: bytes | None = None) -> None:
        self.path = path
        self.sync = sync or os.urandom(8)
        self._fd = _create(path)
        self._size = 0
        self._seq = 0
        self._index = Index()
        self._frames: deque[Frame] = deque()
        self._held_rows = 0
        self._lost = _Lost()
        self._reason = ""
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._closing = False
        self._begin()
        self._thread = threading.Thread(target=self._run, name="session-writer", daemon=True)
        self._thread.start()

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self._size

    @property
    def failing(self) -> str:
        """Why nothing can be written at the moment; empty when all is well."""
        return self._reason

    def put(self, frame: Frame) -> None:
        """Hand a frame over; never waits for the disk."""
        with self._lock:
            if self._held_rows + frame.rows > MAX_HELD_ROWS:
                self._lost.add(frame)
                return
            self._frames.append(frame)
            self._held_rows += frame.rows

    def flush(self) -> None:
        """Write what is held now, from any thread, instead of with the next block."""
        with self._writing:
            self._write_held()

    def close(self) -> None:
        """Write what is held, sync and close. Safe to call twice."""
        self._closing = True
        self._wake.set()
        self._thread.join()
        if self._fd >= 0:
            with suppress(OSError):  # without its index the file is whole, too
                self._append(closing(self._index, self.sync, self._seq, self._size))
            os.close(self._fd)
            self._fd = -1

    def _begin(self) -> None:
        try:
            self._append(MAGIC)
        except OSError as error:  # nothing is in the file, so nothing is lost with it
            os.close(self._fd)
            with suppress(OSError):
                self.path.unlink()
            raise _cannot_record(self.path, error) from error

    def _run(self) -> None:
        give_way()
        while not self._closing:
            # The header goes out at once: a program killed in its first second has one too.
            self._wake.wait(BLOCK_S if self._seq else _FIRST_BLOCK_S)
            self.flush()
        self.flush()

    def _write_held(self) -> None:
        frames = self._take()
        if not frames:
            return
        try:
            self._write(frames)
        except OSError as error:
            self._reason = f"{error.strerror or error}"
            self._give_back(frames)
        except Exception as error:  # noqa: BLE001 - the thread's boundary: the reason is shown
            self._reason = f"{type(error).__name__}: {error}"
            self._give_up(frames)
        else:
            self._reason = ""

    def _take(self) -> list[Frame]:
        with self._lock:
            frames = list(self._frames)
            self._frames.clear()
            self._held_rows = 0
            if self._lost.frames:
                frames.insert(0, self._lost.as_gap(self._reason))
                self._lost = _Lost()
            return frames

    def _give_back(self, frames: list[Frame]) -> None:
        with self._lock:
            self._frames.extendleft(reversed(frames))
            self._held_rows += sum(frame.rows for frame in frames)

    def _give_up(self, frames: list[Frame]) -> None:
        """Frames that cannot be encoded would fail again for ever: only the gap is recorded."""
        with self._lock:
            for frame in frames:
                self._lost.add(frame)

    def _write(self, frames: list[Frame]) -> None:
        """Write one block of every kind, or nothing: a half-written block is cut off again."""
        packed: list[bytes] = []
        blocks: list[Block] = []
        offset = self._size
        for seq, frame in enumerate(merge_frames(frames), self._seq):
            data = pack(frame, self.sync, seq, ZLIB)
            span = (frame.t0_ns, frame.t1_ns, frame.rows)
            blocks.append(Block(offset, len(data), frame.kind, seq, *span))
            packed.append(data)
            offset += len(data)
        self._append(b"".join(packed))
        self._seq += len(packed)
        for block in blocks:
            self._index.add(block)

    def _append(self, data: bytes) -> None:
        disk.write_at(self._fd, data, self._size)
        self._size += len(data)


def _create(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_record(path, error) from error
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        if path.is_dir():
            raise SessionError(
                f"{path} is a folder.", "Name a file in it with --output FILE."
            ) from error
        raise SessionError(
            f"{path} exists already.", "Recordings are never overwritten: choose another --output."
        ) from error
    except OSError as error:
        raise _cannot_record(path, error) from error
    disk.lock(fd)
    return fd


def _cannot_record(path: Path, error: OSError) -> SessionError:
    return SessionError(
        f"Cannot record to {path}: {error.strerror}.",
        "Choose a place with room that may be written to, with --output FILE.",
    )
