"""Merging of small frames into the one-second blocks that a file holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tuiapp.events import Frame, Kind

_ORDER = {
    kind: at
    for at, kind in enumerate(
        # Facts come last: the engine's exit speaks of all that was in flight until then.
        (Kind.META, Kind.GAP, Kind.REQUESTS, Kind.TOKENS, Kind.STEPS, Kind.SAMPLES, Kind.FACTS)
    )
}
_NEVER_MERGED = {Kind.META, Kind.GAP, Kind.INDEX}


def merge_frames(frames: Iterable[Frame]) -> list[Frame]:
    """Frames of one kind and the same attrs become one; requests come before their tokens.

    Of several rows of one request only the newest is kept. Tokens are sorted by request and time,
    which leaves small differences for the column encoding to store.
    """
    groups: dict[Any, list[Frame]] = {}
    for at, frame in enumerate(frames):
        alone = frame.kind in _NEVER_MERGED or frame.kind not in _ORDER
        alone = alone and frame.kind not in (Kind.LOG, Kind.MARK)
        attrs = tuple(sorted((name, str(value)) for name, value in frame.attrs.items()))
        groups.setdefault((frame.kind, at if alone else attrs), []).append(frame)
    merged = [_concatenate(group) if len(group) > 1 else group[0] for group in groups.values()]
    merged.sort(key=lambda frame: _ORDER.get(Kind(frame.kind), 99) if frame.kind in _ORDER else 99)
    return [_arrange(frame) for frame in merged]


def _concatenate(frames: list[Frame]) -> Frame:
    names = list(dict.fromkeys(name for frame in frames for name in frame.columns))
    return Frame(
        frames[0].kind,
        min(frame.t0_ns for frame in frames),
        max(frame.t1_ns for frame in frames),
        {name: _column(frames, name) for name in names},
        frames[0].attrs,
    )


def _column(frames: list[Frame], name: str) -> Any:
    parts = [frame.columns.get(name) for frame in frames]
    if any(isinstance(part, list) and part and isinstance(part[0], str) for part in parts):
        return [
            item
            for frame, part in zip(frames, parts, strict=True)
            for item in (part if part is not None else [""] * frame.rows)
        ]
    return np.concatenate(
        [
            np.full(frame.rows, np.nan, np.float32) if part is None else np.asarray(part)
            for frame, part in zip(frames, parts, strict=True)
        ]
    )


def _arrange(frame: Frame) -> Frame:
    if frame.kind == Kind.REQUESTS:
        req = np.asarray(frame.columns["req"])
        newest = len(req) - 1 - np.unique(req[::-1], return_index=True)[1]
        return _take(frame, newest)
    if frame.kind == Kind.TOKENS:
        order = np.lexsort((frame.columns["t_ns"], frame.columns["req"]))
        return _take(frame, order)
    return frame


def _take(frame: Frame, index: np.ndarray) -> Frame:
    columns = {name: np.asarray(column)[index] for name, column in frame.columns.items()}
    return Frame(frame.kind, frame.t0_ns, frame.t1_ns, columns, frame.attrs)
