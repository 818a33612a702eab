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
skip kinds, columns and encodings they do not know. A body is compressed to no less than 1/256 of
its size, so that nobody can make a reader take much more memory than the file has bytes.

A file that was closed in order ends with INDEX and a ``fixext16`` trailer that says where it is::

    D8 | u8 0x55 | u64 offset of INDEX | u32 its length | u32 crc
"""

from __future__ import annotations

import re
import struct
import zlib
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import msgpack

from tuiapp.errors import SessionError
from tuiapp.events import COLUMNS, FLOAT32, TEXT, Frame

MAJOR, MINOR = 1, 1
MAGIC = b"\xd7\x54tuiapp" + bytes((MAJOR, MINOR))
"""A msgpack ``fixext8`` of type 0x54, then a file's frames follow."""

if TYPE_CHECKING:
    import numpy as np

RAW, ZLIB = 0, 1
START = 0xC9
_PREFIX = struct.Struct(">BIB")
_HEADER = struct.Struct(">I8sIqqIBI")
_CRC_AT = _PREFIX.size
SYNC_AT = _CRC_AT + 4
"""Where a frame's sync word is, counted from its first byte."""
OVERHEAD = _PREFIX.size + _HEADER.size
_TRAILER = struct.Struct(">BBQII")
_TRAILER_START = b"\xd8\x55"
TRAILER_SIZE = _TRAILER.size
MAX_BODY = 64 << 20
MAX_ROWS = 4 << 20
MAX_TEXTS = 1 << 18
"""Rows of a frame that holds text: each takes much more memory than bytes in the file."""
MAX_COLUMNS = 8192
_MAX_LISTS = MAX_COLUMNS + 32_768
_FREE_RAW, _MAX_RATIO = 4096, 256
"""A body may be so many times as large as what it is compressed to, and a little more."""
_DTYPE = re.compile(r"d?(?:[<|][iu]1|<[iu][248]|<f[248])")
_DELTA = {"<i8", "<u4"}
_STRUCT_CODES = {"<i8": "q", "<u4": "I", "<u2": "H", "|u1": "B", "<f4": "f"}


def pack(frame: Frame, sync: bytes, seq: int, codec: int = RAW) -> bytes:
    """Encode one frame.

    Args:
        frame: rows to encode; known columns are cast to their declared type.
        sync: the stream's 8 random bytes.
        seq: number of the frame in its stream, wraps at 2**32.
        codec: ``RAW`` for pipes, ``ZLIB`` for files.

    Raises:
        ValueError: the frame is larger than any reader takes.
    """
    raw = _pack_body(frame, shrink=codec != RAW)
    body = zlib.compress(raw, 6) if codec == ZLIB else raw
    if len(raw) > _most_raw(len(body)):
        codec, body = RAW, raw
    if frame.rows > MAX_ROWS or len(body) > MAX_BODY - _HEADER.size:
        raise ValueError(f"a frame of {frame.rows} rows and {len(raw)} bytes is too large")
    header = _HEADER.pack(
        0, sync, seq & 0xFFFFFFFF, frame.t0_ns, frame.t1_ns, frame.rows, codec, len(raw)
    )
    prefix = _PREFIX.pack(START, len(header) + len(body), frame.kind)
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
        if len(column) > MAX_TEXTS:
            raise ValueError(f"{len(column)} texts are too many for a frame")
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


@lru_cache(maxsize=64)
def _dtype(encoding: str) -> tuple[np.dtype[Any], bool] | None:
    """What a column's numbers are, and whether they are differences; None when it is unknown."""
    if not _DTYPE.fullmatch(encoding):
        return None
    import numpy as np

    delta = encoding.startswith("d")
    return np.dtype(encoding[delta:]), delta


def _unpack_column(spec: Any, rows: int) -> Any:
    """The column, or None when this version does not know its encoding."""
    encoding, data = spec
    if encoding == TEXT:
        if not isinstance(data, list) or len(data) != rows or rows > MAX_TEXTS:
            raise SessionError("a text column's length is wrong.")
        if not all(isinstance(item, str) for item in data):
            raise SessionError("a text column holds something else.")
        return data
    known = _dtype(encoding)
    if known is None:
        return None
    dtype, delta = known
    import numpy as np

    if not isinstance(data, bytes) or len(data) != rows * dtype.itemsize:
        raise SessionError("a column's length is wrong.")
    if delta:
        return np.cumsum(_unshuffle(data, dtype), dtype=dtype)
    return np.frombuffer(data, dtype)


def _unpack_plain(raw: bytes) -> Any:
    """What msgpack holds, as long as that is not much more than its bytes."""
    made = count(1)

    def counted(found: Any) -> Any:
        # An empty list or map is one byte here, and sixty in memory.
        if next(made) > _MAX_LISTS:
            raise SessionError("a block holds too many lists and maps.")
        return found

    sizes = {"max_array_len": MAX_TEXTS, "max_map_len": _MAX_LISTS}
    hooks = {"list_hook": counted, "object_hook": counted}
    return msgpack.unpackb(raw, strict_map_key=True, **hooks, **sizes)


def _unpack_body(raw: bytes, kind: int, rows: int, t0_ns: int, t1_ns: int) -> Frame:
    attrs, specs = _unpack_plain(raw)
    if not isinstance(attrs, dict) or len(specs) > MAX_COLUMNS:
        raise SessionError("a block has no attributes, or too many columns.")
    columns = {}
    for name, spec in specs.items():
        if not isinstance(name, str):
            raise SessionError("a column has no name.")
        column = _unpack_column(spec, rows)
        if column is not None:
            columns[name] = column
    return Frame(kind, t0_ns, t1_ns, columns, attrs)


class Header(NamedTuple):
    """What stands before a frame's body."""

    size: int
    kind: int
    sync: bytes
    seq: int
    t0_ns: int
    t1_ns: int
    rows: int


def header_at(data: bytes | bytearray | memoryview, start: int) -> Header | None:
    """The header of the frame that begins at ``start``; None when none can begin there.

    At least ``OVERHEAD`` bytes must follow. Nothing but its sizes is checked.
    """
    first, length, kind = _PREFIX.unpack_from(data, start)
    _, sync, seq, t0_ns, t1_ns, rows, _, raw_length = _HEADER.unpack_from(data, start + _CRC_AT)
    plausible = (
        first == START
        and _HEADER.size <= length <= MAX_BODY
        and rows <= MAX_ROWS
        and raw_length <= min(_most_raw(length), MAX_BODY)
    )
    if not plausible:
        return None
    return Header(_PREFIX.size + length, kind, sync, seq, t0_ns, t1_ns, rows)


def is_whole(data: bytes | memoryview) -> bool:
    """The checksum of one frame's bytes holds."""
    crc: int = struct.unpack_from(">I", data, _CRC_AT)[0]
    return zlib.crc32(data[SYNC_AT:], zlib.crc32(data[:_CRC_AT])) == crc


def unpack(data: bytes | memoryview) -> Frame:
    """Decode one whole frame.

    Raises:
        SessionError: its checksum holds and its body makes no sense.
    """
    _, _, kind = _PREFIX.unpack_from(data)
    _, _, _, t0_ns, t1_ns, rows, codec, raw_length = _HEADER.unpack_from(data, _CRC_AT)
    try:
        raw = _decompress(data[OVERHEAD:], codec, raw_length)
        return _unpack_body(raw, kind, rows, t0_ns, t1_ns)
    except SessionError:
        raise
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise SessionError(f"a block of kind {kind} makes no sense: {error}.") from error
    except (zlib.error, msgpack.UnpackException) as error:
        raise SessionError(f"a block of kind {kind} makes no sense: {error}.") from error


def pack_trailer(offset: int, length: int) -> bytes:
    """The end of a file whose INDEX frame has ``length`` bytes from ``offset`` on."""
    data = _TRAILER.pack(*_TRAILER_START, offset, length, 0)[:-4]
    return data + struct.pack(">I", zlib.crc32(data))


def unpack_trailer(data: bytes | bytearray | memoryview, start: int = 0) -> tuple[int, int] | None:
    """(offset, length) of INDEX; None when no whole trailer begins at ``start``."""
    held = bytes(data[start : start + TRAILER_SIZE])
    if len(held) < TRAILER_SIZE or not held.startswith(_TRAILER_START):
        return None
    _, _, offset, length, crc = _TRAILER.unpack(held)
    return (offset, length) if zlib.crc32(held[:-4]) == crc else None


def may_be_trailer(data: bytes | bytearray, start: int) -> bool:
    """A trailer begins at ``start``, or what has come of one."""
    held = bytes(data[start : start + len(_TRAILER_START)])
    return bool(held) and _TRAILER_START.startswith(held)


def _most_raw(length: int) -> int:
    """Bytes that ``length`` compressed ones may stand for."""
    return _FREE_RAW + _MAX_RATIO * length


def _decompress(body: bytes | memoryview, codec: int, raw_length: int) -> bytes:
    if codec == RAW:
        if len(body) != raw_length:
            raise SessionError("a block's length is wrong.")
        return bytes(body)
    if codec != ZLIB:
        raise SessionError(f"codec {codec} is newer than this program.")
    inflater = zlib.decompressobj()
    raw = inflater.decompress(body, raw_length + 1)
    if len(raw) != raw_length:
        raise SessionError("a block's length is wrong.")
    return raw
