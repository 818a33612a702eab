"""Two hosts side by side: mirrored distributions, the verdicts, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import ClassVar

import numpy as np
from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Static

from tuiapp.clock import ReplayClock
from tuiapp.compare.reading import Compared, Question
from tuiapp.errors import TuiappError
from tuiapp.tui.pairs import TABS
from tuiapp.tui.pairs.alignment import ALIGNMENTS
from tuiapp.tui.pairs.heads import PairTransport, Reading, SidesHead, TabsBar, TabsHead
from tuiapp.tui.pairs.mirrors import ChosenMirrorPane, MirrorPane
from tuiapp.tui.pairs.pane import TabPane
from tuiapp.tui.pairs.scene import METRICS, Chosen, DrawingLine, PairScene
from tuiapp.tui.pairs.terms import MOUSE, TAB_KEYS, TERMS
from tuiapp.tui.panes.base import Pane
from tuiapp.tui.panes.keys import KeyOffer, KeysBar
from tuiapp.tui.panes.seeking import SeekStrip
from tuiapp.tui.panes.transport import format_speed
from tuiapp.tui.screens.replay import SPEEDS
from tuiapp.tui.screens.session import MIN_HEIGHT, MIN_WIDTH, Command
from tuiapp.tui.viewport import ReplayViewport

_KEYS: tuple[KeyOffer, ...] = (
    (("q", "quit", "app.quit"), 9),
    (("?", "help", "screen.help"), 9),
    (("1-8", "tabs", "screen.next_tab(1)"), 9),
    (("space", "play", "screen.pause"), 8),
    (("←→", "time", "screen.move(-1)"), 6),
    (("z", "window", "screen.zoom"), 7),
    (("d", "metric", "screen.metric"), 7),
    (("enter", "full", "screen.full"), 7),
    (("a b", "next run of A, B", "screen.next_run(0, 1)"), 5),
    (("o", "align", "screen.align"), 4),
    (("< >", "speed", "screen.speed(1)"), 3),
    (("l", "lin/log", "screen.axis"), 3),
    (("/", "commands", "app.command_palette"), 2),
)
_LEAVE: KeyOffer = (("esc", "back", "screen.leave"), 9)


class PairedViewport(ReplayViewport):
    """One clock over two runs: it counts from the start of the load of each."""

    def __init__(self, chosen: Chosen, clock: ReplayClock) -> None:
        super().__init__(chosen.ends[0].session, clock, lambda: self.chosen.span_ns)
        self.chosen = chosen
        self.window_ns = None


class CompareScreen(Screen[None]):
    """Reads both sides, then shows them under one clock.

    Args:
        question: what is compared.
        fps: redraws a second.
    """

    BLANK = True
    TERMS, MOUSE, MORE_KEYS = TERMS, MOUSE, (TAB_KEYS,)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "play both, or stand still"),
        Binding("left", "move(-1)", "back in time"),
        Binding("right", "move(1)", "forward in time"),
        Binding("shift+left", "move(-10)", "a window back", show=False),
        Binding("shift+right", "move(10)", "a window forward", show=False),
        Binding("home", "jump_start", "to the start of the load", show=False),
        Binding("end", "jump_end", "to the end: whole runs", show=False),
        Binding("z", "zoom", "window: 10 s, 60 s, the run so far"),
        Binding("greater_than_sign,full_stop,plus,equals_sign", "speed(1)", "faster"),
        Binding("less_than_sign,comma,minus", "speed(-1)", "slower"),
        Binding("d", "metric", "next metric: of shift, heatmap, and the one mirror"),
        Binding("o", "align", "align: first request, ready, offered load"),
        Binding("l", "axis", "log/linear axis"),
        Binding("a", "next_run(0, 1)", "next run of A"),
        Binding("A", "next_run(0, -1)", "previous run of A", show=False),
        Binding("b", "next_run(1, 1)", "next run of B"),
        Binding("B", "next_run(1, -1)", "previous run of B", show=False),
        Binding("tab", "next_tab(1)", "next tab"),
        Binding("shift+tab", "next_tab(-1)", "previous tab", show=False),
        Binding("enter,f", "full", "the tab alone, or the distributions with it"),
        Binding("escape", "leave", "back"),
        Binding("question_mark,f1", "help", "this help"),
        *(
            Binding(str(number), f"open('{name}')", name, show=False)
            for number, name in enumerate(TABS, start=1)
        ),
    ]

    def __init__(self, question: Question, fps: float = 4.0) -> None:
        super().__init__()
        self.question = question
        self.compared: Compared | None = None
        self.failed: TuiappError | None = None
        self._fps = fps
        self._reading = Reading(0, sum(map(len, question.sides)), "")
        self._port: PairedViewport | None = None
        self._clock = ReplayClock(lambda: self._port.chosen.span_ns if self._port else 0)
        self._frame = 0
        self._metric = METRICS[0]
        self._panes: list[Pane] = []

    def compose(self) -> ComposeResult:
        yield DrawingLine("sides")
        yield DrawingLine("reading")
        with Container(id="mirrors"):
            mirrors = [MirrorPane("ttft"), MirrorPane("tpot"), MirrorPane("itl")]
            self._panes = [*mirrors, ChosenMirrorPane()]
            yield from self._panes
        yield TabsBar()
        self._panes.append(TabPane())
        yield self._panes[-1]
        yield PairTransport()
        yield KeysBar()
        yield Static(id="too-small", markup=False)

    def on_mount(self) -> None:
        self.set_interval(1 / self._fps, self.redraw)
        self.set_class(self.app.palette.mono, "-mono")  # type: ignore[attr-defined]
        self.set_class(True, "-reading")
        self._read()

    # -- reading ---------------------------------------------------------------------------

    @work(thread=True)
    def _read(self) -> None:
        def progress(done: int, total: int, name: str) -> None:
            self._reading = Reading(done, total, name)

        try:
            compared = self.question.read(progress)
        except TuiappError as error:
            self.app.call_from_thread(self._fail, error)
        else:
            self.app.call_from_thread(self._take, compared)

    def _fail(self, error: TuiappError) -> None:
        self.failed = error
        self._reading = replace(self._reading, failed=str(error))
        self.redraw(force=True)

    def _take(self, compared: Compared) -> None:
        self.compared = compared
        comparison = compared.answer.comparison
        chosen = Chosen((comparison.a[0], comparison.b[0]), (0, 0))
        self._port = PairedViewport(chosen, self._clock)
        self._clock.seek(chosen.span_ns)
        self.set_class(False, "-reading")
        self.query_one(TabPane).focus()
        self.call_after_refresh(self.redraw, force=True)

    # -- drawing ---------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        small = event.size.width < MIN_WIDTH or event.size.height < MIN_HEIGHT
        self.set_class(small, "-too-small")
        self.query_one("#too-small", Static).update(
            f"{event.size.width}×{event.size.height} is too small: "
            f"tuiapp needs {MIN_WIDTH}×{MIN_HEIGHT}."
        )
        self.call_after_refresh(self.redraw, force=True)

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self.redraw, force=True)

    def on_pane_resized(self) -> None:
        self.call_after_refresh(self.redraw, force=True)

    def redraw(self, *, force: bool = False) -> None:
        """Draw what can be seen; nothing while another screen covers this one."""
        if self.app.screen is not self or not self.is_mounted:
            return
        palette = self.app.palette  # type: ignore[attr-defined]
        keys = (*_KEYS[:2], _LEAVE, *_KEYS[2:]) if self._can_leave else _KEYS
        self.query_one(KeysBar).show(palette, keys, force=force)
        if self._port is None:
            self.query_one("#reading", DrawingLine).put(self._reading, palette)
        elif force or self._clock.playing or self._moved:
            self._draw(self._port, force=force)

    @property
    def _can_leave(self) -> bool:
        """There is a screen below this one, other than the empty one of the application."""
        return len(self.app.screen_stack) > 2 or self.has_class("-full")

    @property
    def _moved(self) -> bool:
        """The clock has come to its end since the last frame."""
        return self._port is not None and self._port.cursor_ns != self._drawn_ns

    _drawn_ns = -1

    def _draw(self, port: PairedViewport, *, force: bool) -> None:
        self._frame += 1
        self._drawn_ns = port.cursor_ns
        scene = self.scene()
        self.query_one("#sides", DrawingLine).put(SidesHead(scene), scene.palette)
        tab_pane = self.query_one(TabPane)
        self.query_one(TabsBar).put(TabsHead(tab_pane.shown), scene.palette)
        for pane in self._panes:
            if pane.display and pane.is_attached:
                pane.show(scene, force=force)
        transport = self.query_one(PairTransport)
        transport.show(scene, port.cursor_ns, playing=self._clock.playing, speed=self._clock.speed)

    def scene(self) -> PairScene:
        """Both runs at the cursor."""
        assert self._port is not None
        assert self.compared is not None
        port = self._port
        at_ns = port.cursor_ns
        a, b = port.chosen.views(at_ns, port.window_ns)
        whole = port.window_ns is None and at_ns >= port.chosen.span_ns
        return PairScene(
            a,
            self.app.palette,  # type: ignore[attr-defined]
            port.log_axis,
            "whole runs" if whole else port.window_label(still=True),
            self._frame,
            full=self.has_class("-full"),
            other=b,
            at_ns=at_ns,
            compared=self.compared,
            chosen=port.chosen,
            metric=self._metric,
        )

    # -- time ------------------------------------------------------------------------------

    def _with_port(self, do: Callable[[PairedViewport], object]) -> None:
        """Nothing can be moved before there is something."""
        if self._port is not None:
            do(self._port)
            self.redraw(force=True)

    def action_pause(self) -> None:
        self._with_port(lambda port: port.toggle())

    def action_move(self, steps: int) -> None:
        self._with_port(lambda port: port.move(steps))

    def action_jump_start(self) -> None:
        self._with_port(lambda port: port.jump(0))

    def action_jump_end(self) -> None:
        self._with_port(lambda port: port.follow())

    def action_zoom(self) -> None:
        self._with_port(lambda port: port.zoom())

    def action_axis(self) -> None:
        self._with_port(lambda port: setattr(port, "log_axis", not port.log_axis))

    def action_speed(self, direction: int) -> None:
        nearest = int(np.argmin([abs(np.log(speed / self._clock.speed)) for speed in SPEEDS]))
        self._clock.speed = SPEEDS[min(max(nearest + direction, 0), len(SPEEDS) - 1)]
        self.notify(format_speed(self._clock.speed), timeout=1)
        self.redraw(force=True)

    def on_seek_strip_seek(self, message: SeekStrip.Seek) -> None:
        self._with_port(lambda port: port.jump(message.t_ns))

    # -- what is shown ---------------------------------------------------------------------

    def action_metric(self) -> None:
        self._metric = METRICS[(METRICS.index(self._metric) + 1) % len(METRICS)]
        self.redraw(force=True)

    def action_next_run(self, side: int, step: int) -> None:
        """Show another run of a side; the verdicts are about all of them."""
        if self._port is None or self.compared is None:
            return
        comparison, chosen = self.compared.answer.comparison, self._port.chosen
        sides, places = (comparison.a, comparison.b), list(chosen.places)
        if len(sides[side]) == 1:
            self.notify(f"{'AB'[side]} has one run only.", timeout=2)
            return
        places[side] = (places[side] + step) % len(sides[side])
        runs = comparison.a[places[0]], comparison.b[places[1]]
        self._choose(Chosen(runs, (places[0], places[1]), chosen.align))

    def _choose(self, chosen: Chosen) -> None:
        """Show other runs, or the same ones aligned otherwise; at the end, stay there."""
        assert self._port is not None
        at_end = self._port.cursor_ns >= self._port.chosen.span_ns
        self._port.chosen = chosen
        self._clock.seek(chosen.span_ns if at_end else self._clock.now_ns())
        self.redraw(force=True)

    def action_align(self) -> None:
        """Let the two times meet elsewhere."""
        if self._port is None:
            return
        chosen, names = self._port.chosen, list(ALIGNMENTS)
        at = names.index(chosen.align)
        for name in (*names[at + 1 :], *names[: at + 1]):
            if ALIGNMENTS[name](chosen.ends) is not None:
                self._choose(replace(chosen, align=name))
                self.notify(f"aligned: {name}", timeout=2)
                return

    def action_open(self, name: str) -> None:
        """Show a tab."""
        self.query_one(TabPane).open(name)
        self.set_class(name != "verdicts", "-wordy")
        self.call_after_refresh(self.redraw, force=True)

    def action_next_tab(self, step: int) -> None:
        names = list(TABS)
        at = names.index(self.query_one(TabPane).shown)
        self.action_open(names[(at + step) % len(names)])

    def action_full(self) -> None:
        """Give the tab the room of the distributions, or take it back."""
        self.toggle_class("-full")
        self.call_after_refresh(self.redraw, force=True)

    def action_leave(self) -> None:
        if self.has_class("-full"):
            self.action_full()
        elif self._can_leave:
            self.dismiss()
        elif self.failed is not None:
            self.app.exit()

    def action_help(self) -> None:
        from tuiapp.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self))

    def commands(self) -> Iterable[Command]:
        """What the command palette offers."""
        yield "Play or stand still", "Both runs", self.action_pause
        yield "Change the window", "10 s, 60 s, the run so far", self.action_zoom
        yield "Align otherwise", "First request, ready, offered load", self.action_align
        yield "Next metric", "Of shift, heatmap, and the one mirror", self.action_metric
        yield "Logarithmic or linear axis", "Of the distributions", self.action_axis
        yield "Next run of A", "", partial(self.action_next_run, 0, 1)
        yield "Next run of B", "", partial(self.action_next_run, 1, 1)
        yield "The tab alone", "Or the distributions with it", self.action_full
        yield "Help", "Numbers and keys", self.action_help
        for name in TABS:
            yield f"Show {name}", "", partial(self.action_open, name)
