"""The cold start as it happens; a failed one turns into its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.strip import Strip

from tuiapp.events import ENGINE_PHASES
from tuiapp.session.health import DEAD
from tuiapp.tui.panes.base import Pane, Part, Scene
from tuiapp.tui.renderables.canvas import Canvas, clean
from tuiapp.tui.renderables.palette import Ink, Palette
from tuiapp.tui.renderables.waterfall import Step, Waterfall

_S = 1e9


class StartPane(Pane):
    """Phases from spawn to ready."""

    TITLE = "Cold start"

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        steps = _steps(scene)
        health = scene.view.health
        reason: list[str] = []
        if health.state == DEAD:
            reason = wrap(f"{health.reason} {health.advice}", width)
        rows = max(min(len(steps) + 1, height - len(reason) - 1), 1)
        now_s = (scene.view.cursor_ns - _origin_ns(scene)) / _S
        drawing = Waterfall(steps, now_s, scene.frame)
        if not reason:
            return ((drawing, rows),)
        return ((drawing, rows), (TextLines(("", *reason)), height - rows))


def _origin_ns(scene: Scene) -> int:
    spans = scene.view.cold_start
    return spans[0].start_ns if spans else 0


def _steps(scene: Scene) -> tuple[Step, ...]:
    spans, origin = scene.view.cold_start, _origin_ns(scene)
    dead = scene.view.health.state == DEAD
    steps = []
    for span in spans:
        if span.name == "ready":
            continue
        last = span is spans[-1]
        state = "failed" if last and dead else "running" if span.duration_ns is None else "done"
        duration = None if span.duration_ns is None else span.duration_ns / _S
        name = span.name.replace("_", " ")
        steps.append(Step(name, (span.start_ns - origin) / _S, duration, state))  # type: ignore[arg-type]
    begun = {span.name for span in spans}
    if not dead and "ready" not in begun:
        last_begun = max((ENGINE_PHASES.index(n) for n in begun if n in ENGINE_PHASES), default=-1)
        steps += [Step(name.replace("_", " ")) for name in ENGINE_PHASES[last_begun + 1 : -1]]
    return tuple(steps)


@dataclass(frozen=True, slots=True)
class TextLines:
    """Plain lines."""

    lines: Sequence[str]
    ink: Ink = Ink.STRONG

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        canvas = Canvas(width, height, palette)
        for row, line in enumerate(self.lines[:height]):
            canvas.text(row, 0, line, self.ink)
        return canvas.strips()


def wrap(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` cells."""
    from textwrap import wrap as fold

    return fold(clean(text), max(width, 1))
