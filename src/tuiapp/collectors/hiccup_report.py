"""What the hiccup meter tells the host agent, and how it travels between the two processes."""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tuiapp.clock import NS_PER_S

REPORT_NS = NS_PER_S // 4
STALL_NS = 2_000_000
"""A wake-up this much too late, or more, is a stall and gets a row of its own."""
MAX_STALLS = 32
"""Stalls of one report that get a row: the longest ones. The others are in the counts."""
BOUNDS_US = (20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000)
"""Wake-ups later than each of these are counted, in ``over_20us`` and so on."""
MAX_MISSED = 100_000
"""Missed wake-ups of one stall that are counted one by one; of a longer stall, that many."""
_HEAD = struct.Struct(f"<qIIqqqqBH{len(BOUNDS_US)}I")
_OVER_AT = 9
_STALL = struct.Struct("<qq")


@dataclass(frozen=True, slots=True)
class Report:
    """How late the wake-ups of one stretch of time were.

    Attributes:
        t_ns: its end, CLOCK_MONOTONIC.
        wakeups: moments at which the meter meant to wake up.
        missed: those it slept through in a stall; each counts as late up to the stall's end.
        min_ns, p99_ns, max_ns: lateness; the smallest is what waking up costs on this machine.
        period_ns: time between two wake-ups.
        realtime: the meter went before all ordinary work.
        over: wake-ups later than each of ``BOUNDS_US``.
        stalls: (end, length) of the stalls, oldest first.
    """

    t_ns: int
    wakeups: int
    missed: int
    min_ns: int
    p99_ns: int
    max_ns: int
    period_ns: int
    realtime: bool
    over: tuple[int, ...]
    stalls: tuple[tuple[int, int], ...] = ()


def summarize(
    t_ns: int,
    late_ns: Sequence[int],
    stalls: Sequence[tuple[int, int]],
    period_ns: int,
    *,
    realtime: bool,
) -> Report:
    """The report on wake-ups that were ``late_ns`` each, at least one.

    The deadlines that passed during a stall are wake-ups, too: one that lasts a hundred periods
    stands for a hundred late ones, the last of which is hardly late (coordinated omission).
    """
    slept = [_missed(length_ns, period_ns) for _, length_ns in stalls]
    values = sorted([*late_ns, *(value for missed in slept for value in missed)])
    longest = sorted(stalls, key=lambda stall: -stall[1])[:MAX_STALLS]
    return Report(
        t_ns=t_ns,
        wakeups=len(values),
        missed=len(values) - len(late_ns),
        min_ns=values[0],
        p99_ns=values[(len(values) * 99 - 1) // 100],
        max_ns=values[-1],
        period_ns=period_ns,
        realtime=realtime,
        over=tuple(len(values) - bisect_left(values, bound * 1000) for bound in BOUNDS_US),
        stalls=tuple(sorted(longest)),
    )


def _missed(length_ns: int, period_ns: int) -> range:
    """How late the deadlines within a stall were noticed, the first one left out."""
    step = max(period_ns, -(-length_ns // MAX_MISSED))
    return range(length_ns - step, 0, -step)


def pack(report: Report) -> bytes:
    """A report as bytes; short enough for a pipe to take it whole or not at all."""
    head = _HEAD.pack(
        report.t_ns,
        report.wakeups,
        report.missed,
        report.min_ns,
        report.p99_ns,
        report.max_ns,
        report.period_ns,
        report.realtime,
        len(report.stalls),
        *report.over,
    )
    return head + b"".join(_STALL.pack(*stall) for stall in report.stalls)


def take(buffer: bytearray) -> Iterator[Report]:
    """The whole reports at the start of ``buffer``, which loses them."""
    while len(buffer) >= _HEAD.size:
        *numbers, realtime, count = _HEAD.unpack_from(buffer)[:_OVER_AT]
        over = _HEAD.unpack_from(buffer)[_OVER_AT:]
        end = _HEAD.size + count * _STALL.size
        if len(buffer) < end:
            return
        stalls = tuple((at, length) for at, length in _STALL.iter_unpack(buffer[_HEAD.size : end]))
        del buffer[:end]
        t_ns, wakeups, missed, min_ns, p99_ns, max_ns, period_ns = numbers
        yield Report(
            t_ns,
            wakeups,
            missed,
            min_ns,
            p99_ns,
            max_ns,
            period_ns,
            bool(realtime),
            over,
            stalls,
        )
