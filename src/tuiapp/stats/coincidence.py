"""Whether intervals of one kind fall together with those of another more often than by chance.

The first kind are slow requests, the second stalls of the host. What share of requests a stall
overlaps says little by itself: long requests and many stalls meet anyway. So the same is asked of
the stalls moved round the clock, all by the same time, in a circle. That keeps how long they
last, how they cluster, and how the requests do, and breaks only what is in question: that they
happen together (random toroidal shifts: Lotwick & Silverman, "Methods for analysing spatial
processes of several types of points", J. R. Stat. Soc. B 44, 1982). The mean over all shifts is
exact, the p-value is from shifts drawn with a fixed seed and counts the observed one among them
(Davison & Hinkley, "Bootstrap Methods and their Application", 1997, section 4.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHIFTS = 999
MOST_SHIFTED = 2_000
"""Requests that the p-value rests on, evenly picked where there are more; the share is of all."""
FEW = 10
NO_REQUESTS, NO_STALLS = "no slow request", "no stall was seen"


@dataclass(frozen=True, slots=True)
class Coincidence:
    """How many slow requests coincide with a stall.

    Attributes:
        n: slow requests.
        stalls: stalls in the same time; those that touch each other are one.
        share: of the slow requests, that overlap a stall; None when it cannot be told.
        by_chance: the same share, on average, had the stalls come at any other time.
        p_value: how often a share as large as this comes about by chance.
        caveats: what to know about these numbers, or why there are none.
    """

    n: int = 0
    stalls: int = 0
    share: float | None = None
    by_chance: float | None = None
    p_value: float | None = None
    caveats: tuple[str, ...] = ()


def coincidence(
    requests: tuple[np.ndarray, np.ndarray],
    stalls: tuple[np.ndarray, np.ndarray],
    window: tuple[int, int],
    shifts: int = SHIFTS,
) -> Coincidence:
    """The share of ``requests`` that overlap any of ``stalls``, and what chance would make it.

    Args:
        requests, stalls: (starts, ends) in nanoseconds, in any order; both ends belong to them.
        window: the time in which both were watched. What lies outside is cut off.
        shifts: how many the p-value rests on.
    """
    low, high = window
    span = float(high - low)
    starts, ends = _within(requests, low, high)
    first, last = _merged(*_within(stalls, low, high))
    if not len(starts) or not len(first) or span <= 0:
        reason = NO_REQUESTS if not len(starts) else NO_STALLS
        return Coincidence(len(starts), len(first), caveats=(reason,))
    length = ends - starts
    hit = _overlap(starts, ends, first, last)
    noun = "request" if len(starts) == 1 else "requests"
    few = (f"only {len(starts)} slow {noun}",) if len(starts) < FEW else ()
    return Coincidence(
        n=len(starts),
        stalls=len(first),
        share=float(hit.mean()),
        by_chance=float(_covered(length, first, last, span).mean() / span),
        p_value=_p_value(starts, length, hit, (first, last), span, shifts),
        caveats=few,
    )


def _within(
    intervals: tuple[np.ndarray, np.ndarray], low: int, high: int
) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends from the window's start on, sorted by start; without those outside."""
    starts, ends = (np.asarray(times, np.int64) for times in intervals)
    inside = (ends >= low) & (starts <= high) & (ends >= starts)
    starts = np.maximum(starts[inside], low) - low
    ends = np.minimum(ends[inside], high) - low
    order = np.argsort(starts, kind="stable")
    return starts[order].astype(float), ends[order].astype(float)


def _merged(starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same time as intervals that do not touch each other."""
    if not len(starts):
        return starts, ends
    reach = np.maximum.accumulate(ends)
    new = np.append(True, starts[1:] > reach[:-1])
    return starts[new], reach[np.append(np.flatnonzero(new)[1:] - 1, len(reach) - 1)]


def _overlap(
    starts: np.ndarray, ends: np.ndarray, first: np.ndarray, last: np.ndarray
) -> np.ndarray:
    """Which intervals overlap one of the sorted, separate [first, last]."""
    after = np.searchsorted(last, starts)
    begins = np.append(first, np.inf)[after]
    return np.asarray(begins <= ends)


def _covered(length: np.ndarray, first: np.ndarray, last: np.ndarray, span: float) -> np.ndarray:
    """For how many of the shifts an interval of each ``length`` overlaps a stall, in time.

    It does when it begins in a stall or less than its length before one, so that of every gap
    between two stalls its length counts, or the whole gap.
    """
    gaps = np.sort(np.append(first[1:], first[0] + span) - last)
    below = np.append(0.0, np.cumsum(gaps))
    shorter = np.searchsorted(gaps, length)
    covered = (last - first).sum() + below[shorter] + (len(gaps) - shorter) * length
    return np.asarray(np.minimum(covered, span))


def _p_value(
    starts: np.ndarray,
    length: np.ndarray,
    hit: np.ndarray,
    stalls: tuple[np.ndarray, np.ndarray],
    span: float,
    shifts: int,
) -> float | None:
    if not shifts:
        return None
    if len(starts) > MOST_SHIFTED:
        some = np.linspace(0, len(starts) - 1, MOST_SHIFTED).astype(np.intp)
        starts, length, hit = starts[some], length[some], hit[some]
    first, last = (np.concatenate((times, times + span)) for times in stalls)
    observed = int(hit.sum())
    as_many = 0
    for shift in np.random.default_rng(0).uniform(0, span, shifts):
        moved = (starts - shift) % span
        as_many += int(_overlap(moved, moved + length, first, last).sum()) >= observed
    return (1 + as_many) / (1 + shifts)
