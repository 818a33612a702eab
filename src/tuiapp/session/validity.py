"""Whether a frame keeps the vocabulary: only then may it change a session.

A checksum tells that a frame is as it was written, not who wrote it. What is checked here is what
the columns, the views and the screens rely on: types, equal lengths, and sizes that cannot make a
small file a large session. A frame that breaks a rule is left out as a whole, and counted.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from tuiapp.events import (
    COLUMNS,
    ENGINE_INFO,
    FLOAT32,
    INT64,
    LOAD_STATE,
    TEXT,
    UNSET,
    Frame,
    Kind,
)

if TYPE_CHECKING:
    from tuiapp.session.columns import Session

MAX_REQ = 1 << 26
MAX_NS = 60 * 86_400 * 1_000_000_000
"""Rows with an id or a time beyond these are not believed: they would size the columns."""
MAX_TEXT = 1 << 16
"""Characters of one string."""
MAX_FACTS = MAX_MARKS = 100_000
MAX_GROUPS, MAX_GAUGES = 256, 4096
MAX_DEPTH, MAX_NODES, MAX_SLOS = 16, 20_000, 64
"""Nesting and number of values of what is merged into the header."""
# What may lie beyond all that is known so far: a little at first, more with every frame, so that
# no frame asks for much more memory than it takes itself.
_FREE_REQS, _REQS_A_FRAME = 1 << 18, 1024
_NS_A_FRAME = 86_400 * 1_000_000_000
_MAX_FLOAT = float(np.finfo(np.float32).max)
_FREE_CELLS, _CELLS_A_CELL = 1 << 16, 64

_REQUIRED: dict[int, tuple[str, ...]] = {
    Kind.REQUESTS: ("req",),
    Kind.TOKENS: ("req", "t_ns", "n"),
    Kind.STEPS: ("t_ns",),
    Kind.SAMPLES: ("t_ns",),
    Kind.FACTS: ("t_ns", "name", "value"),
    Kind.LOG: ("t_ns", "source", "level", "text"),
    Kind.MARK: ("t_ns", "text"),
}
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_BRACKET = re.compile(r"[\[\]{}]")
_MAPS = ("model", "engine", "host", "workload")


def trouble(frame: Frame, session: Session) -> str:
    """Why ``frame`` may not be folded into ``session``; empty when it may."""
    try:
        _check_span(frame, session)
        if frame.kind in _REQUIRED:
            _check_columns(frame)
        if frame.kind in _CHECKS:
            _CHECKS[frame.kind](frame, session)
    except _Broken as broken:
        return str(broken)
    return ""


class _Broken(Exception):  # noqa: N818 - a way out of the checks, no error of the program's
    """A rule that a frame breaks."""


def _require(holds: object, rule: str) -> None:
    if not holds:
        raise _Broken(rule)


def _latest_ns(session: Session) -> int:
    return min(MAX_NS, session.folded * _NS_A_FRAME)


def _check_span(frame: Frame, session: Session) -> None:
    _require(0 <= frame.t1_ns < _latest_ns(session), "it ends at an impossible time")
    _require(isinstance(frame.attrs, Mapping), "its attributes are no map")


def _check_columns(frame: Frame) -> None:
    for name in _REQUIRED[frame.kind]:
        _require(name in frame.columns, f"it has no {name}")
    for name, column in frame.columns.items():
        _require(isinstance(column, (list, tuple, np.ndarray)), f"{name} is no column")
    declared, rows = COLUMNS[frame.kind], frame.rows
    for name, column in frame.columns.items():
        kind = declared.get(name, FLOAT32 if frame.kind == Kind.SAMPLES else None)
        if kind is None:  # a column of a later version: nobody reads it
            continue
        _require(len(column) == rows, f"{name} has another length")
        if kind == TEXT:
            _check_texts(name, column)
        else:
            _check_numbers(name, column, kind)


def _check_texts(name: str, column: Iterable[Any]) -> None:
    texts = all(isinstance(text, str) and len(text) <= MAX_TEXT for text in column)
    _require(texts, f"{name} is no short text")


def _check_numbers(name: str, column: Any, declared: str) -> None:
    if isinstance(column, np.ndarray) and column.dtype.str == declared and column.ndim == 1:
        return
    try:
        array = np.asarray(column)
    except ValueError as error:  # lists of several lengths
        raise _Broken(f"{name} is no column") from error
    _require(array.ndim == 1, f"{name} is no column")
    if declared == FLOAT32:
        _check_floats(name, array)
        return
    _require(array.dtype.kind in "iu" or not len(array), f"{name} is no whole number")
    if len(array):
        bounds = np.iinfo(declared)
        fits = bounds.min <= int(array.min()) and int(array.max()) <= bounds.max
        _require(fits, f"{name} is out of range")


def _check_floats(name: str, array: np.ndarray) -> None:
    _require(array.dtype.kind in "iuf" or not len(array), f"{name} is no number")
    finite = array[np.isfinite(array)] if len(array) else array
    fits = not len(finite) or -_MAX_FLOAT <= finite.min() <= finite.max() <= _MAX_FLOAT
    _require(fits, f"{name} is out of range")


def _check_times(frame: Frame, session: Session, earliest_ns: int = UNSET) -> None:
    declared = COLUMNS[frame.kind]
    times = [np.asarray(c) for name, c in frame.columns.items() if declared.get(name) == INT64]
    t_ns = times[0] if len(times) == 1 else np.concatenate([*times, np.empty(0, np.int64)])
    if len(t_ns):  # requests may come without a time
        fits = int(t_ns.min()) >= earliest_ns and int(t_ns.max()) < _latest_ns(session)
        _require(fits, "it holds an impossible time")


def _check_ids(frame: Frame, session: Session) -> None:
    """Ids are dense: one far beyond those known would only make the columns large."""
    if not frame.rows:
        return
    first = _FREE_REQS + session.folded * _REQS_A_FRAME
    most = max(len(session.requests) + frame.rows + _REQS_A_FRAME, first)
    req = np.asarray(frame.columns["req"])
    _require(int(req.min()) >= 0 and int(req.max()) < min(most, MAX_REQ), "a request's id is far")


def _check_requests(frame: Frame, session: Session) -> None:
    _check_ids(frame, session)
    _check_times(frame, session)


def _check_tokens(frame: Frame, session: Session) -> None:
    _check_ids(frame, session)
    _check_times(frame, session, 0)


def _check_steps(frame: Frame, session: Session) -> None:
    _check_times(frame, session, 0)


def _check_samples(frame: Frame, session: Session) -> None:
    group = frame.attrs.get("group", "")
    _require(isinstance(group, str) and len(group) <= MAX_GAUGES, "its group is no name")
    _check_times(frame, session)
    table = session.samples.get(group)
    _require(table is not None or len(session.samples) < MAX_GROUPS, "there are too many groups")
    names = {*frame.columns, *(table.names if table is not None else ())}
    _require(len(names) <= MAX_GAUGES, "there are too many gauges")
    cells = len(frame.columns) * frame.rows
    fits = len(names) * frame.rows <= _FREE_CELLS + _CELLS_A_CELL * cells
    _require(fits, "it is almost empty")


def _check_facts(frame: Frame, session: Session) -> None:
    _check_times(frame, session)
    _require(len(session.facts) + frame.rows <= MAX_FACTS, "there are too many facts")
    for name, text in zip(frame.columns["name"], frame.columns["value"], strict=True):
        value = _parsed(text)
        if name == ENGINE_INFO and isinstance(value, dict):
            _check_header(value)
        if name == LOAD_STATE and isinstance(value, dict):
            _require(_is_number(value.get("rate")), "a rate is no number")


def _parsed(text: str) -> Any:
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _require(_depth(_STRING.sub("", text)) <= MAX_DEPTH, "a fact is nested too deeply")
    try:
        return json.loads(text)
    except ValueError:
        return text


def _depth(text: str) -> int:
    """How deeply JSON without its strings nests."""
    steps = [1 if bracket in "[{" else -1 for bracket in _BRACKET.findall(text)]
    return max(accumulate(steps), default=0)


def _check_log(frame: Frame, session: Session) -> None:
    _check_times(frame, session)


def _check_marks(frame: Frame, session: Session) -> None:
    _check_times(frame, session)
    _require(len(session.marks) + frame.rows <= MAX_MARKS, "there are too many marks")


def _check_gap(frame: Frame, session: Session) -> None:
    del session
    frames = frame.attrs.get("frames", 1)
    _require(isinstance(frames, int) and 0 <= frames < 1 << 32, "its number of frames is none")


def _check_meta(frame: Frame, session: Session) -> None:
    del session
    _check_header(frame.attrs)


def _check_header(attrs: Mapping[str, Any]) -> None:
    """What is merged into the header is small, and what the program reads has its type."""
    _check_plain(attrs)
    for name in _MAPS:
        _require(isinstance(attrs.get(name, {}), Mapping), f"{name} is no map")
    slos = attrs.get("slo") or ()
    _require(isinstance(slos, (list, tuple)) and len(slos) <= MAX_SLOS, "slo is no short list")
    workload, host = attrs.get("workload", {}), attrs.get("host", {})
    for name in ("rate", "concurrency"):
        _require(_is_number(workload.get(name)), f"{name} is no number")
    gpus = host.get("gpus")
    for gpu in gpus if isinstance(gpus, (list, tuple)) else ():
        mig = gpu.get("mig") if isinstance(gpu, Mapping) else None
        parts = mig.get("instances") if isinstance(mig, Mapping) else None
        _require(isinstance(parts or (), (list, tuple)), "the instances of a GPU are no list")


def _check_plain(value: Any) -> None:
    """Text, finite numbers, lists and maps with names, not too many and not too deep."""
    left, nodes = [(value, 0)], 0
    while left:
        item, depth = left.pop()
        nodes += 1
        _require(nodes <= MAX_NODES and depth <= MAX_DEPTH, "the header is too large")
        if isinstance(item, Mapping):
            names = all(isinstance(key, str) and len(key) <= MAX_TEXT for key in item)
            _require(names, "a map's key is no name")
            left += [(inner, depth + 1) for inner in item.values()]
        elif isinstance(item, (list, tuple)):
            left += [(inner, depth + 1) for inner in item]
        elif isinstance(item, str):
            _require(len(item) <= MAX_TEXT, "a text is too long")
        else:
            _require(isinstance(item, bool) or _is_number(item), "a value is no plain one")


def _is_number(value: Any) -> bool:
    """A finite number of 64 bits, or None."""
    if isinstance(value, int):
        return -(1 << 63) <= value < 1 << 64
    return value is None or (isinstance(value, float) and math.isfinite(value))


_CHECKS: dict[int, Callable[[Frame, Session], None]] = {
    Kind.META: _check_meta,
    Kind.REQUESTS: _check_requests,
    Kind.TOKENS: _check_tokens,
    Kind.STEPS: _check_steps,
    Kind.SAMPLES: _check_samples,
    Kind.FACTS: _check_facts,
    Kind.LOG: _check_log,
    Kind.MARK: _check_marks,
    Kind.GAP: _check_gap,
}
