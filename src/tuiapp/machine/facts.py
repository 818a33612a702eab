"""The facts in a list of signals, by kind.

==================  ==============================================================================
``emulated``        the whole machine is a program of another system: ``uml``, ``powervm-lx86``
``xen``             ``dom0``, ``domu``, or ``domain`` where it is not known which
``signature``       who answers CPUID, the highest slot last
``bit``, ``flag``   the hypervisor bit in CPUID, in cpuinfo: ``on``, ``off``
``flags``           ``strange``: cpuinfo has some, of a processor not known to be x86
``root``            Hyper-V's rights of a root partition: ``yes``, ``no``
``parent``          whose driver for managing other partitions runs: ``hyperv``
``platform``        the hypervisor that firmware or kernel describe
``guest``           a guest of somebody's: what says so
``dmi``             the hypervisor in the DMI strings; ``no-dmi``: there are no such tables
``vmm``             the device model that wrote the ACPI tables, where only it writes such
``device-model``    the maker of virtual devices or tables; ``virtio`` may be a real card
``brand``           the device model that invented the processor's name; ``board``: of the board
``accelerated``     the processor is a real one
``clock``           the hypervisor that offers a clock
``lscpu``           the hypervisor that lscpu named
``outer``           a hypervisor under the hypervisor
``smbios``          the firmware's virtual machine bit: ``on``, ``off``
``physical``        what names hardware: ``dmi``, ``pci``, ``devicetree`` ...;
                    ``firmware``: less than its maker's name
``metal``           the provider that calls it a whole machine
``container``       a manager's own name; ``container-mark``: a mark that may be left over
``container-runner``  who runs the containers; ``container-store``: whose files the root lies in
``namespace``       a namespace of our own; ``namespace-first``: the kernel's
``cloud``           the provider; ``cloud-mark``: in a variable that may be inherited
``confidential``, ``wsl``, ``trusted-module``
==================  ==============================================================================
"""

from __future__ import annotations

from collections.abc import Iterable

from tuiapp.machine.report import CERTAIN, LIKELY, WEAK, Signal

_ORDER = {CERTAIN: 0, LIKELY: 1, WEAK: 2}


class Facts:
    """Signals with a fact, by its kind."""

    def __init__(self, signals: Iterable[Signal]) -> None:
        self._found: dict[str, list[tuple[str, Signal]]] = {}
        for signal in signals:
            kind, equals, value = signal.fact.partition("=")
            if equals and value:
                self._found.setdefault(kind, []).append((value, signal))

    def all(self, kind: str) -> list[str]:
        """Every value, in the order of reading."""
        return [value for value, _ in self._found.get(kind, [])]

    def first(self, *kinds: str) -> str | None:
        """The first value of the first of the ``kinds`` that has any."""
        return next((value for kind in kinds for value in self.all(kind)), None)

    def last(self, kind: str) -> str | None:
        """The last value."""
        values = self.all(kind)
        return values[-1] if values else None

    def has(self, kind: str, value: str) -> bool:
        """A signal says ``kind=value``."""
        return value in self.all(kind)

    def where(self, kind: str, value: str | None = None) -> str:
        """Where the first signal of the kind (with the value) was read; empty when none was."""
        found = self._found.get(kind, [])
        return next((signal.where for one, signal in found if value in (None, one)), "")

    def from_source(self, kind: str, source: str) -> list[str]:
        """The values that one source gave."""
        return [value for value, signal in self._found.get(kind, []) if signal.source == source]

    def strength(self, kind: str) -> str:
        """The best strength among the signals of a kind; empty when there are none."""
        found = [signal.strength for _, signal in self._found.get(kind, [])]
        return min(found, key=lambda one: _ORDER.get(one, 3), default="")
