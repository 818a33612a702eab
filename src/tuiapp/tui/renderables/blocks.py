"""Eighth-block columns: heights to glyphs, shared by histograms, areas and bars."""

from __future__ import annotations

from typing import Literal

import numpy as np

Scale = Literal["linear", "log"]

BLOCKS = np.array([0x20, *range(0x2581, 0x2589)], np.uint32)
"""Space, ▁▂▃▄▅▆▇█: by eighths of a cell, from below."""
LEFT_BLOCKS = " ▏▎▍▌▋▊▉█"
"""The same from the left."""


def eighths(values: np.ndarray, rows: int, scale: Scale = "linear") -> np.ndarray:
    """Heights in eighths of a cell, the largest value ``rows`` cells high.

    Nothing (zero, negative, nan) is 0; anything at all is at least 1, so no tail is hidden.

    Args:
        values: 1-D; +inf counts as the largest finite value.
        rows: cells of full height.
        scale: ``log`` draws ln(1 + v) instead of v.
    """
    some = values > 0
    known = np.where(some, values, 0.0)
    if not np.isfinite(known).all():
        finite = known[np.isfinite(known)]
        known = np.minimum(known, finite.max(initial=0.0) or 1.0)
    if scale == "log":
        known = np.log1p(known)
    peak = known.max(initial=0.0)
    if peak <= 0:
        return np.zeros(len(values), np.int64)
    scaled = (known / peak * (rows * 8) + 0.5).astype(np.int64)
    return np.where(some, np.maximum(scaled, 1), 0)


def fill_levels(heights: np.ndarray, rows: int) -> np.ndarray:
    """Eighths filled in each cell, ``rows`` × len(heights), top row first, values 0..8."""
    floor = np.arange(rows - 1, -1, -1)[:, None] * 8
    return np.asarray(np.clip(heights[None, :] - floor, 0, 8))


def fit_columns(values: np.ndarray, width: int, *, align: Literal["left", "right"]) -> np.ndarray:
    """``values`` cut or padded with zeros to ``width``; ``right`` keeps the newest ones."""
    values = np.asarray(values, np.float64)
    if len(values) == width:
        return values
    fitted = np.zeros(width)
    kept = min(len(values), width)
    if kept and align == "left":
        fitted[:kept] = values[:kept]
    elif kept:
        fitted[-kept:] = values[-kept:]
    return fitted


def left_bar(width_eighths: int) -> str:
    """A horizontal bar of that length, in eighths of a cell."""
    whole, part = divmod(max(width_eighths, 0), 8)
    return "█" * whole + (LEFT_BLOCKS[part] if part else "")
