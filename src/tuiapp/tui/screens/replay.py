"""The replay: the live screen's panes over a recording, and the transport bar beneath them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

import numpy as np
from textual.binding import Binding, BindingType
from textual.widget import Widget

from tuiapp.session.moments import MOMENTS, parse_moment
from tuiapp.session.view import View
from tuiapp.tui.control import Playback
from tuiapp.tui.panes.base import Scene
from tuiapp.tui.panes.keys import PAUSE, KeyOffer, keys_with
from tuiapp.tui.panes.notice import Sentence
from tuiapp.tui.panes.seeking import SeekStrip
from tuiapp.tui.panes.transport import TransportBar, format_speed
from tuiapp.tui.renderables.numbers import format_clock
from tuiapp.tui.renderables.palette import Ink
from tuiapp.tui.screens.session import Command, SessionScreen
from tuiapp.tui.viewport import ReplayViewport

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
_S = 1_000_000_000
_MOMENTS = "1:30   90s   50%   +10s   -2m   14:03:22   start   end"
_OWN_KEYS: tuple[KeyOffer, ...] = (
    (("g", "go to", "screen.go"), 7),
    (("< >", "speed", "screen.speed(1)"), 7),
    (("e", "next error", "screen.step('error', 1)"), 3),
    (("o", "SLO miss", "screen.step('SLO miss', 1)"), 3),
    (("u", "outlier", "screen.step('outlier', 1)"), 3),
    (("r", "loop", "screen.loop"), 3),
    (("x", "export", "screen.export"), 3),
)
_PLAYING = keys_with(PAUSE, *_OWN_KEYS)
_STANDING = keys_with((("space", "play", "screen.pause"), 9), *_OWN_KEYS)


class ReplayScreen(SessionScreen):
    """A recording, at any moment and any speed.

    Args:
        playback: what is played.
        fps: redraws a second.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "go", "go to a moment"),
        Binding("greater_than_sign,full_stop,plus,equals_sign", "speed(1)", "faster"),
        Binding("less_than_sign,comma,minus", "speed(-1)", "slower"),
        Binding("x", "export", "export this moment"),
        Binding("r", "loop", "loop: from here, to here, off"),
        *(
            Binding(key, f"step('{kind}', {direction})", f"to the {word} {kind}", show=False)
            for kind, keys in (
                ("error", "eE"), ("SLO miss", "oO"), ("outlier", "uU"), ("GPU throttle", "tT"),
            )
            for key, direction, word in zip(keys, (1, -1), ("next", "previous"), strict=True)
        ),
    ]  # fmt: skip

    def __init__(self, playback: Playback, fps: float) -> None:
        viewport = ReplayViewport(playback.session, playback.clock, lambda: playback.end_ns)
        super().__init__(playback, viewport, fps)
        self.playback = playback
        self._loop_start_ns: int | None = None
        self._is_looping = False

    def on_mount(self) -> None:
        self.run_worker(self.playback.read())

    def beneath(self) -> Iterable[Widget]:
        yield TransportBar()

    def draw_beneath(self, scene: Scene, *, force: bool) -> None:
        self.query_one(TransportBar).show(scene, self.playback)
        is_looping = self.playback.clock.loop is not None
        if self._is_looping and not is_looping:
            self.notify("no loop: that moment is outside it", timeout=3)
        self._is_looping = is_looping

    def whole(self) -> View:
        return View(self.playback.session, self.playback.end_ns)

    def keys(self) -> tuple[KeyOffer, ...]:
        return _PLAYING if self.viewport.pinned else _STANDING

    def notices(self, scene: Scene) -> list[Sentence]:
        found = super().notices(scene)
        run = self.playback
        if run.read_ns < min(scene.view.cursor_ns, run.end_ns):
            share = run.read_ns / max(run.end_ns, 1)
            found.append((f"Reading the recording: {share:.0%}. What is not read is not shown.",
                          Ink.WARN))  # fmt: skip
        if run.damaged:
            what = "block is" if run.damaged == 1 else "blocks are"
            found.append((f"{run.damaged} {what} damaged or missing, and left out.", Ink.WARN))
        return found

    # -- time ------------------------------------------------------------------------------

    def on_seek_strip_seek(self, message: SeekStrip.Seek) -> None:
        self.viewport.jump(message.t_ns)
        self.redraw(force=True)

    def action_speed(self, direction: int) -> None:
        clock = self.playback.clock
        nearest = int(np.argmin([abs(np.log(speed / clock.speed)) for speed in SPEEDS]))
        clock.speed = SPEEDS[min(max(nearest + direction, 0), len(SPEEDS) - 1)]
        self.notify(format_speed(clock.speed), timeout=1)
        self.redraw(force=True)

    def action_go(self) -> None:
        """Ask for a moment, and go there."""
        from tuiapp.tui.screens.ask import AskScreen

        created = self.playback.session.meta.get("created_ns")
        wall_ns = created if isinstance(created, int) else None
        cursor_ns, end_ns = self.viewport.cursor_ns, self.playback.end_ns

        def moment(text: str) -> int:
            start_ns = self.playback.start_ns
            return parse_moment(text, cursor_ns, end_ns, wall_ns, start_ns=start_ns)

        where = f"{format_clock(cursor_ns / _S)} of {format_clock(end_ns / _S)}"
        self.app.push_screen(
            AskScreen(f"Go to, from {where}", _MOMENTS, check=moment),
            lambda text: None if text is None else self._jump(moment(text)),
        )

    def _jump(self, t_ns: int) -> None:
        self.viewport.jump(t_ns)
        self.redraw(force=True)

    def action_loop(self) -> None:
        """First the start of the loop, then its end; once more ends it."""
        clock, at_ns = self.playback.clock, self.viewport.cursor_ns
        if clock.loop is not None:
            clock.loop, self._is_looping = None, False
            self.notify("no loop", timeout=2)
        elif self._loop_start_ns is None:
            self._loop_start_ns = at_ns
            self.notify(f"loop from {format_clock(at_ns / _S)}; r again where it ends", timeout=4)
        else:
            low, high = sorted((self._loop_start_ns, at_ns))
            if high > low:
                self._loop_start_ns = None
                clock.loop = (low, high)
                clock.play()
                span = f"{format_clock(low / _S)} to {format_clock(high / _S)}"
                self.notify(f"loop from {span}; r ends it", timeout=4)
            else:
                self.notify("a loop has two ends: press r at another moment", timeout=4)
        self.redraw(force=True)

    def action_export(self) -> None:
        """Write the session as it stood at this moment."""
        from tuiapp.tui.screens.exporting import ask_export

        view = self.viewport.view()
        if self.playback.read_ns < view.cursor_ns:
            self.notify("The recording is still being read.", timeout=3)
            return
        ask_export(self, self.playback.recording.path.stem, lambda: view)

    def own_commands(self) -> Iterable[Command]:
        yield "Go to a moment", "1:30, 50%, +10s, 14:03:22", self.action_go
        yield "Faster", "Up to 64×", partial(self.action_speed, 1)
        yield "Slower", "Down to 0.25×", partial(self.action_speed, -1)
        yield "Export", "This moment, in another format or as a picture", self.action_export
        yield "Loop", "From here, to here, off", self.action_loop
        for kind in MOMENTS:
            yield f"Next {kind}", "", partial(self.action_step, kind, 1)
            yield f"Previous {kind}", "", partial(self.action_step, kind, -1)
