"""Which fine logarithmic bin a latency falls into.

256 bins an octave from 1 µs to 4113 s: a bin is 0.27 % wide. Bin 0 holds what lies below that
range, the last bin what lies above. Every part of the program counts in these bins and nothing
else, so counts of any two stretches of time, or of two hosts, can simply be added.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

PER_OCTAVE = 256
LOWEST_NS = 1_000
_REGULAR = 8_176

BINS = _REGULAR + 2
"""Number of bins, both open ends included; an index fits 13 bits."""


def bin_index(values_ns: ArrayLike) -> np.ndarray:
    """The bin of each value.

    Args:
        values_ns: nanoseconds, any shape; anything below 1 µs, negative too, is bin 0.

    Returns:
        uint16 indices of the same shape, 0 … BINS − 1.
    """
    # The cast truncates towards zero, which after the clip is the floor.
    return np.clip(bin_place(values_ns), 0, BINS - 1).astype(np.uint16)


def bin_place(values_ns: ArrayLike) -> np.ndarray:
    """Where values stand on the scale of regular bins, as fractions, without its two ends."""
    place = np.asarray(np.log2(np.maximum(values_ns, 1)), np.float64)
    place -= math.log2(LOWEST_NS)
    place *= PER_OCTAVE
    place += 1
    return place


@cache
def bin_edges_ns() -> np.ndarray:
    """Edges of the bins, nanoseconds: shape (BINS + 1,), from 0 to +inf; read-only."""
    edges = np.empty(BINS + 1)
    edges[0], edges[-1] = 0, np.inf
    edges[1:-1] = LOWEST_NS * np.exp2(np.arange(_REGULAR + 1) / PER_OCTAVE)
    edges.setflags(write=False)
    return edges


@cache
def bin_mid_ns() -> np.ndarray:
    """One value to stand for each bin: shape (BINS,); read-only.

    Geometric middle of a regular bin, half of bin 0, the lower edge of the last one.
    """
    edges = bin_edges_ns()
    mids: np.ndarray = np.sqrt(edges[:-1] * edges[1:])
    mids[0], mids[-1] = edges[1] / 2, edges[-2]
    mids.setflags(write=False)
    return mids
