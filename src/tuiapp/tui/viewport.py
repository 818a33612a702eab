"""The cursor and the window over a session: pinned to the end, or standing where it was put."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tuiapp.session.columns import TICK_NS, Session
from tuiapp.session.view import View
from tuiapp.tui.renderables.numbers import format_clock

_S = 1_000_000_000
WINDOWS_NS: tuple[int | None, ...] = (10 * _S, 60 * _S, None)
_STEPS_A_WINDOW = 10


@dataclass
class Viewport:
    """Where the screen looks.

    Args:
        session: what it looks at.
        now_ns: tells the newest moment there is to see.
    """

    session: Session
    now_ns: Callable[[], int]
    window_ns: int | None = 60 * _S
    pinned: bool = True
    log_axis: bool = True
    _cursor_ns: int = field(default=0, repr=False)

    @property
    def cursor_ns(self) -> int:
        return self.now_ns() if self.pinned else self._cursor_ns

    def view(self) -> View:
        return View(self.session, self.cursor_ns, self.window_ns)

    def pause(self) -> None:
        """Stand still; the recording goes on."""
        self._put(self.now_ns())

    def follow(self) -> None:
        """Back to the newest moment."""
        self.pinned = True

    def toggle(self) -> None:
        if self.pinned:
            self.pause()
        else:
            self.follow()

    def move(self, steps: int) -> None:
        """Move by tenths of the window; moving past the end follows again."""
        reach = self.window_ns if self.window_ns is not None else self.now_ns()
        step = max(reach // _STEPS_A_WINDOW, TICK_NS)
        self._put(self.cursor_ns + steps * step)

    def jump(self, t_ns: int) -> None:
        self._put(t_ns)

    def _put(self, t_ns: int) -> None:
        """Counters are kept by tick, so a standing cursor stands on the end of one."""
        now = self.now_ns()
        self.pinned = False
        if t_ns >= now and t_ns != now:
            self.pinned = True
            return
        whole = (max(t_ns, 0) + TICK_NS - 1) // TICK_NS * TICK_NS
        self._cursor_ns = max(whole - 1, 0)

    def zoom(self) -> None:
        """The next window size."""
        at = WINDOWS_NS.index(self.window_ns) if self.window_ns in WINDOWS_NS else 0
        self.window_ns = WINDOWS_NS[(at + 1) % len(WINDOWS_NS)]

    def window_label(self, *, still: bool) -> str:
        """The window in words; where it ends, when it stands ``still``."""
        until = f" to {format_clock(self.cursor_ns / _S)}" if still else ""
        if self.window_ns is None:
            return f"run{until}" if until else "whole run"
        return f"{self.window_ns // _S} s{until}" if until else f"last {self.window_ns // _S} s"
