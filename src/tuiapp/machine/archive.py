"""Unpacks a capture that anybody may have made."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zlib
from pathlib import Path
from typing import IO, cast

from tuiapp.errors import Unavailable
from tuiapp.machine.tree import MOST_BYTES

MOST_FILES = 100_000
"""In a capture, written or read."""
_MOST_TOTAL = 128 << 20
_DEEPEST, _LONGEST = 64, 4096
_NO_ARCHIVE = (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)


def unpack(path: Path, folder: Path) -> None:
    """Lay the files of a capture into ``folder``: plain files below it, bounded, nothing else.

    Raises:
        Unavailable: it is no capture, or larger than one can be.
    """
    try:
        with (
            _opened(path) as packed,
            tarfile.open(fileobj=_Bounded(packed, path), mode="r|") as archive,
        ):
            for at, entry in enumerate(archive):
                if at >= MOST_FILES or entry.size > MOST_BYTES:
                    raise Unavailable(f"{path} is larger than a capture can be")
                target = _place(folder, entry.name)
                if target is not None and entry.isdir():
                    target.mkdir(parents=True, exist_ok=True)
                if not entry.isfile() or target is None:
                    continue
                if (source := archive.extractfile(entry)) is not None:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(source.read(MOST_BYTES))
    except PermissionError:
        raise
    except _NO_ARCHIVE as error:
        raise Unavailable(f"{path} is no capture of a machine") from error


def _opened(path: Path) -> IO[bytes]:
    """The bytes of a tar file, however it is packed."""
    with path.open("rb") as file:
        magic = file.read(6)
    if magic.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.open(path))
    if magic == b"\xfd7zXZ\0":
        return cast("IO[bytes]", lzma.open(path))
    return path.open("rb")


def _place(folder: Path, name: str) -> Path | None:
    """Where an entry belongs; None for one that would lead outside.

    Neither ``/x`` nor ``//x`` may count as absolute: what is joined is never more than names.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or len(parts) > _DEEPEST or len(name) > _LONGEST:
        return None
    return folder.joinpath(*parts)


class _Bounded(io.RawIOBase):
    """A stream that gives up when it goes on for too long.

    The headers of a tar file have a size of their own, which tarfile reads into memory whole; so
    it is not enough to look at the sizes of its entries.
    """

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream = stream
        self._path = path
        self._left = _MOST_TOTAL

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise Unavailable(f"{self._path} is larger than a capture can be")
        return data
