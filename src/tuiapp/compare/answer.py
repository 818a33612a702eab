"""Everything a comparison answers: what reports write and the screen shows."""

from __future__ import annotations

from dataclasses import dataclass

from tuiapp.compare.advice import Advice, advise
from tuiapp.compare.causes import Cause, causes
from tuiapp.compare.comparison import Comparison
from tuiapp.compare.cost import Bill, Prices, bill


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdicts, what they cost, and what follows.

    Attributes:
        bill: None without prices.
        advice: one for each want, recommended or not.
        causes: what may be why the sides differ, the most telling first.
    """

    comparison: Comparison
    bill: Bill | None
    advice: tuple[Advice, ...]
    causes: tuple[Cause, ...]


def answer(comparison: Comparison, prices: tuple[Prices, Prices] | None = None) -> Answer:
    """Work out what follows from a comparison, and from prices where they are given."""
    found = None if prices is None else bill(comparison.a, comparison.b, *prices)
    sides = ([run.view for run in side] for side in (comparison.a, comparison.b))
    return Answer(comparison, found, advise(comparison, found), causes(*sides))
