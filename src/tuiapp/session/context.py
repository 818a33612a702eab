"""What a range of time cannot be understood without: the state of things at its beginning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tuiapp.events import CLIENT_LIMITED, RECORDING, UNSET, Frame, Kind
from tuiapp.session.age import LONGEST_NS, stale_ns
from tuiapp.session.blocks import merge_frames
from tuiapp.session.file import SessionFile

_REQUESTS = ("req", "status", "output_tokens", "t_sched_ns", "t_first_ns", "t_last_ns", "t_end_ns")
_NEEDED: dict[int, tuple[str, ...]] = {
    Kind.REQUESTS: _REQUESTS,
    Kind.TOKENS: ("req", "t_ns", "n"),
    Kind.STEPS: ("t_ns",),
    Kind.SAMPLES: ("t_ns",),
    Kind.FACTS: ("t_ns", "name", "value"),
    Kind.LOG: ("t_ns",),
    Kind.MARK: ("t_ns",),
}
_MOMENTARY = "request.failed"
_NEWEST_COUNTS = {CLIENT_LIMITED, RECORDING}
"""Facts of which only the newest before a range says something about it."""


def is_usable(frame: Frame) -> bool:
    """The columns are there without which its rows cannot be told apart."""
    return all(name in frame.columns for name in _NEEDED.get(frame.kind, ()))


def frames(
    file: SessionFile, kind: Kind, after_ns: int | None = None, until_ns: int | None = None
) -> Iterator[Frame]:
    """Usable frames of one kind that may hold something of (after, until]."""
    return filter(is_usable, file.frames([kind], after_ns, until_ns))


def take(frame: Frame, chosen: np.ndarray) -> Frame:
    """The rows of ``frame`` where ``chosen`` is True; times narrowed to those of its rows."""
    at = np.flatnonzero(chosen)
    columns = {
        name: [column[row] for row in at] if isinstance(column, list) else column[at]
        for name, column in frame.columns.items()
    }
    t0_ns, t1_ns = frame.t0_ns, frame.t1_ns
    if "t_ns" in columns and len(at):
        t_ns = np.asarray(columns["t_ns"])
        t0_ns, t1_ns = int(t_ns.min()), int(t_ns.max())
    return Frame(frame.kind, t0_ns, t1_ns, columns, frame.attrs)


def finished_by(frame: Frame, t_ns: int) -> np.ndarray:
    """Which rows of a REQUESTS frame are of requests that had ended at ``t_ns``."""
    end = np.asarray(frame.columns["t_end_ns"])
    return np.asarray((end != UNSET) & (end <= t_ns))


def until(file: SessionFile, frame: Frame, t_ns: int) -> Frame:
    """A REQUESTS frame as it would have been at ``t_ns``: what came later is not known yet."""
    if frame.t1_ns <= t_ns:
        return frame
    frame = take(frame, np.asarray(frame.columns["t_sched_ns"]) <= t_ns)
    columns = dict(frame.columns)
    unended = np.asarray(columns["t_end_ns"]) > t_ns
    later = _tokens_after(file, frame, t_ns)
    columns["output_tokens"] = np.maximum(np.asarray(columns["output_tokens"], int) - later, 0)
    columns["status"] = np.where(unended, 0, columns["status"])
    for name, column in columns.items():
        if name.endswith("_ns"):
            columns[name] = np.where(np.asarray(column) > t_ns, UNSET, column)
    return replace(frame, columns=columns)


def _tokens_after(file: SessionFile, frame: Frame, t_ns: int) -> np.ndarray:
    """Tokens of each row's request that were delivered after ``t_ns``, as far as the row knows."""
    req = np.asarray(frame.columns["req"], np.int64)
    last = np.asarray(frame.columns["t_last_ns"])
    later = np.zeros(len(req), np.int64)
    place = {int(number): at for at, number in enumerate(req)}
    for tokens in frames(file, Kind.TOKENS, t_ns, frame.t1_ns):
        rows = zip(*(tokens.columns[name] for name in ("req", "t_ns", "n")), strict=True)
        for number, moment, n in rows:
            at = place.get(int(number))
            if at is not None and t_ns < moment <= last[at]:
                later[at] += int(n)
    return later


def before(file: SessionFile, t_ns: int) -> Iterator[Frame]:
    """The state of things at ``t_ns``, as frames whose rows are not after it."""
    requests = _in_flight(file, t_ns)
    if requests is not None:
        yield requests
        yield from _newest_deliveries(file, requests, t_ns)
    yield from _newest_steps(file, t_ns)
    yield from _newest_gauges(file, t_ns)
    yield from _facts(file, t_ns)


def _in_flight(file: SessionFile, t_ns: int) -> Frame | None:
    """The newest word on every request that had not ended; None when there was none."""
    kept: Frame | None = None
    for frame in frames(file, Kind.REQUESTS, until_ns=t_ns):
        known = until(file, frame, t_ns)
        newest = known if kept is None else merge_frames([kept, known])[0]
        kept = take(newest, ~finished_by(newest, t_ns))
    return replace(kept, t0_ns=t_ns, t1_ns=t_ns) if kept is not None and kept.rows else None


def _newest_deliveries(file: SessionFile, requests: Frame, t_ns: int) -> Iterator[Frame]:
    """The newest delivery of each request: the time to the next one counts from it."""
    first = np.asarray(requests.columns["t_first_ns"])
    started = first != UNSET
    if not started.any():
        return
    open_req = np.asarray(requests.columns["req"])[started]
    newest: Frame | None = None
    for frame in frames(file, Kind.TOKENS, int(first[started].min()) - 1, t_ns):
        known = np.asarray(frame.columns["t_ns"]) <= t_ns
        mine = take(frame, known & np.isin(frame.columns["req"], open_req))
        if mine.rows:
            newest = _last_of_each(mine if newest is None else merge_frames([newest, mine])[0])
    if newest is not None:
        yield newest


def _last_of_each(frame: Frame) -> Frame:
    """The newest row of every request."""
    req, t_ns = np.asarray(frame.columns["req"]), np.asarray(frame.columns["t_ns"])
    order = np.lexsort((t_ns, req))
    last = np.append(req[order][1:] != req[order][:-1], True)
    chosen = np.zeros(len(req), bool)
    chosen[order[last]] = True
    return take(frame, chosen)


def _newest_steps(file: SessionFile, t_ns: int) -> Iterator[Frame]:
    """The engine's newest word: it holds until the next one, however old it is."""
    for row in file.index.select([Kind.STEPS], until_ns=t_ns)[::-1]:
        frame = file.read(int(row))
        newest = _newest_row(frame, t_ns) if frame is not None and is_usable(frame) else None
        if newest is not None:
            yield newest
            return


def _newest_gauges(file: SessionFile, t_ns: int) -> Iterator[Frame]:
    found: dict[str, Frame] = {}
    for frame in frames(file, Kind.SAMPLES, t_ns - LONGEST_NS, t_ns):
        newest, group = _newest_row(frame, t_ns), str(frame.attrs.get("group"))
        if newest is not None and newest.t1_ns >= t_ns - stale_ns(group):
            found[group] = newest
    yield from found.values()


def _newest_row(frame: Frame, t_ns: int) -> Frame | None:
    moments = np.asarray(frame.columns["t_ns"])
    known = np.flatnonzero(moments <= t_ns)
    if not len(known):
        return None
    newest = known[len(known) - 1 - int(np.argmax(moments[known][::-1]))]
    return take(frame, np.arange(len(moments)) == newest)


def _facts(file: SessionFile, t_ns: int) -> Iterator[Frame]:
    newest: dict[str, int] = {}
    for frame in frames(file, Kind.FACTS, until_ns=t_ns):
        for moment, name in zip(frame.columns["t_ns"], frame.columns["name"], strict=True):
            if name in _NEWEST_COUNTS and moment <= t_ns:
                newest[name] = max(int(moment), newest.get(name, 0))
    for frame in frames(file, Kind.FACTS, until_ns=t_ns):
        names, moments = frame.columns["name"], np.asarray(frame.columns["t_ns"])
        chosen = [
            moment <= t_ns and name != _MOMENTARY and moment >= newest.get(name, 0)
            for name, moment in zip(names, moments, strict=True)
        ]
        kept = take(frame, np.array(chosen, bool))
        if kept.rows:
            yield kept
