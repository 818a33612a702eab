"""Reads a session file back, whole or damaged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from tuiapp.errors import SessionError
from tuiapp.events import Frame, Kind
from tuiapp.session import disk
from tuiapp.session.columns import Session
from tuiapp.session.decoder import Damage, Decoder
from tuiapp.session.frames import MAGIC, MAJOR, MINOR
from tuiapp.session.index import Block

DAMAGED = "damaged file"
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
    return (frame for frame, _ in _frames(path, report))


def _frames(path: Path, report: Report) -> Iterator[tuple[Frame, int]]:
    """The same, each with how many frames are missing in front of it."""
    decoder, missing = Decoder(seq=-1), 0
    for frame in _decoded(path, decoder, report):
        report.frames += 1
        yield frame, decoder.damage.missing_frames - missing
        missing = decoder.damage.missing_frames


def _decoded(path: Path, decoder: Decoder, report: Report) -> Iterator[Frame]:
    for chunk in _chunks(path, report):
        yield from decoder.feed(chunk)
        if decoder.given_up:
            break
    yield from finish(decoder, report)


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


def is_recording(path: Path) -> bool:
    """The file at ``path`` begins as a session does."""
    try:
        fd, _ = disk.open_regular(path)
    except OSError:
        return False
    try:
        return os.pread(fd, len(MAGIC), 0)[:-2] == MAGIC[:-2]
    finally:
        os.close(fd)


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
    session, before, told = Session(path), None, 0
    for frame, missing in _frames(path, report):
        if missing:
            session.lose(*lost_between(before, frame), missing, DAMAGED)
            told += missing
        session.fold(frame)
        before = frame
    session.lost_frames += max(report.lost - told, 0)
    return session


def torn_off(t_ns: int) -> Frame:
    """What stands for the unfinished block at the end of a recording that ended at ``t_ns``."""
    reason = "the recording was torn off in the middle of a block"
    return Frame(Kind.GAP, t_ns, t_ns, {}, {"reason": reason, "frames": 1})


def lost_between(before: Frame | Block | None, after: Frame | Block) -> tuple[int, int]:
    """From when to when frames may be of that are missing between two others.

    Frames of one moment are written one after the other, so that those missing are of a time of
    which the two beside them are, too.
    """
    beside = [after] if before is None else [before, after]
    return min(one.t0_ns for one in beside), max(one.t1_ns for one in beside)
