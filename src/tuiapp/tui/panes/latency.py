"""Distributions of TTFT, TPOT and ITL: the last window over the whole run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from tuiapp.session.itl import Interval
from tuiapp.session.latency import Distribution
from tuiapp.session.view import View
from tuiapp.stats.axis import Axis, LogAxis
from tuiapp.stats.quantile import samples_needed
from tuiapp.stats.summary import TOO_DEPENDENT, TOO_SHORT, Summary
from tuiapp.tui.panes.axes import latency_axis
from tuiapp.tui.panes.base import Pane, Part, Scene
from tuiapp.tui.panes.lines import TextLines
from tuiapp.tui.renderables.axis import tick_label
from tuiapp.tui.renderables.histogram import Histogram, Marker
from tuiapp.tui.renderables.numbers import (
    INTERVAL_CELLS,
    Field,
    NumberLines,
    fit_fields,
    format_ms,
    quantile_fields,
)
from tuiapp.tui.renderables.palette import Ink

_NS_PER_MS = 1e6
_NS_PER_S = 1_000_000_000
_QUANTILES = {0.5: "p50", 0.9: "p90", 0.99: "p99"}
_WITH_ANOTHER_FROM = 5
_TWO_LINES_FROM = 14
_LEAST_PLOT = 3
_SECONDS_UNTIL = 100


class LatencyPane(Pane):
    """Histogram of one metric with its quantiles, their count and p99's interval."""

    METRIC: ClassVar[str]
    EVERY = 2

    def title(self, scene: Scene) -> str:
        limit = scene.view.limit_ns(self.METRIC)
        slo = f" · SLO {tick_label(limit / _NS_PER_MS)}" if limit is not None else ""
        whole = scene.view.window_ns is None
        window = scene.window_label if whole else f"{scene.window_label} over the run"
        return f"{self.TITLE} ms · {window}{slo}"

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        recent, run = scene.view.recent(self.METRIC), scene.view.run(self.METRIC)
        view = scene.view
        intervals = [self.interval(view, view.window_ns)]
        lines = [quantile_line(view, self.METRIC, recent.summary, intervals[0])]
        if height >= _TWO_LINES_FROM and view.window_ns is not None:
            intervals.append(self.interval(view, None))
            whole = quantile_line(view, self.METRIC, run.summary, intervals[1])
            window = f"{view.window_ns // _NS_PER_S} s"
            lines = [(*lines[0], _whose(window)), (*whole, _whose("run"))]
        if height >= _WITH_ANOTHER_FROM and (another := self.another(scene)):
            lines = [*((_named(self.TITLE), *line) for line in lines), another]
        if height >= 2 * len(lines) + _LEAST_PLOT:
            lines = [part for line in lines for part in _folded(line, width)]
        numbers = NumberLines(tuple(lines))
        if height < 2:
            return ((numbers, 1),)
        drawing = _histogram(scene, self.METRIC, recent, run, width)
        why = [caveat for found in intervals if found is not None for caveat in found.caveats]
        notes = list(dict.fromkeys((*recent.summary.caveats, *run.summary.caveats, *why)))
        notes = notes[: max(height - _TWO_LINES_FROM, 0)] if scene.full else []
        return (
            (drawing, height - len(lines) - len(notes)),
            (numbers, len(lines)),
            (TextLines(notes, Ink.DIM), len(notes)),
        )

    def another(self, scene: Scene) -> tuple[Field, ...]:
        """The number line of a metric that has no pane on the screen; empty for none."""
        return ()

    def interval(self, view: View, window_ns: int | None) -> Interval | None:
        """An interval of p99 from elsewhere than the summary; None where that one has it."""
        return None


def _folded(line: tuple[Field, ...], width: int) -> list[tuple[Field, ...]]:
    """The line, or two where the interval of p99 has no room in it."""
    at = next((at for at, field in enumerate(line) if field.width == INTERVAL_CELLS), None)
    kept = {field.value for field in fit_fields(line, width)}
    if at is None or line[at].value in {"", *kept}:
        return [line]
    interval, *rest = line[at:]
    return [line[:at], (replace(interval, label="p99", gap=0), *rest)]


def _named(metric: str) -> Field:
    return Field("", metric, 4, ink=Ink.STRONG, keep=9, gap=1, align="left")


def _whose(text: str) -> Field:
    return Field("", text, 4, ink=Ink.DIM, keep=0, gap=2, align="left")


def quantile_line(
    view: View, metric: str, found: Summary, interval: Interval | None = None
) -> tuple[Field, ...]:
    """The number line of a summary in nanoseconds; what misses its objective is red.

    Args:
        interval: of p99, where it is not the summary's own; how old it is stands behind it.
    """
    ends_ns = found.p99_ci if interval is None else interval.ends_ns
    missed = {
        _QUANTILES.get(slo.q or 0.0, "")
        for slo in view.slos
        if slo.metric == metric
        and slo.q in _QUANTILES
        and slo.judge(getattr(found, _QUANTILES[slo.q])) is False
    }
    fields = quantile_fields(
        found.p50,
        found.p90,
        found.p99,
        found.n,
        interval_ns=ends_ns,
        caveat=_caveat(found, interval),
        age=_age(view, interval),
    )
    return tuple(replace(f, ink=Ink.BAD) if f.label in missed else f for f in fields)


def _caveat(found: Summary, interval: Interval | None) -> str:
    """Why there is no interval, in short; the whole caveats are among the notes."""
    needed = samples_needed(0.99, 0.95)
    if 0 < found.n < needed:
        return f"too few: {found.n}/{needed}"
    if not found.n or interval is None or not interval.caveats:
        return ""
    dependent = interval.caveats[0].startswith(TOO_DEPENDENT)
    return TOO_DEPENDENT if dependent else TOO_SHORT


def _age(view: View, interval: Interval | None) -> str:
    """How much older than the other numbers an interval is; whole seconds, or minutes."""
    if interval is None:
        return ""
    seconds = (view.cursor_ns - interval.until_ns) // _NS_PER_S
    if seconds < 1:
        return ""
    return f"−{seconds}s" if seconds < _SECONDS_UNTIL else f"−{seconds // 60}m"


def _histogram(
    scene: Scene, metric: str, recent: Distribution, run: Distribution, width: int
) -> Histogram:
    axis = latency_axis(metric, scene, width)
    limit = scene.view.limit_ns(metric)
    below, above = axis.outside(recent.fine_counts)
    return Histogram(
        window=_counts(axis, recent),
        run=_counts(axis, run),
        ticks=tuple((column, tick_label(ns / _NS_PER_MS)) for column, ns in axis.ticks(width)),
        markers=_markers(axis, recent.summary),
        slo=None if limit is None else int(axis.column_of(limit)),
        below=below,
        above=above + recent.failed,
        empty=_empty(scene.view, metric),
    )


def _empty(view: View, metric: str) -> str:
    if view.health.exit_facts:
        return "the run ended before any request got this far"
    return "no gap between tokens yet" if metric == "itl" else "no request has got this far yet"


def _counts(axis: Axis, found: Distribution) -> np.ndarray:
    if isinstance(axis, LogAxis) or found.values_ns is None:
        return axis.counts_of_bins(found.fine_counts)
    return axis.counts_of_values(found.values_ns)


def _markers(axis: Axis, found: Summary) -> tuple[Marker, ...]:
    inks = (("p99", found.p99, Ink.P99), ("p50", found.p50, Ink.P50), ("p90", found.p90, Ink.P90))
    return tuple(
        Marker(int(axis.column_of(value)), f"{name} {format_ms(value).strip()}", ink)
        for name, value, ink in inks
        if value is not None and math.isfinite(value)
    )


class TtftPane(LatencyPane):
    """Time to first token, from the intended arrival."""

    METRIC, TITLE = "ttft", "TTFT"

    def another(self, scene: Scene) -> tuple[Field, ...]:
        """The whole latency, where there is an objective for it: no pane draws that one."""
        if not any(slo.metric == "e2el" for slo in scene.view.slos):
            return ()
        return _named("E2EL"), *quantile_line(scene.view, "e2el", scene.view.recent("e2el").summary)


class TpotPane(LatencyPane):
    """Time per output token after the first, a request's mean."""

    METRIC, TITLE = "tpot", "TPOT"

    def another(self, scene: Scene) -> tuple[Field, ...]:
        if scene.itl_pane or scene.full:
            return ()
        found, age = scene.view.recent("itl"), scene.view.itl_interval(scene.view.window_ns)
        return _named("ITL"), *quantile_line(scene.view, "itl", found.summary, age)


class ItlPane(LatencyPane):
    """Gaps between deliveries of tokens."""

    METRIC, TITLE = "itl", "ITL"

    def interval(self, view: View, window_ns: int | None) -> Interval | None:
        return view.itl_interval(window_ns)
