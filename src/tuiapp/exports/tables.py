"""The tables of a session up to a view's cursor, a batch of rows at a time.

Names and units are those of ``docs/session-format.md``; ``phase`` and ``status`` are words. What
is not known, or was not known yet at the cursor, is missing, never -1, NaN or zero.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from tuiapp.events import (
    FACTS_COLUMNS,
    FLOAT32,
    INT64,
    LOG_COLUMNS,
    MARK_COLUMNS,
    REQUESTS_COLUMNS,
    SAMPLES_COLUMNS,
    STEPS_COLUMNS,
    TEXT,
    TOKENS_COLUMNS,
    UINT32,
    UNSET,
    Frame,
    Kind,
    Phase,
    Status,
)
from tuiapp.session.columns import LOG_LINES, Session
from tuiapp.session.deliveries import between
from tuiapp.session.file import SessionFile
from tuiapp.session.table import Table
from tuiapp.session.validity import trouble
from tuiapp.session.view import View

BATCH_ROWS = 1 << 16
"""Rows of a batch that is cut from memory; one from the file has those of a block."""
_MAX_NAME = 64
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_REQUESTS = {**REQUESTS_COLUMNS, "phase": TEXT, "status": TEXT}
_TOLD_WITH_FIRST = ("t_queued_ns", "t_prefill_ns", "t_core_first_ns", "cached_tokens")
"""What the engine core tells of a request only with its first token."""
_STEPS = {"t_ns": INT64, "engine": UINT32, **STEPS_COLUMNS}
_MAX_RANK = int(np.iinfo(UINT32).max)


class Numbers(NamedTuple):
    """A column of numbers, and where they are missing; arrays of equal length."""

    values: np.ndarray
    missing: np.ndarray


Batch = Mapping[str, Numbers | list[str]]
"""The columns of some rows, all of one length; no text is missing."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table to be written.

    Attributes:
        name: unlike the others of the session, and safe as a file's name.
        columns: column name to numpy type or ``TEXT``, in their order.
        batches: the rows; can be gone through once.
    """

    name: str
    columns: Mapping[str, str]
    batches: Iterator[Batch]


def sheets(view: View) -> Iterator[Sheet]:
    """Every table of the session, as it was known at the cursor.

    Without a file there is no table of engine steps: memory does not hold them one by one. A
    group of samples without a row so far is left out.

    Raises:
        SessionError: the session's file cannot be read; while batches are taken, too.
    """
    yield Sheet("requests", _REQUESTS, _requests(view))
    yield Sheet("tokens", TOKENS_COLUMNS, _tokens(view))
    if _is_recorded(view.session):
        yield Sheet("steps", _STEPS, _steps(view))
    yield from _samples(view)
    yield Sheet("facts", FACTS_COLUMNS, _facts(view))
    yield Sheet("log", LOG_COLUMNS, _log(view))
    marks = ((mark.t_ns, mark.text) for mark in view.marks())
    yield Sheet("marks", MARK_COLUMNS, _of_rows(marks, MARK_COLUMNS, view.cursor_ns))


# -- requests and tokens -------------------------------------------------------------------


def _requests(view: View) -> Iterator[Batch]:
    table = view.session.requests
    for start in range(0, len(table), BATCH_ROWS):
        part = slice(start, start + BATCH_ROWS)
        columns = {name: table[name][part] for name in REQUESTS_COLUMNS}
        yield _requests_at(columns, view.cursor_ns)


def _requests_at(columns: Mapping[str, np.ndarray], cursor_ns: int) -> Batch:
    """The requests that were known at the cursor, and what was known of them.

    A request becomes known with the first thing that happens to it. Nothing ever happened to one
    that was only intended; it is known from its intended arrival on.
    """
    moments = {name: column for name, column in columns.items() if name.endswith("_ns")}
    come = {name: (t_ns != UNSET) & (t_ns <= cursor_ns) for name, t_ns in moments.items()}
    happened = [name for name in moments if name != "t_sched_ns"]
    known = np.any([come[name] for name in happened], axis=0)
    untouched = np.all([moments[name] == UNSET for name in happened], axis=0)
    known |= untouched & come["t_sched_ns"]
    ended = come["t_end_ns"]
    always = np.ones(len(known), bool)
    told = ended | come["t_first_ns"]
    shown = come | {name: come.get(name, always) & told for name in _TOLD_WITH_FIRST}
    shown["output_tokens"] = ended
    batch: dict[str, Numbers | list[str]] = {
        name: Numbers(column[known], ~shown.get(name, always)[known])
        for name, column in columns.items()
    }
    status = np.where(ended, columns["status"], Status.IN_FLIGHT)
    batch["status"] = _words(status[known], Status)
    batch["phase"] = _words(columns["phase"][known], Phase)
    return batch


def _words(values: np.ndarray, names: type[IntEnum]) -> list[str]:
    """The names of numbers; a number of a later version stays one."""
    told = {int(item): item.name.lower() for item in names}
    return [told.get(value, str(value)) for value in values.tolist()]


def _tokens(view: View) -> Iterator[Batch]:
    for batch in between(view.session, UNSET, view.cursor_ns):
        yield _batch(batch._asdict(), TOKENS_COLUMNS, view.cursor_ns)


# -- what the file holds -------------------------------------------------------------------


def _is_recorded(session: Session) -> bool:
    return session.path is not None and session.path.exists()


def _frames(view: View, kind: Kind) -> Iterator[Frame]:
    assert view.session.path is not None
    with SessionFile(view.session.path) as file:
        for frame in file.frames([kind], None, view.cursor_ns):
            if frame.rows and not trouble(frame, view.session):
                yield frame


def _steps(view: View) -> Iterator[Batch]:
    for frame in _frames(view, Kind.STEPS):
        columns = {name: frame.columns[name] for name in STEPS_COLUMNS if name in frame.columns}
        rank = frame.attrs.get("engine")
        if isinstance(rank, int) and 0 <= rank <= _MAX_RANK:
            columns["engine"] = np.full(frame.rows, rank)
        yield _batch(columns, _STEPS, view.cursor_ns)


def _log(view: View) -> Iterator[Batch]:
    """All lines: memory holds only the newest of a long log."""
    lines = list(view.session.log)
    if len(lines) < LOG_LINES or not _is_recorded(view.session):
        rows = ((line.t_ns, line.source, line.level, line.text) for line in lines)
        yield from _of_rows(rows, LOG_COLUMNS, view.cursor_ns)
        return
    for frame in _frames(view, Kind.LOG):
        yield _batch(frame.columns, LOG_COLUMNS, view.cursor_ns)


# -- samples and facts ---------------------------------------------------------------------


def _samples(view: View) -> Iterator[Sheet]:
    tables = {name: view.session.samples[name] for name in view.groups("")}
    tables = {name: table for name, table in tables.items() if _rows_of(table, view).any()}
    names = _distinct((f"samples-{_file_name(group)}" for group in tables), str.casefold)
    for name, table in zip(names, tables.values(), strict=True):
        rows = _rows_of(table, view)
        gauges = [
            gauge
            for gauge in table.names
            if gauge not in SAMPLES_COLUMNS and not np.isnan(table[gauge][rows]).all()
        ]
        shown = dict(zip(gauges, _distinct(map(_text, gauges), taken=SAMPLES_COLUMNS), strict=True))
        columns = SAMPLES_COLUMNS | dict.fromkeys(shown.values(), FLOAT32)
        yield Sheet(name, columns, _of_gauges(table, shown, columns, view.cursor_ns))


def _rows_of(table: Table, view: View) -> np.ndarray:
    return np.asarray(table["t_ns"] <= view.cursor_ns)


def _of_gauges(
    table: Table, shown: Mapping[str, str], schema: Mapping[str, str], cursor_ns: int
) -> Iterator[Batch]:
    for start in range(0, len(table), BATCH_ROWS):
        part = slice(start, start + BATCH_ROWS)
        columns = {name: table[gauge][part] for gauge, name in shown.items()}
        yield _batch({"t_ns": table["t_ns"][part], **columns}, schema, cursor_ns)


def _file_name(group: str) -> str:
    """A group's name comes from a file, and becomes that of one."""
    return _UNSAFE.sub("_", group)[:_MAX_NAME] or "_"


def _distinct(
    names: Iterable[str], key: Callable[[str], str] = str, taken: Iterable[str] = ()
) -> list[str]:
    """The names, numbered where one is there already."""
    given, found = {key(name) for name in taken}, []
    for name in names:
        unlike, number = name, 2
        while key(unlike) in given:
            unlike, number = f"{name}-{number}", number + 1
        given.add(key(unlike))
        found.append(unlike)
    return found


def _facts(view: View) -> Iterator[Batch]:
    rows = ((fact.t_ns, fact.name, _json(fact.value)) for fact in view.facts())
    return _of_rows(rows, FACTS_COLUMNS, view.cursor_ns)


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:  # JSON has neither NaN nor infinity: what is not known is null
        plain = json.loads(json.dumps(value), parse_constant=lambda _: None)
        return json.dumps(plain, ensure_ascii=False)


# -- batches -------------------------------------------------------------------------------


def _of_rows(
    rows: Iterable[Sequence[Any]], schema: Mapping[str, str], cursor_ns: int
) -> Iterator[Batch]:
    columns = list(zip(*rows, strict=True))
    if columns:
        yield _batch(dict(zip(schema, columns, strict=True)), schema, cursor_ns)


def _batch(columns: Mapping[str, Any], schema: Mapping[str, str], cursor_ns: int) -> Batch:
    """Rows at or before the cursor; a column that nobody told is missing in all of them."""
    rows = np.asarray(columns["t_ns"]) <= cursor_ns
    kept = np.flatnonzero(rows)
    batch: dict[str, Numbers | list[str]] = {}
    for name, kind in schema.items():
        if kind == TEXT:
            batch[name] = [_text(columns[name][at]) for at in kept.tolist()]
        elif name in columns:
            batch[name] = _known(np.asarray(columns[name])[kept].astype(kind))
        else:
            batch[name] = Numbers(np.zeros(len(kept), kind), np.ones(len(kept), bool))
    return batch


def _known(values: np.ndarray) -> Numbers:
    """Numbers without those that stand for nothing; every int64 is a moment."""
    if values.dtype.kind == "f":
        return Numbers(values, np.isnan(values))
    return Numbers(values, (values == UNSET) & (values.dtype == INT64))


def _text(text: str) -> str:
    """``text`` as UTF-8 can hold it: half a surrogate pair becomes ``?``."""
    return text.encode("utf-8", "replace").decode()
