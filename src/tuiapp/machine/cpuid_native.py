"""The CPUID instruction, executed: unprivileged, without writable code, safe from its faults.

CPUID runs in a process of its own, because it may fault (Linux lets a process forbid it to itself
and its children, arch_prctl(2) ``ARCH_SET_CPUID``), and because the way to executable memory may be
forbidden by a filter that kills. Every leaf anybody asks for is read in one go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tuiapp.errors import Unavailable
from tuiapp.machine.apart import call_apart
from tuiapp.machine.cpuid import Registers
from tuiapp.machine.machine_code import require_x86_64

WAYS = ("memfd", "file", "mprotect", "device")
"""In the order in which they are tried; ``device`` is /dev/cpu/0/cpuid and needs root."""
_SOURCES = {
    "memfd": "the CPUID instruction, mapped from memory",
    "file": "the CPUID instruction, mapped from a temporary file",
    "mprotect": "the CPUID instruction, in protected memory",
    "device": "/dev/cpu/0/cpuid",
}
_LIMIT_S = 1.0


@dataclass(slots=True)
class NativeCpuid:
    """What this processor answered, once and for all.

    Attributes:
        source: the way in which it was asked, in one clause.
        leaves: (leaf, subleaf) to EAX, EBX, ECX, EDX.
        failed: way to the reason why it did not work, of those tried before.
    """

    source: str
    leaves: Mapping[tuple[int, int], Registers]
    failed: Mapping[str, str] = field(default_factory=dict)

    def read(self, leaf: int, subleaf: int = 0) -> Registers | None:
        """The registers; None for a leaf beyond those the processor says it has."""
        return self.leaves.get((leaf, subleaf))


def execute(
    ways: Sequence[str] = WAYS, limit_s: float = _LIMIT_S
) -> tuple[NativeCpuid | None, str]:
    """This processor's answers and ``""``; or None and why it could not be asked, in one clause.

    Args:
        ways: those of ``WAYS`` to try, in this order.
        limit_s: how long each may take.
    """
    failed: dict[str, str] = {}
    try:
        require_x86_64()
    except Unavailable as answer:
        return None, answer.message
    for way in ways:
        try:
            rows = call_apart("tuiapp.machine.cpuid_child:collect", way, limit_s=limit_s)
        except Unavailable as answer:
            failed[way] = answer.message
            continue
        leaves = {(leaf, sub): (a, b, c, d) for leaf, sub, a, b, c, d in rows}
        return NativeCpuid(_SOURCES[way], leaves, failed), ""
    return None, "; ".join(f"{way}: {reason}" for way, reason in failed.items())
