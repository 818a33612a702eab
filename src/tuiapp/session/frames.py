"""The bytes of a frame: one form for pipe, file and network.

A frame is a msgpack ``ext32`` whose type is the frame's kind::

    C9 | u32 length | u8 kind | u32 crc | 8 B sync | u32 seq | i64 t0 | i64 t1 | u32 rows |
       u8 codec | u32 raw length | body

The CRC-32 covers the whole frame but itself. The sync word is random per stream: after damage the
reader finds the next frame by it. The body is msgpack ``[attrs, {name: [encoding, data]}]``,
compressed where ``codec`` says so. Integers of the header are big-endian, as in msgpack; column
data is little-endian.

A column's encoding is a numpy dtype (raw values), ``"d" + dtype`` (differences, byte-shuffled:
time stamps and ids shrink to what is random in them) or ``"text"`` (msgpack list of str). Readers
skip kinds, columns and encodings they do not know.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgpack

from tuiapp.errors import SessionError
from tuiapp.events import COLUMNS, FLOAT32, TEXT, Frame

MAJOR, MINOR = 1, 0
MAGIC = b"\xd7\x54tuiapp" + bytes((MAJOR, MINOR))
"""A msgpack ``fixext8`` of type 0x54, then a file's frames follow."""

if TYPE_CHECKING:
    import numpy as np

RAW, ZLIB = 0, 1
_START = 0xC9
_PREFIX = struct.Struct(">BIB")
_HEADER = struct.Struct(">I8sIqqIBI")
OVERHEAD = _PREFIX.size + _HEADER.size
MAX_BODY = 64 << 20
MAX_ROWS = 4 << 20
_DELTA = {"<i8", "<u4"}
_STRUCT_CODES = {"<i8": "q", "<u4": "I", "<u2": "H", "|u1": "B", "<f4": "f"}


def pack(frame: Frame, sync: bytes, seq: int, codec: int = RAW) -> bytes:
    """Encode one frame.

    Args:
        frame: rows to encode; known columns are cast to their declared type.
        sync: the stream's 8 random bytes.
        seq: number of the frame in its stream, wraps at 2**32.
        codec: ``RAW`` for pipes, ``ZLIB`` for files.
    """
    raw = _pack_body(frame, shrink=codec != RAW)
    body = zlib.compress(raw, 6) if codec == ZLIB else raw
    header = _HEADER.pack(
        0, sync, seq & 0xFFFFFFFF, frame.t0_ns, frame.t1_ns, frame.rows, codec, len(raw)
    )
    prefix = _PREFIX.pack(_START, len(header) + len(body), frame.kind)
    crc = zlib.crc32(body, zlib.crc32(header[4:], zlib.crc32(prefix)))
    return b"".join((prefix, struct.pack(">I", crc), header[4:], body))


def _pack_body(frame: Frame, *, shrink: bool) -> bytes:
    known = COLUMNS.get(frame.kind, {})
    columns = {
        name: _pack_column(column, known.get(name), shrink=shrink)
        for name, column in frame.columns.items()
    }
    packed: bytes = msgpack.packb([dict(frame.attrs), columns])
    return packed


def _pack_column(column: Any, declared: str | None, *, shrink: bool) -> list[Any]:
    if declared == TEXT:
        return [TEXT, list(column)]
    if isinstance(column, list) and not shrink:
        # The host agent packs a few numbers at a time: no need for numpy's 17 MB there.
        encoding = declared or FLOAT32
        return [encoding, struct.pack(f"<{len(column)}{_STRUCT_CODES[encoding]}", *column)]
    import numpy as np

    array = np.asarray(column, dtype=declared or getattr(column, "dtype", FLOAT32))
    dtype = array.dtype.newbyteorder("<").str
    if shrink and dtype in _DELTA and len(array):
        steps = array.copy()
        steps[1:] -= array[:-1]
        return ["d" + dtype, _shuffle(steps)]
    return [dtype, array.tobytes()]


def _shuffle(array: np.ndarray) -> bytes:
    """All first bytes, then all second bytes, ...: equal high bytes end up side by side."""
    import numpy as np

    return array.view(np.uint8).reshape(len(array), -1).T.tobytes()


def _unshuffle(data: bytes, dtype: np.dtype[Any]) -> np.ndarray:
    import numpy as np

    planes = np.frombuffer(data, np.uint8).reshape(dtype.itemsize, -1)
    return np.ascontiguousarray(planes.T).view(dtype).ravel()


def _unpack_column(spec: Any, rows: int) -> Any:
    """The column, or None when this version does not know its encoding."""
    encoding, data = spec
    if encoding == TEXT:
        if not isinstance(data, list) or len(data) != rows:
            raise SessionError("a text column's length is wrong.")
        return [str(item) for item in data]
    import numpy as np

    delta = encoding.startswith("d")
    try:
        dtype = np.dtype(encoding[delta:])
    except TypeError:
        return None
    if dtype.kind not in "iuf" or len(data) != rows * dtype.itemsize:
        raise SessionError("a column's length is wrong.")
    if delta:
        return np.cumsum(_unshuffle(data, dtype), dtype=dtype)
    return np.frombuffer(data, dtype)


def _unpack_body(raw: bytes, kind: int, rows: int, t0_ns: int, t1_ns: int) -> Frame:
    attrs, specs = msgpack.unpackb(raw, strict_map_key=True)
    columns = {}
    for name, spec in specs.items():
        column = _unpack_column(spec, rows)
        if column is not None:
            columns[name] = column
    return Frame(kind, t0_ns, t1_ns, columns, attrs)


@dataclass(slots=True)
class Damage:
    """What a stream lost: bytes skipped and frames whose sequence numbers are missing."""

    skipped_bytes: int = 0
    bad_frames: int = 0
    missing_frames: int = 0


class Decoder:
    """Turns a byte stream back into frames, skipping what is damaged.

    Feed it bytes as they come; every size is checked before anything is allocated, and no frame
    is returned whose checksum does not hold. ``sync`` may be given; otherwise the first valid
    frame tells it.
    """

    def __init__(self, sync: bytes | None = None) -> None:
        self.sync = sync
        self.damage = Damage()
        self._buffer = bytearray()
        self._seq: int | None = None

    @property
    def pending(self) -> int:
        """Bytes held that do not make a whole frame yet (a torn tail, at the end of a file)."""
        return len(self._buffer)

    def feed(self, data: bytes | memoryview) -> Iterator[Frame]:
        """Add bytes, and yield the frames that are now whole."""
        buffer = self._buffer
        buffer += data
        start = 0
        try:
            while True:
                size = self._frame_size(start)
                if size == 0:
                    return
                frame = self._decode(start, size) if size > 0 else None
                if frame is None:
                    skip = self._next_start(start)
                    self.damage.skipped_bytes += skip - start
                    start = skip
                    continue
                start += size
                yield frame
        finally:
            del buffer[:start]

    def finish(self) -> Iterator[Frame]:
        """At the end of the stream: the whole frames behind a damaged length, if any."""
        while len(self._buffer) >= OVERHEAD:
            skip = self._next_start(0)
            self.damage.skipped_bytes += skip
            del self._buffer[:skip]
            yield from self.feed(b"")

    def _frame_size(self, start: int) -> int:
        """Bytes of the frame at ``start``; 0 when more are needed, -1 when none begins there."""
        have = len(self._buffer) - start
        if have < OVERHEAD:
            return 0
        first, length, _ = _PREFIX.unpack_from(self._buffer, start)
        fields = _HEADER.unpack_from(self._buffer, start + _PREFIX.size)
        _, sync, _, _, _, rows, _, raw_length = fields
        plausible = (
            first == _START
            and _HEADER.size <= length <= MAX_BODY
            and rows <= MAX_ROWS
            and raw_length <= MAX_BODY
            and self.sync in (None, sync)
        )
        if not plausible:
            return -1
        size: int = _PREFIX.size + length
        return size if have >= size else 0

    def _decode(self, start: int, size: int) -> Frame | None:
        view = bytes(memoryview(self._buffer)[start : start + size])
        kind = view[5]
        crc, sync, seq, t0, t1, rows, codec, raw_length = _HEADER.unpack_from(view, _PREFIX.size)
        if zlib.crc32(view[_PREFIX.size + 4 :], zlib.crc32(view[: _PREFIX.size])) != crc:
            self.damage.bad_frames += 1
            return None
        self.sync = sync
        if self._seq is not None:
            self.damage.missing_frames += (seq - self._seq - 1) & 0xFFFFFFFF
        self._seq = seq
        try:
            raw = _decompress(view[OVERHEAD:], codec, raw_length)
            return _unpack_body(raw, kind, rows, t0, t1)
        except (SessionError, ValueError, TypeError, AttributeError, msgpack.UnpackException):
            self.damage.bad_frames += 1
            return Frame(kind, t0, t1)

    def _next_start(self, start: int) -> int:
        """Where the next frame may begin: its sync word sits at a fixed place behind it."""
        if self.sync is None:
            found = self._buffer.find(bytes((_START,)), start + 1)
            return found if found >= 0 else len(self._buffer)
        offset = _PREFIX.size + 4
        found = self._buffer.find(self.sync, start + offset + 1)
        if found >= 0:
            return found - offset
        return max(start + 1, len(self._buffer) - offset - len(self.sync) + 1)


def _decompress(body: bytes, codec: int, raw_length: int) -> bytes:
    if codec == RAW:
        return body
    if codec != ZLIB:
        raise SessionError(f"codec {codec} is newer than this program.")
    inflater = zlib.decompressobj()
    raw = inflater.decompress(body, raw_length + 1)
    if len(raw) != raw_length:
        raise SessionError("a block's length is wrong.")
    return raw
