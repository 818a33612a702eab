"""One look at a host, for the rules: a few samples in lists, without a session behind them.

A session's columns are made for a million rows; to load what they need takes longer than all of
the look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, nan
from typing import Any

from tuiapp.diagnosis.seen import Few
from tuiapp.events import MOST_VALUE

Row = tuple[int, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Moment:
    """What was read of a host in less than a second.

    Args:
        meta: the header a session would have: ``{"host": facts}``.
        samples: group to its rows, (t_ns, gauges), oldest first.
        probe_reasons: probe, or ``probe.gauge``, to why it is unknown.
        cursor_ns: when the last sample was taken.
    """

    meta: Mapping[str, Any]
    samples: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    probe_reasons: Mapping[str, str] = field(default_factory=dict)
    cursor_ns: int = 0
    window_start_ns: int = -1

    @property
    def probe_since_ns(self) -> Mapping[str, int]:
        return {}

    @property
    def client_limited(self) -> bool | None:
        return None

    def groups(self, prefix: str) -> tuple[str, ...]:
        names = (name for name in self.samples if name.startswith(prefix))
        return tuple(sorted(names, key=lambda name: (len(name), name)))

    def last_row(self, group: str) -> Row | None:
        rows = self.samples.get(group)
        return rows[-1] if rows else None

    def known(self, group: str, name: str) -> Few:
        return Few(value for (value,) in self.rows(group, name) if abs(value) < MOST_VALUE)

    def rows(self, group: str, *names: str) -> list[tuple[float, ...]]:
        return [
            tuple(_number(gauges.get(name)) for name in names)
            for _, gauges in self.samples.get(group, ())
        ]

    def gauge(self, group: str, name: str) -> float | None:
        """The newest row's value; None when it is unknown."""
        newest = self.rows(group, name)[-1:]
        return newest[0][0] if newest and isfinite(newest[0][0]) else None


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else nan


def by_group(rows: Iterable[tuple[str, Row]]) -> dict[str, list[Row]]:
    """Rows under the names of their groups, oldest first."""
    found: dict[str, list[Row]] = {}
    for group, row in rows:
        found.setdefault(group, []).append(row)
    for of_group in found.values():
        of_group.sort(key=lambda row: row[0])
    return found
