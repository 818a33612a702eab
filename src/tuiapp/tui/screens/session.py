"""What the live screen and the replay have in common: panes over a session, time, marks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from tuiapp.errors import TuiappError
from tuiapp.session.health import DEAD, DONE, SILENT, STARTING
from tuiapp.session.moments import MOMENTS
from tuiapp.session.view import View
from tuiapp.tui.control import Recorded
from tuiapp.tui.panes import PANES, pane_class
from tuiapp.tui.panes.base import Pane, Scene
from tuiapp.tui.panes.devices import devices
from tuiapp.tui.panes.keys import KEYS, KeyOffer, KeysBar
from tuiapp.tui.panes.notice import Notice, Sentence, notices
from tuiapp.tui.panes.status import StatusBar
from tuiapp.tui.renderables.canvas import clean
from tuiapp.tui.renderables.numbers import format_clock
from tuiapp.tui.screens.bindings import SESSION_BINDINGS
from tuiapp.tui.viewport import Viewport, next_moment
from tuiapp.words import clock_text

MIN_WIDTH, MIN_HEIGHT, _NARROW = 60, 16, 100
_MOST_MARKS = 100
_START_PANES, _START_ROWS = ("start", "log"), "12 1fr"
_S = 1_000_000_000

Command = tuple[str, str, Callable[[], object]]
"""A title, what it does, and how."""


class Grid(Container):
    """Where the panes stand; nothing but background itself."""

    BLANK = True


class SessionScreen(Screen[None]):
    """Panes, a status line and a line of keys over a session at the viewport's cursor.

    Args:
        run: the run to show.
        viewport: where to look.
        fps: redraws a second.
    """

    BLANK = True
    TOO_SMALL: ClassVar[str] = ""
    """What else is true while nothing can be shown."""
    BINDINGS: ClassVar[list[BindingType]] = [*SESSION_BINDINGS]

    def __init__(self, run: Recorded, viewport: Viewport, fps: float) -> None:
        super().__init__()
        self.run = run
        self.viewport = viewport
        self._fps = fps
        self._frame = 0
        self._full = ""
        self._state = ""
        self._stepped_to = ("", 0, 0)
        self._soon: bool | None = None
        self._starting = False
        self._panes: list[Pane] = []

    # -- what differs ----------------------------------------------------------------------

    def keys(self) -> tuple[KeyOffer, ...]:
        """The keys of the bottom line and how important each is."""
        return KEYS

    def beneath(self) -> Iterable[Widget]:
        """Widgets between the panes and the bottom line."""
        return ()

    def draw_beneath(self, scene: Scene, *, force: bool) -> None:
        """Draw them."""

    def newest(self, view: View) -> View:
        """The run at its newest moment, wherever the view stands."""
        return view

    def whole(self) -> View:
        """All there is of the run, wherever the view stands."""
        return self.newest(self.viewport.view())

    def watch_ns(self, view: View) -> int:
        """The time on the watch of whoever looks."""
        return view.cursor_ns

    def begin(self) -> None:
        """Redraw from now on."""
        self.set_interval(1 / self._fps, self.redraw)

    # -- building --------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield StatusBar()
        yield Notice()
        with Grid(id="grid"):
            self._panes = [pane_class(name)(name) for name in PANES]
            yield from self._panes
        yield from self.beneath()
        yield KeysBar()
        yield Static(id="too-small", markup=False)

    def on_mount(self) -> None:
        self.begin()
        self.set_class(self.app.palette.mono, "-mono")  # type: ignore[attr-defined]
        self.query_one("#ttft", Pane).focus()

    def on_resize(self, event: events.Resize) -> None:
        small = event.size.width < MIN_WIDTH or event.size.height < MIN_HEIGHT
        self.set_class(small, "-too-small")
        self.query_one("#too-small", Static).update(
            f"{event.size.width}×{event.size.height} is too small: "
            f"tuiapp needs {MIN_WIDTH}×{MIN_HEIGHT}.{self.TOO_SMALL}"
        )
        self.redraw_soon(force=True)

    def on_screen_resume(self) -> None:
        """What covered this screen is gone: show at once how things stand."""
        self.redraw_soon(force=True)

    def on_pane_resized(self) -> None:
        self.redraw_soon(force=True)

    def on_descendant_focus(self) -> None:
        self.redraw_soon()

    # -- drawing ---------------------------------------------------------------------------

    def redraw_soon(self, *, force: bool = False) -> None:
        """Once what has changed is laid out: one redraw for all that ask for it."""
        if self._soon is None:
            self.call_after_refresh(self._redraw_asked)
        self._soon = bool(self._soon) or force

    def _redraw_asked(self) -> None:
        force, self._soon = self._soon, None
        if force is not None:
            self.redraw(force=force)

    def redraw(self, *, force: bool = False) -> None:
        """Draw what can be seen; no panes while another screen covers this one."""
        if not self.is_mounted:
            return
        self._frame += 1
        if self.app.screen is not self:
            self._draw_covered()
            return
        force, self._soon = force or bool(self._soon), None
        scene = self._scene(self.viewport.view())
        before, self._state = self._state, scene.view.health.state
        force = force or self._state != before  # no pane waits to show a dead engine
        if self._arrange(scene):
            return  # panes that come to be shown are resized, and ask for a redraw
        self._draw_bars(scene, force=force)
        for pane in self._panes:
            if pane.display and pane.is_attached:
                pane.show(scene, force=force)

    def _draw_covered(self) -> None:
        """Above a dialog the status goes on: nobody may take a dead engine for a living one.

        It stands on the dialog's screen: a change beneath would have all of that tinted anew.
        """
        top = self.app.screen
        if not top.is_modal:
            return
        if not top.query(StatusBar):
            top.mount(self.query_one(StatusBar).twin(), Notice(above=True))
            return
        scene = self._scene(self.viewport.view())
        self._draw_status(top.query_one(StatusBar), scene)
        top.query_one(Notice).show(scene, self.notices(scene), self.size.width)

    def _draw_status(self, bar: StatusBar, scene: Scene) -> None:
        now, watch_ns = self.newest(scene.view), self.watch_ns(scene.view)
        stopping = bool(getattr(self.app, "stopping", False))
        bar.show(scene, self.run, now, watch_ns, stopping=stopping)

    def _draw_bars(self, scene: Scene, *, force: bool) -> None:
        self._draw_status(self.query_one(StatusBar), scene)
        focused = self.focused if isinstance(self.focused, Pane) else None
        self.query_one(KeysBar).show(
            scene.palette, self.keys(), focused, full=scene.full, force=force
        )
        self.draw_beneath(scene, force=force)

    def _scene(self, view: View) -> Scene:
        palette = self.app.palette  # type: ignore[attr-defined]
        port = self.viewport
        label = port.window_label(still=not port.pinned or bool(view.health.exit_facts))
        gpu_pane, itl_pane = (self.query_one(name, Pane).display for name in ("#gpu", "#itl"))
        shape = (bool(self._full), gpu_pane, itl_pane, self.size.width < _NARROW)
        return Scene(view, palette, port.log_axis, label, self._frame, *shape)

    def _arrange(self, scene: Scene) -> bool:
        """The screen's shape follows from the view alone; whether other panes are shown now."""
        view, state = scene.view, scene.view.health.state
        ready = view.measured or any(span.name == "ready" for span in view.cold_start)
        starting = state == STARTING or (state in (DEAD, DONE) and not ready)
        classes = {
            "-no-gpu": not devices(view),
            "-full": bool(self._full),
            "-alarm": state in (DEAD, SILENT),
        }
        for name, on in classes.items():
            if self.has_class(name) != on:
                self.set_class(on, name)
        self.query_one(Notice).show(scene, self.notices(scene), self.size.width)
        return self._show_start(starting and not self._full)

    def _show_start(self, on: bool) -> bool:
        """The waterfall and the log alone, or everything else.

        Not by a class of the screen: that has the rules of every widget matched again, which cost
        a quarter of a seek from the start into the load.
        """
        if on == self._starting:
            return False
        self._starting = on
        for pane in self._panes:
            pane.styles.display = ("block" if pane.id in _START_PANES else "none") if on else None
        self.query_one(Grid).styles.grid_rows = _START_ROWS if on else None
        return True

    def notices(self, scene: Scene) -> list[Sentence]:
        """What must not be missed."""
        return notices(scene, self.run, self.watch_ns(scene.view))

    # -- time ------------------------------------------------------------------------------

    def action_pause(self) -> None:
        self.viewport.toggle()
        self.redraw(force=True)

    def action_move(self, steps: int) -> None:
        self.viewport.move(steps)
        self.redraw(force=True)

    def action_jump_start(self) -> None:
        self.viewport.jump(0)
        self.redraw(force=True)

    def action_follow(self) -> None:
        self.viewport.follow()
        self.redraw(force=True)

    def go_to(self, t_ns: int) -> None:
        """Look at a moment and what led to it; at the newest one, follow."""
        self.viewport.jump(t_ns + 1)
        self.redraw(force=True)

    def action_step(self, kind: str, direction: int) -> None:
        """To the next or the previous moment of a kind, saying what it is."""
        view = self.whole()
        times = MOMENTS[kind].times(view)
        last = self._stepped_to[1:] if self._stepped_to[0] == kind else None
        at = next_moment(times, self.viewport.cursor_ns, direction, last)
        if not 0 <= at < len(times):
            self.notify(
                f"no {kind} {'after' if direction > 0 else 'before'} this moment", timeout=2
            )
            return
        t_ns = int(times[at])
        self._stepped_to = kind, at, t_ns
        self.go_to(t_ns)
        told = f"{kind} {at + 1} of {len(times)}, {clock_text(t_ns)}"
        words = MOMENTS[kind].told(view, t_ns)
        self.notify(f"{told}: {words}" if words else told, timeout=4, markup=False)

    def action_zoom(self) -> None:
        self.viewport.zoom()
        self.redraw(force=True)

    def action_axis(self) -> None:
        self.viewport.log_axis = not self.viewport.log_axis
        self.redraw(force=True)

    # -- panes -----------------------------------------------------------------------------

    def action_full(self) -> None:
        focused = self.focused
        if self._full:
            pane = self.query_one(f"#{self._full}", Pane)
            if pane.activate():
                self.redraw(force=True)
            else:
                self.action_leave_full()
        elif isinstance(focused, Pane) and focused.id:
            self.action_full_pane(focused.id)

    def action_full_pane(self, name: str) -> None:
        """Give a pane the screen; the same key again takes it back."""
        leaving = self._full == name
        self.action_leave_full()
        if leaving:
            return
        self._full = name
        pane = self.query_one(f"#{name}", Pane)
        pane.add_class("-the-one")
        self.set_class(True, "-full")
        self._show_start(False)
        pane.focus()
        self.redraw_soon(force=True)

    def action_leave_full(self) -> None:
        """Give the screen back to all panes, and select nothing."""
        self._requests().unselect()
        if self._full:
            self.query_one(f"#{self._full}", Pane).remove_class("-the-one")
            self._full = ""
            self.set_class(False, "-full")
        self.redraw_soon(force=True)

    def action_next_pane(self) -> None:
        """Give the screen to one pane after the other."""
        names = list(PANES)
        at = names.index(self._full) + 1 if self._full else 0
        self.action_full_pane(names[at % len(names)])

    def action_sort(self) -> None:
        self._requests().next_sort()
        self.redraw(force=True)

    def action_detail(self) -> None:
        """The timeline of the selected request."""
        self._requests().open_detail()

    def _requests(self) -> Any:
        return self.query_one("#requests", Pane)

    def open_request(self, req: int) -> None:
        """Show one request in detail."""
        from tuiapp.tui.screens.request import RequestScreen

        palette = self.app.palette  # type: ignore[attr-defined]
        self.app.push_screen(RequestScreen(self.viewport.view(), req, palette))

    # -- the run ---------------------------------------------------------------------------

    def action_mark(self) -> None:
        """Ask for a note on this moment."""
        from tuiapp.tui.screens.ask import AskScreen

        t_ns = self.viewport.cursor_ns

        def take(text: str | None) -> None:
            if text is None:
                return
            try:
                self.run.mark(text or "mark", t_ns)
            except TuiappError as error:
                self.notify(str(error), title="Not noted", severity="error", markup=False)
            else:
                self.notify(f"noted at {format_clock(t_ns / _S)}", timeout=2)
            self.redraw(force=True)

        ask = (f"Mark {format_clock(t_ns / _S)}", "what happened?")
        self.app.push_screen(AskScreen(*ask, advice="enter records it, escape leaves"), take)

    def action_help(self) -> None:
        from tuiapp.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self))

    def own_commands(self) -> Iterable[Command]:
        """What this screen adds to ``commands``."""
        return ()

    def commands(self) -> Iterable[Command]:
        """What the command palette offers: plain text, what it does, how."""
        yield "Stand still or go on", "The cursor in time", self.action_pause
        yield "Change the window", "10 s, 1 min, the whole run", self.action_zoom
        yield "Logarithmic or linear axis", "Of the distributions", self.action_axis
        yield "Mark this moment", "Record a note", self.action_mark
        yield from self.own_commands()
        yield "Help", "What each number means", self.action_help
        for name in PANES:
            yield f"Full screen: {pane_class(name).TITLE}", "", partial(self.action_full_pane, name)
        for mark in list(self.run.session.marks)[-_MOST_MARKS:]:
            when, text = format_clock(mark.t_ns / _S), clean(mark.text)
            yield f"Go to mark {when}  {text}", "", partial(self.go_to, mark.t_ns)
