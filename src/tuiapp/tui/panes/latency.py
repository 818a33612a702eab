"""Distributions of TTFT, TPOT and ITL: the last window over the whole run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from tuiapp.session.latency import Distribution
from tuiapp.stats.axis import Axis
from tuiapp.stats.quantile import samples_needed
from tuiapp.stats.summary import Summary
from tuiapp.tui.panes.axes import latency_axis
from tuiapp.tui.panes.base import Pane, Part, Scene
from tuiapp.tui.renderables.axis import tick_label
from tuiapp.tui.renderables.histogram import Histogram, Marker
from tuiapp.tui.renderables.numbers import Field, NumberLines, format_ms, quantile_fields
from tuiapp.tui.renderables.palette import Ink

_NS_PER_MS = 1e6


class LatencyPane(Pane):
    """Histogram of one metric with its quantiles, their count and p99's interval."""

    METRIC: ClassVar[str]
    EVERY = 2

    def title(self, scene: Scene) -> str:
        limit = scene.view.limit_ns(self.METRIC)
        slo = f" · SLO {tick_label(limit / _NS_PER_MS)} ms" if limit is not None else ""
        whole = scene.view.window_ns is None
        window = "whole run" if whole else f"{scene.window_label} over the run"
        return f"{self.TITLE} ms · {window}{slo}"

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        recent = scene.view.recent(self.METRIC)
        lines = [quantile_line(recent.summary)]
        run = scene.view.run(self.METRIC)
        if height >= 14 and scene.view.window_ns is not None:
            lines.append((*quantile_line(run.summary), Field("", "whole run", 9, ink=Ink.DIM)))
        numbers = NumberLines(tuple(lines))
        if height < 3:
            return ((numbers, 1),)
        drawing = _histogram(scene, self.METRIC, recent, run, width)
        return ((drawing, height - len(lines)), (numbers, len(lines)))


def quantile_line(found: Summary) -> tuple[Field, ...]:
    """The number line of a summary in nanoseconds."""
    return quantile_fields(
        found.p50,
        found.p90,
        found.p99,
        found.n,
        interval_ns=found.p99_ci,
        caveat=_caveat(found),
    )


def _caveat(found: Summary) -> str:
    """Why there is no interval; the whole caveats are in the summary."""
    needed = samples_needed(0.99, 0.95)
    return f"too few: {found.n}/{needed}" if 0 < found.n < needed else ""


def _histogram(
    scene: Scene, metric: str, recent: Distribution, run: Distribution, width: int
) -> Histogram:
    axis = latency_axis(metric, scene, width)
    limit = scene.view.limit_ns(metric)
    return Histogram(
        window=_counts(axis, recent),
        run=_counts(axis, run),
        ticks=tuple((column, tick_label(ns / _NS_PER_MS)) for column, ns in axis.ticks(width)),
        markers=_markers(axis, recent.summary),
        slo=None if limit is None else int(axis.column_of(limit)),
        above=recent.failed,
        empty="no request has got this far yet" if metric != "itl" else "no gap between tokens yet",
    )


def _counts(axis: Axis, found: Distribution):  # type: ignore[no-untyped-def]
    if found.values_ns is not None:
        return axis.counts_of_values(found.values_ns)
    return axis.counts_of_bins(found.fine_counts)


def _markers(axis: Axis, found: Summary) -> tuple[Marker, ...]:
    inks = (("p99", found.p99, Ink.P99), ("p50", found.p50, Ink.P50), ("p90", found.p90, Ink.P90))
    return tuple(
        Marker(int(axis.column_of(value)), f"{name} {format_ms(value).strip()}", ink)
        for name, value, ink in inks
        if value is not None and value != float("inf")
    )


class TtftPane(LatencyPane):
    """Time to first token, from the intended arrival."""

    METRIC, TITLE = "ttft", "TTFT"


class TpotPane(LatencyPane):
    """Time per output token after the first, a request's mean."""

    METRIC, TITLE = "tpot", "TPOT"


class ItlPane(LatencyPane):
    """Gaps between deliveries of tokens."""

    METRIC, TITLE = "itl", "ITL"
