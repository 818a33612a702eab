"""A table for rows that change all the time: drawn whole, only what is visible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from textual.strip import Strip

from tuiapp.tui.renderables.canvas import Canvas, cells, fit
from tuiapp.tui.renderables.palette import Ink, Palette

GAP = 2
_BAR, _THUMB = map(ord, "│┃")
Cell = str | tuple[str, Ink]


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        key: name for sorting.
        priority: where the table is too narrow, columns with the smallest go first.
        grow: takes what width is left.
    """

    key: str
    title: str
    width: int
    align: Literal["left", "right"] = "right"
    priority: int = 5
    grow: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under a head.

    Attributes:
        rows: a cell a column each, text or (text, ink).
        selected: index into ``rows`` of the row to highlight.
        offset: index of the first row shown; use ``visible_offset`` to follow the selection.
        sort: (column key, descending) for the arrow; sorting itself is the caller's.
        empty: said where there are no rows; several lines stand under each other.
    """

    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell]]
    selected: int | None = None
    offset: int = 0
    sort: tuple[str, bool] | None = None
    empty: str = "none yet"

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        body = height - 1
        scrolls = len(self.rows) > body
        places = place_columns(self.columns, width - (2 if scrolls else 0))
        self._draw_head(canvas, places)
        first = min(max(self.offset, 0), max(len(self.rows) - body, 0))
        for line, row in enumerate(self.rows[first : first + max(body, 0)], start=1):
            selected = self.selected == first + line - 1
            _draw_row(canvas, line, row, places, palette if selected else None)
        if not self.rows and self.empty and body > 0:
            said = self.empty.split("\n")[:body]
            left = max((width - max(map(cells, said))) // 2, 0)
            for line, text in enumerate(said, start=1 + (body - len(said)) // 2):
                canvas.text(line, left, text, Ink.DIM)
        if scrolls and body > 0:
            _draw_scroll(canvas, first, body, len(self.rows))
        return canvas.strips()

    def _draw_head(self, canvas: Canvas, places: Sequence[Place]) -> None:
        for _, column, left, size in places:
            sorted_by = self.sort is not None and self.sort[0] == column.key
            ink = Ink.ACCENT if sorted_by else Ink.DIM
            title = fit(column.title, size)
            right = column.align == "right"
            start = left + (size - cells(title) if right else 0)
            end = canvas.text(0, start, title, ink)
            if sorted_by and self.sort is not None:
                canvas.text(0, start - 1 if right else end, "▼" if self.sort[1] else "▲", ink)


Place = tuple[int, Column, int, int]
"""Index of a column, the column, its left edge, its width."""


def place_columns(columns: Sequence[Column], width: int) -> list[Place]:
    """The columns that fit, with their places; the least important are dropped."""
    kept = list(enumerate(columns))
    while len(kept) > 1 and _span(kept) > width:
        kept.remove(min(reversed(kept), key=lambda item: item[1].priority))
    slack = max(width - _span(kept), 0) if kept else 0
    growing = sum(column.grow for _, column in kept)
    places, left = [], 1
    for index, column in kept:
        size = min(column.width, max(width - 1, 1))
        size += slack // growing if column.grow else 0
        places.append((index, column, left, size))
        left += size + GAP
    return places


def _span(kept: Sequence[tuple[int, Column]]) -> int:
    """Width of these columns with their gaps and one blank for the first one's arrow."""
    return 1 + sum(column.width + GAP for _, column in kept) - GAP


def _draw_row(
    canvas: Canvas, line: int, row: Sequence[Cell], places: Sequence[Place], lit: Palette | None
) -> None:
    """One write for the words of the whole row, then the inks of its cells."""
    texts: list[str] = []
    inks: list[Ink] = []
    for index, column, _, size in places:
        cell = row[index] if index < len(row) else ""
        text, ink = (cell, Ink.TEXT) if isinstance(cell, str) else cell
        texts.append(_padded(fit(text, size), size, column.align))
        inks.append(ink)
    sign = "▸" if lit is not None and lit.coarse else " "
    ground = Ink.TEXT if lit is None else lit.on(Ink.TEXT, Ink.SELECT)
    canvas.inks[line] = ground
    canvas.text(line, 0, sign + (" " * GAP).join(texts), ground)
    for (_, _, left, size), ink in zip(places, inks, strict=True):
        if ink != Ink.TEXT:
            number = ink if lit is None else lit.on(ink, Ink.SELECT)
            canvas.inks[line, left : left + size] = number


def _padded(text: str, size: int, align: Literal["left", "right"]) -> str:
    blanks = " " * (size - cells(text))
    return text + blanks if align == "left" else blanks + text


def _draw_scroll(canvas: Canvas, first: int, body: int, total: int) -> None:
    """A thumb at the right edge: which part of the rows is shown."""
    size = max(body * body // total, 1)
    travel = body - size
    top = round(first / max(total - body, 1) * travel)
    edge = canvas.width - 1
    canvas.codes[1:, edge], canvas.inks[1:, edge] = _BAR, Ink.FAINT
    thumb = slice(1 + top, 1 + top + size)
    canvas.codes[thumb, edge], canvas.inks[thumb, edge] = _THUMB, Ink.DIM


def visible_offset(selected: int, offset: int, body: int, total: int) -> int:
    """The offset nearest to ``offset`` at which row ``selected`` of ``total`` can be seen."""
    offset = min(max(offset, selected - body + 1), selected)
    return min(max(offset, 0), max(total - body, 0))
