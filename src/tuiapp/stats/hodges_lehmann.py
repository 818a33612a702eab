"""Hodges and Lehmann's estimate of a shift (1963): a difference that a few odd runs do not move."""

from __future__ import annotations

import numpy as np


def shift(a: np.ndarray, b: np.ndarray) -> float:
    """The median of all differences ``b − a``; unit of its input.

    Meant for runs, of which there are tens: it takes len(a) × len(b) numbers.

    Raises:
        ValueError: no values on a side.
    """
    if not len(a) or not len(b):
        raise ValueError("a shift needs a value on each side")
    return float(np.median(np.subtract.outer(b, a)))
