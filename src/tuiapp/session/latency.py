"""Latency distributions of a session between two moments.

TTFT, TPOT and E2EL are exact: one value a request, in nanoseconds, +inf for a request that
failed or never finished. ITL is counted in fine bins (see ``stats.histogram``). Only requests of
the measured phase count. Definitions: ``docs/metrics.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tuiapp.events import UNSET, Phase, Status
from tuiapp.session.columns import Session
from tuiapp.session.itl import itl_blocks, tick_range
from tuiapp.session.table import Table
from tuiapp.stats.bins import BINS, bin_index
from tuiapp.stats.histogram import quantiles_from_counts
from tuiapp.stats.quantile import quantiles
from tuiapp.stats.summary import Summary, summarize, summarize_counts

METRICS = ("ttft", "tpot", "itl", "e2el")


@dataclass(frozen=True)
class Distribution:
    """One latency metric between two moments.

    Attributes:
        metric: one of ``METRICS``.
        values_ns: finite values, float64; None where only ``counts`` are known.
        counts: counts by fine bin; None where ``values_ns`` are known.
        failed: requests that count as +inf.
    """

    metric: str
    values_ns: np.ndarray | None = None
    counts: np.ndarray | None = None
    failed: int = 0
    blocks: np.ndarray | None = field(default=None, repr=False)

    @property
    def n(self) -> int:
        """Observations, the infinite ones included."""
        if self.values_ns is not None:
            return len(self.values_ns) + self.failed
        return int(self.counts.sum()) if self.counts is not None else 0

    @cached_property
    def summary(self) -> Summary:
        """Percentiles with their interval and caveats; nanoseconds."""
        if self.values_ns is not None:
            return summarize(self.values_ns, self.failed)
        assert self.counts is not None
        return summarize_counts(self.counts, self.n, self.blocks)

    def statistic_ns(self, q: float | None) -> float | None:
        """The ``q`` quantile, or the mean of finite values when ``q`` is None; None without any."""
        if not self.n:
            return None
        if q is None:
            return self.summary.mean
        if self.values_ns is not None:
            infinite = np.full(self.failed, np.inf)
            return float(quantiles(np.concatenate((self.values_ns, infinite)), (q,))[0])
        return float(quantiles_from_counts(self.fine_counts, (q,), self.failed)[0])

    @cached_property
    def fine_counts(self) -> np.ndarray:
        """Counts by fine bin, whichever way the values are held."""
        if self.counts is not None:
            return self.counts
        assert self.values_ns is not None
        bins = bin_index(self.values_ns.astype(np.int64))
        return np.bincount(bins, minlength=BINS)


def distribution(session: Session, metric: str, after_ns: int, until_ns: int) -> Distribution:
    """``metric`` over what became known in (after, until]."""
    if metric == "itl":
        return _itl(session, after_ns, until_ns)
    _, values = request_values(session, metric, after_ns, until_ns)
    finite = np.isfinite(values)
    return Distribution(metric, values[finite], failed=int(len(values) - finite.sum()))


def request_values(
    session: Session, metric: str, after_ns: int, until_ns: int
) -> tuple[np.ndarray, np.ndarray]:
    """(req, value in ns) of each measured request whose ``metric`` became known in (after, until].

    TTFT is known at the first token, TPOT and E2EL at the end. A request that ended without being
    served is +inf: in TTFT when it had no first token, in the others always. One that the user's
    own stop cut off is +inf only when it had waited longer than any other took; otherwise nothing
    is known of it, and it is left out.
    """
    table = session.requests
    ended = _measured(session, session.ends.between(after_ns, until_ns))
    cut = ended[table["status"][ended] == Status.CUT]
    ended = ended[table["status"][ended] != Status.CUT]
    if metric == "ttft":
        first = _measured(session, session.firsts.between(after_ns, until_ns))
        values = (table["t_first_ns"][first] - table["t_sched_ns"][first]).astype(float)
        cut = cut[table["t_first_ns"][cut] == UNSET]
        lost = ended[table["t_first_ns"][ended] == UNSET]
    else:
        served = table["status"][ended] == Status.OK
        first, lost = ended[served], ended[~served]
        first, values = _served_values(table, metric, first)
        cut = cut[:0] if metric == "tpot" else cut
    age = table["t_end_ns"][cut] - table["t_sched_ns"][cut]
    lost = np.concatenate((lost, cut[age > values.max(initial=0.0)]))
    infinite = np.full(len(lost), np.inf)
    return np.concatenate((first, lost)), np.concatenate((values, infinite))


def _served_values(table: Table, metric: str, req: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(req, TPOT or E2EL in ns) of served requests; TPOT needs two tokens and the first's time."""
    if metric != "tpot":
        return req, (table["t_last_ns"][req] - table["t_sched_ns"][req]).astype(float)
    req = req[(table["output_tokens"][req] > 1) & (table["t_first_ns"][req] != UNSET)]
    span = table["t_last_ns"][req] - table["t_first_ns"][req]
    return req, span / (table["output_tokens"][req].astype(np.int64) - 1)


def _measured(session: Session, req: np.ndarray) -> np.ndarray:
    measured: np.ndarray = req[session.requests["phase"][req] == Phase.MEASURE]
    return measured


def _itl(session: Session, after_ns: int, until_ns: int) -> Distribution:
    counts = session.gaps.between(*tick_range(after_ns, until_ns))
    return Distribution("itl", counts=counts)


def itl_with_blocks(session: Session, after_ns: int, until_ns: int) -> Distribution:
    """ITL with its time blocks, which the interval of a dependent series needs; costs more."""
    blocks = itl_blocks(session, after_ns, until_ns)
    return Distribution("itl", counts=blocks.sum(axis=0), blocks=blocks)


def good_requests(
    session: Session, limits_ns: dict[str, float], after_ns: int, until_ns: int
) -> int:
    """Requests that finished in (after, until] and met every limit (per-request metrics)."""
    return len(_good(session, limits_ns, after_ns, until_ns))


def good_tokens(session: Session, limits_ns: dict[str, float], after_ns: int, until_ns: int) -> int:
    """Output tokens of those requests."""
    good = _good(session, limits_ns, after_ns, until_ns)
    return int(session.requests["output_tokens"][good].astype(np.int64).sum())


def _good(
    session: Session, limits_ns: dict[str, float], after_ns: int, until_ns: int
) -> np.ndarray:
    """``req`` of the measured requests that finished in (after, until] and met every limit."""
    ended = _measured(session, session.ends.between(after_ns, until_ns))
    table = session.requests
    good = table["status"][ended] == Status.OK
    sched, first = table["t_sched_ns"][ended], table["t_first_ns"][ended]
    last = table["t_last_ns"][ended]
    gaps = np.maximum(table["output_tokens"][ended].astype(np.int64) - 1, 1)
    measures = {"ttft": first - sched, "tpot": (last - first) / gaps, "e2el": last - sched}
    for metric in ("ttft", "tpot"):  # what is not known meets no limit
        measures[metric] = np.where(first == UNSET, np.inf, measures[metric])
    measures["itl"] = measures["tpot"]
    for metric, limit in limits_ns.items():
        good &= measures[metric] <= limit
    met: np.ndarray = ended[good]
    return met
