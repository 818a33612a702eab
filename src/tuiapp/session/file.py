"""A session file that can be read anywhere, and added to.

A file that was closed in order tells by its trailer where its blocks are; any other is scanned
once, checksum by checksum. Notes are appended behind what is there: nothing is ever rewritten.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from tuiapp.errors import SessionError
from tuiapp.events import Frame, Kind
from tuiapp.session import disk
from tuiapp.session.decoder import Damage, Decoder
from tuiapp.session.frames import (
    MAGIC,
    MAX_BODY,
    OVERHEAD,
    TRAILER_SIZE,
    ZLIB,
    Header,
    header_at,
    is_whole,
    pack,
    unpack,
    unpack_trailer,
)
from tuiapp.session.index import Block, Index, closing
from tuiapp.session.reader import (
    DAMAGED,
    Report,
    cannot_read,
    finish,
    lost_between,
    start_of,
    torn_off,
)

_CHUNK = 1 << 20


class SessionFile:
    """The blocks of the file at ``path``. Close it, or use it in a ``with``.

    Attributes:
        index: where every block is.
        size: bytes of the file when it was opened.
        version: (major, minor) of its format.
        start: the byte from which on frames are looked for; 0 when its first bytes are damaged.
        indexed: it was closed in order, and its trailer told the index.
        report: what a scan found; damage inside blocks shows when they are read.

    Raises:
        SessionError: the file cannot be opened, is no session, or is of a newer major version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.version, self.start = (0, 0), len(MAGIC)
        self.indexed = False
        self.index, self.report = Index(), Report()
        self._sync = b""
        self._next_seq = 0
        self._breaks: dict[int, int] = {}
        self._fd = -1
        self._tail: Decoder | None = None
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; safe to call twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def end_ns(self) -> int:
        """The newest moment in the file; nanoseconds since the session's origin."""
        return self.index.end_ns

    @property
    def is_growing(self) -> bool:
        """Some process is recording into it now."""
        return not self.indexed and disk.is_locked(self._fd)

    def frames(
        self,
        kinds: Iterable[int] | None = None,
        after_ns: int | None = None,
        until_ns: int | None = None,
    ) -> Iterator[Frame]:
        """Frames in the order of the file, damaged ones left out and counted in ``report``.

        Args:
            kinds: only these; all when left out. INDEX is never among them.
            after_ns, until_ns: only blocks that may hold something of (after, until].
        """
        for row in self.index.select(kinds, after_ns, until_ns):
            frame = self.read(int(row))
            if frame is not None:
                yield frame

    def read(self, row: int) -> Frame | None:
        """The ``row``-th block of the index; None when it is damaged."""
        block = self.index.block(row)
        try:
            data = self._bytes(block.offset, block.length)
        except OSError as error:
            raise cannot_read(self.path, error) from error
        header = header_at(data, 0) if len(data) >= OVERHEAD else None
        if header is not None and header.sync == self._sync and _describes(block, header):
            with suppress(SessionError):
                if is_whole(data):
                    return unpack(data)
        self.report.damage.bad_frames += 1
        return None

    def missing(self, row: int) -> Frame:
        """What stands for the ``row``-th block when it is damaged."""
        block = self.index.block(row)
        attrs = {"reason": DAMAGED, "frames": 1}
        return Frame(Kind.GAP, block.t0_ns, max(block.t0_ns, block.t1_ns), {}, attrs)

    def missing_before(self, row: int) -> tuple[int, int, int] | None:
        """From when, to when and how many frames are missing in front of the ``row``-th block."""
        count = self._breaks.get(row)
        if count is None:
            return None
        before = self.index.block(row - 1) if row else None
        return (*lost_between(before, self.index.block(row)), count)

    def grow(self) -> Iterator[Frame]:
        """The frames that have been written since the file was opened, or since the last call.

        Of a file that somebody records into; what is not whole yet comes with a later call.

        Raises:
            SessionError: the file cannot be read any more.
        """
        if self._tail is None:
            self.size = self.index.block(len(self.index) - 1).end if len(self.index) else len(MAGIC)
            self._tail = Decoder(self._sync or None, offset=self.size)
            self._tail.damage = self.report.damage
        try:
            while data := self._bytes(self.size, _CHUNK):
                self.size += len(data)
                for frame in self._tail.feed(data):
                    self._found(self._tail)
                    if frame.kind != Kind.INDEX:
                        yield frame
        except OSError as error:
            raise cannot_read(self.path, error) from error
        self.report.torn_bytes = self._tail.pending

    def raw(self, offset: int, length: int) -> bytes:
        """The file's bytes as they stand; fewer where it ends."""
        return self._bytes(offset, length)

    def append(self, frames: Sequence[Frame]) -> None:
        """Write frames behind the others, and a new index behind them.

        The unfinished block at the end of a recording that was torn off is cut off; a GAP stands
        for it.

        Raises:
            SessionError: the file is being recorded, or cannot be written to.
        """
        end = self.size if self.indexed else self.size - self.report.torn_bytes
        if end < self.size:
            frames = [torn_off(self.end_ns), *frames]
        sync, seq, offset = self._sync or os.urandom(8), self._next_seq, end
        parts = []
        for frame in frames:
            data = pack(frame, sync, seq, ZLIB)
            block = Block(offset, len(data), frame.kind, seq, frame.t0_ns, frame.t1_ns, frame.rows)
            self.index.add(block)
            parts.append(data)
            seq, offset = (seq + 1) & 0xFFFFFFFF, block.end
        parts.append(closing(self.index, sync, seq, offset))
        try:
            disk.append(self.path, b"".join(parts), end)
        except SessionError:
            self.index.truncate(len(self.index) - len(frames))
            raise
        self.close()
        self._open()

    # -- opening ---------------------------------------------------------------------------

    def _open(self) -> None:
        self.index, self.report, self.indexed = Index(), Report(), False
        self._tail, self._next_seq, self._breaks = None, 0, {}
        try:
            self._fd, self.size = disk.open_regular(self.path)
            self.version, self.start = start_of(self.path, self._fd)
            if not self._by_trailer():
                self._scan()
        except OSError as error:
            self.close()
            raise cannot_read(self.path, error) from error
        except BaseException:
            self.close()
            raise

    def _bytes(self, offset: int, length: int) -> bytes:
        parts = []
        while length > 0 and (part := os.pread(self._fd, length, offset)):
            parts.append(part)
            offset, length = offset + len(part), length - len(part)
        return b"".join(parts)

    def _by_trailer(self) -> bool:
        """Take the index that the trailer points at; False when there is no good one."""
        found = unpack_trailer(self._bytes(max(self.size - TRAILER_SIZE, 0), TRAILER_SIZE))
        if found is None:
            return False
        offset, length = found
        inside = OVERHEAD <= length <= MAX_BODY + OVERHEAD and offset >= len(MAGIC)
        if not inside or offset + length + TRAILER_SIZE != self.size:
            return False
        data = self._bytes(offset, length)
        header = header_at(data, 0)
        whole = header is not None and header.size == length and is_whole(data)
        if header is None or not whole or header.kind != Kind.INDEX:
            return False
        try:
            index = Index.of(unpack(data), offset)
        except SessionError:
            return False
        if index is None or not self._tells_all(index, offset, header):
            return False
        self.index, self.indexed = index, True
        self._sync, self._next_seq = header.sync, (header.seq + 1) & 0xFFFFFFFF
        self.report.frames = len(index)
        self.report.damage.skipped_bytes = len(MAGIC) - self.start
        return True

    def _tells_all(self, index: Index, end: int, last: Header) -> bool:
        """Every frame is in ``index``, but the indexes that stood at the end before.

        Otherwise the file was damaged when it was appended to, or somebody hides something.
        """
        indexes = 0
        for start, stop in index.holes(end):
            if stop - start > MAX_BODY + OVERHEAD + TRAILER_SIZE:
                return False
            decoder = Decoder(last.sync, bodies=False)
            for _ in decoder.feed(self._bytes(start, stop - start)):
                indexes += 1
                if decoder.header is None or decoder.header.kind != Kind.INDEX:
                    return False
            if decoder.pending or decoder.damage != Damage():
                return False
        seqs = index["seq"].astype(np.int64)
        return last.seq == len(seqs) + indexes and bool((np.diff(seqs) > 0).all())

    def _scan(self) -> None:
        decoder = Decoder(bodies=False, offset=self.start, seq=-1)
        for at in range(self.start, self.size, _CHUNK):
            if decoder.given_up:
                self.report.unread_bytes = self.size - at
                break
            for _ in decoder.feed(self._bytes(at, min(_CHUNK, self.size - at))):
                self._found(decoder)
        for _ in finish(decoder, self.report):
            self._found(decoder)
        self._sync = decoder.sync or b""

    def _found(self, decoder: Decoder) -> None:
        header = decoder.header
        assert header is not None
        self.report.frames += 1
        missing = (header.seq - self._next_seq) & 0xFFFFFFFF
        if missing:
            row = len(self.index)
            self._breaks[row] = self._breaks.get(row, 0) + missing
        self._next_seq = (header.seq + 1) & 0xFFFFFFFF
        if header.kind != Kind.INDEX:
            spans = (header.t0_ns, header.t1_ns, header.rows)
            block = Block(decoder.offset, header.size, header.kind, header.seq, *spans)
            self.index.add(block)


def _describes(block: Block, header: Header) -> bool:
    """The index says of a block what the block says itself."""
    spans = (header.t0_ns, header.t1_ns, header.rows)
    return block == Block(block.offset, header.size, header.kind, header.seq, *spans)
