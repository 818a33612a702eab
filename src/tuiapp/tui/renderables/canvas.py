"""A grid of characters that becomes strips: the one place where cells turn into segments.

Strips from here have exactly the width asked for: Textual paints over the neighbour otherwise. All
text passes ``clean``, so nothing from a model name, log line or note can move the cursor.
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise, repeat
from typing import Protocol

import numpy as np
from rich.cells import get_character_cell_size
from rich.segment import Segment
from textual.strip import Strip

from tuiapp.tui.renderables.palette import PLAIN, Ink, Palette

SPACE = 0x20
_SECOND_HALF = 0
"""Stands right of a two-cell character and takes no room in the text."""
_FIRST_WIDE = "\u2e80"
"""Two-cell characters below are replaced, so that most text needs no look-up of widths."""


class Renderable(Protocol):
    """Something that can be drawn at any size."""

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of exactly ``width`` cells."""
        ...


class _SafeCharacters(dict[int, str]):
    """Table for ``str.translate``: what each character may become on the screen."""

    def __missing__(self, code: int) -> str:
        safe = self[code] = _safe(chr(code))
        return safe


def _safe(character: str) -> str:
    category = unicodedata.category(character)
    if character in "\t\n\u2800" or category == "Zs":
        return " "
    if (
        category in {"Cc", "Cf", "Mn", "Me", "Zl", "Zp"}
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    ):
        return ""
    regional = "\U0001f1e6" <= character <= "\U0001f1ff"  # flags: every terminal differs
    if category in {"Co", "Cn", "Cs"} or regional:
        return "?"
    size = get_character_cell_size(character)
    if size == 2 and character < _FIRST_WIDE:
        return "?"
    return character if size else ""


_SAFE = _SafeCharacters()


def clean(text: str) -> str:
    """``text`` without anything that could move the cursor or change direction.

    Control, format (bidi, zero-width) and combining characters go; tabs, line ends and blank
    braille become spaces; what has no agreed width becomes ``?``.
    """
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_SAFE)


def cells(text: str) -> int:
    """Cells that a cleaned ``text`` takes."""
    if text.isascii() or max(text) < _FIRST_WIDE:
        return len(text)
    return sum(map(get_character_cell_size, text))


def fit(text: str, width: int) -> str:
    """Cleaned ``text``, cut with ``…`` where it is longer than ``width`` cells."""
    text = clean(text)
    if cells(text) <= width:
        return text
    if width < 1:
        return ""
    while (excess := cells(text) - (width - 1)) > 0:
        text = text[: -max(excess // 2, 1)]
    return text + "…"


def _spread(text: str, codes: np.ndarray) -> np.ndarray:
    """Code points one a cell, where some characters take two."""
    sizes = [get_character_cell_size(character) for character in text]
    spread = np.full(sum(sizes), _SECOND_HALF, np.uint32)
    spread[np.cumsum([0, *sizes[:-1]])] = codes
    return spread


class Canvas:
    """``height`` × ``width`` cells, each a code point and a style number.

    Drawings may write ``codes`` (uint32) and ``inks`` (uint16) directly, with characters one cell
    wide; text goes through ``text`` and ``put_right``.
    """

    __slots__ = ("_palette", "_wide", "codes", "height", "inks", "width")

    def __init__(self, width: int, height: int, palette: Palette) -> None:
        self.width, self.height = max(width, 0), max(height, 0)
        shape = (self.height, self.width)
        self.codes = np.full(shape, SPACE, np.uint32)
        self.inks = np.zeros(shape, np.uint16)
        self._palette = palette
        self._wide = False

    def text(self, row: int, col: int, text: str, ink: int = Ink.TEXT) -> int:
        """Write ``text`` from ``col`` on, clipped to the grid; returns the column behind it."""
        text = clean(text)
        codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        wide = not text.isascii() and max(text) >= _FIRST_WIDE
        if wide:
            codes = _spread(text, codes)
        end = col + len(codes)
        left, right = max(col, 0), min(end, self.width)
        if left < right and 0 <= row < self.height:
            self._write(row, left, codes[left - col : right - col], ink)
            if wide:
                self._wide = True
                self._mend_ends(row, left, right)
        return end

    def put_right(self, row: int, right: int, text: str, ink: int = Ink.TEXT) -> int:
        """Write ``text`` so that it ends before column ``right``; returns its first column."""
        text = clean(text)
        left = right - cells(text)
        self.text(row, left, text, ink)
        return left

    def put_center(self, row: int, text: str, ink: int = Ink.TEXT) -> None:
        """Write ``text`` in the middle of a row, cut where it does not fit."""
        text = fit(text, self.width)
        self.text(row, (self.width - cells(text)) // 2, text, ink)

    def _write(self, row: int, left: int, codes: np.ndarray, ink: int) -> None:
        right = left + len(codes)
        line = self.codes[row]
        if self._wide:  # never leave half a character beside what is written
            if line[left] == _SECOND_HALF:
                line[left - 1] = SPACE
            if right < self.width and line[right] == _SECOND_HALF:
                line[right] = SPACE
        line[left:right] = codes
        self.inks[row, left:right] = ink

    def _mend_ends(self, row: int, left: int, right: int) -> None:
        """Blank a wide character that clipping cut in half."""
        line = self.codes[row]
        if line[left] == _SECOND_HALF:
            line[left] = SPACE
        if get_character_cell_size(chr(line[right - 1])) == 2:
            line[right - 1] = SPACE

    def strips(self) -> list[Strip]:
        """One strip a row, one segment per run of one style."""
        if not self.width or not self.height:
            return [Strip([], 0) for _ in range(self.height)]
        inks = self._merged_inks()
        breaks = np.ones(inks.shape, np.bool_)
        np.not_equal(inks[:, 1:], inks[:, :-1], out=breaks[:, 1:])
        starts = np.flatnonzero(breaks)
        rows = [*np.flatnonzero(starts % self.width == 0).tolist(), len(starts)]
        segments = self._segments(starts.tolist(), inks.ravel()[starts].tolist())
        return [Strip(segments[first:last], self.width) for first, last in pairwise(rows)]

    def _segments(self, starts: list[int], numbers: list[int]) -> list[Segment]:
        text = self.codes.tobytes().decode("utf-32-le")
        assert len(text) == self.width * self.height
        texts = [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
        if self._wide:
            texts = [piece.replace("\0", "") for piece in texts]
        styles = map(self._palette.styles.__getitem__, numbers)
        # _make skips a Python-level call for each of some hundred segments.
        return list(map(Segment._make, zip(texts, styles, repeat(None), strict=False)))

    def _merged_inks(self) -> np.ndarray:
        """Inks with blanks joined to the run on their left: a blank's colour cannot be seen."""
        blank = (self.codes == SPACE) & (self.inks < PLAIN)
        last = np.where(blank, 0, np.arange(self.width))
        np.maximum.accumulate(last, axis=1, out=last)
        last += np.arange(0, self.inks.size, self.width)[:, None]
        left = self.inks.ravel()[last]
        return np.where(blank & (left < PLAIN), left, self.inks)


def title_line(left: str, right: str, width: int, fill: str = " ") -> str:
    """``left`` and ``right`` at the ends of exactly ``width`` cells; ``right`` goes first.

    For one-line heads and border titles. Square brackets stay: escape the result where Textual
    would read it as markup.
    """
    left, right = clean(left), clean(right)
    if cells(right) > width - cells(left) - 1:
        right = ""
    left = fit(left, width)
    return left + fill * (width - cells(left) - cells(right)) + right
