"""From an interval to one of four outcomes that are never merged.

With the margin m and M = ln(1 + m), on the scale ln(B / A) where more is worse:

- wholly beyond ±M: B is slower, or faster, by at least m;
- without 0 but not wholly beyond: slower or faster, by how much is uncertain;
- inside ±M: equivalent within ±m (two one-sided tests, Schuirmann 1987);
- anything else: inconclusive, which is not the same as equivalent.
"""

from __future__ import annotations

import math

from tuiapp.stats.student import t_quantile

SLOWER, FASTER = "slower by the margin", "faster by the margin"
SLOWER_BY_SOME, FASTER_BY_SOME = "slower, size uncertain", "faster, size uncertain"
EQUIVALENT, INCONCLUSIVE, NONE = "equivalent", "inconclusive", "no verdict"
WORSE = (SLOWER, SLOWER_BY_SOME)
_MOST_RUNS = 1000


def decide(low: float, high: float, margin: float) -> str:
    """The outcome for the interval (low, high) of ln(B / A), more being worse.

    Args:
        margin: m, as a share: 0.05 for 5 %.
    """
    edge = math.log1p(margin)
    if low > edge:
        return SLOWER
    if high < -edge:
        return FASTER
    if -edge < low and high < edge:
        return EQUIVALENT
    if low > 0:
        return SLOWER_BY_SOME
    if high < 0:
        return FASTER_BY_SOME
    return INCONCLUSIVE


def runs_needed(
    value: float, variance: float, freedom: float, margin: float, level: float
) -> int | None:
    """Runs a side after which an interval about ``value`` would no longer be inconclusive.

    It is a guess from few runs: with as many, about half of all comparisons are settled.

    Args:
        value: ln(B / A) as estimated now.
        variance: of the difference between one run of B and one of A, in logarithms.
        freedom: degrees of freedom that each run a side after the first adds.
        level: of the interval.

    Returns:
        At least 5; None when a thousand would not do.
    """
    room = max(math.log1p(margin) - abs(value), abs(value))
    for runs in range(5, _MOST_RUNS + 1):
        reach = t_quantile((1 + level) / 2, freedom * (runs - 1)) * math.sqrt(variance / runs)
        if reach < room:
            return runs
    return None
