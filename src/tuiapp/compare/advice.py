"""Which host for what: rules over measured facts, and what would change each answer.

The wants are those people choose hosts by: low latency, throughput for the money, bursty or
flexible load, development, isolation, and a mixture. A rule answers only where the quantity that
it rests on was decided: an inconclusive comparison recommends nothing, however far apart the prices
are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuiapp.compare.cells import ratio_text
from tuiapp.compare.comparison import FEWEST_RUNS, Comparison, Row
from tuiapp.compare.cost import Bill
from tuiapp.compare.verdict import (
    EQUIVALENT,
    FASTER,
    FASTER_BY_SOME,
    NONE,
    SLOWER,
    SLOWER_BY_SOME,
)

A, B, EITHER, OPEN = "A", "B", "either", "open"
_ALIKE = 0.05
"""Starts whose costs surely differ by less are alike."""
_MANY_TIMES = 3.0
"""A tail that is worse by more is not cheap, whatever the hour costs."""
_B_WINS, _B_LOSES = (FASTER, FASTER_BY_SOME), (SLOWER, SLOWER_BY_SOME)


@dataclass(frozen=True, slots=True)
class Advice:
    """One recommendation.

    Attributes:
        want: what the host is for.
        choice: ``A``, ``B``, ``either``, or ``open`` when nothing can be recommended.
        because: the numbers it rests on.
        unless: what would change it; of an open one, what is needed to decide.
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
        words = f"each is better in something: {told}"
        return Advice(want, OPEN, words, "to know which of them matters most")
    if any(_winner(row) == OPEN for row in rows):
        return Advice(want, OPEN, f"not decided: {told}", _needed(comparison, rows))
    if not wins:
        return Advice(want, EITHER, f"the tails are alike: {told}", "another load, or another day")
    return Advice(want, wins.pop(), told, "the slow side's cause is found and removed")


def throughput(comparison: Comparison, bill: Bill | None) -> Advice:
    """Tokens in time for the money; without prices, tokens."""
    want, row = "throughput for the money", _row(comparison, "output_tokens_per_s")
    if bill is None:
        choice = _winner(row)
        if choice == OPEN:
            return Advice(want, OPEN, f"not decided: {_told(row)}", _needed(comparison, [row]))
        return Advice(want, choice, _told(row), "prices are given: they decide as much")
    even = bill.break_even
    if math.isnan(even.goodput_ratio.value):
        return Advice(want, OPEN, "nothing was measured on a side", "runs that serve requests")
    told = (
        f"A serves {even.goodput_ratio.value:.2f} × B's good tokens at "
        f"{even.rate_ratio:.2f} × its price"
    )
    if even.goodput_ratio.value in (0.0, math.inf):
        told = f"only {'A' if even.goodput_ratio.value else 'B'} serves anything in time"
    if not even.cheaper or _winner(row) == OPEN:
        words = f"not decided: {told}; {_told(row)}"
        return Advice(want, OPEN, words, _needed(comparison, [row]))
    return Advice(want, even.cheaper, told, _price_of_the_other(bill))


def _price_of_the_other(bill: Bill) -> str:
    alike = bill.break_even.b_may_cost.value
    moves = "falls" if bill.break_even.cheaper == A else "rises"
    return f"B's price {moves} to {alike:.2f} an hour" if alike > 0 else "B serves in time, too"


def bursty(comparison: Comparison, bill: Bill | None) -> Advice:
    """What comes and goes pays for starts, and waits: the cold start, and the tail of TTFT."""
    want, row = "bursty or flexible load", _row(comparison, "ttft_p99_s")
    found = () if bill is None else [(side.start, side.cold_start_s) for side in (bill.a, bill.b)]
    known = [(cost, took) for cost, took in found if cost is not None and took is not None]
    if len(known) < 2:
        return Advice(want, OPEN, "prices or cold starts are not known", "--prices")
    (a, slow_a), (b, slow_b) = known
    told = (
        f"a start takes {slow_a.value:.0f} s and costs {a.value:.4f} on A, "
        f"{slow_b.value:.0f} s and {b.value:.4f} on B"
    )
    ratio = a.over(b)
    if _winner(row) == OPEN or ratio.low is None or ratio.high is None:
        return Advice(want, OPEN, f"not decided: {told}; {_told(row)}", _needed(comparison, [row]))
    told = f"{told}; {_told(row)}"
    if ratio.low >= 1 - _ALIKE and ratio.high <= 1 + _ALIKE:
        return Advice(want, _winner(row), told, "one side starts from a warm image")
    if ratio.low <= 1 <= ratio.high:
        return Advice(want, OPEN, f"not decided: {told}", "more starts")
    choice = A if ratio.high < 1 else B
    if _winner(row) not in (choice, EITHER):
        return Advice(want, OPEN, f"each is better in something: {told}",
                      "to know whether starts or waits matter more")  # fmt: skip
    return Advice(want, choice, told, "the load stays on for hours: then starts hardly count")


def development(comparison: Comparison, bill: Bill | None) -> Advice:
    """Development and tests: the cheaper hour, if its tail is not many times worse."""
    want, row = "development and tests", _row(comparison, "e2el_p99_s")
    if bill is None:
        return Advice(want, OPEN, "prices are not known", "--prices")
    ratio = bill.break_even.rate_ratio
    choice = A if ratio < 1 else B
    told = f"an hour of {choice} costs {min(ratio, 1 / ratio):.2f} × the other's"
    if abs(ratio - 1) < 0.02:
        choice, told = EITHER, "an hour costs the same"
    if _winner(row) == OPEN or row.ratio is None:
        return Advice(want, OPEN, f"not decided: {told}; {_told(row)}", _needed(comparison, [row]))
    told = f"{told}; {_told(row)}"
    worse = {A: 1 / row.ratio, B: row.ratio, EITHER: 1.0}[choice]
    if worse > _MANY_TIMES:
        return Advice(want, OPEN, told, "to know whether such a tail matters there")
    return Advice(want, choice, told, "what is tested is latency: then test where it will run")


def isolation(comparison: Comparison, bill: Bill | None) -> Advice:  # noqa: ARG001 - see Rule
    """Who else is on the machine: bare metal has no neighbours, a confidential guest no readers."""
    want = "isolation and compliance"
    ranks = [_isolation(side[0].meta) for side in (comparison.a, comparison.b)]
    if None in ranks:
        return Advice(want, OPEN, "what one side is was not detected", "recordings that tell it")
    (rank_a, word_a), (rank_b, word_b) = ranks  # type: ignore[misc]
    told = f"A is {word_a}, B is {word_b}"
    if rank_a == rank_b:
        return Advice(want, EITHER, told, "rules ask for one of them by name")
    unless = "the rules accept a shared machine"
    return Advice(want, A if rank_a > rank_b else B, told, unless)


def hybrid(comparison: Comparison, bill: Bill | None) -> Advice:
    """A base that is always there, and peaks that are not."""
    want, row = "a steady base with peaks", _row(comparison, "output_tokens_per_s")
    if bill is None:
        return Advice(want, OPEN, "prices are not known", "--prices")
    known = [(A, bill.a.hybrid_from), (B, bill.b.hybrid_from)]
    told = [
        f"{side}: reserve what is needed for more than {share.value:.0%} of hours"
        if share.value <= 1
        else f"{side}: spot is always cheaper than reserving"
        for side, share in known
        if share is not None
    ]
    if not told:
        return Advice(want, OPEN, "reserved and spot prices are not known", "--prices")
    choice = bill.break_even.cheaper or OPEN
    if choice == OPEN or _winner(row) == OPEN:
        words = f"not decided: {'; '.join(told)}; {_told(row)}"
        return Advice(want, OPEN, words, _needed(comparison, [row]))
    unless = "peaks are latency-critical: spot can be taken away in one"
    return Advice(want, choice, "; ".join(told), unless)


RULES: tuple[Rule, ...] = (low_latency, throughput, bursty, development, isolation, hybrid)


def _row(comparison: Comparison, name: str) -> Row:
    return next(row for row in comparison.rows if row.quantity.name == name)


def _winner(row: Row) -> str:
    if row.verdict in _B_WINS:
        return B
    if row.verdict in _B_LOSES:
        return A
    return EITHER if row.verdict == EQUIVALENT else OPEN


def _told(row: Row) -> str:
    return f"{row.quantity.title} B/A {ratio_text(row.ratio)} ({row.verdict})"


def _needed(comparison: Comparison, rows: Sequence[Row]) -> str:
    """What would decide these rows."""
    runs = [row.runs_needed for row in rows if row.runs_needed]
    if not comparison.gate.open:
        return "runs that differ in nothing but the host"
    if min(len(comparison.a), len(comparison.b)) < FEWEST_RUNS:
        return f"{FEWEST_RUNS} comparable runs a side"
    if any(row.verdict == NONE for row in rows):
        return "runs in which requests are served"
    return f"about {max(runs)} runs a side" if runs else "a larger --margin, or far more runs"


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
