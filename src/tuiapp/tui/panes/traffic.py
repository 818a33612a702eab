"""Throughput, queues, cache and errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tuiapp.session.columns import TICK_NS
from tuiapp.session.health import DEAD, DONE, SILENT
from tuiapp.session.traffic import Traffic, history, traffic
from tuiapp.session.view import RATES_NS, View
from tuiapp.tui.panes.arranged import Faded
from tuiapp.tui.panes.axes import time_ticks
from tuiapp.tui.panes.base import Pane, Part, Scene
from tuiapp.tui.panes.status import load_words
from tuiapp.tui.renderables.line import LineChart, Series
from tuiapp.tui.renderables.numbers import (
    Field,
    NumberLines,
    format_clock,
    format_count,
    format_ms,
    format_si,
)
from tuiapp.tui.renderables.palette import Ink

_S = 1_000_000_000
_TICKS_A_SECOND = _S // TICK_NS
_LATE_NS = _S
_WIDE = 70
"""Cells from which two lines hold what takes four in a narrow pane."""
_ROOMY = 42
"""Cells from which four lines hold everything."""
_NARROW_ROWS = 4
_TIMED_ROWS = 5
"""Rows of a chart that has one to spare for the time."""

Line = tuple[Field, ...]


class TrafficPane(Pane):
    """Rates over the last ten seconds, gauges of now; of a finished run, its means."""

    TITLE = "Throughput"
    EVERY = 2

    def title(self, scene: Scene) -> str:
        health = scene.view.health
        if health.state in (DEAD, SILENT):
            return f"{self.TITLE} · nothing since {format_clock(health.since_ns / _S)}"
        span = "mean of the run" if _is_over(scene.view) else f"last {RATES_NS // _S} s"
        # The status line may have no room for the load there.
        load = f" · {load_words(scene)}" if scene.narrow else ""
        shortened = scene.view.shortened
        cut = f" · {shortened} shortened" if shortened else ""
        return f"{self.TITLE} · {span}{load}{cut}{_unseen_objectives(scene)}"

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        now = _traffic(scene.view)
        good = None if now.output_tokens_per_s is None else _goodput(scene.view)
        flat = width >= _WIDE or height < _NARROW_ROWS
        lines = _wide(now, good) if flat else _narrow(now, good, width)
        chart = height - len(lines)
        parts: list[Part] = [(NumberLines(tuple(lines)), min(len(lines), height))]
        if chart >= 2:
            drawing = _chart(scene, width, timed=chart >= _TIMED_ROWS)
            over = bool(scene.view.health.exit_facts)
            parts.append((Faded(drawing) if over else drawing, chart))
        return parts


def _unseen_objectives(scene: Scene) -> str:
    """Objectives of metrics that no pane on the screen draws; the others' stand there."""
    drawn = {"ttft", "tpot", *(("itl",) if scene.itl_pane else ())}
    return "".join(f" · SLO {slo}" for slo in scene.view.slos if slo.metric not in drawn)


def _is_over(view: View) -> bool:
    """The run ended as planned; otherwise its last numbers say nothing of now."""
    return view.health.state == DONE and bool(view.health.exit_facts)


def _traffic(view: View) -> Traffic:
    """What may be shown as true now: nothing of an engine that is gone or says nothing.

    After the run: the rates of its measured part, as the result has them, and all that was sent.
    """
    now = view.traffic
    if _is_over(view) and view.measured is not None:
        start, end = view.measured.start_ns - 1, view.measured.end_ns
        mean = traffic(view.session, start, end)
        return replace(
            now,
            output_tokens_per_s=view.tokens(start, end) / view.measured.seconds,
            prompt_tokens_per_s=mean.prompt_tokens_per_s,
            prefix_hit=mean.prefix_hit,
            running=None,
            waiting=None,
            kv_usage=None,
            oldest_wait_ns=None,
        )
    if view.health.state not in (DEAD, SILENT):
        return now
    return replace(
        now,
        output_tokens_per_s=None,
        prompt_tokens_per_s=None,
        running=None,
        waiting=None,
        kv_usage=None,
        prefix_hit=None,
        oldest_wait_ns=now.oldest_wait_ns if view.health.state == SILENT else None,
    )


def _goodput(view: View) -> float | None:
    if _is_over(view) and view.slos and view.measured is not None:
        start, end = view.measured.start_ns - 1, view.measured.end_ns
        return view.good(start, end) / view.measured.seconds
    return view.goodput_per_s


def _wide(now: Traffic, good: float | None) -> list[Line]:
    out, prefilled, useful, failed = _rates(now, good)
    running, waiting, cache, hit, oldest = _queues(now)
    sent, done, preempted = _totals(now)
    return [
        (out, prefilled, useful, failed, sent),
        (running, waiting, cache, hit, oldest, preempted, done),
    ]


def _narrow(now: Traffic, good: float | None, width: int) -> list[Line]:
    out, prefilled, useful, failed = _rates(now, good)
    running, waiting, cache, hit, oldest = _queues(now)
    sent, done, preempted = _totals(now)
    if width >= _ROOMY:
        return [
            (out, prefilled),
            (running, waiting, cache, hit),
            (useful, failed, preempted),
            (sent, done, oldest),
        ]
    return [  # there is no room for all: who waits too long is worth more than what is over
        (out, prefilled),
        (running, waiting, cache),
        (useful, failed, hit),
        (oldest, preempted) if _is_late(now) else (sent, done, preempted),
    ]


def _rates(now: Traffic, good: float | None) -> Line:
    failed_ink = Ink.BAD if now.failed else Ink.TEXT
    return (
        Field("out", format_si(now.output_tokens_per_s), 5, "tok/s", keep=9, gap=2),
        Field("in", format_si(now.prompt_tokens_per_s), 5, "tok/s", keep=7, gap=2),
        Field("good", "—" if good is None else format_si(good), 4, "/s", keep=8, gap=2),
        Field("failed", format_count(now.failed), 4, ink=failed_ink, keep=6, gap=2),
    )


def _is_late(now: Traffic) -> bool:
    """Somebody has waited so long for a first token that it must be seen."""
    return now.oldest_wait_ns is not None and now.oldest_wait_ns > _LATE_NS


def _queues(now: Traffic) -> Line:
    waiting_ink = Ink.WARN if now.waiting else Ink.STRONG
    oldest_ink, keep = (Ink.WARN, 10) if _is_late(now) else (Ink.TEXT, 4)
    return (
        Field("run", format_count(now.running), 4, keep=9, gap=2),
        Field("wait", format_count(now.waiting), 4, ink=waiting_ink, keep=9, gap=2),
        Field("KV", _percent(now.kv_usage), 4, "%", keep=8, gap=2),
        Field("hit", _percent(now.prefix_hit), 4, "%", Ink.TEXT, keep=5, gap=2),
        Field("oldest", format_ms(now.oldest_wait_ns, 6), 6, "ms", oldest_ink, keep=keep, gap=2),
    )


def _totals(now: Traffic) -> Line:
    preempted_ink = Ink.WARN if now.preempted else Ink.TEXT
    return (
        Field("sent", format_count(now.sent), 5, ink=Ink.TEXT, keep=3, gap=2),
        Field("done", format_count(now.ok), 5, ink=Ink.TEXT, keep=2, gap=2),
        Field("preempted", format_count(now.preempted), 4, ink=preempted_ink, keep=3, gap=2),
    )


def _percent(fraction: float | None) -> str:
    if fraction is None:
        return "—"
    return f"{fraction * 100:.0f}" if fraction >= 0.0995 else f"{fraction * 100:.1f}"


def _chart(scene: Scene, width: int, *, timed: bool) -> LineChart:
    """Output tokens a second over the window, in points of whole seconds."""
    view, points = scene.view, 2 * max(width - 6, 1)
    reach = view.window_ns or max(view.cursor_ns - view.run_start_ns, _S)
    each_s = max(-(-reach // (points * _S)), 1)
    shown = min(-(-reach // (each_s * _S)), points)
    # Points end at whole multiples, so that a second keeps its height while time goes on.
    end = view.cursor_ns // (each_s * _S)
    ticks = each_s * _TICKS_A_SECOND
    counts = history(view.session, "output_tokens", (end - shown) * ticks, end * ticks)
    rate = _sums(counts.reshape(shown, ticks)) / each_s
    spread = rate[np.arange(points) * shown // points]
    start_ns, span_ns = (end - shown) * each_s * _S, shown * each_s * _S
    times = time_ticks(start_ns, span_ns / points, points, cells=2) if timed else ()
    return LineChart((Series(spread, Ink.WINDOW, "tok/s"),), fill=True, empty="", times=times)


def _sums(counts: np.ndarray) -> np.ndarray:
    """Sum of each row; nan only where nothing of it is known."""
    known = ~np.isnan(counts).all(axis=1)
    return np.where(known, np.nansum(counts, axis=1), np.nan)
