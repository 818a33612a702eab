"""What the difference costs. Prices are the user's; none are built in.

Everything rests on goodput, the output tokens a second of requests that met every objective:
tokens that came too late are paid for and worth nothing; and on the cold start, which is paid for
and serves nobody. A side's goodput is the geometric mean of its runs', as in the verdicts, so that
the ratio of both sides is that of their amounts. Where several runs were made, the intervals of
both (t over runs, 95 %) become those of every amount that follows from them. Where an amount rests
on both, its ends are those of the worse and the better of each: at least as wide as it need be.

Currency is whatever the prices are in; ``$`` is only a sign.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from tuiapp.compare.runs import Run
from tuiapp.stats.student import paired, welch
from tuiapp.words import plural

HOUR_S = 3600.0
SHARES = (0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
"""Utilizations at which costs are told."""


@dataclass(frozen=True, slots=True)
class Span:
    """A number with its 95 % interval; ``low`` and ``high`` are None where it has none.

    ``value`` is nan where nothing was measured.
    """

    value: float
    low: float | None = None
    high: float | None = None

    def inverse(self, numerator: float) -> Span:
        """``numerator`` divided by it; infinite where it is zero."""
        low = None if self.high is None else _over(numerator, self.high)
        high = None if self.low is None else _over(numerator, self.low)
        return Span(_over(numerator, self.value), low, high)

    def map(self, rises: Callable[[float], float]) -> Span:
        """What follows from it, where more of it is more of that."""
        ends = (None if end is None else rises(end) for end in (self.low, self.high))
        return Span(rises(self.value), *ends)

    def over(self, other: Span) -> Span:
        """It divided by another number; without interval where either has none."""
        value = _over(self.value, other.value)
        if None in (self.low, self.high, other.low, other.high):
            return Span(value)
        return Span(value, _over(self.low, other.high), _over(self.high, other.low))  # type: ignore[arg-type]


def _over(numerator: float, denominator: float) -> float:
    """Infinite where nothing is left to divide by; nan where that is not known."""
    if math.isnan(denominator):
        return math.nan
    return numerator / denominator if denominator > 0 else math.inf


@dataclass(frozen=True, slots=True)
class Prices:
    """What one side costs; None for what is not offered, or not known.

    Attributes:
        on_demand_per_h: of the whole machine, for each hour it exists.
        quantum_s: billing steps; a started one is paid in full.
        spot_per_h, interruptions_per_h, per_interruption: of a machine that may be taken away, how
            often that happens, and what each time costs besides the time to recover.
        reserved_per_h: for each hour of the term, used or not.
        serverless_per_h: for each hour a request is served.
        session_s: how long a session serves, whose cost with its cold start is to be told.
    """

    on_demand_per_h: float
    quantum_s: float = 1.0
    spot_per_h: float | None = None
    interruptions_per_h: float = 0.0
    per_interruption: float = 0.0
    reserved_per_h: float | None = None
    serverless_per_h: float | None = None
    session_s: float = HOUR_S


@dataclass(frozen=True, slots=True)
class Cost:
    """What one side costs at its measured goodput.

    Attributes:
        goodput: output tokens a second of requests that met every objective.
        per_million: a million such tokens at full utilization, on demand.
        by_share: (utilization, per million tokens) on demand.
        cold_start_s: measured, from spawn to ready.
        start: what the time of a cold start costs, on demand.
        session: a machine that is started, serves for ``session_s`` and is ended, on demand, in
            whole billing steps.
        session_per_million: the same, for each million tokens that it serves meanwhile.
        spot_effective_per_h: the spot price with what interruptions add.
        spot_per_million: at that price, full utilization.
        serverless_from: share of time busy above which the machine is cheaper than serverless.
        reserved_from: share of time used above which reserving is cheaper than on demand.
        hybrid_from: share of hours a machine must be needed for reserving it to be cheaper than
            taking it as spot for those hours.
    """

    goodput: Span
    per_million: Span
    by_share: tuple[tuple[float, Span], ...]
    cold_start_s: Span | None = None
    start: Span | None = None
    session_s: float = HOUR_S
    session: Span | None = None
    session_per_million: Span | None = None
    spot_effective_per_h: Span | None = None
    spot_per_million: Span | None = None
    serverless_from: float | None = None
    reserved_from: float | None = None
    hybrid_from: Span | None = None


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Whether A or B is cheaper for the tokens it serves in time.

    Attributes:
        goodput_ratio: A's over B's.
        rate_ratio: A's price over B's. A is worth it when this is smaller.
        cheaper: ``A``, ``B``, or empty when the interval holds the ratio of prices, or there is
            no interval. At any price the side that alone serves anything in time.
        b_may_cost: the price of B an hour at which both are alike.
    """

    goodput_ratio: Span
    rate_ratio: float
    cheaper: str
    b_may_cost: Span


@dataclass(frozen=True, slots=True)
class Bill:
    """Both sides and the break-even between them."""

    a: Cost
    b: Cost
    break_even: BreakEven
    caveats: tuple[str, ...] = field(default=())


def goodput_tokens_per_s(run: Run) -> float:
    """Output tokens a second, over the measured window, to requests that met every objective.

    Without objectives, to all requests that were served. nan when nothing was measured.
    """
    window = run.view.measured
    if window is None:
        return math.nan
    good = run.view.good_tokens(window.start_ns - 1, window.end_ns)
    return good / window.seconds


def bill(a: Sequence[Run], b: Sequence[Run], prices_a: Prices, prices_b: Prices) -> Bill:
    """What both sides cost."""
    goodputs = [_measured(side) for side in (a, b)]
    costs = [
        _cost(side, goodput, prices)
        for side, goodput, prices in zip((a, b), goodputs, (prices_a, prices_b), strict=True)
    ]
    ratio = _ratio(*goodputs)
    rates = prices_a.on_demand_per_h / prices_b.on_demand_per_h
    cheaper = _serves_alone(*goodputs) or _cheaper(ratio, rates)
    even = BreakEven(ratio, rates, cheaper, ratio.inverse(prices_a.on_demand_per_h))
    return Bill(costs[0], costs[1], even, tuple(_caveats(a, b)))


def _measured(side: Sequence[Run]) -> np.ndarray:
    """Goodput of the runs in which something was measured; nan alone when in none."""
    found = np.array([goodput_tokens_per_s(run) for run in side])
    known = found[~np.isnan(found)]
    return known if len(known) else np.array([math.nan])


def _cost(runs: Sequence[Run], goodput: np.ndarray, prices: Prices) -> Cost:
    found, cold = _geometric_mean(goodput), _cold_start_s(runs)
    rate, million = prices.on_demand_per_h, found.inverse(1e6)
    seconds_paid = None if cold is None else cold.map(lambda s: s + prices.session_s)
    session = None if seconds_paid is None else seconds_paid.map(partial(_paid, prices))
    spot = None if prices.spot_per_h is None else _spot_per_h(prices, cold or Span(0.0))
    reserved = prices.reserved_per_h
    return Cost(
        goodput=found,
        per_million=_times(million, rate / HOUR_S),
        by_share=tuple((share, _times(million, rate / HOUR_S / share)) for share in SHARES),
        cold_start_s=cold,
        start=None if cold is None else _times(cold, rate / HOUR_S),
        session_s=prices.session_s,
        session=session,
        session_per_million=None
        if session is None
        else session.over(_times(found, prices.session_s / 1e6)),
        spot_effective_per_h=spot,
        spot_per_million=None if spot is None else spot.over(_times(found, HOUR_S / 1e6)),
        serverless_from=_share(rate, prices.serverless_per_h),
        reserved_from=None if reserved is None else _share(reserved, rate),
        hybrid_from=None if reserved is None or spot is None else spot.inverse(reserved),
    )


def _times(found: Span, factor: float) -> Span:
    return found.map(lambda value: value * factor)


def _paid(prices: Prices, seconds: float) -> float:
    return session_cost(prices.on_demand_per_h, prices.quantum_s, seconds)


def session_cost(rate_per_h: float, quantum_s: float, seconds: float) -> float:
    """What a machine costs that exists for ``seconds``: every started billing step is paid."""
    return rate_per_h / HOUR_S * math.ceil(seconds / quantum_s - 1e-9) * quantum_s


def _spot_per_h(prices: Prices, recover_s: Span) -> Span:
    """What an hour of useful time costs: every hour, interruptions take the time to come back.

    Infinite where they leave no time in between.
    """
    assert prices.spot_per_h is not None
    paid = prices.spot_per_h + prices.interruptions_per_h * prices.per_interruption
    lost = prices.interruptions_per_h / HOUR_S
    return recover_s.map(lambda seconds: _over(paid, 1 - lost * seconds))


def _share(numerator: float, denominator: float | None) -> float | None:
    return numerator / denominator if denominator else None


def _mean(values: np.ndarray) -> Span:
    value = float(values.mean())
    if len(values) < 2:
        return Span(value)
    found = paired(values)
    return Span(value, found.low, found.high)


def _geometric_mean(values: np.ndarray) -> Span:
    """Of the runs' goodputs; where one is zero, their mean."""
    return _mean(np.log(values)).map(math.exp) if (values > 0).all() else _floored(_mean(values))


def _floored(found: Span) -> Span:
    return Span(found.value, None if found.low is None else max(found.low, 0.0), found.high)


def _ratio(a: np.ndarray, b: np.ndarray) -> Span:
    """A over B, with the interval of the difference of logarithms (Welch)."""
    if np.isnan(a).any() or np.isnan(b).any():
        return Span(math.nan)
    if not (a > 0).all() or not (b > 0).all():
        return Span(_over(float(a.mean()), float(b.mean())))
    value = math.exp(np.log(a).mean() - np.log(b).mean())
    if min(len(a), len(b)) < 2:
        return Span(value)
    found = welch(np.log(b), np.log(a))
    return Span(value, math.exp(found.low), math.exp(found.high))


def _serves_alone(a: np.ndarray, b: np.ndarray) -> str:
    """The side that served something in time in every run, where the other never did."""
    if (a > 0).all() and (b == 0).all():
        return "A"
    return "B" if (b > 0).all() and (a == 0).all() else ""


def _cheaper(goodput_ratio: Span, rate_ratio: float) -> str:
    if goodput_ratio.low is None or goodput_ratio.high is None:
        return ""
    if goodput_ratio.low > rate_ratio:
        return "A"
    return "B" if goodput_ratio.high < rate_ratio else ""


def _cold_start_s(runs: Sequence[Run]) -> Span | None:
    known = [run.view.cold_start_s["ready"] for run in runs if "ready" in run.view.cold_start_s]
    return _floored(_mean(np.array(known))) if known else None


def _caveats(a: Sequence[Run], b: Sequence[Run]) -> list[str]:
    caveats = []
    if not all(run.view.slos for run in (*a, *b)):
        caveats.append("not every run has objectives, so all its tokens count as good")
    unmeasured = sum(run.view.measured is None for run in (*a, *b))
    if unmeasured:
        caveats.append(f"nothing was measured in {plural(unmeasured, 'run')}: left out")
    if min(len(a), len(b)) < 2:
        caveats.append("one run a side: no interval of goodput, so none of any amount")
    caveats.append("the cold start is the engine's; booting the machine is not in it")
    offered = {str((run.meta.get("workload") or {}).get("arrival")) for run in (*a, *b)}
    if offered - {"closed"}:
        caveats.append("goodput at the offered load, which may be below what the host can serve")
    return caveats
