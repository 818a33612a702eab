"""What the probes found, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

Value = float | str | None


@dataclass(frozen=True, slots=True)
class Result:
    """What one probe measured. Its fields carry their units; None is unknown.

    Attributes:
        NOISE_OF: the field whose ``noise`` is told.
        noise: how far the first half of the probe and the second half are apart in that field, as a
            share of the whole; None when it cannot be told.
    """

    NOISE_OF: ClassVar[str] = ""
    noise: float | None

    def lines(self) -> list[str]:
        """What was measured, for people: a line each, the reference beside it."""
        raise NotImplementedError

    def caveats(self) -> list[str]:
        """What makes the numbers doubtful in themselves; a clause each."""
        return []

    def as_json(self) -> dict[str, Value]:
        """Field to value, without those that are unknown; ``noise`` says of what it is."""
        names = (entry.name for entry in fields(self))
        found = {
            f"{self.NOISE_OF}_noise" if name == "noise" else name: getattr(self, name)
            for name in names
        }
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Tax:
    """All of it.

    Attributes:
        results: by probe, in the order of measuring.
        unknown: probe, or part of one, to why it could not be measured.
        caveats: what makes the numbers doubtful; a sentence each.
        took_s: how long measuring took.
    """

    results: Mapping[str, Result]
    unknown: Mapping[str, str] = field(default_factory=dict)
    caveats: tuple[str, ...] = ()
    took_s: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Flat: every number under a name with its unit, then ``unknown`` and ``caveats``."""
        found: dict[str, Any] = {}
        for result in self.results.values():
            found.update(result.as_json())
        found["took_s"] = self.took_s
        found["unknown"] = dict(self.unknown)
        found["caveats"] = list(self.caveats)
        return found

    def text_lines(self) -> list[str]:
        """For people: the numbers with their reference, what is unknown, the caveats."""
        lines = [line for result in self.results.values() for line in result.lines()]
        lines += [f"{name}: unknown, {reason}" for name, reason in self.unknown.items()]
        return lines + [f"Caveat: {caveat}" for caveat in self.caveats]
