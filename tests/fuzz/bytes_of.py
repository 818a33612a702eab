"""Session files by hand: frames whose checksums hold, whatever is in them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from typing import Any

import msgpack
import numpy as np

from tuiapp.session.frames import MAGIC, OVERHEAD, RAW, SYNC_AT, ZLIB, pack_trailer

SYNC = b"fuzzsync"
_CRC_AT = SYNC_AT - 4


def raw_frame(
    kind: int,
    body: bytes,
    *,
    seq: int = 0,
    rows: int = 0,
    span: tuple[int, int] = (0, 0),
    codec: int = RAW,
    raw_length: int | None = None,
) -> bytes:
    """A frame with a right checksum around ``body`` as it is, compressed for ``ZLIB``."""
    held = zlib.compress(body, 9) if codec == ZLIB else body
    size = len(body) if raw_length is None else raw_length
    header = struct.pack(">8sIqqIBI", SYNC, seq, *span, rows, codec, size)
    prefix = struct.pack(">BIB", 0xC9, len(header) + 4 + len(held), kind)
    crc = zlib.crc32(held, zlib.crc32(header, zlib.crc32(prefix)))
    return prefix + struct.pack(">I", crc) + header + held


def body_of(columns: Any, attrs: Any = None) -> bytes:
    """The body of a frame."""
    packed: bytes = msgpack.packb([{} if attrs is None else attrs, columns])
    return packed


def column(values: Any, dtype: str = "<i8") -> list[Any]:
    """A column in an encoding of its own choosing."""
    return [dtype, np.asarray(values, dtype).tobytes()]


def file_of(*frames: bytes) -> bytes:
    """A file that was not closed."""
    return MAGIC + b"".join(frames)


def closed(*frames: bytes, index: bytes) -> bytes:
    """A file that ends with an INDEX frame and its trailer, whatever they say."""
    before = file_of(*frames)
    return before + index + pack_trailer(len(before), len(index))


def heal(data: bytes) -> bytes:
    """``data`` with the checksum of everything that begins like a frame made right.

    A fuzzer would otherwise never get behind the checksums.
    """
    healed = bytearray(data)
    at = healed.find(SYNC)
    while at >= 0:
        start = at - SYNC_AT
        if start >= 0 and start + OVERHEAD <= len(healed):
            (length,) = struct.unpack_from(">I", healed, start + 1)
            end = start + 6 + length
            if end <= len(healed):
                crc = zlib.crc32(healed[SYNC_AT + start : end], _crc(healed[start : start + 6]))
                struct.pack_into(">I", healed, start + _CRC_AT, crc)
        at = healed.find(SYNC, at + 1)
    return bytes(healed)


def _crc(data: Iterable[int]) -> int:
    return zlib.crc32(bytes(data))
