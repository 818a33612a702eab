"""The cold start as it happens; a failed one turns into its reason."""

from __future__ import annotations

from collections.abc import Sequence

from tuiapp.session.health import DEAD
from tuiapp.session.start import Absent, PhaseSpan
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
    origin, spans = _origin_ns(scene), scene.view.cold_start
    failed = spans[-1] if spans and scene.view.health.state == DEAD else None
    return tuple(_step(phase, origin, phase == failed) for phase in scene.view.every_phase)


def _step(phase: PhaseSpan | Absent, origin_ns: int, failed: bool) -> Step:
    if isinstance(phase, Absent):
        return Step(phase.label, state="left out" if phase.why else "pending", note=phase.why)
    start = (phase.start_ns - origin_ns) / _S
    if phase.duration_ns is None:
        return Step(phase.label, start, state="failed" if failed else "running")
    return Step(phase.label, start, phase.duration_ns / _S, "failed" if failed else "done")
