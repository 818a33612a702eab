"""The cold start as it happens; a failed one turns into its reason."""

from __future__ import annotations

from collections.abc import Sequence

from tuiapp.events import ENGINE_PHASES
from tuiapp.session.health import DEAD
from tuiapp.tui.panes.base import Pane, Part, Scene
from tuiapp.tui.panes.lines import TextLines, wrap
from tuiapp.tui.renderables.palette import Ink
from tuiapp.tui.renderables.waterfall import Step, Waterfall

_S = 1e9


class StartPane(Pane):
    """Phases from spawn to ready."""

    TITLE = "Cold start"

    def title(self, scene: Scene) -> str:
        if scene.view.health.state == DEAD and not _is_ready(scene):
            return "Cold start failed"
        return self.TITLE

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        steps, health = _steps(scene), scene.view.health
        now_s = (scene.view.cursor_ns - _origin_ns(scene)) / _S
        drawing = Waterfall(steps, now_s, scene.frame)
        if health.state != DEAD or _is_ready(scene):
            return ((drawing, max(min(len(steps) + 1, height), 1)),)
        advice = wrap(health.advice, width, 3)
        reason = wrap(health.reason, width, max(height - len(advice) - 3, 1))
        words = len(reason) + len(advice) + 1
        rows = max(min(len(steps) + 1, height - words), 1)
        return (
            (drawing, rows),
            (TextLines(("", *reason), Ink.BAD), len(reason) + 1),
            (TextLines(advice, Ink.STRONG), len(advice)),
        )


def _is_ready(scene: Scene) -> bool:
    return any(span.name == "ready" for span in scene.view.cold_start)


def _origin_ns(scene: Scene) -> int:
    spans = scene.view.cold_start
    return spans[0].start_ns if spans else 0


def _steps(scene: Scene) -> tuple[Step, ...]:
    spans, origin = scene.view.cold_start, _origin_ns(scene)
    dead = scene.view.health.state == DEAD
    steps: list[Step] = []
    for span in spans:
        if span.name == "ready":
            continue
        last = span is spans[-1]
        state = "failed" if last and dead else "running" if span.duration_ns is None else "done"
        duration = None if span.duration_ns is None else span.duration_ns / _S
        steps.append(Step(span.label, (span.start_ns - origin) / _S, duration, state))  # type: ignore[arg-type]
    begun = {span.name for span in spans}
    if not dead and "ready" not in begun:
        last_begun = max((ENGINE_PHASES.index(n) for n in begun if n in ENGINE_PHASES), default=-1)
        steps += [Step(name.replace("_", " ")) for name in ENGINE_PHASES[last_begun + 1 : -1]]
    return tuple(steps)
