"""What a rule of the diagnosis says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

BAD, WARN, FINE, UNKNOWN = "bad", "warn", "fine", "unknown"
SEVERITIES = (BAD, WARN, UNKNOWN, FINE)
"""The gravest first. What could not be looked at may be a cause, what is fine is none."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One factor that makes hosts slow, looked for on this one.

    Attributes:
        rule: its name in ``RULES``.
        severity: ``bad``, ``warn``, ``fine`` or ``unknown``.
        title: the factor in a few words, with its value where it is a number.
        evidence: what was read, with its value and unit, and where; for ``unknown``, why not.
        advice: what to do; empty where nothing needs doing.
        weight: how much of the latency it may explain, 0 to 1; the order of causes.
    """

    rule: str
    severity: str
    title: str
    evidence: str
    advice: str = ""
    weight: float = 0.0

    @property
    def is_cause(self) -> bool:
        """It may be why this host is slow."""
        return self.severity in (BAD, WARN)

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return {name: getattr(self, name) for name in self.__slots__}


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The gravest first, among those the one that may explain most."""
    return tuple(sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), -f.weight)))


def fine(rule: str, title: str, evidence: str) -> Finding:
    """Looked at, and no cause."""
    return Finding(rule, FINE, title, evidence)


def unknown(rule: str, title: str, reason: str, advice: str = "") -> Finding:
    """Not to be told, and why."""
    return Finding(rule, UNKNOWN, title, reason, advice)


def graded(value: float, warn: float, bad: float) -> str:
    """The severity of a value of which little is good; a bound itself is still on the good side."""
    return BAD if value > bad else WARN if value > warn else FINE
