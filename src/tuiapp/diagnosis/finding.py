"""What a rule of the diagnosis says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BAD, WARN, FINE, UNKNOWN = "bad", "warn", "fine", "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One factor that makes hosts slow, looked for on this one.

    Attributes:
        rule: its name in ``RULES``.
        severity: ``bad``, ``warn``, ``fine`` or ``unknown``.
        title: the factor in a few words.
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

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return {name: getattr(self, name) for name in self.__slots__}
