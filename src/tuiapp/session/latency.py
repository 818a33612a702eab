"""Latency distributions of a session between two moments.

TTFT, TPOT and E2EL are exact: one value a request, in nanoseconds, +inf for a request that
failed or never finished. ITL is counted in fine bins (see ``stats.histogram``). Only requests of
the measured phase count. Definitions: ``docs/metrics.md``.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tuiapp.events import FLOAT64, UINT32, UNSET, Phase, Status
from tuiapp.session.columns import Session
from tuiapp.session.itl import itl_blocks, tick_range
from tuiapp.session.prefix import Prefix
from tuiapp.session.table import Table
from tuiapp.stats.bins import BINS
from tuiapp.stats.histogram import counts_of, quantiles_from_counts
from tuiapp.stats.quantile import quantiles
from tuiapp.stats.summary import Summary, summarize, summarize_counts

METRICS = ("ttft", "tpot", "itl", "e2el")
_STRIDE = 1 << 14
"""Requests between two moments of which the counts by bin are kept (64 KiB each)."""


@dataclass(frozen=True)
class Distribution:
    """One latency metric between two moments.

    Attributes:
        metric: one of ``METRICS``.
        parts_ns: finite values, float64, in pieces; None where only ``counts`` are known.
        counts: counts by fine bin; None where the values are known.
        failed: requests that count as +inf.
        cut: how many of these the user's own stop cut off.
        binned: counts by fine bin of the values, where somebody has counted them already.
    """

    metric: str
    parts_ns: tuple[np.ndarray, ...] | None = None
    counts: np.ndarray | None = None
    failed: int = 0
    cut: int = 0
    binned: np.ndarray | None = field(default=None, repr=False)
    blocks: np.ndarray | None = field(default=None, repr=False)

    @property
    def values_ns(self) -> np.ndarray | None:
        """The finite values, float64; None where only ``counts`` are known."""
        if self.parts_ns is None:
            return None
        whole: np.ndarray = self.parts_ns[0]
        return whole if len(self.parts_ns) == 1 else np.concatenate(self.parts_ns)

    @property
    def n(self) -> int:
        """Observations, the infinite ones included."""
        if self.parts_ns is not None:
            return sum(map(len, self.parts_ns)) + self.failed
        return int(self.counts.sum()) if self.counts is not None else 0

    @cached_property
    def summary(self) -> Summary:
        """Percentiles with their interval and caveats; nanoseconds."""
        values = self.values_ns
        if values is not None:
            return summarize(values, self.failed, self.cut)
        assert self.counts is not None
        return summarize_counts(self.counts, self.n, self.blocks)

    def statistic_ns(self, q: float | None) -> float | None:
        """The ``q`` quantile, or the mean of finite values when ``q`` is None; None without any."""
        if not self.n:
            return None
        if q is None:
            return self.summary.mean
        if self.parts_ns is not None:
            infinite = np.full(self.failed, np.inf)
            return float(quantiles(np.concatenate((*self.parts_ns, infinite)), (q,))[0])
        return float(quantiles_from_counts(self.fine_counts, (q,), self.failed)[0])

    @cached_property
    def fine_counts(self) -> np.ndarray:
        """Counts by fine bin, whichever way the values are held."""
        if self.counts is not None:
            return self.counts
        if self.binned is not None:
            return self.binned
        values = self.values_ns
        assert values is not None
        return counts_of(values.astype(np.int64))


@dataclass
class _Known:
    """What requests told of one metric in some stretch of time.

    Attributes:
        req, values_ns: of those that have a value.
        lost: ``req`` of those that count as +inf.
        cut: ``req`` of those that the user's own stop cut off.
        cut_age_ns: how long these had waited.
    """

    req: np.ndarray
    values_ns: np.ndarray
    lost: np.ndarray
    cut: np.ndarray
    cut_age_ns: np.ndarray

    def overdue(self, longest_ns: float) -> np.ndarray:
        """Which of ``cut`` had waited longer than any other took: +inf, too."""
        return self.cut_age_ns > longest_ns


class _RunSoFar:
    """The same of a run's beginning: stretches are added as they pass, in order.

    Args:
        session: whose requests these are.
        moment: the column that tells when a value became known; its rows are in that order.
    """

    def __init__(self, session: Session, moment: str) -> None:
        self._requests, self._moment = session.requests, moment
        self._rows = Table({"req": UINT32, "ns": FLOAT64})
        self._sums = [np.zeros(BINS, np.int64)]
        self._lost = np.empty(0, np.int64)
        self._cut = np.empty(0, np.int64)
        self._cut_age_ns = np.empty(0, np.int64)

    def add(self, known: _Known) -> None:
        """Take in what became known in the next stretch of time."""
        self._rows.append({"req": known.req, "ns": known.values_ns}, len(known.req))
        while len(self._sums) * _STRIDE <= len(self._rows):
            at = (len(self._sums) - 1) * _STRIDE
            part = self._rows["ns"][at : at + _STRIDE]
            self._sums.append(self._sums[-1] + counts_of(part.astype(np.int64)))
        self._lost = np.concatenate((self._lost, known.lost))
        self._cut = np.concatenate((self._cut, known.cut))
        self._cut_age_ns = np.concatenate((self._cut_age_ns, known.cut_age_ns))

    def until(self, cursor_ns: int) -> _SoFar:
        """What had been known at a moment."""
        moment, ends = (self._requests[name].item for name in (self._moment, "t_end_ns"))
        rows = bisect_right(self._rows["req"], cursor_ns, key=moment)
        lost = bisect_right(self._lost, cursor_ns, key=ends)
        cut = bisect_right(self._cut, cursor_ns, key=ends)
        values, at = self._rows["ns"][:rows], rows // _STRIDE
        binned = self._sums[at] + counts_of(values[at * _STRIDE :].astype(np.int64))
        return _SoFar(values, binned, lost, self._cut_age_ns[:cut])


@dataclass
class _SoFar:
    """What a run's beginning had told, without who it was."""

    values_ns: np.ndarray
    binned: np.ndarray
    lost: int
    cut_age_ns: np.ndarray


def distribution(session: Session, metric: str, after_ns: int, until_ns: int) -> Distribution:
    """``metric`` over what became known in (after, until]."""
    if metric == "itl":
        return _itl(session, after_ns, until_ns)
    known = _known(session, metric, after_ns, until_ns)
    overdue = int(known.overdue(known.values_ns.max(initial=0.0)).sum())
    failed = len(known.lost) + overdue
    return Distribution(metric, (known.values_ns,), failed=failed, cut=overdue)


def run_distribution(session: Session, metric: str, after_ns: int, until_ns: int) -> Distribution:
    """The same for an ``after_ns`` that stays while ``until_ns`` goes on: only news are counted."""
    if metric == "itl":
        return _itl(session, after_ns, until_ns)

    early = _run_so_far(session, metric, after_ns, until_ns)
    if early.value is None:
        return distribution(session, metric, after_ns, until_ns)
    late, so_far = _known(session, metric, early.until_ns, until_ns), early.value
    values = (so_far.values_ns, late.values_ns)
    longest = max(float(part.max(initial=0.0)) for part in values)
    overdue = int((so_far.cut_age_ns > longest).sum() + late.overdue(longest).sum())
    failed = so_far.lost + len(late.lost) + overdue
    binned = so_far.binned + counts_of(late.values_ns.astype(np.int64))
    return Distribution(metric, values, failed=failed, cut=overdue, binned=binned)


def _run_so_far(session: Session, metric: str, after_ns: int, until_ns: int) -> Prefix[_SoFar]:
    def add(before: _RunSoFar | None, after_ns: int, until_ns: int) -> _RunSoFar:
        so_far = before or _RunSoFar(session, "t_first_ns" if metric == "ttft" else "t_end_ns")
        so_far.add(_known(session, metric, after_ns, until_ns))
        return so_far

    found = session.prefixes.growing(metric, after_ns, until_ns, add)
    value = None if found.value is None else found.value.until(found.until_ns)
    return Prefix(found.after_ns, found.until_ns, value)


def request_values(
    session: Session, metric: str, after_ns: int, until_ns: int
) -> tuple[np.ndarray, np.ndarray]:
    """(req, value in ns) of each measured request whose ``metric`` became known in (after, until].

    TTFT is known at the first token, TPOT and E2EL at the end. A request that ended without being
    served is +inf: in TTFT when it had no first token, in the others always. One that the user's
    own stop cut off is +inf only when it had waited longer than any other took; otherwise nothing
    is known of it, and it is left out.
    """
    known = _known(session, metric, after_ns, until_ns)
    overdue = known.cut[known.overdue(known.values_ns.max(initial=0.0))]
    infinite = np.full(len(known.lost) + len(overdue), np.inf)
    req = np.concatenate((known.req, known.lost, overdue))
    return req, np.concatenate((known.values_ns, infinite))


def _known(session: Session, metric: str, after_ns: int, until_ns: int) -> _Known:
    """What became known of ``metric`` in (after, until]; see ``request_values``."""
    table = session.requests
    ended = _measured(session, session.ends.between(after_ns, until_ns))
    ended = ended[table["status"][ended] != Status.LOST]
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
    return _Known(first, values, lost, cut, age)


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
    return len(
        _good(session, limits_ns, _measured(session, session.ends.between(after_ns, until_ns)))
    )


def good_tokens(
    session: Session, limits_ns: dict[str, float], after_ns: int, until_ns: int
) -> float:
    """Output tokens delivered in (after, until] to requests that met every limit in the end.

    Whenever those finished: a count of the requests that finished in between would lose what was
    still under way at its end, more of it where latency is longer. Tokens of a request that reaches
    over an edge are taken to be spread evenly from its first one to its last.
    """
    req = _good(session, limits_ns, session.ends.between(after_ns, session.end_ns))
    table = session.requests
    sched, first, last = (table[f"t_{name}_ns"][req] for name in ("sched", "first", "last"))
    tokens = table["output_tokens"][req].astype(np.int64)
    start = np.where(first == UNSET, sched, first)
    span = (last - start).astype(np.float64)
    inside = np.minimum(last, until_ns) - np.maximum(start, after_ns)
    share = np.divide(inside, span, out=(inside >= 0).astype(np.float64), where=span > 0)
    begins = (start > after_ns) & (start <= until_ns)
    return float((np.clip(share, 0, 1) * np.maximum(tokens - 1, 0) + begins * (tokens > 0)).sum())


def _good(session: Session, limits_ns: dict[str, float], ended: np.ndarray) -> np.ndarray:
    """Those of the requests ``ended`` that were served and met every limit."""
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
