"""The top line: is it alive, what is it, how long, and is it recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.strip import Strip
from textual.widget import Widget

from tuiapp.session.health import DEAD, DONE, DRAINING, PAUSED, SERVING, SILENT, STARTING
from tuiapp.tui.control import RunControl
from tuiapp.tui.panes.base import Scene
from tuiapp.tui.renderables.canvas import Canvas, cells, clean, fit
from tuiapp.tui.renderables.numbers import format_bytes, format_clock
from tuiapp.tui.renderables.palette import Ink, Palette
from tuiapp.tui.viewport import Viewport

_S = 1_000_000_000
_LOOKS = {
    SERVING: ("●", Ink.GOOD),
    STARTING: ("◌", Ink.ACCENT),
    PAUSED: ("‖", Ink.WARN),
    DRAINING: ("◍", Ink.WARN),
    DONE: ("■", Ink.DIM),
    SILENT: ("!", Ink.BAD),
    DEAD: ("✗", Ink.BAD),
}


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of the line; the smallest ``keep`` goes first when there is no room."""

    text: str
    ink: Ink = Ink.TEXT
    keep: int = 5


@dataclass(frozen=True, slots=True)
class ItemLine:
    """Items from the left and from the right, dropping the least important."""

    left: Sequence[Item]
    right: Sequence[Item]

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        canvas = Canvas(width, height, palette)
        left, right = list(self.left), list(self.right)
        while _cells(left) + _cells(right) > width and len(left) + len(right) > 1:
            least = min((*left, *right), key=lambda item: item.keep)
            (left if least in left else right).remove(least)
        col = 0
        for item in left:
            col = canvas.text(0, col, fit(item.text, width - col), item.ink) + 3
        col = width
        for item in reversed(right):
            col = canvas.put_right(0, col, item.text, item.ink) - 3
        return canvas.strips()


def _cells(items: Sequence[Item]) -> int:
    return sum(cells(clean(item.text)) + 3 for item in items)


class StatusBar(Widget):
    """One line; redrawn only when it changed."""

    def __init__(self) -> None:
        super().__init__(id="status")
        self._line: Strip | None = None

    def show_run(self, scene: Scene, run: RunControl, port: Viewport, stopping: bool) -> None:
        """Draw the scene's state."""
        width = self.content_size.width
        if width < 1:
            return
        line = ItemLine(_left(scene, stopping), _right(scene, run, port))
        strip = line.strips(width, 1, scene.palette)[0]
        if strip != self._line:
            self._line = strip
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        if self._line is None or self._line.cell_length != width:
            return Strip.blank(width, self.rich_style)
        return self._line


def _left(scene: Scene, stopping: bool) -> list[Item]:
    view, meta = scene.view, scene.view.meta
    health = view.health
    glyph, ink = _LOOKS.get(health.state, ("●", Ink.ACCENT))
    label = "stopping" if stopping and health.state not in (DEAD, DONE) else health.state
    age = (view.cursor_ns - health.since_ns) / _S
    state = f"{glyph} {label} {format_clock(age)}"
    model, engine, host = (meta.get(name, {}) for name in ("model", "engine", "host"))
    version = " ".join(str(engine[key]) for key in ("name", "version", "device") if engine.get(key))
    return [
        Item(state, ink, keep=9),
        Item(str(model.get("name", "?")).rstrip("/").rsplit("/", 1)[-1], Ink.STRONG, keep=7),
        Item(version, Ink.TEXT, keep=4) if version else Item("vLLM", Ink.DIM, keep=1),
        Item(_load(scene), Ink.TEXT, keep=6),
        Item(str(host.get("hostname", "")), Ink.TEXT, keep=5),
        Item(_machine(host), Ink.DIM, keep=2),
    ]


def _load(scene: Scene) -> str:
    workload = scene.view.meta.get("workload", {})
    name = str(workload.get("name", "load"))
    if workload.get("arrival") == "closed":
        return f"{name} {workload.get('concurrency')} clients"
    rate = scene.view.gauge("driver", "rate") or scene.view.health.rate or workload.get("rate")
    return f"{name} {float(rate):.1f} req/s" if rate else name


def _machine(host: dict[str, object]) -> str:
    cores = host.get("cores_logical") or host.get("cores_online")
    return f"{cores} cores" if cores else ""


def _right(scene: Scene, run: RunControl, port: Viewport) -> list[Item]:
    recording = run.recording
    items = []
    if not port.pinned:
        items.append(Item(f"‖ at {format_clock(scene.view.cursor_ns / _S)}", Ink.WARN, keep=8))
    if recording.failing:
        items.append(Item("◉ NOT RECORDING", Ink.BAD, keep=9))
    else:
        ink = Ink.DIM if run.finished else Ink.BAD
        items.append(Item(f"◉ {format_bytes(recording.size)}", ink, keep=7))
    return items


def notice(scene: Scene, run: RunControl) -> str:
    """What must not be missed, or nothing: a lasting banner."""
    view, health = scene.view, scene.view.health
    if run.recording.failing:
        return (
            f"Not recording: {run.recording.failing}. Samples are kept in memory and written as "
            "soon as the disk takes them: free some space."
        )
    if health.state in (DEAD, SILENT):
        ago = format_clock((view.cursor_ns - health.since_ns) / _S)
        return f"Engine {health.state} for {ago}: {health.reason} {health.advice}".strip()
    if health.client_limited:
        return (
            "Client-limited: the load driver itself was late, so latencies are overstated. "
            "Lower the rate or give it a core."
        )
    return ""
