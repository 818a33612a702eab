"""Why one side is slower: the diagnosis of both, what differs between them first.

Of two runs for the screen (``factors``), of all runs of both sides for reports (``causes``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuiapp.diagnosis import diagnose
from tuiapp.diagnosis.finding import BAD, FINE, SEVERITIES, UNKNOWN, WARN, Finding
from tuiapp.session.view import View

_GRADES = {FINE: 0, WARN: 1, BAD: 2}
_LEAST_GAP = 0.5
"""Of a grade, on the average of a side's runs: less is not told as a difference."""


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


@dataclass(frozen=True, slots=True)
class Sighting:
    """A factor in the runs of one side.

    Attributes:
        finding: of the run whose gravity is nearest to the mean of all, the milder of two alike.
        grade: mean over the runs: 0 where it is fine, 1 for a warning, 2 where it is bad.
        weight: mean over the runs of how much it may explain.
        causes: runs in which it may be a cause.
        runs: that could be asked.
    """

    finding: Finding
    grade: float
    weight: float
    causes: int
    runs: int


@dataclass(frozen=True, slots=True)
class Cause:
    """A factor that is graver on one side than on the other, over all their runs.

    Attributes:
        side: the one that has more of it, ``A`` or ``B``.
        a, b: what it was there.
    """

    rule: str
    side: str
    a: Sighting
    b: Sighting

    @property
    def here(self) -> Sighting:
        """On the side that has more of it."""
        return self.a if self.side == "A" else self.b

    @property
    def there(self) -> Sighting:
        """On the other one."""
        return self.b if self.side == "A" else self.a


def causes(a: Sequence[View], b: Sequence[View]) -> tuple[Cause, ...]:
    """What may be why the sides differ, the most telling first.

    A factor is named where it may be a cause in most runs of a side, is half a grade or more graver
    there than on the other and explains no less, on the average of the runs, and could be looked at
    in most runs of both. It is no proof: runs are compared, not hosts with one factor changed.

    Args:
        a, b: every run of a side, seen from its end.
    """
    sides = [_sightings(views) for views in (a, b)]
    found = []
    for rule in sides[0].keys() & sides[1].keys():
        on_a, on_b = sides[0][rule], sides[1][rule]
        cause = Cause(rule, "A" if on_a.grade > on_b.grade else "B", on_a, on_b)
        mostly = 2 * cause.here.causes > cause.here.runs
        graver = cause.here.grade - cause.there.grade >= _LEAST_GAP
        if mostly and graver and cause.here.weight >= cause.there.weight:
            found.append(cause)
    return tuple(sorted(found, key=_telling))


def _telling(cause: Cause) -> tuple[float, float, str]:
    return -abs(cause.a.grade - cause.b.grade), -cause.here.finding.weight, cause.rule


def _sightings(views: Sequence[View]) -> dict[str, Sighting]:
    """By rule, of those that most of the runs could be asked."""
    by_rule: dict[str, list[Finding]] = {}
    for view in views:
        for finding in diagnose(view):
            if finding.severity != UNKNOWN:
                by_rule.setdefault(finding.rule, []).append(finding)
    return {
        rule: _sighting(found) for rule, found in by_rule.items() if 2 * len(found) > len(views)
    }


def _sighting(found: list[Finding]) -> Sighting:
    grade = sum(_GRADES[finding.severity] for finding in found) / len(found)
    weight = sum(finding.weight for finding in found) / len(found)

    def distance(finding: Finding) -> tuple[float, float, float]:
        off = abs(_GRADES[finding.severity] - grade)
        return off, abs(finding.weight - weight), finding.weight

    several = sum(finding.is_cause for finding in found)
    return Sighting(min(found, key=distance), grade, weight, several, len(found))
