"""What runs in the process of its own that executes CPUID. Standard library only."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable, Iterator

from tuiapp.errors import Unavailable
from tuiapp.machine.cpuid import Registers
from tuiapp.machine.machine_code import load

CPUID = bytes.fromhex(
    "f30f1efa"  # endbr64            may be jumped to, where that is enforced
    "53"  #       push rbx           the caller's; CPUID overwrites it
    "89f8"  #     mov eax, edi       first argument: the leaf
    "89f1"  #     mov ecx, esi       second argument: the subleaf
    "4989d0"  #   mov r8, rdx        third argument: where to put four words
    "0fa2"  #     cpuid
    "418900"  #   mov [r8], eax
    "41895804"  # mov [r8+4], ebx
    "41894808"  # mov [r8+8], ecx
    "4189500c"  # mov [r8+12], edx
    "5b"  #       pop rbx
    "c3"  #       ret
)
"""``void cpuid(uint32 leaf, uint32 subleaf, uint32 registers[4])``, System V calling convention."""

Read = Callable[[int, int], Registers]
Row = tuple[int, int, int, int, int, int]

HYPERVISOR, EXTENDED = 0x4000_0000, 0x8000_0000
SLOT, LAST_SLOT = 0x100, 0x4000_FF00
_DEVICE = "/dev/cpu/0/cpuid"
_SERIAL_NUMBER = 3
_MOST_LEAVES, _MOST_HYPERVISOR_LEAVES, _MOST_SUBLEAVES = 0x40, 0x20, 16
_SUBLEAVES = {4, 7, 0xB, 0xD, 0xF, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1D, 0x1F, 0x20, 0x21, 0x23, 0x24}
_EXTENDED_SUBLEAVES = {0x8000_001D, 0x8000_0020, 0x8000_0026}


def collect(way: str) -> list[Row]:
    """(leaf, subleaf, EAX, EBX, ECX, EDX) of all leaves; Unavailable when ``way`` is closed.

    Leaf 3, the serial number of some old processors, is left out.
    """
    read = _device() if way == "device" else instruction(way)
    return [(leaf, sub, *read(leaf, sub)) for leaf, sub in _places(read)]


def instruction(*ways: str) -> Read:
    """CPUID itself, from executable memory got in one of ``ways``; Unavailable."""
    address = load(CPUID, ways)
    signature = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p)
    call, out = signature(address), (ctypes.c_uint32 * 4)()

    def read(leaf: int, subleaf: int) -> Registers:
        call(leaf, subleaf, ctypes.addressof(out))
        return out[0], out[1], out[2], out[3]

    return read


def _device() -> Read:
    """The kernel's device (cpuid(4)): the offset holds leaf and subleaf."""
    try:
        fd = os.open(_DEVICE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise Unavailable(f"{_DEVICE}: {(error.strerror or 'cannot be read').lower()}") from error

    def read(leaf: int, subleaf: int) -> Registers:
        a, b, c, d = struct.unpack("<4I", os.pread(fd, 16, leaf | subleaf << 32))
        return a, b, c, d

    return read


def _places(read: Read) -> Iterator[tuple[int, int]]:
    """Every leaf and subleaf there may be something to read from."""
    yield from _range(read, 0, _SUBLEAVES, _MOST_LEAVES)
    yield from _range(read, EXTENDED, _EXTENDED_SUBLEAVES, _MOST_LEAVES)
    for base in range(HYPERVISOR, LAST_SLOT + 1, SLOT):
        yield base, 0
        highest = read(base, 0)[0]
        # KVM of old says 0 and means base + 1; another processor's leaf says anything.
        count = highest - base if base < highest < base + SLOT else int(base == HYPERVISOR)
        for leaf in range(base + 1, base + 1 + min(count, _MOST_HYPERVISOR_LEAVES)):
            yield leaf, 0


def _range(read: Read, base: int, parted: set[int], most: int) -> Iterator[tuple[int, int]]:
    highest = read(base, 0)[0]
    for leaf in range(base, min(highest, base + most) + 1):
        if leaf == _SERIAL_NUMBER:
            continue
        for subleaf in range(_MOST_SUBLEAVES if leaf in parted else 1):
            yield leaf, subleaf
