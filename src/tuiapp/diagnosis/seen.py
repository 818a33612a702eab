"""What rules read: a view of a session, or one look at a host that was never a session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol


class Values(Protocol):
    """Numbers in the order of time."""

    def __len__(self) -> int: ...
    def __getitem__(self, at: int, /) -> float: ...
    def __iter__(self) -> Iterator[float]: ...
    def mean(self) -> float:
        """Their mean; not of none."""

    def max(self) -> float:
        """The largest; not of none."""

    def sum(self) -> float:
        """Their sum."""


class Few(list[float]):
    """A few numbers, with the arithmetic that rules need."""

    def mean(self) -> float:
        return sum(self) / len(self)

    def max(self) -> float:
        return max(self)

    def sum(self) -> float:
        return sum(self)


class Seen(Protocol):
    """``session.view.View`` is one, and so is ``moment.Moment``."""

    @property
    def meta(self) -> Mapping[str, Any]:
        """The header: ``host``, ``engine`` ..."""

    @property
    def cursor_ns(self) -> int:
        """The moment that is judged."""

    @property
    def window_start_ns(self) -> int:
        """Exclusive start of the time that is judged."""

    @property
    def probe_reasons(self) -> Mapping[str, str]:
        """Why a probe or one of its gauges is unknown."""

    @property
    def probe_since_ns(self) -> Mapping[str, int]:
        """When such a reason was told."""

    @property
    def client_limited(self) -> bool | None:
        """The load driver is late; None while the measured load has not begun."""

    def groups(self, prefix: str) -> tuple[str, ...]:
        """Names of the sample groups that begin with ``prefix``, in order."""

    def last_row(self, group: str) -> tuple[int, Mapping[str, float]] | None:
        """(when, gauges) of a group's newest row, however old; None without any."""

    def known(self, group: str, name: str) -> Values:
        """A gauge's known values in the window, oldest first."""

    def rows(self, group: str, *names: str) -> list[tuple[float, ...]]:
        """Gauges sample by sample over the window; NaN where unknown."""
