"""The top line: is it alive, what is it, how long, and is it recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from textual.strip import Strip
from textual.widget import Widget

from tuiapp.events import LOAD_STATE
from tuiapp.session.facts import latest
from tuiapp.session.health import (
    DEAD,
    DONE,
    DRAINING,
    PAUSED,
    SERVING,
    SILENT,
    STARTING,
)
from tuiapp.session.view import View
from tuiapp.tui.control import Recorded
from tuiapp.tui.panes.base import Scene
from tuiapp.tui.renderables.canvas import Canvas, cells, fit
from tuiapp.tui.renderables.numbers import format_bytes, format_clock
from tuiapp.tui.renderables.palette import Ink, Palette
from tuiapp.words import plural

_S = 1_000_000_000
_GAP, _LEAST_GAP = 3, 2
_LABELS = {PAUSED: "load paused", DONE: "done after"}
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
    """A piece of the line; the smallest ``keep`` goes first when there is no room.

    ``most`` cuts a long one, so that it does not push the others off the line; ``short`` is said
    instead before it goes.
    """

    text: str
    ink: Ink = Ink.TEXT
    keep: int = 5
    sign: str = ""
    sign_ink: Ink = Ink.TEXT
    most: int = 32
    short: str = ""

    @property
    def shown(self) -> str:
        """The text as far as it is drawn."""
        return fit(self.text, self.most)

    @property
    def cells(self) -> int:
        """Its width."""
        return cells(self.sign) + bool(self.sign) + cells(self.shown)

    def draw(self, canvas: Canvas, col: int) -> int:
        """Write it from ``col`` on; returns the column behind it."""
        if self.sign:
            col = canvas.text(0, col, self.sign, self.sign_ink) + 1
        return canvas.text(0, col, fit(self.shown, canvas.width - col), self.ink)


@dataclass(frozen=True, slots=True)
class ItemLine:
    """Items from the left and from the right; closer together, and then without the least
    important, where there is no room."""

    left: Sequence[Item]
    right: Sequence[Item]

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        canvas = Canvas(width, height, palette)
        left, right = list(self.left), list(self.right)
        gap = _GAP if _cells((*left, *right), _GAP) <= width else _LEAST_GAP
        while _cells((*left, *right), gap) > width and len(left) + len(right) > 1:
            least = min((*left, *right), key=lambda item: item.keep)
            side = left if least in left else right
            shorter = [replace(least, text=least.short, short="")] if least.short else []
            side[side.index(least) : side.index(least) + 1] = shorter
        col = 0
        for item in left:
            col = item.draw(canvas, col) + gap
        col = width - _cells(right, gap)
        for item in right:
            col = item.draw(canvas, col) + gap
        return canvas.strips()


def _cells(items: Sequence[Item], gap: int) -> int:
    """The width of items beside each other."""
    return sum(item.cells for item in items) + gap * max(len(items) - 1, 0)


class StatusLine(Widget):
    """One line at the top; redrawn only when it changed.

    Args:
        line: what it says at first.
    """

    DEFAULT_CSS = """
    StatusLine { height: 1; dock: top; padding: 0 1; }
    """

    def __init__(self, line: Strip | None = None) -> None:
        super().__init__(id="status")
        self._line = line

    def twin(self) -> Self:
        """The same line, for a screen that covers this one."""
        return type(self)(self._line)

    def put(self, left: Sequence[Item], right: Sequence[Item], palette: Palette) -> None:
        """Draw items at both ends."""
        width = self.content_size.width
        if width < 1:
            return
        strip = ItemLine(left, right).strips(width, 1, palette)[0]
        if strip != self._line:
            self._line = strip
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        if self._line is None or self._line.cell_length != width:
            return Strip.blank(width, self.rich_style)
        return self._line


class StatusBar(StatusLine):
    """The line of a session's screen."""

    def show(self, scene: Scene, run: Recorded, now: View, now_ns: int, *, stopping: bool) -> None:
        """Draw the scene's state.

        Args:
            now: the run at its newest moment, wherever the scene stands.
            now_ns: what time it is for whoever looks.
        """
        left, right = _left(scene, now_ns, stopping=stopping), _right(scene, run, now)
        self.put([item for item in left if item.text], right, scene.palette)


def _left(scene: Scene, now_ns: int, *, stopping: bool) -> list[Item]:
    meta = scene.view.meta
    model, engine, host = (meta.get(name) or {} for name in ("model", "engine", "host"))
    version = [str(engine[key]) for key in ("name", "version", "device") if engine.get(key)]
    return [
        _state(scene, now_ns, stopping=stopping),
        Item(_short(str(model.get("name") or "")), Ink.STRONG, keep=7),
        Item(" ".join(version), Ink.TEXT, keep=5, short=" ".join(version[:2])),
        Item(load_words(scene), Ink.TEXT, keep=4),
        Item(str(host.get("hostname") or ""), Ink.TEXT, keep=5, most=24),
        Item(_kind(host), Ink.STRONG, keep=6, most=30),
        Item(_machine(host), Ink.DIM, keep=2),
    ]


def _state(scene: Scene, now_ns: int, *, stopping: bool) -> Item:
    """What it is doing and the run's own time, as on every axis; for how long, where it stands."""
    health = scene.view.health
    sign, ink = _LOOKS.get(health.state, ("●", Ink.ACCENT))
    label = _LABELS.get(health.state, health.state)
    if stopping and health.state not in (DEAD, DONE):
        label = "stopping"
    if health.state in (DEAD, SILENT, PAUSED):
        since = f"for {format_clock(max(now_ns - health.since_ns, 0) / _S)}"
    else:
        since = format_clock((health.since_ns if health.state == DONE else now_ns) / _S)
    return Item(f"{label} {since}", ink, keep=9, sign=sign, sign_ink=ink)


def _short(model: str) -> str:
    """A model's own name, without the folder or the account it comes from."""
    return model.rstrip("/").rsplit("/", 1)[-1]


def load_words(scene: Scene) -> str:
    """The load that is asked for now: "chat 6.0 req/s"."""
    workload = scene.view.meta.get("workload") or {}
    name = str(workload.get("name") or "load")
    if workload.get("arrival") == "closed":
        told = latest(scene.view.session, LOAD_STATE, scene.view.cursor_ns)
        known = told.value if told and isinstance(told.value, dict) else {}
        clients = known.get("concurrency") or workload.get("concurrency")
        return f"{name} {plural(clients, 'client') if isinstance(clients, int) else '— clients'}"
    rate = scene.view.gauge("driver", "rate") or scene.view.health.rate or workload.get("rate")
    return f"{name} {float(rate):.1f} req/s" if rate else name


def _kind(host: dict[str, object]) -> str:
    """What the host is: bare metal, or whose guest."""
    told = host.get("virtualization")
    return told if isinstance(told, str) else ""


def _machine(host: dict[str, object]) -> str:
    cores = host.get("cores_logical") or host.get("cores_online")
    return f"{cores} cores" if cores else ""


def _right(scene: Scene, run: Recorded, now: View) -> list[Item]:
    recording = run.recording
    items = []
    if scene.view.cursor_ns < now.cursor_ns:
        items.append(Item(f"‖ at {format_clock(scene.view.cursor_ns / _S)}", Ink.WARN, keep=8))
        if now.health.state in (DEAD, SILENT) and scene.view.health.alive:
            items.append(Item(f"now {now.health.state}", Ink.BAD, keep=9))
    if recording.failing:
        items.append(Item("NOT RECORDING", Ink.BAD, keep=9, sign="◉", sign_ink=Ink.BAD))
    else:
        sign_ink = Ink.DIM if run.finished else Ink.BAD
        size = format_bytes(recording.size)
        items.append(Item(size, Ink.DIM, keep=7, sign="◉", sign_ink=sign_ink))
    return items
