"""Labels under an axis."""

from __future__ import annotations

from collections.abc import Iterable

from tuiapp.tui.renderables.canvas import cells, clean

Tick = tuple[int, str]
"""A column (or bin) and its label."""


def tick_label(value: float) -> str:
    """A round number without needless digits: 0.05, 20, 2k."""
    if abs(value) >= 1000:
        return f"{value / 1000:g}k"
    return f"{value:g}"


def place_labels(ticks: Iterable[Tick], width: int, gap: int = 1) -> list[Tick]:
    """Labels centred on their columns, with the column each begins at.

    Those that would touch the one before (fewer than ``gap`` blanks) or leave the row are left out;
    at the very ends a label moves inwards.
    """
    placed: list[Tick] = []
    free = 0
    for column, label in sorted(ticks):
        text = clean(label)
        size = cells(text)
        if not text or not 0 <= column < width or size > width:
            continue
        start = min(max(column - size // 2, 0), width - size)
        if start >= free:
            placed.append((start, text))
            free = start + size + gap
    return placed
