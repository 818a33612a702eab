"""Which host for what: rules over measured facts, and what would change each answer.

The wants are those people choose hosts by: low latency, throughput for the money, bursty or
flexible load, development, isolation, and a mixture. A rule answers only from what was decided:
an inconclusive comparison recommends nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuiapp.compare.comparison import FEWEST_RUNS, Comparison, Row
from tuiapp.compare.cost import Bill
from tuiapp.compare.verdict import (
    EQUIVALENT,
    FASTER,
    FASTER_BY_SOME,
    SLOWER,
    SLOWER_BY_SOME,
)

A, B, EITHER, OPEN = "A", "B", "either", "open"
_ALIKE = 0.05
"""Starts whose costs surely differ by less are alike."""
_B_WINS, _B_LOSES = (FASTER, FASTER_BY_SOME), (SLOWER, SLOWER_BY_SOME)


@dataclass(frozen=True, slots=True)
class Advice:
    """One recommendation.

    Attributes:
        want: what the host is for.
        choice: ``A``, ``B``, ``either``, or ``open`` when nothing can be recommended.
        because: the numbers it rests on.
        unless: what would change it.
    """

    want: str
    choice: str
    because: str
    unless: str


Rule = Callable[[Comparison, Bill | None], Advice]


def advise(comparison: Comparison, bill: Bill | None = None) -> tuple[Advice, ...]:
    """An answer for each want, recommended or not."""
    return tuple(rule(comparison, bill) for rule in RULES)


def low_latency(comparison: Comparison, bill: Bill | None) -> Advice:  # noqa: ARG001 - see Rule
    """The tail decides: p99 of TTFT, of ITL and end to end."""
    want = "low latency, all the time"
    rows = [row for row in comparison.rows if row.quantity.q >= 0.99]
    wins = {side for row in rows if (side := _winner(row)) in (A, B)}
    told = ", ".join(map(_told, rows))
    if len(wins) == 2:
        return Advice(want, OPEN, f"each is better in something: {told}", _MORE_OR_WEIGHED)
    if any(_winner(row) == OPEN for row in rows):
        return Advice(want, OPEN, f"not decided: {told}", _runs_words(rows))
    if not wins:
        return Advice(want, EITHER, f"the tails are alike: {told}", "another load, or another day")
    return Advice(want, wins.pop(), told, "the slow side's cause is found and removed")


def throughput(comparison: Comparison, bill: Bill | None) -> Advice:
    """Tokens in time for the money; without prices, tokens."""
    want = "throughput for the money"
    if bill is not None:
        even = bill.break_even
        if math.isnan(even.goodput_ratio.value):
            return Advice(
                want, OPEN, "a side has no goodput: nothing was measured", "it is measured"
            )
        told = (
            f"A serves {even.goodput_ratio.value:.2f} × B's good tokens at "
            f"{even.rate_ratio:.2f} × its price"
        )
        if not even.cheaper or not _is_decidable(comparison):
            return Advice(want, OPEN, f"not decided: {told}", _runs_words(comparison.rows))
        limit = f"B's price rises or falls to {even.b_may_cost.value:.2f} an hour"
        return Advice(want, even.cheaper, told, limit)
    row = next(row for row in comparison.rows if row.quantity.higher_is_better)
    choice = _winner(row)
    if choice == OPEN:
        return Advice(want, OPEN, f"not decided: {_told(row)}", _runs_words([row]))
    return Advice(want, choice, _told(row), "prices are given: they decide as much as tokens do")


def bursty(comparison: Comparison, bill: Bill | None) -> Advice:
    """What comes and goes pays for starts: the cold start, and the price while idle."""
    want = "bursty or flexible load"
    found = () if bill is None else [(side.start, side.cold_start_s) for side in (bill.a, bill.b)]
    known = [(cost, took) for cost, took in found if cost is not None and took is not None]
    if len(known) < 2:
        return Advice(want, OPEN, "prices or cold starts are not known", "give --prices")
    (a, slow_a), (b, slow_b) = known
    told = (
        f"a start takes {slow_a.value:.0f} s and costs {a.value:.4f} on A, "
        f"{slow_b.value:.0f} s and {b.value:.4f} on B"
    )
    ratio = a.over(b)
    if not _is_decidable(comparison) or ratio.low is None or ratio.high is None:
        return Advice(want, OPEN, f"not decided: {told}", _runs_words(comparison.rows))
    if ratio.low >= 1 - _ALIKE and ratio.high <= 1 + _ALIKE:
        return Advice(want, EITHER, told, "one side starts from a warm image")
    if ratio.low <= 1 <= ratio.high:
        return Advice(want, OPEN, f"not decided: {told}", "more starts are measured")
    choice = A if ratio.high < 1 else B
    return Advice(want, choice, told, "the load stays on for hours: then starts hardly count")


def development(comparison: Comparison, bill: Bill | None) -> Advice:
    """Development and tests: the cheaper hour, if its tail is not many times worse."""
    want = "development and tests"
    if bill is None:
        return Advice(want, OPEN, "prices are not known", "give --prices")
    ratio = bill.break_even.rate_ratio
    if abs(ratio - 1) < 0.02:
        return Advice(want, EITHER, "an hour costs the same", "a price changes")
    choice = A if ratio < 1 else B
    told = f"an hour of {choice} costs {min(ratio, 1 / ratio):.2f} × the other's"
    if not _is_decidable(comparison):
        return Advice(want, OPEN, f"not decided: {told}", _runs_words(comparison.rows))
    return Advice(want, choice, told, "what is tested is latency: then test where it will run")


def isolation(comparison: Comparison, bill: Bill | None) -> Advice:  # noqa: ARG001 - see Rule
    """Who else is on the machine: bare metal has no neighbours, a confidential guest no readers."""
    want = "isolation and compliance"
    ranks = [_isolation(side[0].meta) for side in (comparison.a, comparison.b)]
    if None in ranks:
        return Advice(want, OPEN, "what one side is was not detected", "record it again")
    (rank_a, word_a), (rank_b, word_b) = ranks  # type: ignore[misc]
    told = f"A is {word_a}, B is {word_b}"
    if rank_a == rank_b:
        return Advice(want, EITHER, told, "rules ask for one of them by name")
    unless = "the rules accept a shared machine"
    return Advice(want, A if rank_a > rank_b else B, told, unless)


def hybrid(comparison: Comparison, bill: Bill | None) -> Advice:
    """A base that is always there, and peaks that are not."""
    want = "a steady base with peaks"
    if bill is None:
        return Advice(want, OPEN, "prices are not known", "give --prices")
    known = [(A, bill.a.hybrid_from), (B, bill.b.hybrid_from)]
    told = [
        f"{side}: reserve what is needed for more than {share.value:.0%} of hours"
        if share.value <= 1
        else f"{side}: spot is always cheaper than reserving"
        for side, share in known
        if share is not None
    ]
    if not told:
        return Advice(want, OPEN, "reserved and spot prices are not known", "give --prices")
    choice = (bill.break_even.cheaper or OPEN) if _is_decidable(comparison) else OPEN
    unless = "peaks are latency-critical: spot can be taken away in one"
    return Advice(want, choice, "; ".join(told), unless)


RULES: tuple[Rule, ...] = (low_latency, throughput, bursty, development, isolation, hybrid)
_MORE_OR_WEIGHED = "the quantity that matters most is known: then that one decides"


def _is_decidable(comparison: Comparison) -> bool:
    """Enough comparable runs for a verdict on anything."""
    fewest = min(len(comparison.a), len(comparison.b))
    return comparison.gate.open and fewest >= FEWEST_RUNS


def _winner(row: Row) -> str:
    if row.verdict in _B_WINS:
        return B
    if row.verdict in _B_LOSES:
        return A
    return EITHER if row.verdict == EQUIVALENT else OPEN


def _told(row: Row) -> str:
    ratio = "—" if row.ratio is None else f"{row.ratio:.2f}"
    return f"{row.quantity.title} B/A {ratio} ({row.verdict})"


def _runs_words(rows: Sequence[Row]) -> str:
    needed = [row.runs_needed for row in rows if row.runs_needed]
    return (
        f"{max(needed)} runs a side are made" if needed else "five comparable runs a side are made"
    )


def _isolation(meta: Mapping[str, Any]) -> tuple[int, str] | None:
    host = meta.get("host")
    machine = host.get("machine") if isinstance(host, Mapping) else None
    if not isinstance(machine, Mapping):
        return None
    if machine.get("confidential"):
        return 2, f"a confidential guest ({str(machine['confidential'])[:20]})"
    kind = machine.get("machine")
    ranks = {
        "bare-metal": (2, "bare metal"),
        "guest": (1, "a guest"),
        "host-partition": (1, "a host partition"),
    }
    return ranks.get(str(kind))
