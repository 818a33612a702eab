"""Growable numpy columns. Appending copies rows in; reading gives views without a copy."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tuiapp.events import UINT32
from tuiapp.session.pages import LARGE_BYTES, Pages

RECENT_ROWS = 1 << 13
"""Rows at the end that stay in memory."""
_REST_EVERY = 1 << 12
_FIRST_CAPACITY = 256


class Table:
    """Rows in columns of fixed types.

    Args:
        schema: column name to numpy dtype.
        fill: value of cells that were never written, by column; 0 where not named.
        folder: where rows that are no longer recent may rest on disk until somebody reads them;
            None to keep all in memory.
    """

    def __init__(
        self,
        schema: Mapping[str, str],
        fill: Mapping[str, Any] | None = None,
        folder: Path | None = None,
    ) -> None:
        self._fill = {name: value for name, value in (fill or {}).items() if value != 0}
        self._columns = {name: np.zeros(0, dtype) for name, dtype in schema.items()}
        self._rows = self._capacity = self._rested = 0
        self._folder = folder
        self._pages: Pages | None = None

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, name: str) -> np.ndarray:
        return self._columns[name][: self._rows]

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._columns)

    @property
    def nbytes(self) -> int:
        """Size of the rows; what is reserved beyond them takes none."""
        return sum(column.itemsize for column in self._columns.values()) * self._rows

    def grow(self, rows: int) -> None:
        """Make the table at least ``rows`` long; new cells hold their fill value."""
        if rows <= self._rows:
            return
        if rows > self._capacity:
            self._reserve(max(rows, 2 * self._capacity, _FIRST_CAPACITY))
        for name, value in self._fill.items():
            self._columns[name][self._rows : rows] = value
        self._rows = rows
        if self._pages is not None and rows - self._rested >= _REST_EVERY:
            self._pages.rest(0, rows - RECENT_ROWS)
            self._rested = rows

    def truncate(self, rows: int) -> None:
        """Forget the rows from ``rows`` on; for tables that are only appended to."""
        self._rows = min(self._rows, rows)
        self._rested = min(self._rested, rows)

    def _reserve(self, capacity: int) -> None:
        dtypes = {name: column.dtype for name, column in self._columns.items()}
        if capacity * max(dtype.itemsize for dtype in dtypes.values()) < LARGE_BYTES:
            columns = {name: np.zeros(capacity, dtype) for name, dtype in dtypes.items()}
        else:
            self._pages = Pages(dtypes, capacity, self._folder)
            columns = self._pages.columns
        for name, old in self._columns.items():
            columns[name][: self._rows] = old[: self._rows]
        self._columns, self._capacity = columns, capacity

    def add_column(self, name: str, dtype: str, fill: Any = 0) -> None:
        """Add a column; the rows so far hold ``fill``."""
        self._columns[name] = np.zeros(self._capacity, dtype)
        if fill != 0:
            self._fill[name] = fill
            self._columns[name][: self._rows] = fill

    def append(self, columns: Mapping[str, Any], rows: int) -> None:
        """Append ``rows`` rows; columns that are left out hold their fill value."""
        start = self._rows
        self.grow(start + rows)
        for name, values in columns.items():
            if name in self._columns:
                self._columns[name][start : start + rows] = values

    def put(self, index: np.ndarray, columns: Mapping[str, Any]) -> None:
        """Overwrite the rows at ``index``; the last one wins where an index stands twice."""
        for name, values in columns.items():
            if name in self._columns:
                self._columns[name][index] = values


class EventLog:
    """One moment of requests, in time order: 4 bytes each, for the times stand in their table.

    Args:
        requests: a row for each ``req``.
        moment: the column whose times these are.
    """

    def __init__(self, requests: Table, moment: str) -> None:
        self.moment = moment
        self._requests = requests
        self._log = Table({"req": UINT32})

    def __len__(self) -> int:
        return len(self._log)

    @property
    def nbytes(self) -> int:
        """Memory of the log; the times are the table's."""
        return self._log.nbytes

    def append(self, req: np.ndarray) -> None:
        """Requests whose moment has come and stands in the table."""
        if not len(req):
            return
        t_ns = self._requests[self.moment][req]
        order = np.argsort(t_ns, kind="stable")
        last_ns = self._time_of(-1) if len(self) else None
        self._log.append({"req": req[order]}, len(req))
        if last_ns is not None and t_ns[order[0]] < last_ns:
            self._sort()

    def remove(self, req: np.ndarray) -> None:
        """Forget requests whose moment in the table has changed."""
        log = self._log["req"]
        kept = log[np.isin(log, req, invert=True)]
        log[: len(kept)] = kept
        self._log.truncate(len(kept))

    def _sort(self) -> None:
        """A batch came late: put it where it belongs. Rare, so it may cost a full sort."""
        log = self._log["req"]
        log[:] = log[np.argsort(self._requests[self.moment][log], kind="stable")]

    def _time_of(self, at: int) -> int:
        return int(self._requests[self.moment][self._log["req"][at]])

    def count(self, until_ns: int) -> int:
        """How many happened at or before ``until_ns``."""
        return bisect_right(self._log["req"], until_ns, key=self._requests[self.moment].item)

    def between(self, after_ns: int, until_ns: int) -> np.ndarray:
        """``req`` of every event in (after, until]."""
        return self._log["req"][self.count(after_ns) : self.count(until_ns)]

    def last_ns(self, until_ns: int) -> int | None:
        """Time of the newest event at or before ``until_ns``."""
        at = self.count(until_ns)
        return self._time_of(at - 1) if at else None
