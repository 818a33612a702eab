"""Throughput, queues, cache and errors."""

from __future__ import annotations

from collections.abc import Sequence

from tuiapp.session.columns import TICK_NS
from tuiapp.tui.panes.base import Pane, Part, Scene
from tuiapp.tui.renderables.line import LineChart, Series
from tuiapp.tui.renderables.numbers import Field, NumberLines, format_count, format_ms, format_si
from tuiapp.tui.renderables.palette import Ink

_TICKS_A_SECOND = 1_000_000_000 // TICK_NS
_LATE_NS = 1_000_000_000


class TrafficPane(Pane):
    """Rates over the last ten seconds, gauges of now."""

    TITLE = "Throughput"

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        lines = [_rates(scene), _queues(scene)]
        if height >= 4:
            lines.append(_totals(scene))
        chart = height - len(lines)
        parts: list[Part] = [(NumberLines(tuple(lines)), min(len(lines), height))]
        if chart >= 2:
            parts.append((_chart(scene, width), chart))
        return parts


def _rates(scene: Scene) -> tuple[Field, ...]:
    now = scene.view.traffic
    good = scene.view.goodput_per_s
    failed_ink = Ink.BAD if now.failed else Ink.TEXT
    return (
        Field("out", format_si(now.output_tokens_per_s), 5, "tok/s", keep=9, gap=0),
        Field("in", format_si(now.prompt_tokens_per_s), 5, "tok/s", keep=7, gap=2),
        Field("good", "—" if good is None else f"{good:.1f}", 5, "/s", keep=8, gap=2),
        Field("failed", format_count(now.failed), 4, ink=failed_ink, keep=6, gap=2),
    )


def _queues(scene: Scene) -> tuple[Field, ...]:
    now = scene.view.traffic
    waiting_ink = Ink.WARN if now.waiting else Ink.STRONG
    wait = now.oldest_wait_ns
    late = wait is not None and wait > _LATE_NS
    return (
        Field("run", format_count(now.running), 4, keep=9, gap=0),
        Field("wait", format_count(now.waiting), 4, ink=waiting_ink, keep=9, gap=2),
        Field("KV", _percent(now.kv_usage), 4, "%", keep=8, gap=2),
        Field("hit", _percent(now.prefix_hit), 4, "%", keep=5, gap=2),
        Field("oldest", format_ms(wait), 6, "ms", Ink.WARN if late else Ink.TEXT, keep=4, gap=2),
    )


def _totals(scene: Scene) -> tuple[Field, ...]:
    now = scene.view.traffic
    preempted_ink = Ink.WARN if now.preempted else Ink.TEXT
    return (
        Field("sent", format_count(now.sent), 6, ink=Ink.TEXT, keep=6, gap=0),
        Field("done", format_count(now.ok), 6, ink=Ink.TEXT, keep=7, gap=2),
        Field("preempted", format_count(now.preempted), 4, ink=preempted_ink, keep=5, gap=2),
    )


def _percent(fraction: float | None) -> str:
    if fraction is None:
        return "—"
    return f"{fraction * 100:.0f}" if fraction >= 0.0995 else f"{fraction * 100:.1f}"


def _chart(scene: Scene, width: int) -> LineChart:
    """Tokens a second, a point a second or more: two points a cell."""
    points = 2 * max(width - 5, 1)
    ticks = scene.view.history("output_tokens", points * _TICKS_A_SECOND)
    rate = ticks.reshape(points, _TICKS_A_SECOND).sum(axis=1)
    return LineChart((Series(rate, Ink.WINDOW, "out"),), fill=True, empty="")
