"""The live screen: a session that is still growing, and the load that can be changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from tuiapp.session.health import DEAD, DONE, DRAINING
from tuiapp.session.view import View
from tuiapp.tui.control import RunControl
from tuiapp.tui.panes.keys import FOLLOW, PAUSE, KeyOffer, keys_with
from tuiapp.tui.screens.session import Command, SessionScreen
from tuiapp.tui.viewport import LiveViewport

_RATE_STEP = 1.1
_S = 1_000_000_000
_LOAD_KEYS: tuple[KeyOffer, ...] = (
    (("+ −", "rate", "screen.rate(1)"), 3),
    (("p", "hold load", "screen.hold"), 2),
)
_PINNED = keys_with(PAUSE, *_LOAD_KEYS)
_STANDING = keys_with(FOLLOW, *_LOAD_KEYS)
_OVER, _BACK = keys_with(PAUSE), keys_with(FOLLOW)


class LiveScreen(SessionScreen):
    """A run while it happens.

    Args:
        run: the run to show and to steer.
        fps: redraws a second.
    """

    TOO_SMALL = "\nThe run and the recording go on."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "rate(1)", "more load"),
        Binding("minus", "rate(-1)", "less load"),
        Binding("p", "hold", "pause the load"),
    ]

    def __init__(self, run: RunControl, fps: float) -> None:
        super().__init__(run, LiveViewport(run.session, self._now_ns), fps)
        self.run_control = run
        self._target: float | None = None

    def _now_ns(self) -> int:
        """The newest moment is now; once the run is over, the last recorded one."""
        run = self.run_control
        return run.session.end_ns if run.finished else run.clock.now_ns()

    def keys(self) -> tuple[KeyOffer, ...]:
        if self.run_control.finished:  # nothing is left to steer
            return _OVER if self.viewport.pinned else _BACK
        return _PINNED if self.viewport.pinned else _STANDING

    def newest(self, view: View) -> View:
        return view if self.viewport.pinned else View(view.session, self._now_ns())

    def watch_ns(self, view: View) -> int:
        """It goes on when the run is over."""
        return self.run_control.clock.now_ns() if self.viewport.pinned else view.cursor_ns

    def begin(self) -> None:
        """In the middle of a second: one redraw a second then shows each second once."""
        if self._fps > 1:
            super().begin()
            return
        wait_ns = (_S // 2 - self.run_control.clock.now_ns()) % _S
        self.set_timer(max(wait_ns, 1) / _S, super().begin)

    def action_rate(self, direction: int) -> None:
        """Ten per cent more or less load; a closed loop changes by one client."""
        if self._has_ended():
            return
        workload = self.run.session.meta.get("workload") or {}
        closed = workload.get("arrival") == "closed"
        load = self._target or self._load(workload, closed=closed)
        if closed:
            self._target = max(1, round(load) + direction)
            self.run_control.command("concurrency", value=self._target)
            self.notify(f"{self._target} clients", timeout=2)
            return
        self._target = load * _RATE_STEP**direction
        self.run_control.command("rate", value=self._target)
        self.notify(f"{self._target:.2f} requests/s", timeout=2)

    def _has_ended(self) -> bool:
        """Whether there is no load to steer any more, which is then said."""
        state = View(self.run.session, self._now_ns()).health.state
        if state not in (DRAINING, DONE, DEAD):
            return False
        self.notify("the load has ended", timeout=2)
        return True

    def _load(self, workload: Mapping[str, Any], *, closed: bool) -> float:
        if closed:
            return float(workload.get("concurrency") or 1)
        known = View(self.run.session, self._now_ns()).health.rate
        return float(known or workload.get("rate") or 1.0)

    def action_hold(self) -> None:
        """Pause the load, or let it go on."""
        if self._has_ended():
            return
        paused = View(self.run.session, self._now_ns()).health.state == "paused"
        self.run_control.command("resume" if paused else "pause")
        self.notify("load goes on" if paused else "load paused; p lets it go on", timeout=2)

    def own_commands(self) -> Iterable[Command]:
        yield "More load", "Ten per cent", partial(self.action_rate, 1)
        yield "Less load", "Ten per cent", partial(self.action_rate, -1)
        yield "Pause or resume the load", "Requests in flight finish", self.action_hold
