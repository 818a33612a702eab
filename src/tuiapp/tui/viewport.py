"""The cursor and the window over a session, whatever moves the cursor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tuiapp.clock import ReplayClock
from tuiapp.session.columns import TICK_NS, Session
from tuiapp.session.view import View
from tuiapp.tui.renderables.numbers import format_clock

_S = 1_000_000_000
WINDOWS_NS: tuple[int | None, ...] = (10 * _S, 60 * _S, None)
_STEPS_A_WINDOW = 10


class Viewport:
    """Where a screen looks.

    Attributes:
        session: what it looks at.
        window_ns: how far back; None for the whole run.
        log_axis: latency axes are logarithmic.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.window_ns: int | None = 60 * _S
        self.log_axis = True

    @property
    def cursor_ns(self) -> int:
        """The moment that is shown."""
        raise NotImplementedError

    @property
    def pinned(self) -> bool:
        """The cursor moves by itself."""
        raise NotImplementedError

    def toggle(self) -> None:
        """Let the cursor stand still, or move by itself again."""
        raise NotImplementedError

    def follow(self) -> None:
        """To the newest moment."""
        raise NotImplementedError

    def jump(self, t_ns: int) -> None:
        """To a moment; the cursor stands on the end of the tick it is in."""
        raise NotImplementedError

    def move(self, steps: int) -> None:
        """Move by tenths of the window."""
        reach = self.window_ns if self.window_ns is not None else self.whole_ns
        step = max(reach // _STEPS_A_WINDOW, TICK_NS)
        self.jump(self.cursor_ns + steps * step)

    @property
    def whole_ns(self) -> int:
        """How long the session is."""
        raise NotImplementedError

    def view(self) -> View:
        return View(self.session, self.cursor_ns, self.window_ns)

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


class LiveViewport(Viewport):
    """Pinned to the newest moment of a session that grows, or standing where it was put.

    Args:
        session: what it looks at.
        now_ns: tells the newest moment there is to see.
    """

    def __init__(self, session: Session, now_ns: Callable[[], int]) -> None:
        super().__init__(session)
        self._now_ns = now_ns
        self._cursor_ns: int | None = None

    @property
    def cursor_ns(self) -> int:
        return self._now_ns() if self._cursor_ns is None else self._cursor_ns

    @property
    def pinned(self) -> bool:
        return self._cursor_ns is None

    @property
    def whole_ns(self) -> int:
        return self._now_ns()

    def toggle(self) -> None:
        if self.pinned:
            self.jump(self._now_ns())
        else:
            self.follow()

    def follow(self) -> None:
        self._cursor_ns = None

    def jump(self, t_ns: int) -> None:
        """Beyond the newest moment it follows again."""
        self._cursor_ns = None if t_ns > self._now_ns() else end_of_tick(t_ns)


class ReplayViewport(Viewport):
    """Moved by a replay clock, from tick to tick: what a tick holds is shown once it is over."""

    def __init__(self, session: Session, clock: ReplayClock, end_ns: Callable[[], int]) -> None:
        super().__init__(session)
        self._clock = clock
        self._end_ns = end_ns

    @property
    def cursor_ns(self) -> int:
        now_ns, end_ns = self._clock.now_ns(), self._end_ns()
        return end_ns if now_ns >= end_ns else max((now_ns + 1) // TICK_NS * TICK_NS - 1, 0)

    @property
    def start_ns(self) -> int:
        """The first moment there is something to see of: a part begins where it was cut."""
        return max(self.session.kept_after_ns + 1, 0)

    @property
    def pinned(self) -> bool:
        return self._clock.playing

    @property
    def whole_ns(self) -> int:
        return self._end_ns()

    def toggle(self) -> None:
        if self.pinned:
            self._clock.pause()
        else:
            self._clock.play()

    def follow(self) -> None:
        self.jump(self._end_ns())

    def jump(self, t_ns: int) -> None:
        """What plays goes on playing there."""
        self._clock.seek(end_of_tick(min(max(t_ns, self.start_ns), self._end_ns())))


def ends_of_ticks(t_ns: np.ndarray) -> np.ndarray:
    """The cursor that shows each of some moments: the last one of its tick."""
    return np.asarray((t_ns // TICK_NS + 1) * TICK_NS - 1)


def next_moment(
    times: np.ndarray, cursor_ns: int, direction: int, last: tuple[int, int] | None
) -> int:
    """Which of some moments comes next; outside of them when none does.

    A tick that shows several of them has them one by one.

    Args:
        times: of the moments, rising.
        direction: 1 for later ones, -1 for earlier ones.
        last: place and time of the one that was gone to last.
    """
    tick = ends_of_ticks(times)
    if last is not None:
        at, t_ns = last
        if at < len(times) and times[at] == t_ns and tick[at] == cursor_ns:
            return at + direction
    if direction > 0:
        return int(np.searchsorted(tick, cursor_ns, side="right"))
    return int(np.searchsorted(tick, cursor_ns, side="left")) - 1


def end_of_tick(t_ns: int) -> int:
    """Counters are kept by tick, so a standing cursor stands on the last moment of one."""
    whole = (max(t_ns, 0) + TICK_NS - 1) // TICK_NS * TICK_NS
    return max(whole - 1, 0)
