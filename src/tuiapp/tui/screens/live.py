"""The live screen: panes over a session that is still growing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Static

from tuiapp.session.columns import TICK_NS
from tuiapp.session.health import DEAD, DONE, SILENT, STARTING
from tuiapp.session.view import View
from tuiapp.tui.control import RunControl
from tuiapp.tui.panes import PANES, pane_class
from tuiapp.tui.panes.base import Pane, Scene
from tuiapp.tui.panes.keys import KeysBar
from tuiapp.tui.panes.notice import Notice
from tuiapp.tui.panes.status import StatusBar
from tuiapp.tui.renderables.canvas import clean
from tuiapp.tui.renderables.numbers import format_clock
from tuiapp.tui.viewport import Viewport

MIN_WIDTH, MIN_HEIGHT = 60, 16
_RATE_STEP = 1.1
_MOST_MARKS = 100
_S = 1_000_000_000


class Grid(Container):
    """Where the panes stand; nothing but background itself."""

    BLANK = True


class LiveScreen(Screen[None]):
    """Panes, a status line and a line of keys.

    Args:
        run: the run to show and to steer.
        fps: redraws a second.
    """

    BLANK = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "pause"),
        Binding("left", "move(-1)", "back in time"),
        Binding("right", "move(1)", "forward in time"),
        Binding("shift+left,pageup", "move(-10)", "a window back", show=False),
        Binding("shift+right,pagedown", "move(10)", "a window forward", show=False),
        Binding("home", "jump_start", "to the start", show=False),
        Binding("end", "follow", "back to now", show=False),
        Binding("z", "zoom", "window"),
        Binding("l", "axis", "log/linear axis"),
        Binding("enter", "full", "full screen"),
        Binding("escape", "leave_full", "leave full screen, select nothing", show=False),
        Binding("m", "mark", "mark a moment"),
        Binding("left_square_bracket", "mark_step(-1)", "to the mark before", show=False),
        Binding("right_square_bracket", "mark_step(1)", "to the next mark", show=False),
        Binding("plus,equals_sign", "rate(1)", "more load"),
        Binding("minus", "rate(-1)", "less load"),
        Binding("p", "hold", "pause the load"),
        Binding("s", "sort", "sort requests", show=False),
        Binding("d", "detail", "request's detail", show=False),
        Binding("L", "full_pane('log')", "engine's log", show=False),
        Binding("question_mark,f1", "help", "this help"),
        *(
            Binding(str((at + 1) % 10), f"full_pane('{name}')", name, show=False)
            for at, name in enumerate(PANES)
        ),
    ]

    def __init__(self, run: RunControl, fps: float) -> None:
        super().__init__()
        self._run = run
        self._fps = fps
        self._frame = 0
        self._full = ""
        self._target: float | None = None
        self._reflowed = False
        self._panes: list[Pane] = []
        self.viewport = Viewport(run.session, self._now_ns)

    def _now_ns(self) -> int:
        """Live, the newest moment is now; once the run is over, the last recorded one."""
        return self._run.session.end_ns if self._run.finished else self._run.clock.now_ns()

    def compose(self) -> ComposeResult:
        yield StatusBar()
        yield Notice()
        with Grid(id="grid"):
            self._panes = [pane_class(name)(name) for name in PANES]
            yield from self._panes
        yield KeysBar()
        yield Static(id="too-small", markup=False)

    def on_mount(self) -> None:
        self.set_interval(1 / self._fps, self.redraw)
        self.set_class(self.app.palette.mono, "-mono")  # type: ignore[attr-defined]
        self.query_one("#ttft", Pane).focus()

    def on_resize(self, event: events.Resize) -> None:
        small = event.size.width < MIN_WIDTH or event.size.height < MIN_HEIGHT
        self.set_class(small, "-too-small")
        self.query_one("#too-small", Static).update(
            f"{event.size.width}×{event.size.height} is too small: "
            f"tuiapp needs {MIN_WIDTH}×{MIN_HEIGHT}.\nThe run and the recording go on."
        )
        self.call_after_refresh(self.redraw, force=True)

    def on_screen_resume(self) -> None:
        """What covered this screen is gone: show at once how things stand."""
        self.call_after_refresh(self.redraw, force=True)

    def on_pane_resized(self) -> None:
        """One redraw for all panes that a reflow has changed."""
        if not self._reflowed:
            self._reflowed = True
            self.call_after_refresh(self.redraw, force=True)

    def on_descendant_focus(self) -> None:
        self.call_after_refresh(self.redraw)

    # -- drawing ---------------------------------------------------------------------------

    def redraw(self, *, force: bool = False) -> None:
        """Draw what can be seen; nothing while another screen covers this one."""
        if self.app.screen is not self or not self.is_mounted:
            return
        self._frame += 1
        self._reflowed = self._reflowed and not force
        view = self.viewport.view()
        scene = self._scene(view)
        self._arrange(scene)
        self._draw_bars(scene, force=force)
        for pane in self._panes:
            if pane.display and pane.is_attached:
                pane.show(scene, force=force)

    def _draw_bars(self, scene: Scene, *, force: bool) -> None:
        pinned = self.viewport.pinned
        now = scene.view if pinned else View(self._run.session, self._now_ns())
        stopping = bool(getattr(self.app, "stopping", False))
        bar = self.query_one(StatusBar)
        bar.show(scene, self._run, now, self._watch_ns(scene.view), stopping=stopping)
        focused = self.focused if isinstance(self.focused, Pane) else None
        self.query_one(KeysBar).show(scene, focused, pinned=pinned, force=force)

    def _watch_ns(self, view: View) -> int:
        """The time on the watch of whoever looks: it goes on when the run is over."""
        return self._run.clock.now_ns() if self.viewport.pinned else view.cursor_ns

    def _scene(self, view: View) -> Scene:
        palette = self.app.palette  # type: ignore[attr-defined]
        port = self.viewport
        label = port.window_label(still=not port.pinned or bool(view.health.exit_facts))
        gpu_pane = self.query_one("#gpu", Pane).display
        return Scene(view, palette, port.log_axis, label, self._frame, bool(self._full), gpu_pane)

    def _arrange(self, scene: Scene) -> None:
        """The screen's shape follows from the view alone."""
        view = scene.view
        state = view.health.state
        ready = view.measured or any(span.name == "ready" for span in view.cold_start)
        starting = state == STARTING or (state in (DEAD, DONE) and not ready)
        classes = {
            "-starting": starting and not self._full,
            "-no-gpu": not view.groups("gpu"),
            "-full": bool(self._full),
            "-alarm": state in (DEAD, SILENT),
        }
        for name, on in classes.items():
            if self.has_class(name) != on:
                self.set_class(on, name)
        notice, width = self.query_one(Notice), self.size.width
        notice.show(scene, self._run, self._watch_ns(view), width)

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

    def action_mark_step(self, direction: int) -> None:
        """To the next mark after the cursor, or the last one before it."""
        cursor_ns = self.viewport.cursor_ns
        times = [mark.t_ns for mark in self._run.session.marks]
        before = [t_ns for t_ns in times if t_ns + TICK_NS <= cursor_ns]
        after = [t_ns for t_ns in times if t_ns > cursor_ns]
        if direction < 0 and before:
            self.go_to(before[-1])
        elif direction > 0 and after:
            self.go_to(after[0])
        else:
            self.notify(f"no mark {'before' if direction < 0 else 'after'} this moment", timeout=2)

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
        self.set_class(False, "-starting")
        pane.focus()
        self.call_after_refresh(self.redraw, force=True)

    def action_leave_full(self) -> None:
        """Give the screen back to all panes, and select nothing."""
        self._requests().unselect()
        if self._full:
            self.query_one(f"#{self._full}", Pane).remove_class("-the-one")
            self._full = ""
            self.set_class(False, "-full")
        self.call_after_refresh(self.redraw, force=True)

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
        self.app.push_screen(
            RequestScreen(self.viewport.view(), req, palette, self._run.recording.path)
        )

    # -- the run ---------------------------------------------------------------------------

    def action_mark(self) -> None:
        from tuiapp.tui.screens.note import NoteScreen

        t_ns = self.viewport.cursor_ns

        def take(text: str | None) -> None:
            if text is not None:
                self._run.mark(text, t_ns)
                self.redraw(force=True)

        self.app.push_screen(NoteScreen(t_ns), take)

    def action_rate(self, direction: int) -> None:
        """Ten per cent more or less load; a closed loop changes by one client."""
        workload = self._run.session.meta.get("workload") or {}
        closed = workload.get("arrival") == "closed"
        load = self._target or self._load(workload, closed=closed)
        if closed:
            self._target = max(1, round(load) + direction)
            self._run.command("concurrency", value=self._target)
            self.notify(f"{self._target} clients", timeout=2)
            return
        self._target = load * _RATE_STEP**direction
        self._run.command("rate", value=self._target)
        self.notify(f"{self._target:.2f} requests/s", timeout=2)

    def _load(self, workload: Mapping[str, Any], *, closed: bool) -> float:
        if closed:
            return float(workload.get("concurrency") or 1)
        known = View(self._run.session, self._now_ns()).health.rate
        return float(known or workload.get("rate") or 1.0)

    def action_hold(self) -> None:
        """Pause the load, or let it go on."""
        paused = View(self._run.session, self._now_ns()).health.state == "paused"
        self._run.command("resume" if paused else "pause")
        self.notify("load goes on" if paused else "load paused; p lets it go on", timeout=2)

    def action_help(self) -> None:
        from tuiapp.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self))

    def commands(self) -> Iterable[tuple[str, str, Callable[[], object]]]:
        """What the command palette offers: plain text, what it does, how."""
        yield "Pause or follow", "Stand still; the recording goes on", self.action_pause
        yield "Change the window", "10 s, 1 min, the whole run", self.action_zoom
        yield "Logarithmic or linear axis", "Of the distributions", self.action_axis
        yield "Mark this moment", "Record a note", self.action_mark
        yield "More load", "Ten per cent", partial(self.action_rate, 1)
        yield "Less load", "Ten per cent", partial(self.action_rate, -1)
        yield "Pause or resume the load", "Requests in flight finish", self.action_hold
        yield "Help", "What each number means", self.action_help
        for name in PANES:
            title = pane_class(name).TITLE
            yield f"Full screen: {title}", "", partial(self.action_full_pane, name)
        for mark in list(self._run.session.marks)[-_MOST_MARKS:]:
            when, text = format_clock(mark.t_ns / _S), clean(mark.text)
            yield f"Go to mark {when}  {text}", "", partial(self.go_to, mark.t_ns)
