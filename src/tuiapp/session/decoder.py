"""A byte stream back into frames, skipping what is damaged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tuiapp.errors import SessionError
from tuiapp.events import Frame
from tuiapp.session.frames import (
    OVERHEAD,
    START,
    SYNC_AT,
    TRAILER_SIZE,
    Header,
    header_at,
    is_whole,
    may_be_trailer,
    unpack,
    unpack_trailer,
)

MAX_SKIPPED = 256 << 20
"""Bytes without a whole frame behind which none is looked for any more."""
_MAX_TRIES = 1 << 19
_MAX_VAIN = 256 << 20
"""Places where a frame could have begun and none did, and bytes of such frames that were summed."""


@dataclass(slots=True)
class Damage:
    """What a stream lost.

    Attributes:
        skipped_bytes: no frame was found in them.
        bad_frames: their checksum or their body is wrong.
        missing_frames: their sequence numbers do not occur.
        repeated_frames: they had come before; nothing is lost with them.
    """

    skipped_bytes: int = 0
    bad_frames: int = 0
    missing_frames: int = 0
    repeated_frames: int = 0


class Decoder:
    """Turns a byte stream back into frames.

    Feed it bytes as they come; every size is checked before anything is allocated, and no frame
    is returned whose checksum does not hold or that comes again. ``offset`` and ``header`` tell of
    the frame that was yielded last. A stream that is made to be searched for ever is ``given_up``:
    the rest of it counts as skipped.

    Args:
        sync: the stream's random word; the first valid frame tells it when left out.
        bodies: False yields frames without their columns and attrs, at a fraction of the cost.
        offset: where in the file the first byte fed stands.
        seq: number of the frame before the first, so that frames missing there count (-1 at a
            stream's beginning); the first one tells it when left out.
    """

    def __init__(
        self,
        sync: bytes | None = None,
        *,
        bodies: bool = True,
        offset: int = 0,
        seq: int | None = None,
    ) -> None:
        self.sync = sync
        self.damage = Damage()
        self.offset = offset
        self.header: Header | None = None
        self.given_up = False
        self._bodies = bodies
        self._base = offset
        self._buffer = bytearray()
        self._seq = seq
        self._tries = self._vain = self._skipped = 0

    @property
    def pending(self) -> int:
        """Bytes held that do not make a whole frame yet (a torn tail, at the end of a file)."""
        return len(self._buffer)

    def feed(self, data: bytes | memoryview) -> Iterator[Frame]:
        """Add bytes, and yield the frames that are now whole."""
        self._buffer += data
        return self._take(ended=False)

    def finish(self) -> Iterator[Frame]:
        """At the end of the stream: the whole frames behind a damaged length, if any."""
        return self._take(ended=True)

    def _take(self, *, ended: bool) -> Iterator[Frame]:
        start = 0
        try:
            while start < len(self._buffer):
                size = self._size(start) if not self.given_up else 1
                if size == 0 and not ended:
                    return
                if size < 0:  # a trailer
                    start -= size
                    continue
                data = self._whole(start, size) if size else None
                if data is None:
                    start = self._skip(start, ended=ended)
                    continue
                frame = self._decode(data)
                at, start = start, start + size
                if frame is not None:
                    self.offset = self._base + at
                    yield frame
        finally:
            self._base += start
            del self._buffer[:start]

    def _size(self, start: int) -> int:
        """Bytes of what begins at ``start``: a frame; negative for a trailer; 0: not whole yet.

        Where nothing can begin, 1: no frame is that small, so that decoding it fails.
        """
        have = len(self._buffer) - start
        if may_be_trailer(self._buffer, start):
            if have < TRAILER_SIZE:
                return 0
            if unpack_trailer(self._buffer, start) is not None:
                return -TRAILER_SIZE
        if have < OVERHEAD:
            return 0
        header = header_at(self._buffer, start)
        if header is None or self.sync not in (None, header.sync):
            return 1
        return header.size if have >= header.size else 0

    def _whole(self, start: int, size: int) -> memoryview | None:
        """The bytes of the frame that begins at ``start``; None when none does."""
        if size < OVERHEAD:
            return None
        data = memoryview(bytes(memoryview(self._buffer)[start : start + size]))
        if header_at(data, 0) is None or not is_whole(data):
            self.damage.bad_frames += 1
            self._vain += size
            return None
        self._skipped = 0
        return data

    def _decode(self, data: memoryview) -> Frame | None:
        """The frame in ``data``, whose checksum holds; None when it came before or is nonsense."""
        header = header_at(data, 0)
        assert header is not None
        self.sync = header.sync
        step = 1 if self._seq is None else (header.seq - self._seq) & 0xFFFFFFFF
        if not 0 < step < 1 << 31:
            self.damage.repeated_frames += 1
            return None
        self.damage.missing_frames += step - 1
        self._seq = header.seq
        if not self._bodies:
            self.header = header
            return Frame(header.kind, header.t0_ns, header.t1_ns)
        try:
            frame = unpack(data)
        except SessionError:
            self.damage.bad_frames += 1
            return None
        self.header = header
        return frame

    def _skip(self, start: int, *, ended: bool) -> int:
        """Past what is no frame; everything, once the search has been in vain for too long."""
        self._tries += 1
        passed = self._base + start
        if self._tries > _MAX_TRIES + passed // 4096 or self._vain > _MAX_VAIN + passed:
            self.given_up = True
        self.given_up = self.given_up or self._skipped > MAX_SKIPPED
        skip = len(self._buffer) if self.given_up else self._next_start(start, ended=ended)
        self._skipped += skip - start
        self.damage.skipped_bytes += skip - start
        return skip

    def _next_start(self, start: int, *, ended: bool) -> int:
        """Where the next frame may begin: its sync word sits at a fixed place behind it."""
        end = len(self._buffer)
        if self.sync is None:
            found = self._buffer.find(bytes((START,)), start + 1)
            return found if found >= 0 else end
        found = self._buffer.find(self.sync, start + SYNC_AT + 1)
        if found >= 0:
            return found - SYNC_AT
        return end if ended else max(start + 1, end - SYNC_AT - len(self.sync) + 1)
