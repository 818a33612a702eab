"""CPUID values out of a recorded ``cpuid.json``."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from tuiapp.errors import Unavailable
from tuiapp.machine.cpuid import Registers
from tuiapp.machine.tree import MOST_BYTES

MOST_LEAVES = 4096
HYPERVISOR_LEAF, HYPERVISOR_END = 0x40000000, 0x40010000
_KEY = re.compile(r"([0-9a-fA-F]{1,8})\.([0-9a-fA-F]{1,8})")
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]{1,8}")


class RecordedCpuid:
    """A processor as somebody wrote it down.

    The file may come from anybody: what is no leaf in it is left out.

    Args:
        record: the object of ``cpuid.json``: ``leaves`` maps ``"LLLLLLLL.S"`` to four hexadecimal
            numbers; ``signature`` stands for leaf 0x40000000 where only that was written down.
    """

    def __init__(self, record: Any) -> None:
        self.source = "read from a recorded cpuid.json"
        found = record if isinstance(record, dict) else {}
        self._leaves = _leaves(found.get("leaves"))
        signature = found.get("signature")
        if isinstance(signature, str) and signature:
            self._leaves.setdefault((HYPERVISOR_LEAF, 0), _from_signature(signature))

    def read(self, leaf: int, subleaf: int = 0) -> Registers | None:
        """The registers; None when they were not written down."""
        return self._leaves.get((leaf, subleaf))


def open_record(path: str | Path) -> RecordedCpuid | None:
    """The record at ``path``; None when there is no such file, Unavailable when it is none."""
    place = Path(path)
    if not os.path.lexists(place):
        return None
    if place.is_symlink() or not place.is_file():
        raise Unavailable("cpuid.json is no regular file")
    try:
        with place.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise Unavailable(f"cpuid.json is larger than {MOST_BYTES} bytes")
        record = json.loads(data)
    except OSError as error:
        raise Unavailable(f"cpuid.json cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise Unavailable("cpuid.json is no JSON") from None
    if not isinstance(record, dict):
        raise Unavailable("cpuid.json holds no object")
    return RecordedCpuid(record)


def _leaves(found: Any) -> dict[tuple[int, int], Registers]:
    leaves: dict[tuple[int, int], Registers] = {}
    for key, values in found.items() if isinstance(found, dict) else ():
        name = _KEY.fullmatch(key) if isinstance(key, str) else None
        if name is None or len(leaves) >= MOST_LEAVES:
            continue
        leaf = int(name[1], 16)
        if registers := _registers(leaf, values):
            leaves[leaf, int(name[2], 16)] = registers
    return leaves


def _registers(leaf: int, values: Any) -> Registers | None:
    """Four numbers. Kernel logs print only some registers of a hypervisor's leaf; with EBX, which
    holds what is decided by, the rest may be missing and counts as 0 there, nowhere else.
    """
    if not isinstance(values, list) or len(values) != 4:
        return None
    numbers = [_number(value) for value in values]
    if None in numbers and not (HYPERVISOR_LEAF < leaf < HYPERVISOR_END and numbers[1] is not None):
        return None
    eax, ebx, ecx, edx = (number or 0 for number in numbers)
    return eax, ebx, ecx, edx


def _number(value: Any) -> int | None:
    if isinstance(value, str) and _HEX.fullmatch(value):
        return int(value, 16)
    return None


def _from_signature(signature: str) -> Registers:
    name = signature.encode("latin-1", "replace")[:12].ljust(12, b"\0")
    ebx, ecx, edx = (int.from_bytes(name[at : at + 4], "little") for at in (0, 4, 8))
    return HYPERVISOR_LEAF, ebx, ecx, edx
