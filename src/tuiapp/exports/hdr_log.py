"""Latencies as an HdrHistogram interval log (version 1.3, histograms of encoding V2).

Format, units and what is left out: ``docs/exports.md``.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

import numpy as np

from tuiapp.clock import utc_from_ns
from tuiapp.events import UNSET, Phase, Status
from tuiapp.exports.raw import created_ns, measured_deliveries
from tuiapp.session.view import View

INTERVAL_NS = 10_000_000_000
DIGITS = 3
"""Significant decimal digits of a value in a histogram."""
HIGHEST_US = 3_600_000_000
TAGS = ("ttft", "tpot", "itl", "e2el")
_COOKIE, _COMPRESSED_COOKIE = 0x1C849313, 0x1C849314
_HALF_BITS = 10
"""2048 buckets of equal width are the fewest that keep three digits; the upper half repeats."""
_HALF = 1 << _HALF_BITS
_US, _S = 1e3, 1e9
_LEGEND = '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"'


class Values(NamedTuple):
    """A metric: when each value became known, in order, and the value in whole microseconds."""

    t_ns: np.ndarray
    us: np.ndarray


def write(view: View, out: IO[str]) -> None:
    """The log up to the view's cursor: a line for each metric in each ten seconds that have any.

    Raises:
        SessionError: the session's file cannot be read.
    """
    values = {tag: _values(view, tag) for tag in TAGS}
    for line in _head(view, values):
        out.write(f"{line}\n")
    start_ns = max(view.run_start_ns + 1, 0)
    for at in range(max(view.cursor_ns - start_ns, 0) // INTERVAL_NS + 1):
        begin = start_ns + at * INTERVAL_NS
        for tag, found in values.items():
            low, high = np.searchsorted(found.t_ns, (begin, begin + INTERVAL_NS))
            if low < high:
                end = min(begin + INTERVAL_NS, view.cursor_ns)
                out.write(f"{_line(tag, begin, end, found.us[low:high])}\n")


def _head(view: View, values: dict[str, Values]) -> Iterator[str]:
    yield "#[Histogram log format version 1.3]"
    yield (
        "#[Values are microseconds, taken from exact times (not from bins), kept to "
        f"{DIGITS} significant digits; Interval_Max is milliseconds]"
    )
    yield "#[Timestamps are seconds since the session's origin]"
    yield f"#[{_outcomes(view)}]"
    beyond = sum(int((found.us > HIGHEST_US).sum()) for found in values.values())
    if beyond:
        yield f"#[{beyond} values beyond an hour are counted as one hour]"
    origin_ns = created_ns(view)
    if origin_ns is not None:
        moment = utc_from_ns(origin_ns).strftime("%Y-%m-%dT%H:%M:%SZ")
        yield f"#[StartTime: {origin_ns / _S:.3f} (seconds since epoch), {moment}]"
    yield _LEGEND


def _outcomes(view: View) -> str:
    table, ended = view.session.requests, view.session.ends.between(UNSET, view.cursor_ns)
    status = table["status"][ended[table["phase"][ended] == Phase.MEASURE]]
    failed, unfinished, cut = (
        int((status == of).sum()) for of in (Status.FAILED, Status.UNFINISHED, Status.CUT)
    )
    return (
        f"Left out, for a histogram holds no infinite value: {failed} failed requests, "
        f"{unfinished} unfinished, {cut} cut off at the end of the run"
    )


def _values(view: View, tag: str) -> Values:
    if tag == "itl":
        rows = measured_deliveries(view)
        known = rows.gap_ns != UNSET
        t_ns, ns = rows.t_ns[known], rows.gap_ns[known].astype(float)
    else:
        t_ns, ns = view.points(tag, view.run_start_ns)
        known = np.isfinite(ns)
        t_ns, ns = t_ns[known], ns[known]
    order = np.argsort(t_ns, kind="stable")
    return Values(t_ns[order], np.rint(np.maximum(ns[order], 0) / _US).astype(np.int64))


def _line(tag: str, begin_ns: int, end_ns: int, us: np.ndarray) -> str:
    us = np.minimum(us, HIGHEST_US)
    length_s = max(end_ns - begin_ns, 1_000_000) / _S
    text = base64.b64encode(encoded(us)).decode("ascii")
    return f"Tag={tag},{begin_ns / _S:.3f},{length_s:.3f},{int(us.max()) / 1e3:.3f},{text}"


# Encoding


def encoded(us: np.ndarray) -> bytes:
    """A histogram of whole numbers in [0, ``HIGHEST_US``] in the compressed form of V2."""
    payload = _leb128(_runs(np.bincount(_bucket(us))))
    head = struct.pack(">iiiiqqd", _COOKIE, len(payload), 0, DIGITS, 1, HIGHEST_US, 1.0)
    packed = zlib.compress(head + payload)
    return struct.pack(">ii", _COMPRESSED_COOKIE, len(packed)) + packed


def _bucket(us: np.ndarray) -> np.ndarray:
    """Where a value is counted: buckets double in width each time that values double."""
    _, bits = np.frexp(us.astype(float))
    doubled = np.maximum(bits.astype(np.int64) - (_HALF_BITS + 1), 0)
    index: np.ndarray = (doubled << _HALF_BITS) + (us >> doubled)
    return index


def _runs(counts: np.ndarray) -> list[int]:
    """Counts, with the length of each run of zeros, negative, in place of the run."""
    used = np.flatnonzero(counts)
    skipped = np.diff(used, prepend=-1) - 1
    out: list[int] = []
    for zeros, count in zip(skipped.tolist(), counts[used].tolist(), strict=True):
        out += [-zeros, count] if zeros else [count]
    return out


def _leb128(numbers: list[int]) -> bytes:
    """ZigZag, then seven bits a byte, the lowest first."""
    out = bytearray()
    for number in numbers:
        rest = number << 1 if number >= 0 else (-number << 1) - 1
        while rest > 0x7F:
            out.append(rest & 0x7F | 0x80)
            rest >>= 7
        out.append(rest)
    return bytes(out)
