"""A few bytes of machine code, made callable without memory that is ever writable and executable.

Systems that enforce W^X (``PR_SET_MDWE``, SELinux's ``execmem`` and ``execmod``, PaX) refuse one
way or another of getting at executable memory. The first way passes nearly everywhere: bytes are
written to a file that exists in memory only, and the file is mapped read-and-execute.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
from collections.abc import Callable, Sequence
from ctypes import c_int, c_long, c_size_t, c_void_p
from functools import cache

from tuiapp.errors import Unavailable

X86_64 = ("x86_64", "AMD64", "amd64")
_READ_EXECUTE = mmap.PROT_READ | mmap.PROT_EXEC
_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = c_void_p
_libc.mmap.argtypes = (c_void_p, c_size_t, c_int, c_int, c_int, c_long)
_libc.mprotect.argtypes = (c_void_p, c_size_t, c_int)
_MAP_FAILED = c_void_p(-1).value


def require_x86_64() -> None:
    """Raise ``Unavailable`` when this process cannot run our machine code."""
    machine = platform.machine()
    if machine not in X86_64 or ctypes.sizeof(c_void_p) != 8:
        bits = 8 * ctypes.sizeof(c_void_p)
        raise Unavailable(
            f"our machine code is for x86-64, and this is {bits}-bit {machine or 'unknown'}"
        )


def from_memfd(code: bytes) -> int:
    """Address of ``code`` in a file without a name; OSError when that is refused."""
    fd = os.memfd_create("tuiapp", os.MFD_CLOEXEC)
    return _map_file(fd, code)


def from_file(code: bytes) -> int:
    """Address of ``code`` in an unlinked temporary file; OSError when that is refused."""
    import tempfile  # hardly ever needed, and a megabyte with all that it imports

    with tempfile.TemporaryFile() as file:
        return _map_file(os.dup(file.fileno()), code)


def from_mprotect(code: bytes) -> int:
    """Address of ``code`` in memory writable first, then executable; OSError when refused."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    address = _map(len(code), mmap.PROT_READ | mmap.PROT_WRITE, flags, -1)
    ctypes.memmove(address, code, len(code))
    if _libc.mprotect(address, len(code), _READ_EXECUTE) != 0:
        raise _error("mprotect")
    return address


WAYS: dict[str, Callable[[bytes], int]] = {
    "memfd": from_memfd,
    "file": from_file,
    "mprotect": from_mprotect,
}
"""In the order in which they are tried. What they map stays mapped while the process lives."""


def load(code: bytes, ways: Sequence[str] = tuple(WAYS)) -> int:
    """Address of ``code``, executable and not writable; the same one for the same code.

    Raises:
        Unavailable: no way worked, or this is no x86-64; each way's reason.
    """
    require_x86_64()
    return _loaded(code, tuple(ways))


@cache  # what is mapped stays mapped, so a probe that runs for days must not map it again
def _loaded(code: bytes, ways: tuple[str, ...]) -> int:
    reasons = []
    for way in ways:
        try:
            return WAYS[way](code)
        except (OSError, AttributeError) as error:
            reasons.append(f"{way}: {error}")
    raise Unavailable("no executable memory (" + "; ".join(reasons) + ")")


def _map_file(fd: int, code: bytes) -> int:
    try:
        os.write(fd, code)
        return _map(len(code), _READ_EXECUTE, mmap.MAP_PRIVATE, fd)
    finally:
        os.close(fd)


def _map(length: int, protection: int, flags: int, fd: int) -> int:
    address: int | None = _libc.mmap(None, length, protection, flags, fd, 0)
    if address is None or address == _MAP_FAILED:
        raise _error("mmap")
    return address


def _error(call: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{call}: {os.strerror(number).lower()}")
