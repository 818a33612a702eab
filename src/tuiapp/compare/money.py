"""The cost and the advice of a comparison, in words."""

from __future__ import annotations

import math
from collections.abc import Callable

from tuiapp.compare.advice import Advice
from tuiapp.compare.cost import Bill, Cost, Span

UNKNOWN = "—"


def amount(value: float | None) -> str:
    """With as many digits as a small amount needs."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if not math.isfinite(value):
        return "∞"
    return f"{value:.4f}" if value < 0.1 else f"{value:.3f}" if value < 10 else f"{value:,.2f}"


def span(found: Span | None, tell: Callable[[float | None], str] = amount) -> str:
    """The number with its interval, where it has one."""
    if found is None:
        return UNKNOWN
    told, low, high = map(tell, (found.value, found.low, found.high))
    if found.low is None or found.high is None or low == told == high:
        return told
    return f"{told} ({low}–{high})"


def bill_rows(bill: Bill, *, by_use: bool = True) -> list[tuple[str, str, str]]:
    """(what, A, B); the amounts at less than full use only ``by_use``."""
    rows = [
        ("good tokens/s", span(bill.a.goodput), span(bill.b.goodput)),
        ("$ / 1 M good, full use", span(bill.a.per_million), span(bill.b.per_million)),
    ]
    for (share, in_a), (_, in_b) in zip(bill.a.by_share, bill.b.by_share, strict=True):
        if by_use and share < 1:
            rows.append((f"  used {share:.0%} of the time", span(in_a), span(in_b)))
    rows += [
        _row("cold start, s", bill, lambda cost: span(cost.cold_start_s, _seconds)),
        _row("$ / cold start", bill, lambda cost: span(cost.start)),
        _row(_session_words(bill), bill, lambda cost: span(cost.session)),
        _row("  $ / 1 M good tokens", bill, lambda cost: span(cost.session_per_million)),
        _row("spot, $ / useful hour", bill, lambda cost: span(cost.spot_effective_per_h)),
        _row("  $ / 1 M good tokens", bill, lambda cost: span(cost.spot_per_million)),
        _row("serverless until busy", bill, lambda cost: _share(cost.serverless_from)),
        _row("on demand until used", bill, lambda cost: _share(cost.reserved_from)),
        _row("spot until needed", bill, lambda cost: span(cost.hybrid_from, _share)),
    ]
    return [row for row in rows if (row[1], row[2]) != (UNKNOWN, UNKNOWN)]


def _row(what: str, bill: Bill, tell: Callable[[Cost], str]) -> tuple[str, str, str]:
    return what, tell(bill.a), tell(bill.b)


def _session_words(bill: Bill) -> str:
    lengths = {bill.a.session_s, bill.b.session_s}
    return f"$ / start + {' or '.join(_length(length) for length in sorted(lengths))}"


def _length(seconds: float) -> str:
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def _seconds(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.1f}"


def _share(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return "always" if value > 1 else f"{value:.0%}"


def break_even_line(bill: Bill) -> str:
    """Whether A's price is worth it."""
    even = bill.break_even
    if even.cheaper and even.goodput_ratio.value in (0.0, math.inf):
        other = "B" if even.cheaper == "A" else "A"
        return f"Only {even.cheaper} serves anything in time: {other} is not worth any price."
    verdict = {
        "A": "A is cheaper for what it serves in time",
        "B": "B is cheaper for what it serves in time",
        "": "which is cheaper is not decided",
    }[even.cheaper]
    return (
        f"A serves {span(even.goodput_ratio)} × B's good tokens at {even.rate_ratio:.3f} × its "
        f"price: {verdict}. Both are alike when an hour of B costs {span(even.b_may_cost)}."
    )


def advice_line(advice: Advice) -> str:
    """One recommendation."""
    if advice.choice == "open":
        return (
            f"{advice.want}: nothing recommended; {advice.because}; what is needed: {advice.unless}"
        )
    return f"{advice.want}: {advice.choice}; {advice.because}; unless {advice.unless}"
