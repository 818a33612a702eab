"""What a probe is, and the files it reads."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from tuiapp.errors import Unavailable

Gauges = dict[str, float]
Row = tuple[int, Gauges]
"""Gauges with a moment of their own: nanoseconds on CLOCK_MONOTONIC."""
NAN = float("nan")
NEXT_SAMPLE = "counted from the next sample on"
"""Why what is a difference is unknown at the first sample."""
RARELY = 120
"""``every`` of a collector without gauges: its facts come when it is opened."""
_CHUNK = 1 << 15
_T = TypeVar("_T")


class Host:
    """The files of the machine a probe looks at.

    Args:
        root: prefix of every path; a recorded tree, in tests.
        clock_hz: ticks per second in /proc/<pid>/stat; this system's, when left out.
        page_bytes: size of a page; this system's, when left out.

    Attributes:
        files_only: what the system's libraries say is not of this machine, or not to be asked.
    """

    files_only: ClassVar[bool] = False

    def __init__(
        self, root: str = "", clock_hz: int | None = None, page_bytes: int | None = None
    ) -> None:
        self.root = root.rstrip("/")
        self.clock_hz = clock_hz or os.sysconf("SC_CLK_TCK")
        self.page_bytes = page_bytes or os.sysconf("SC_PAGE_SIZE")

    def read(self, path: str) -> bytes:
        """The whole file at an absolute ``path``; OSError when it cannot be read."""
        fd = os.open(self.root + path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = os.read(fd, _CHUNK)
            # procfs hands out some files a page at a time, whatever the buffer.
            while chunk := os.read(fd, _CHUNK):
                data += chunk
            return data
        finally:
            os.close(fd)

    def head(self, path: str, most_bytes: int = 1 << 13) -> bytes:
        """At most the first ``most_bytes`` of a file; OSError when it cannot be read.

        Enough for a file of sysfs, which is a page at most, whatever stands in its place.
        """
        fd = os.open(self.root + path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            data = os.read(fd, most_bytes)
            while len(data) < most_bytes and (chunk := os.read(fd, most_bytes - len(data))):
                data += chunk
            return data
        finally:
            os.close(fd)

    def text(self, path: str) -> str:
        """The file as text without the white space around it."""
        return self.read(path).decode("utf-8", "replace").strip()

    def link(self, path: str) -> str:
        """Where the link at an absolute ``path`` points; OSError when it is none."""
        return os.readlink(self.root + path)  # noqa: PTH115 - as ``names``

    def names(self, path: str) -> list[str]:
        """Names in the directory at an absolute ``path``; OSError when it cannot be read."""
        return os.listdir(self.root + path)  # noqa: PTH208 - every second, over all processes


class Collector(ABC):
    """A probe: reads gauges of this host, and facts that do not change.

    It may be opened again after ``close``. Whatever it raises is reported and tried again later;
    ``Unavailable`` is the normal way to say that something cannot be read here, and why: one
    clause without a full stop, to be shown behind a name.

    Attributes:
        name: its name in ``COLLECTORS``, and in the fact that says why it cannot read.
        groups: the groups of gauges it may deliver; final once it is open.
        every: sample at every n-th tick of the agent; ``open`` may change it.
        blocking: its calls may hang for long, so it runs in a thread of its own.
    """

    name: ClassVar[str]
    groups: tuple[str, ...] = ()
    every: int = 1
    blocking: ClassVar[bool] = False

    def __init__(self, host: Host) -> None:
        self.host = host
        self._told: set[tuple[str, str]] = set()
        self._reasons: list[tuple[str, str]] = []

    def open(self) -> None:  # noqa: B027 - most need nothing
        """Take the first reading that differences count from; Unavailable when it cannot."""

    @abstractmethod
    def sample(self, dt_s: float) -> dict[str, Gauges]:
        """Gauges by group at the end of the last ``dt_s`` seconds; NaN for what is unknown."""

    def take_rows(self) -> dict[str, list[Row]]:
        """Rows by group, oldest first, that came about by themselves since the last call.

        For what has moments of its own, between two samples; most probes have none.
        """
        return {}

    def facts(self) -> dict[str, Any]:
        """What holds for the whole run; None for what is unknown. Called once it is open."""
        return {}

    def news(self) -> dict[str, Any]:
        """Facts that have changed since the last call; they replace those of before."""
        return {}

    def command(self, message: Mapping[str, Any]) -> None:  # noqa: B027 - most take none
        """Take an order (``{"op": ...}``); those it does not know are for others."""

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Let go of what ``open`` took; never raises."""

    def known(self, field: str, read: Callable[[], _T]) -> _T | None:
        """What ``read`` returns; None, and the reason on record, when it cannot."""
        try:
            return read()
        except OSError as error:
            self.unknown(field, why(error))
        except Unavailable as answer:
            self.unknown(field, answer.message)
        return None

    def gauge(self, field: str, read: Callable[[], float]) -> float:
        """Like ``known``, with NaN for None."""
        value = self.known(field, read)
        return NAN if value is None else value

    def unknown(self, field: str, reason: str) -> None:
        """Put on record why ``field`` cannot be read; the same reason counts once."""
        if (field, reason) not in self._told:
            self._told.add((field, reason))
            self._reasons.append((field, reason))

    def restored(self, field: str) -> None:
        """Take back why ``field`` was unknown: it can be read again."""
        self._told = {told for told in self._told if told[0] != field}
        self._reasons.append((field, ""))

    def take_reasons(self) -> list[tuple[str, str]]:
        """(field, reason) of what turned out unknown, or known again, since the last call."""
        reasons, self._reasons = self._reasons, []
        return reasons


def why(error: OSError) -> str:
    """One clause on a file that cannot be read."""
    text = (error.strerror or type(error).__name__).lower()
    return f"{error.filename}: {text}" if error.filename else text
