"""What an engine says of itself after each iteration, by tick.

Engines that share a load (vLLM's data-parallel ranks) each speak for themselves only. Requests of
all are added up and the use of their KV caches is averaged, as vLLM's own log does it
(``AggregatedLoggingStatLogger``); what a rank said holds until it says something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tuiapp.events import FLOAT32, INT64
from tuiapp.session.table import Table

_GAUGES = {"running": INT64, "waiting": INT64, "kv_usage": FLOAT32}
_ROWS = {"tick": INT64, **_GAUGES}
_MAX_RANKS = 1024


class StepGauges:
    """Requests running and waiting, and the share of the KV cache in use, at the ends of ticks.

    ``gauges["running"]`` is an array of a value a tick; where a tick has no step it means nothing.

    Args:
        ticks: their ``steps`` tell of which ticks something is known.
    """

    def __init__(self, ticks: Table) -> None:
        self._ticks = ticks
        self._values = Table(_GAUGES)
        self._only: int | None = None
        self._ranks: dict[int, Table] = {}
        self._stale: int | None = None

    def put(self, rank: Any, tick: np.ndarray, columns: Mapping[str, Any]) -> None:
        """Take in the iterations of a rank; before they are counted among the steps.

        Args:
            rank: the data-parallel rank that speaks; what is none counts as the first.
            tick: the tick of each iteration, in the order of time.
            columns: may hold the gauges, a value an iteration.
        """
        rank = rank if isinstance(rank, int) and 0 <= rank < _MAX_RANKS else 0
        if self._only is None:
            self._only = rank
        if rank == self._only and not self._ranks:
            self._values.grow(len(self._ticks))
            self._values.put(tick, columns)
            return
        if not self._ranks:
            self._ranks[self._only] = self._so_far()
        at = len(tick) - 1 - np.unique(tick[::-1], return_index=True)[1]  # the last word of a tick
        told = {name: np.asarray(columns[name])[at] for name in _GAUGES if name in columns}
        self._ranks.setdefault(rank, Table(_ROWS)).append({"tick": tick[at], **told}, len(at))
        first = int(tick[at[0]])
        self._stale = first if self._stale is None else min(self._stale, first)

    def _so_far(self) -> Table:
        """What the first rank had said while it was the only one."""
        alone, at = Table(_ROWS), np.flatnonzero(self._ticks["steps"])
        values = {name: self[name][at] for name in _GAUGES}
        alone.append({"tick": at, **values}, len(at))
        return alone

    def __getitem__(self, name: str) -> np.ndarray:
        self._values.grow(len(self._ticks))
        if self._stale is not None:
            self._add_up(self._stale)
            self._stale = None
        return self._values[name][: len(self._ticks)]

    def _add_up(self, first: int) -> None:
        at = np.flatnonzero(self._ticks["steps"][first:]) + first
        sums = {name: np.zeros(len(at)) for name in _GAUGES}
        ranks = np.zeros(len(at))
        for table in self._ranks.values():
            tick = table["tick"]
            order = np.argsort(tick, kind="stable")
            row = np.searchsorted(tick[order], at, side="right") - 1
            known = row >= 0
            row = order[row[known]]
            ranks += known
            for name, total in sums.items():
                total[known] += table[name][row]
        sums["kv_usage"] /= np.maximum(ranks, 1)
        self._values.put(at, sums)
