"""A recorded session as the screens want a run: read bit by bit, under a clock that can be moved.

The columns grow from the file while it is shown, the oldest moments first, so that the first
picture does not wait for the last token of a long recording.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from tuiapp.clock import ReplayClock, monotonic_ns
from tuiapp.errors import SessionError
from tuiapp.events import LOAD_STATE, mark_frame
from tuiapp.session.columns import TICK_NS, Session
from tuiapp.session.cut import range_of
from tuiapp.session.file import SessionFile
from tuiapp.session.reader import DAMAGED
from tuiapp.session.samples import folder

_LOOK_S = 0.25
_TURN_NS = 15_000_000
_FIRST_NS = 250_000_000
"""How long reading may hold the event loop at a time, and before the first picture."""


@dataclass(frozen=True, slots=True)
class Played:
    """The file that is played."""

    path: Path
    size: int
    failing: str = ""


class Player:
    """Plays the file at ``path``.

    Attributes:
        session: its columns, as far as they are read.
        clock: the moment that is shown.
        finished: nothing is being recorded here.
        growing: some process is recording into the file, which is followed.

    Raises:
        SessionError: the file cannot be opened, or is no session.
    """

    finished = True

    def __init__(self, path: Path) -> None:
        self._file = SessionFile(path)
        self.growing = self._file.is_growing
        self.session = Session(path)
        self.clock = ReplayClock(lambda: self.end_ns, waits=lambda: self.growing)
        self._settled_ns = self._file.index.settled_ns()
        self._next_row = 0
        self._read_for(_FIRST_NS)

    @property
    def recording(self) -> Played:
        return Played(self._file.path, self._file.size)

    @property
    def end_ns(self) -> int:
        """The last moment of the recording, read or not."""
        return max(self._file.end_ns, self.session.end_ns)

    @property
    def read_ns(self) -> int:
        """Everything up to here is read."""
        if not self._unread:
            return self.end_ns
        return min(int(self._settled_ns[self._next_row]), self.end_ns)

    @property
    def start_ns(self) -> int:
        """Where the recording begins: 0, but in a part of one."""
        return max(range_of(self.session.meta, self.end_ns).from_ns, 0)

    @property
    def load_start_ns(self) -> int:
        """When the load began, as far as it is read and held; ``start_ns`` when it never did."""
        states = [fact.t_ns for fact in self.session.facts if fact.name == LOAD_STATE]
        return max(states[0] if states else 0, self.start_ns)

    @property
    def opening_ns(self) -> int:
        """Where a replay begins: the first moment that shows the load, not the engine's start."""
        return min((self.load_start_ns // TICK_NS + 1) * TICK_NS - 1, self.end_ns)

    @property
    def damaged(self) -> int:
        """Blocks that could not be read, or are missing."""
        damage = self._file.report.damage
        return damage.bad_frames + damage.missing_frames

    async def read(self) -> None:
        """Read what is left, a little at a time, and then what is still being recorded."""
        while self._unread:
            self._read_for(_TURN_NS)
            await asyncio.sleep(0)
        while self.growing:
            await asyncio.sleep(_LOOK_S)
            self._follow()

    def _follow(self) -> None:
        """Take in what has been recorded since; once the recording has ended, it is a file."""
        growing = self._file.is_growing
        for frame in self._file.grow():
            self.session.fold(frame)
        if not growing:
            self._file.close()
            self._file = SessionFile(self._file.path)
            self.growing = False

    def mark(self, text: str, t_ns: int | None = None) -> None:
        """Note a moment, in the file too.

        Raises:
            SessionError: the file cannot be written to, or came with the program.
        """
        if self._file.path.resolve().parent == folder().resolve():
            raise SessionError(
                f"{self._file.path.name} comes with tuiapp and is not changed.",
                "Copy it, and note it in the copy.",
            )
        frame = mark_frame(self.clock.now_ns() if t_ns is None else t_ns, text)
        while self._unread:  # appending opens the file anew
            self._read_for(_FIRST_NS)
        self._file.append([frame])
        self.session.fold(frame)

    def close(self) -> None:
        """Let go of the file."""
        self._next_row = len(self._settled_ns)
        self._file.close()

    @property
    def _unread(self) -> bool:
        """Blocks are left of those that were there when the file was opened."""
        return self._next_row < len(self._settled_ns)

    def _read_for(self, bound_ns: int) -> None:
        until_ns = monotonic_ns() + bound_ns
        while self._unread:
            row = self._next_row
            self._next_row += 1
            if lost := self._file.missing_before(row):
                self.session.lose(*lost, DAMAGED)
            self.session.fold(self._file.read(row) or self._file.missing(row))
            if monotonic_ns() >= until_ns:
                return
