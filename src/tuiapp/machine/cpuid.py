"""Values of the CPUID instruction, wherever they come from."""

from __future__ import annotations

from typing import Protocol

Registers = tuple[int, int, int, int]
"""EAX, EBX, ECX, EDX; unsigned 32-bit."""


class Cpuid(Protocol):
    """A processor, or the record of one.

    Attributes:
        source: how the values were come by, in one clause; for the table of signals.
    """

    source: str

    def read(self, leaf: int, subleaf: int = 0) -> Registers | None:
        """The registers; None when they are not known."""
        ...
