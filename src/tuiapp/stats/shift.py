"""How two distributions differ along their whole length. Descriptions, not tests.

The shift function (Doksum 1974; Wilcox 1995) is the difference of quantiles at each share; the
probability of superiority is that of a value of B lying above one of A (Mann & Whitney 1947, as an
effect size). At a million values everything is "significant", so no p-values are given.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tuiapp.stats.quantile import quantiles

SHARES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)


def shift_function(
    a: np.ndarray, b: np.ndarray, shares: Sequence[float] = SHARES
) -> list[tuple[float, float, float]]:
    """(share, quantile of A, quantile of B) for each share both sides are large enough for.

    A share q needs 1 / (1 − q) values: beyond that the quantile is the largest value. Values may
    be +inf. Empty when a side has none.
    """
    fewest = min(len(a), len(b))
    known = [share for share in shares if fewest * (1 - share) >= 1 - 1e-9]
    if not known:
        return []
    pairs = zip(known, quantiles(a, known), quantiles(b, known), strict=True)
    return [(share, float(in_a), float(in_b)) for share, in_a, in_b in pairs]


def superiority(a: np.ndarray, b: np.ndarray) -> float | None:
    """P(B > A) + P(B = A) / 2 for a random value of each; None when a side has none."""
    if not len(a) or not len(b):
        return None
    ordered = np.sort(a)
    below = np.searchsorted(ordered, b, side="left") + np.searchsorted(ordered, b, side="right")
    return float(below.mean() / 2 / len(a))
