"""Cuts a range of time out of a recording, and puts such parts together again.

A part keeps the session's clock: a moment has the same time in it as in the whole. In front of its
range stands what the range cannot be understood without: the header, the facts so far, requests
in flight with their newest delivery, and the newest gauges. The header's ``cut`` says what range
it holds, ``(from_ns, to_ns]``, of a recording that lasted until ``end_ns``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tuiapp.errors import UsageError
from tuiapp.events import UNSET, Frame, Kind
from tuiapp.session.columns import NEVER, merge
from tuiapp.session.context import before, finished_by, is_usable, take, until
from tuiapp.session.edit import rewrite
from tuiapp.session.file import SessionFile
from tuiapp.session.frames import MINOR

_TIMED = {Kind.TOKENS, Kind.STEPS, Kind.SAMPLES, Kind.FACTS, Kind.LOG, Kind.MARK}
_IDENTITY = ("created_ns", "origin_ns")
UNMERGED = "this stretch was not among the parts that were merged"


class Range(NamedTuple):
    """Moments in (from, to] of a recording that lasted until ``end_ns``; ns since its origin."""

    from_ns: int
    to_ns: int
    end_ns: int

    @property
    def is_whole(self) -> bool:
        """It is the whole recording."""
        return self.from_ns < 0 and self.to_ns >= self.end_ns


def header(file: SessionFile) -> dict[str, object]:
    """The session's header: all META frames, merged."""
    found: dict[str, object] = {}
    for frame in file.frames([Kind.META]):
        merge(found, frame.attrs)
    return found


def held(file: SessionFile) -> Range:
    """The range that a file holds: of a part what its header says, of a recording all of it."""
    return range_of(header(file), file.end_ns)


def range_of(meta: Mapping[str, object], end_ns: int) -> Range:
    """The same of a session with the header ``meta`` that ends at ``end_ns``."""
    part = meta.get("cut")
    if isinstance(part, dict):
        named = (part.get(name) for name in Range._fields)
        told = [moment for moment in named if isinstance(moment, int) and UNSET <= moment < NEVER]
        if len(told) == len(Range._fields):
            return Range(*told)
    return Range(UNSET, end_ns, end_ns)


# -- cut -----------------------------------------------------------------------------------


def cut(source: Path, from_ns: int, to_ns: int, target: Path) -> Range:
    """Write the range (from, to] of ``source`` to ``target``; returns the range that it holds.

    Raises:
        UsageError: there is nothing in that range.
        SessionError: ``source`` cannot be read, or ``target`` cannot be written.
    """
    with SessionFile(source) as file:
        whole = held(file)
        kept = Range(max(from_ns, whole.from_ns), min(to_ns, whole.to_ns), whole.end_ns)
        if kept.from_ns >= kept.to_ns:
            start, end = (max(moment, 0) / 1e9 for moment in whole[:2])
            raise UsageError(
                f"There is nothing between the two moments: {source} holds {start:.1f} s to "
                f"{end:.1f} s."
            )
        rewrite(_part(file, kept), target, file.version[1])
    return kept


def _part(file: SessionFile, kept: Range) -> Iterator[Frame | bytes]:
    for head in file.frames([Kind.META]):
        yield replace(head, t0_ns=min(head.t0_ns, kept.to_ns), t1_ns=min(head.t1_ns, kept.to_ns))
    start_ns = max(kept.from_ns, 0)
    told = {**kept._asdict(), "file": file.path.name}
    yield Frame(Kind.META, start_ns, start_ns, attrs={"cut": told})
    if kept.from_ns >= 0:
        yield from before(file, kept.from_ns)
    for row in file.index.select(None, kept.from_ns, kept.to_ns):
        block = file.index.block(int(row))
        if block.kind == Kind.META:
            continue
        frame = file.read(int(row))
        if frame is None or not is_usable(frame):
            span = (max(block.t0_ns, kept.from_ns + 1), min(block.t1_ns, kept.to_ns))
            yield Frame(Kind.GAP, *span, {}, {"reason": "damaged file", "frames": 1})
        elif block.t0_ns > kept.from_ns and block.t1_ns <= kept.to_ns:
            yield file.raw(block.offset, block.length)
        else:
            yield from _trimmed(file, frame, kept)


def _trimmed(file: SessionFile, frame: Frame, kept: Range) -> Iterator[Frame]:
    """What of a frame that reaches over an edge belongs to the range."""
    if frame.kind == Kind.REQUESTS:
        frame = until(file, frame, kept.to_ns)
        rows = take(frame, ~finished_by(frame, kept.from_ns))
        t1_ns = min(frame.t1_ns, kept.to_ns)
        frames = [replace(rows, t0_ns=min(frame.t0_ns, t1_ns), t1_ns=t1_ns)]
    elif frame.kind in _TIMED:
        t_ns = np.asarray(frame.columns["t_ns"])
        frames = [take(frame, (t_ns > kept.from_ns) & (t_ns <= kept.to_ns))]
    elif frame.kind == Kind.GAP:
        frames = [replace(frame, t1_ns=min(frame.t1_ns, kept.to_ns))]
    else:
        yield frame
        return
    yield from (found for found in frames if found.rows or found.kind == Kind.GAP)


# -- merge ---------------------------------------------------------------------------------


def merge_parts(sources: Sequence[Path], target: Path) -> Range:
    """Write the parts of one session to ``target``, in the order of time.

    Raises:
        UsageError: they are not of one session, or hold the same moments twice.
        SessionError: one cannot be read, or ``target`` cannot be written.
    """
    files: list[SessionFile] = []
    try:
        for source in sources:
            files.append(SessionFile(source))  # noqa: PERF401 - those opened must be closed
        _check_one_session(files)
        parts = sorted(((held(file), file) for file in files), key=lambda part: part[0])
        _check_apart(parts)
        minor = max(MINOR, *(file.version[1] for file in files))
        result = Range(parts[0][0].from_ns, parts[-1][0].to_ns, parts[-1][0].end_ns)
        rewrite(_joined(parts, result), target, minor)
    finally:
        for file in files:
            file.close()
    return result


def _check_one_session(files: Sequence[SessionFile]) -> None:
    runs = [tuple(header(file).get(name) for name in _IDENTITY) for file in files]
    first = files[0].path.name
    for file, run in zip(files, runs, strict=True):
        if None in run:
            raise UsageError(f"{file.path.name} does not say which run it belongs to.")
        if run != runs[0]:
            raise UsageError(
                f"{first} and {file.path.name} are of different runs.",
                "Only parts of one recording, as `tuiapp sessions cut` makes, can be merged.",
            )


def _check_apart(parts: Sequence[tuple[Range, SessionFile]]) -> None:
    for (earlier, one), (later, other) in pairwise(parts):
        if later.from_ns < earlier.to_ns:
            end_s = min(earlier.to_ns, later.to_ns) / 1e9
            raise UsageError(
                f"{one.path.name} and {other.path.name} both hold {max(later.from_ns, 0) / 1e9:.1f}"
                f" s to {end_s:.1f} s.",
                "Cut one of them so that they meet.",
            )


def _joined(parts: Sequence[tuple[Range, SessionFile]], result: Range) -> Iterator[Frame | bytes]:
    known_ns = UNSET
    for place, (part, file) in enumerate(parts):
        if place and part.from_ns > known_ns:
            attrs = {"reason": UNMERGED, "frames": 1}
            yield Frame(Kind.GAP, known_ns, part.from_ns, {}, attrs)
        for row in range(len(file.index)):
            yield from _after(file, row, known_ns)
        known_ns = part.to_ns
    notes = [str(note) for _, file in parts if (note := header(file).get("note"))]
    if len(set(notes)) > 1:  # else the last one's would be all that is left
        yield Frame(Kind.META, known_ns, known_ns, attrs={"note": " · ".join(dict.fromkeys(notes))})
    if not result.is_whole:
        at_ns = max(result.from_ns, 0)
        yield Frame(Kind.META, at_ns, at_ns, attrs={"cut": result._asdict()})


def _after(file: SessionFile, row: int, known_ns: int) -> Iterator[Frame | bytes]:
    """What the ``row``-th block tells that the parts before it, until ``known_ns``, do not."""
    block = file.index.block(row)
    frame = file.read(row)
    if frame is None or not is_usable(frame):
        if block.t1_ns > known_ns:
            yield file.missing(row)
    elif frame.kind == Kind.META:
        attrs = {name: value for name, value in frame.attrs.items() if name != "cut"}
        if attrs or "cut" not in frame.attrs:
            yield replace(frame, attrs=attrs)
    elif block.t0_ns > known_ns or frame.kind == Kind.REQUESTS:
        yield file.raw(block.offset, block.length)
    elif frame.kind in _TIMED:
        rows = take(frame, np.asarray(frame.columns["t_ns"]) > known_ns)
        if rows.rows:
            yield rows
