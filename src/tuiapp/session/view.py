"""A view is a pure function of (session, cursor, window): all that a screen or an export reads.

Everything is computed when first asked for and kept, so that a pane that is not drawn costs
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from math import isfinite, nan
from typing import Any

import numpy as np

from tuiapp.errors import UsageError
from tuiapp.events import LAG_P99S_S, LOAD_STATE, MOST_VALUE
from tuiapp.session import latency
from tuiapp.session import traffic as flow
from tuiapp.session.age import stale_ns
from tuiapp.session.columns import TICK_NS, Fact, LogLine, Mark, Session
from tuiapp.session.facts import latest
from tuiapp.session.health import (
    WARMUP,
    Health,
    health,
    probe_reasons,
    probe_since_ns,
)
from tuiapp.session.itl import Interval, itl_interval
from tuiapp.session.latency import Distribution
from tuiapp.session.stalls import Lateness, coincide, lateness, metered, stalls
from tuiapp.session.start import Absent, PhaseSpan, cold_start, cold_start_s, every_phase
from tuiapp.stats.coincidence import Coincidence
from tuiapp.stats.slo import Slo, parse_slos

_S = 1_000_000_000
RATES_NS = 10 * _S
"""The span of rates on a screen."""


@dataclass(frozen=True)
class View:
    """A session seen from ``cursor_ns`` backwards.

    Args:
        session: the columns; they may go on growing, the view reads up to the cursor.
        cursor_ns: the moment shown; nanoseconds since the session's origin.
        window_ns: how far back "the window" reaches; None for the whole run.
    """

    session: Session
    cursor_ns: int
    window_ns: int | None = None

    @property
    def meta(self) -> Mapping[str, Any]:
        return self.session.meta

    @property
    def window_start_ns(self) -> int:
        """Exclusive start of the window; the window never reaches before the measured load."""
        if self.window_ns is None:
            return self.run_start_ns
        return max(self.cursor_ns - self.window_ns, self.run_start_ns)

    @property
    def run_start_ns(self) -> int:
        measured = self.measured
        return measured.start_ns - 1 if measured else -1

    @cached_property
    def measured(self) -> flow.Measured | None:
        return flow.measured_window(self.session, self.cursor_ns)

    @cached_property
    def health(self) -> Health:
        return health(self.session, self.cursor_ns)

    @cached_property
    def slos(self) -> tuple[Slo, ...]:
        """The objectives; those of a later version's grammar are passed over."""
        known: list[Slo] = []
        for text in self.meta.get("slo") or ():
            with suppress(UsageError):
                known += parse_slos([str(text)])
        return tuple(known)

    def limit_ns(self, metric: str) -> float | None:
        """The strictest limit on ``metric``, nanoseconds."""
        limits = [slo.limit_ns for slo in self.slos if slo.metric == metric]
        return min(limits, default=None)

    # -- latency ---------------------------------------------------------------------------

    def run(self, metric: str) -> Distribution:
        """``metric`` over the run so far."""
        return self._distribution(metric, self.run_start_ns)

    def recent(self, metric: str) -> Distribution:
        """``metric`` over the window."""
        return self._distribution(metric, self.window_start_ns)

    @cached_property
    def _distributions(self) -> dict[tuple[str, int], Distribution]:
        return {}

    def _distribution(self, metric: str, after_ns: int) -> Distribution:
        key = (metric, after_ns)
        if key not in self._distributions:
            whole = after_ns == self.run_start_ns
            compute = latency.run_distribution if whole else latency.distribution
            self._distributions[key] = compute(self.session, metric, after_ns, self.cursor_ns)
        return self._distributions[key]

    def final(self, metric: str) -> Distribution:
        """``metric`` over the run so far, with what an interval of ITL needs; for summaries."""
        if metric == "itl":
            return latency.itl_with_blocks(self.session, self.run_start_ns, self.cursor_ns)
        return self.run(metric)

    def itl_interval(self, window_ns: int | None) -> Interval:
        """Of p99 of ITL over the last ``window_ns``, None for the run, up to a moment ago.

        Once the engine has ended it reaches to the cursor, as a summary's does.
        """
        return itl_interval(
            self.session,
            self.run_start_ns,
            self.cursor_ns,
            window_ns,
            whole=bool(self.health.exit_facts),
        )

    def points(self, metric: str, after_ns: int) -> tuple[np.ndarray, np.ndarray]:
        """(moment it became known, value in ns) of every request in (after, cursor]."""
        req, values = latency.request_values(self.session, metric, after_ns, self.cursor_ns)
        table = self.session.requests
        known = table["t_first_ns" if metric == "ttft" else "t_end_ns"][req]
        return np.where(np.isinf(values), table["t_end_ns"][req], known), values

    # -- traffic ---------------------------------------------------------------------------

    @cached_property
    def traffic(self) -> flow.Traffic:
        """Rates over the last seconds: the window, but at most ten, so that it follows the load."""
        return flow.traffic(self.session, self._rates_from_ns, self.cursor_ns)

    @property
    def _rates_from_ns(self) -> int:
        return self.cursor_ns - min(self.window_ns or RATES_NS, RATES_NS)

    @cached_property
    def split(self) -> flow.Split | None:
        return flow.split(self.session, self.window_start_ns, self.cursor_ns)

    @cached_property
    def goodput_per_s(self) -> float | None:
        """Requests a second that met every SLO, over the span of ``traffic``; None without SLO."""
        if not self.slos:
            return None
        start_ns = max(self._rates_from_ns, self.run_start_ns)
        return self.good(start_ns, self.cursor_ns) / (max(self.cursor_ns - start_ns, TICK_NS) / _S)

    def good(self, after_ns: int, until_ns: int) -> int:
        """Requests that finished in (after, until] and met every SLO."""
        return latency.good_requests(self.session, self._limits_ns, after_ns, until_ns)

    def good_tokens(self, after_ns: int, until_ns: int) -> float:
        """Output tokens delivered in (after, until] to requests that met every SLO in the end."""
        return latency.good_tokens(self.session, self._limits_ns, after_ns, until_ns)

    @property
    def _limits_ns(self) -> dict[str, float]:
        """The strictest limit on each metric that has one."""
        metrics = {slo.metric for slo in self.slos}
        return {metric: self.limit_ns(metric) or np.inf for metric in metrics}

    def tokens(self, after_ns: int, until_ns: int) -> float:
        """Output tokens delivered in (after, until]; a tick that is cut counts in proportion.

        Up to the end of the recording, or beyond it, nothing is cut.
        """
        ticks = self.session.ticks["output_tokens"]
        first, (end, rest) = max((after_ns + 1) // TICK_NS, 0), divmod(until_ns + 1, TICK_NS)
        share = 1 if until_ns >= self.session.end_ns else rest / TICK_NS
        cut = ticks[end : end + 1].sum() * share
        return float(ticks[first:end].sum() + cut)

    def history(self, column: str, ticks: int) -> np.ndarray:
        """The last ``ticks`` ticks of a counter before the cursor."""
        end = self.cursor_ns // TICK_NS + 1
        return flow.history(self.session, column, end - ticks, end)

    # -- host ------------------------------------------------------------------------------

    def gauge(self, group: str, name: str) -> float | None:
        """Newest value of a gauge at the cursor; None when unknown, or stale (``session.age``)."""
        table = self.session.samples.get(group)
        if table is None or name not in table:
            return None
        at = int(np.searchsorted(table["t_ns"], self.cursor_ns, side="right")) - 1
        if at < 0 or self.cursor_ns - int(table["t_ns"][at]) > stale_ns(group):
            return None
        value = float(table[name][at])
        return None if np.isnan(value) else value

    def series(self, group: str, name: str, after_ns: int) -> tuple[np.ndarray, np.ndarray]:
        """(t_ns, value) of a gauge in (after, cursor]."""
        table = self.session.samples.get(group)
        if table is None or name not in table:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        start, stop = np.searchsorted(table["t_ns"], (after_ns, self.cursor_ns), side="right")
        return table["t_ns"][start:stop], table[name][start:stop]

    def known(self, group: str, name: str) -> np.ndarray:
        """A gauge's known values in the window, oldest first."""
        values = self.series(group, name, self.window_start_ns)[1].astype(float)
        return np.asarray(values[np.abs(values) < MOST_VALUE])  # which NaN is not either

    def rows(self, group: str, *names: str) -> list[tuple[float, ...]]:
        """Gauges of one group over the window, sample by sample; NaN where unknown."""
        columns = [self.series(group, name, self.window_start_ns)[1] for name in names]
        rows = max(map(len, columns))
        told = [column.tolist() if len(column) == rows else [nan] * rows for column in columns]
        return list(zip(*told, strict=True))

    def groups(self, prefix: str) -> tuple[str, ...]:
        """Names of the sample groups that begin with ``prefix`` (gpu0, gpu1, ...), in order."""
        names = [name for name in self.session.samples if name.startswith(prefix)]
        return tuple(sorted(names, key=lambda name: (len(name), name)))

    def stalls(self, after_ns: int) -> tuple[np.ndarray, np.ndarray]:
        """(end, length) in ns of the host's stalls that ended in (after, cursor]."""
        return stalls(self.session, after_ns, self.cursor_ns)

    def metered(self, after_ns: int) -> np.ndarray:
        """Moments in (after, cursor] at which the hiccup meter reported."""
        return metered(self.session, after_ns, self.cursor_ns)

    def lateness(self, after_ns: int) -> Lateness | None:
        """How late the hiccup meter woke up in (after, cursor]; None where there was none."""
        return lateness(self.session, after_ns, self.cursor_ns)

    @cached_property
    def coincidence(self) -> Coincidence:
        """Whether requests over the SLO met a stall of the host; over the run so far."""
        return coincide(self.session, self._limits_ns, self.run_start_ns, self.cursor_ns)

    @property
    def client_limited(self) -> bool | None:
        """The load driver is late; None while the measured load has not begun."""
        warming = self.health.state == WARMUP
        return None if warming else bool(self.health.client_limited)

    @cached_property
    def driver_lag_s(self) -> float | None:
        """How late the load driver is, p99 over the last ten seconds; None when unknown."""
        row = self.last_row("driver")
        told = [row[1].get(name, nan) for name in LAG_P99S_S] if row else []
        return max((lag for lag in told if isfinite(lag)), default=None)

    @property
    def shortened(self) -> int:
        """Requests that the driver cut to fit the model's longest input."""
        told = latest(self.session, LOAD_STATE, self.cursor_ns)
        count = told.value.get("shortened") if told and isinstance(told.value, dict) else None
        row = self.last_row("driver")
        gauge = row[1].get("shortened", 0.0) if row else 0.0
        return max(count if isinstance(count, int) else 0, int(gauge) if isfinite(gauge) else 0)

    @cached_property
    def probe_reasons(self) -> dict[str, str]:
        """Why a probe or one of its gauges is unknown; not those that work again."""
        reasons = probe_reasons(self.session, self.cursor_ns)
        return {probe: reason for probe, reason in reasons.items() if reason}

    @cached_property
    def probe_since_ns(self) -> dict[str, int]:
        """When the newest reason of a probe, or the end of it, was told."""
        return probe_since_ns(self.session, self.cursor_ns)

    def last_row(self, group: str) -> tuple[int, dict[str, float]] | None:
        """(when, gauges) of a group's newest row at the cursor, however old; None without any."""
        table = self.session.samples.get(group)
        at = 0 if table is None else int(np.searchsorted(table["t_ns"], self.cursor_ns, "right"))
        if table is None or at == 0:
            return None
        names = (name for name in table.names if name != "t_ns")
        return int(table["t_ns"][at - 1]), {name: float(table[name][at - 1]) for name in names}

    # -- events ----------------------------------------------------------------------------

    @cached_property
    def cold_start(self) -> tuple[PhaseSpan, ...]:
        return cold_start(self.session, self.cursor_ns)

    @cached_property
    def cold_start_s(self) -> dict[str, float]:
        return cold_start_s(self.session, self.cursor_ns)

    @cached_property
    def every_phase(self) -> tuple[PhaseSpan | Absent, ...]:
        """The cold start with the phases that did not happen, or not yet."""
        return every_phase(self.session, self.cursor_ns)

    def log(self, lines: int) -> list[LogLine]:
        """The newest ``lines`` log lines at the cursor, oldest first."""
        found: list[LogLine] = []
        for line in reversed(self.session.log):
            if line.t_ns <= self.cursor_ns:
                found.append(line)
                if len(found) == lines:
                    break
        return found[::-1]

    def facts(self) -> list[Fact]:
        return [fact for fact in self.session.facts if fact.t_ns <= self.cursor_ns]

    def marks(self) -> list[Mark]:
        return [mark for mark in self.session.marks if mark.t_ns <= self.cursor_ns]
