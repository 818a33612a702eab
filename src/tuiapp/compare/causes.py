"""Why one side is slower: the diagnosis of both, what differs between them first."""

from __future__ import annotations

from dataclasses import dataclass

from tuiapp.diagnosis import diagnose
from tuiapp.diagnosis.finding import SEVERITIES, UNKNOWN, Finding
from tuiapp.session.view import View


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor on both sides; None where the rule does not apply to a side.

    Attributes:
        differs: it is a cause on one side, and known to be none on the other.
    """

    rule: str
    a: Finding | None
    b: Finding | None

    @property
    def differs(self) -> bool:
        sides = [found for found in (self.a, self.b) if found is not None]
        causes = sum(found.is_cause for found in sides)
        blind = any(found.severity == UNKNOWN for found in sides)
        return causes == 1 and not blind

    @property
    def is_cause(self) -> bool:
        """It may slow at least one side."""
        return any(found is not None and found.is_cause for found in (self.a, self.b))

    @property
    def rank(self) -> tuple[bool, bool, int, float]:
        """What sorts first is most likely to be why the sides differ."""
        sides = [found for found in (self.a, self.b) if found is not None]
        gravest = min(SEVERITIES.index(found.severity) for found in sides)
        weights = [0.0 if found is None else found.weight for found in (self.a, self.b)]
        telling = abs(weights[1] - weights[0]) if self.differs else max(weights)
        return not self.differs, not self.is_cause, gravest, -telling


def factors(a: View, b: View) -> tuple[Factor, ...]:
    """Every factor that was looked at on a side, the most telling first."""
    sides = [{found.rule: found for found in diagnose(view)} for view in (a, b)]
    rules = dict.fromkeys((*sides[0], *sides[1]))
    found = [Factor(rule, sides[0].get(rule), sides[1].get(rule)) for rule in rules]
    return tuple(sorted(found, key=lambda factor: factor.rank))
