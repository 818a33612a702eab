"""How two distributions differ along their whole length, whichever way they are held.

TTFT, TPOT and E2EL are single values, ITL is counts in bins 0.27 % wide. Descriptions beside the
verdicts, not tests: see ``stats.shift``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tuiapp.session.latency import Distribution
from tuiapp.stats.histogram import bin_index, quantiles_from_counts
from tuiapp.stats.shift import SHARES, shift_function, superiority

Shift = tuple[float, float, float]
"""(share, quantile of A, quantile of B), nanoseconds; +inf where failures decide."""


def shifts(a: Distribution, b: Distribution, shares: Sequence[float] = SHARES) -> list[Shift]:
    """The shift function, for each share that both sides are large enough for."""
    if a.values_ns is not None and b.values_ns is not None:
        return shift_function(_values(a), _values(b), shares)
    fewest = min(a.n, b.n)
    known = [share for share in shares if fewest * (1 - share) >= 1 - 1e-9]
    if not known:
        return []
    in_a, in_b = (quantiles_from_counts(side.fine_counts, known).tolist() for side in (a, b))
    return list(zip(known, in_a, in_b, strict=True))


def share_above(a: Distribution, b: Distribution) -> float | None:
    """P(B > A) + P(B = A) / 2 for one value of each; None when a side has none."""
    if a.values_ns is not None and b.values_ns is not None:
        return superiority(_values(a), _values(b))
    if not a.n or not b.n:
        return None
    in_a, in_b = (side.fine_counts.astype(float) for side in (a, b))
    below = np.cumsum(in_a) - in_a / 2
    return float((in_b * below).sum() / in_a.sum() / in_b.sum())


def ecdf(found: Distribution, edges_ns: np.ndarray) -> np.ndarray:
    """Share of all values at or below each edge, failures at none; nan without any."""
    if not found.n:
        return np.full(len(edges_ns), np.nan)
    if found.values_ns is not None:
        return np.searchsorted(np.sort(found.values_ns), edges_ns, side="right") / found.n
    below = np.concatenate(([0], np.cumsum(found.fine_counts)))
    return np.asarray(below[bin_index(edges_ns)] / found.n)


def _values(found: Distribution) -> np.ndarray:
    """Single values, the failed ones included."""
    assert found.values_ns is not None
    return np.concatenate((found.values_ns, np.full(found.failed, np.inf)))
