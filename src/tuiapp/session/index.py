"""Where the blocks of a file are: a table that is written when a file is closed, and that a scan
makes again when it is missing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from tuiapp.events import INDEX_COLUMNS, Frame, Kind
from tuiapp.session.frames import MAGIC, MAX_BODY, OVERHEAD, ZLIB, pack, pack_trailer
from tuiapp.session.table import Table


class Block(NamedTuple):
    """One frame in a file: its bytes, and what its header says."""

    offset: int
    length: int
    kind: int
    seq: int
    t0_ns: int
    t1_ns: int
    rows: int

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.offset + self.length


class Index:
    """The blocks of a file in the order of their bytes; INDEX itself is not among them."""

    def __init__(self) -> None:
        self._table = Table(INDEX_COLUMNS)

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, name: str) -> np.ndarray:
        return self._table[name]

    def add(self, block: Block) -> None:
        """The next block of the file."""
        self._table.append({name: [value] for name, value in block._asdict().items()}, 1)

    def truncate(self, rows: int) -> None:
        """Forget the blocks from ``rows`` on."""
        self._table.truncate(rows)

    def block(self, row: int) -> Block:
        """The ``row``-th block."""
        return Block(*(int(self._table[name][row]) for name in Block._fields))

    @property
    def end_ns(self) -> int:
        """The newest moment any block knows of; 0 without any."""
        return max(int(self._table["t1_ns"].max(initial=0)), 0)

    def settled_ns(self) -> np.ndarray:
        """Up to which moment everything is known, int64 per block: once all before it are read.

        Blocks come about as they were written, and every kind in its own: the ones behind may
        reach further back. What is no moment of the run (META), and notes, which anybody may add
        years later, are not waited for.
        """
        begins = self._table["t0_ns"].astype(np.int64)
        begins[np.isin(self._table["kind"], (Kind.META, Kind.MARK))] = np.iinfo(np.int64).max
        return np.minimum.accumulate(begins[::-1])[::-1] - 1

    def select(
        self,
        kinds: Iterable[int] | None = None,
        after_ns: int | None = None,
        until_ns: int | None = None,
    ) -> np.ndarray:
        """Rows of the blocks of ``kinds`` that may hold something of (after, until]."""
        chosen = np.ones(len(self), bool)
        if kinds is not None:
            chosen &= np.isin(self._table["kind"], list(kinds))
        if after_ns is not None:
            chosen &= self._table["t1_ns"] > after_ns
        if until_ns is not None:
            chosen &= self._table["t0_ns"] <= until_ns
        return np.flatnonzero(chosen)

    def frame(self) -> Frame:
        """The table as an INDEX frame."""
        columns: dict[str, Any] = {name: self._table[name] for name in self._table.names}
        return Frame(Kind.INDEX, 0, self.end_ns, columns)

    @classmethod
    def of(cls, frame: Frame, file_size: int) -> Index | None:
        """The table in an INDEX frame; None when it cannot be one of a file of that size.

        Blocks have the size of one, lie behind each other and never share a byte.
        """
        columns = {name: frame.columns.get(name) for name in INDEX_COLUMNS}
        for name, column in columns.items():
            if not isinstance(column, np.ndarray) or column.dtype.str != INDEX_COLUMNS[name]:
                return None
        if frame.rows * OVERHEAD > file_size:
            return None
        index = cls()
        index._table.append(columns, frame.rows)
        length = index["length"].astype(np.int64)
        if not ((length >= OVERHEAD) & (length <= MAX_BODY + OVERHEAD)).all():
            return None
        starts = index["offset"]
        ends = np.concatenate(((len(MAGIC),), starts + length))
        apart = (
            (starts >= ends[:-1]).all() and (starts <= file_size).all() and ends[-1] <= file_size
        )
        return index if apart else None

    def holes(self, end: int) -> list[tuple[int, int]]:
        """(first, end) of the bytes up to ``end`` that belong to no block."""
        starts = np.append(self["offset"], end)
        ends = np.concatenate(((len(MAGIC),), self["offset"] + self["length"].astype(np.int64)))
        rows = np.flatnonzero(starts != ends)
        return [(int(ends[row]), int(starts[row])) for row in rows]


def closing(index: Index, sync: bytes, seq: int, offset: int) -> bytes:
    """The end of a file whose next frame would begin at ``offset``: INDEX and trailer."""
    data = pack(index.frame(), sync, seq, ZLIB)
    return data + pack_trailer(offset, len(data))
