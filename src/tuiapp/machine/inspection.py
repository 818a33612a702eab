"""From a machine's files and its CPU to the answer."""

from __future__ import annotations

from collections.abc import Sequence

from tuiapp.errors import Unavailable
from tuiapp.machine.conflicts import conflicts
from tuiapp.machine.containers import container
from tuiapp.machine.cpuid import Cpuid
from tuiapp.machine.facts import Facts
from tuiapp.machine.provider import cloud
from tuiapp.machine.report import Machine, Signal
from tuiapp.machine.rules import decide
from tuiapp.machine.sources import SOURCES, source
from tuiapp.machine.sources.base import Notes
from tuiapp.machine.tree import Tree

STRONGEST = ("sev-snp", "tdx", "cca", "secure-execution", "sev-es", "sev")


def inspect(tree: Tree, cpuid: Cpuid | None, no_cpuid: str = "") -> Machine:
    """Look at everything, then decide. Unreadable things are noted, and never raise.

    Args:
        tree: the live system, or a recorded one.
        cpuid: the processor, or its record; None when neither is there.
        no_cpuid: why not, in one clause.
    """
    return judge(read_signals(tree, cpuid, no_cpuid))


def read_signals(tree: Tree, cpuid: Cpuid | None, no_cpuid: str = "") -> tuple[Signal, ...]:
    """What every source found, in the order of ``SOURCES``."""
    signals: list[Signal] = []
    for name in SOURCES:
        notes = Notes(name, tree, cpuid, no_cpuid)
        try:
            source(name)(notes)
        except Unavailable as reason:
            notes.miss(name, reason.message)
        signals += notes.signals
    return tuple(signals)


def judge(signals: Sequence[Signal]) -> Machine:
    """The answer that follows from the signals; a pure function of them."""
    facts = Facts(signals)
    verdict = decide(facts)
    return Machine(
        machine=verdict.machine,
        hypervisor=verdict.hypervisor,
        role=verdict.role,
        container=container(facts),
        cloud=cloud(facts, verdict.hypervisor),
        confidential=next((one for one in STRONGEST if facts.has("confidential", one)), None),
        nested=verdict.nested,
        confidence=verdict.confidence,
        because=verdict.because,
        conflicts=conflicts(facts, verdict),
        signals=tuple(signals),
    )
