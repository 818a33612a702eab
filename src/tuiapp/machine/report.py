"""What was found out about a machine: three separate answers, each with its evidence.

``machine`` says who schedules the CPUs, ``container`` says what we are shut in, the rest are
labels. A container on bare metal, a container in a guest and a guest without a container are three
different things, and one word cannot tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BARE_METAL, GUEST, HOST_PARTITION, UNKNOWN = "bare-metal", "guest", "host-partition", "unknown"
XEN_DOM0, HYPERV_ROOT = "xen-dom0", "hyperv-root"
CERTAIN, LIKELY, WEAK = "certain", "likely", "weak"


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that was read.

    Attributes:
        source: the probe that read it, as registered.
        where: what was read: a path, or a CPUID leaf.
        value: what stood there, cleaned and cut; empty when it could not be read.
        proves: what follows from it, in one clause; empty when nothing does.
        strength: ``certain``, ``likely`` or ``weak``; empty when it proves nothing.
        unread: why it could not be read; empty when it was.
        fact: ``kind=value``, what the rules go by; the kinds stand in ``facts``. Empty when the
            signal is only shown.
    """

    source: str
    where: str
    value: str = ""
    proves: str = ""
    strength: str = ""
    unread: str = ""
    fact: str = ""

    def as_json(self) -> dict[str, Any]:
        """Only what is known."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in fields.items() if value}


@dataclass(frozen=True, slots=True)
class Machine:
    """The answer.

    Attributes:
        machine: ``bare-metal``, ``guest``, ``host-partition`` or ``unknown``.
        hypervisor: whose guest, or whose partition, it is; None when there is none, or unknown.
        role: ``xen-dom0`` or ``hyperv-root`` of a host partition.
        container: what shuts us in; None when nothing does.
        cloud: whose machine it is, as far as it says so.
        confidential: ``sev``, ``sev-es``, ``sev-snp`` or ``tdx`` where memory is encrypted.
        nested: a hypervisor under the hypervisor; None when that cannot be told.
        confidence: of ``machine``: ``certain``, ``likely`` or ``weak``; empty when unknown.
        because: the rule that decided, in one sentence; for ``unknown``, what is missing.
        conflicts: signals that disagree, and which won and why; a sentence each.
        signals: everything that was read, in the order of reading.
    """

    machine: str
    hypervisor: str | None = None
    role: str | None = None
    container: str | None = None
    cloud: str | None = None
    confidential: str | None = None
    nested: bool | None = None
    confidence: str = ""
    because: str = ""
    conflicts: tuple[str, ...] = ()
    signals: tuple[Signal, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The documented object of ``tuiapp host --json``, without GPUs and findings."""
        found: dict[str, Any] = {
            name: getattr(self, name)
            for name in self.__slots__
            if name not in ("signals", "conflicts")
        }
        found["conflicts"] = list(self.conflicts)
        found["evidence"] = [signal.as_json() for signal in self.signals if not signal.unread]
        found["unread"] = [signal.as_json() for signal in self.signals if signal.unread]
        return found
