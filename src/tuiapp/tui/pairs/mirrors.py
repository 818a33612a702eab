"""The mirrored distributions of one metric: A up, B down, on one axis."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tuiapp.session.latency import Distribution
from tuiapp.stats.axis import Axis, LogAxis
from tuiapp.tui.pairs.scene import PairScene, shared_axis
from tuiapp.tui.panes.base import Pane, Part, Scene
from tuiapp.tui.renderables.axis import tick_label
from tuiapp.tui.renderables.histogram import Marker
from tuiapp.tui.renderables.mirror import Mirror, Side
from tuiapp.tui.renderables.numbers import format_count, format_ms
from tuiapp.tui.renderables.palette import Ink

TITLES = {"ttft": "TTFT", "tpot": "TPOT", "itl": "ITL", "e2el": "E2EL"}
_MOST_RATIO = 1000


class MirrorPane(Pane):
    """Both sides' values over the window, equal areas for equal shares."""

    def __init__(self, metric: str) -> None:
        super().__init__(f"mirror-{metric}")
        self.metric = metric

    def shown_metric(self, scene: PairScene) -> str:
        """The metric that is drawn."""
        return self.metric

    def title(self, scene: Scene) -> str:
        assert isinstance(scene, PairScene)
        return f"{TITLES[self.shown_metric(scene)]} ms · {scene.window_label}"

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        assert isinstance(scene, PairScene)
        return ((mirror(scene, self.shown_metric(scene), width), height),)


class ChosenMirrorPane(MirrorPane):
    """The one metric that was chosen, where there is no room for three."""

    def __init__(self) -> None:
        super().__init__("one")

    def shown_metric(self, scene: PairScene) -> str:
        return scene.metric


def mirror(scene: PairScene, metric: str, width: int) -> Mirror:
    """The drawing of both sides."""
    axis = shared_axis(scene, metric, width)
    a, b = (view.recent(metric) for view in scene.views)
    limits = [view.limit_ns(metric) for view in scene.views]
    known = [limit for limit in limits if limit is not None]
    return Mirror(
        _side("A", axis, a, None),
        _side("B", axis, b, a),
        ticks=tuple((column, tick_label(ns / 1e6)) for column, ns in axis.ticks(width)),
        slo=int(axis.column_of(min(known))) if known else None,
        empty=f"neither side has a {TITLES[metric]} in this stretch of time",
    )


def _side(name: str, axis: Axis, found: Distribution, other: Distribution | None) -> Side:
    below, above = axis.outside(found.fine_counts)
    above += found.failed
    room = axis.columns - len(name) - sum(len(str(n)) + 2 for n in (below, above) if n)
    markers = _markers(axis, found, other)
    if sum(len(marker.label) + 1 for marker in markers) > room:
        markers = _markers(axis, found, None)
    note = f"n {format_count(found.n)}"
    return Side(name, _counts(axis, found), markers, below, above, note)


def _markers(axis: Axis, found: Distribution, other: Distribution | None) -> tuple[Marker, ...]:
    """p99 and p50, with how many times the other side's they are, where it is given."""
    both = (
        _marker(label, q, ink, axis, found, other)
        for label, q, ink in (("p99", 0.99, Ink.P99), ("p50", 0.5, Ink.P50))
    )
    return tuple(marker for marker in both if marker is not None)


def _counts(axis: Axis, found: Distribution) -> np.ndarray:
    if isinstance(axis, LogAxis) or found.values_ns is None:
        return axis.counts_of_bins(found.fine_counts)
    return axis.counts_of_values(found.values_ns)


def _marker(
    label: str, q: float, ink: Ink, axis: Axis, found: Distribution, other: Distribution | None
) -> Marker | None:
    value = found.statistic_ns(q)
    if value is None:
        return None
    text = f"{label} {format_ms(value).strip()}"
    if not math.isfinite(value):
        return Marker(axis.columns - 1, text, ink)
    against = None if other is None else other.statistic_ns(q)
    if against and math.isfinite(against) and value / against < _MOST_RATIO:
        text += f" ×{value / against:.2f}"
    return Marker(min(max(int(axis.column_of(value)), 0), axis.columns - 1), text, ink)
