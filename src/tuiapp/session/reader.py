"""Reads a session file back, whole or damaged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from tuiapp.errors import SessionError
from tuiapp.events import Frame
from tuiapp.session import disk
from tuiapp.session.columns import Session
from tuiapp.session.decoder import Damage, Decoder
from tuiapp.session.frames import MAGIC, MAJOR, MINOR

_CHUNK = 1 << 20
_HEAD = 1 << 20
"""Bytes in which a session whose beginning is damaged has to show a frame."""


@dataclass(slots=True)
class Report:
    """What was read.

    Attributes:
        frames: whole frames.
        torn_bytes: the unfinished tail that a crash left.
        damage: what was lost before it.
        unread_bytes: the rest of a file that was cut off while it was read, or whose search for
            frames was given up.
    """

    frames: int = 0
    torn_bytes: int = 0
    unread_bytes: int = 0
    damage: Damage = field(default_factory=Damage)

    @property
    def whole(self) -> bool:
        """Nothing is missing but, at most, a torn tail."""
        return replace(self.damage, repeated_frames=0) == Damage() and not self.unread_bytes

    @property
    def lost(self) -> int:
        """Blocks that cannot be read, at least."""
        known = max(self.damage.bad_frames, self.damage.missing_frames)
        some = self.damage.skipped_bytes > len(MAGIC) or self.unread_bytes > 0
        return known or int(some)

    @property
    def missing(self) -> str:
        """What of a file that is not ``whole`` cannot be read, in words."""
        return f"{self.lost} of its blocks" if self.lost else "its first bytes"


def read_frames(path: Path, report: Report | None = None) -> Iterator[Frame]:
    """The frames of the file at ``path``, damaged ones left out.

    What is appended while it is read is not read any more.

    Raises:
        SessionError: the file cannot be opened, is no session, or is of a newer major version.
    """
    report = report if report is not None else Report()
    decoder = Decoder(seq=-1)
    for chunk in _chunks(path, report):
        for frame in decoder.feed(chunk):
            report.frames += 1
            yield frame
        if decoder.given_up:
            break
    for frame in finish(decoder, report):
        report.frames += 1
        yield frame


def _chunks(path: Path, report: Report) -> Iterator[bytes]:
    """The bytes from the first frame on, as many as there were when it was opened."""
    try:
        fd, size = disk.open_regular(path)
        try:
            _, at = start_of(path, fd)
            while at < size and (chunk := os.pread(fd, min(_CHUNK, size - at), at)):
                at += len(chunk)
                report.unread_bytes = size - at
                yield chunk
        finally:
            os.close(fd)
    except OSError as error:
        raise cannot_read(path, error) from error


def cannot_read(path: Path, error: OSError) -> SessionError:
    """The one sentence for a file that cannot be opened or read."""
    return SessionError(f"Cannot read {path}: {error.strerror}.")


def finish(decoder: Decoder, report: Report) -> Iterator[Frame]:
    """What is left at the end of a stream; tells a torn tail from damage in ``report``."""
    report.torn_bytes = decoder.pending
    before = replace(decoder.damage)
    for frame in decoder.finish():
        report.torn_bytes = 0
        yield frame
    if report.torn_bytes and decoder.damage.bad_frames == before.bad_frames:
        decoder.damage.skipped_bytes = before.skipped_bytes  # that was the torn tail, no damage
    report.damage = decoder.damage


def start_of(path: Path, fd: int) -> tuple[tuple[int, int], int]:
    """Version of the open file ``fd``, and at which byte its frames may begin.

    A file that does not begin as a session is one all the same when a frame whose checksum holds
    stands near its beginning: its first bytes are damaged, and count as such from byte 0.

    Raises:
        SessionError: it is no session, or of a newer major version.
        OSError: it cannot be read.
    """
    magic = os.pread(fd, len(MAGIC), 0)
    if magic[:-2] != MAGIC[:-2] or len(magic) != len(MAGIC):
        head = os.pread(fd, _HEAD, 0)
        if next(Decoder(bodies=False).feed(head), None) is None:
            raise SessionError(f"{path} is no tuiapp session.", "It does not begin as one.")
        return (MAJOR, MINOR), 0
    if magic[-2] > MAJOR:
        raise SessionError(
            f"{path} was written by a newer tuiapp (format {magic[-2]}, this one reads {MAJOR}).",
            "Upgrade tuiapp to open it.",
        )
    return (magic[-2], magic[-1]), len(MAGIC)


def load(path: Path, report: Report | None = None) -> Session:
    """The whole session at ``path`` in memory; what is damaged counts as lost."""
    report = report if report is not None else Report()
    session = Session(path)
    for frame in read_frames(path, report):
        session.fold(frame)
    session.lost_frames += report.lost
    return session
