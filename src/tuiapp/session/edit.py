"""Rewrites recordings, block by block, into new files. The originals are never touched.

A copy is written under another name and takes its own when it is complete, so that whatever goes
wrong leaves nothing half done. Blocks that need no change are copied as they stand: kinds,
columns and encodings of later versions survive. Memory is bounded by a block.
"""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from tuiapp.errors import SessionError
from tuiapp.events import Frame, Kind
from tuiapp.session.file import SessionFile
from tuiapp.session.frames import (
    MAGIC,
    MINOR,
    RAW,
    SYNC_AT,
    ZLIB,
    header_at,
    pack,
)
from tuiapp.session.identity import Identity
from tuiapp.session.index import Block, Index, closing
from tuiapp.session.reader import torn_off
from tuiapp.session.redaction import Anonymizer
from tuiapp.session.verify import Lost, Sense, Verdict, Whole, senseless, torn_bytes, walk

_CRC_AT = SYNC_AT - 4
_CODEC_AT = SYNC_AT + 8 + 4 + 8 + 8 + 4


def rewrite(items: Iterable[Frame | bytes], target: Path, minor: int = MINOR) -> int:
    """Write a new session file with an index; returns its size in bytes.

    Args:
        items: frames to encode, or whole blocks as they stand in another file.
        target: must not exist.
        minor: version of the format that ``items`` may need.

    Raises:
        SessionError: ``target`` exists or cannot be written; nothing is left of it.
    """
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=target.parent, prefix=f".{target.name[:40]}.", suffix=".part", delete=False
        ) as out:
            temporary = Path(out.name)
            size = _write(items, out, max(minor, MINOR))
            out.flush()
            os.fsync(out.fileno())
        place(temporary, target)
    except FileExistsError as error:
        raise SessionError(f"{target} exists already.", "Choose another name.") from error
    except OSError as error:
        raise SessionError(f"Cannot write {target}: {error.strerror}.") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return size


def place(temporary: Path, target: Path) -> None:
    """Give a file its name, which nobody may have yet.

    Raises:
        FileExistsError: somebody has.
        OSError: it cannot be.
    """
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if target.exists():
            raise FileExistsError(str(target)) from None
        temporary.rename(target)
    else:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _write(items: Iterable[Frame | bytes], out: IO[bytes], minor: int) -> int:
    sync, index = os.urandom(8), Index()
    offset = out.write(MAGIC[:-1] + bytes((minor,)))
    for seq, item in enumerate(items):
        data = renumbered(item, sync, seq) if isinstance(item, bytes) else _packed(item, sync, seq)
        header = header_at(data, 0)
        assert header is not None
        spans = (header.t0_ns, header.t1_ns, header.rows)
        index.add(Block(offset, len(data), header.kind, seq, *spans))
        offset += out.write(data)
    return offset + out.write(closing(index, sync, len(index), offset))


def _packed(frame: Frame, sync: bytes, seq: int) -> bytes:
    return pack(frame, sync, seq, ZLIB)


def renumbered(data: bytes, sync: bytes, seq: int) -> bytes:
    """A whole block as the ``seq``-th of another stream; its body stays as it is."""
    rest = sync + struct.pack(">I", seq & 0xFFFFFFFF) + data[SYNC_AT + 12 :]
    crc = zlib.crc32(rest, zlib.crc32(data[:_CRC_AT]))
    return data[:_CRC_AT] + struct.pack(">I", crc) + rest


# -- recover -------------------------------------------------------------------------------


def recover(source: Path, target: Path) -> Verdict:
    """Write a clean copy of all that can be read of ``source``; gaps stand where blocks are lost.

    Returns:
        What was lost; nothing, of a whole file.

    Raises:
        SessionError: nothing can be read, or ``target`` cannot be written.
    """
    with SessionFile(source) as file:
        verdict = Verdict(source, file.size, file.version, file.indexed, file.is_growing)
        if verdict.growing:
            raise SessionError(f"{source} is being recorded.", "Wait for its end.")
        if not len(file.index):
            raise SessionError(f"Nothing can be saved of {source}: it holds no whole block.")
        verdict.torn_bytes = torn_bytes(file)
        rewrite(_readable(file, verdict), target, file.version[1])
    return verdict


def _readable(file: SessionFile, verdict: Verdict) -> Iterator[Frame | bytes]:
    sense, end_ns = Sense(), 0
    for found in walk(file):
        if isinstance(found, Whole) and (_is_newer(found.data) or _is_sound(found, sense)):
            verdict.frames += 1
            end_ns = max(end_ns, found.block.t1_ns)
            yield found.data
            continue
        lost = found if isinstance(found, Lost) else senseless(found)
        verdict.lost.append(lost)
        if not lost.is_repeated:
            yield lost.as_gap()
    if verdict.torn_bytes:
        yield torn_off(end_ns)
    if not verdict.whole:
        told = {
            "file": file.path.name,
            "lost_frames": verdict.missing_frames,
            "torn_bytes": verdict.torn_bytes,
        }
        yield Frame(Kind.META, end_ns, end_ns, attrs={"recovered": told})


def _is_sound(found: Whole, sense: Sense) -> bool:
    frame = found.frame()
    return frame is not None and sense.has(frame)


def _is_newer(data: bytes) -> bool:
    """Compressed in a way that this version does not know."""
    return data[_CODEC_AT] not in (RAW, ZLIB)


# -- redact --------------------------------------------------------------------------------


def redact(source: Path, target: Path, words: Sequence[str] = ()) -> Verdict:
    """Write a copy of ``source`` without host and user names, paths and notes.

    Blocks that this version cannot decode are left out, for nobody can tell what is in them.

    Args:
        words: further words that nobody may read.

    Returns:
        What was left out; ``identifying`` tells what was found in ``source``.

    Raises:
        SessionError: ``source`` cannot be read, or ``target`` cannot be written.
    """
    with SessionFile(source) as file:
        verdict = Verdict(source, file.size, file.version, file.indexed, file.is_growing)
        verdict.torn_bytes = torn_bytes(file)
        identity = Identity()
        for frame in decoded(file):
            identity.see(frame)
        verdict.identifying = identity.found()
        masked = Anonymizer(identity, words).frame
        rewrite((masked(frame) for frame in decoded(file, verdict.lost.append)), target)
    return verdict


def decoded(file: SessionFile, lost: Callable[[Lost], object] | None = None) -> Iterator[Frame]:
    """Every frame of the file; a gap where one cannot be read, which is told to ``lost``."""
    for found in walk(file):
        frame = found.frame() if isinstance(found, Whole) else None
        if frame is None:
            trouble = found if isinstance(found, Lost) else senseless(found)
            if lost is not None:
                lost(trouble)
            if trouble.is_repeated:
                continue
            frame = trouble.as_gap()
        yield frame
