"""The six rows: A, B, ratio, the interval over the ±margin band, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass

from textual.strip import Strip

from tuiapp.compare.cells import (
    common_reason,
    interval_text,
    method_line,
    noise_lines,
    picture,
    ratio_text,
    reach,
    value_text,
    verdict_text,
)
from tuiapp.compare.comparison import Comparison, Row
from tuiapp.compare.quantities import LEVEL
from tuiapp.compare.verdict import (
    EQUIVALENT,
    FASTER,
    FASTER_BY_SOME,
    INCONCLUSIVE,
    NONE,
    SLOWER,
    SLOWER_BY_SOME,
)
from tuiapp.tui.pairs.courses import content as courses
from tuiapp.tui.pairs.scene import INKS, Content, PairScene
from tuiapp.tui.panes.base import Part
from tuiapp.tui.panes.lines import Line, wrap
from tuiapp.tui.renderables.canvas import Canvas, fit
from tuiapp.tui.renderables.palette import Ink, Palette

_LOOKS = {
    SLOWER: Ink.BAD,
    SLOWER_BY_SOME: Ink.BAD,
    FASTER: Ink.GOOD,
    FASTER_BY_SOME: Ink.GOOD,
    EQUIVALENT: Ink.ACCENT,
    INCONCLUSIVE: Ink.WARN,
    NONE: Ink.TEXT,
}
_ROWS = 7
_TITLE, _VALUE, _RATIO, _INTERVAL = 16, 9, 7, 16
_INTERVAL_FROM = 112
_WORDS = {(False, False): 14, (True, False): 22, (True, True): 33}
_LEAST_PICTURE, _MOST_PICTURE = 13, 61
_MAPS_FROM, _MAP_LEAST = 100, 5


def content(scene: PairScene, width: int, height: int) -> Content:
    """The table and what to know of it; where there is room beside others, the courses instead.

    The tab alone has all that is to be known: the courses have a tab of their own.
    """
    comparison = scene.compared.answer.comparison
    notes = _notes(scene, width)
    parts: list[Part] = [(VerdictTable(comparison), _ROWS)]
    room = height - _ROWS - 1
    if width >= _MAPS_FROM and room >= _MAP_LEAST and not scene.full:
        parts.append((_Notes(notes), 1))
        noise = noise_lines(comparison)
        if noise and room > _MAP_LEAST:
            parts.append((_Notes([((0, line, Ink.TEXT),) for line in noise]), 1))
            room -= 1
        return Content([*parts, *courses(scene, width, room).parts])
    return Content(parts, notes)


@dataclass(frozen=True, slots=True)
class _Notes:
    """Notes in one line, the first ones first."""

    lines: list[Line]

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        col = 0
        for line in self.lines:
            for _, text, ink in line:
                col = canvas.text(0, col, fit(text, width - col), ink) + 2
        return canvas.strips()


def _notes(scene: PairScene, width: int) -> list[Line]:
    """Why there is no verdict, the scope, the caveats and the host's own noise.

    Where the table has no room for them, intervals and what would settle each row come first.
    """
    comparison = scene.compared.answer.comparison
    said: list[tuple[str, Ink]] = []
    if width < _INTERVAL_FROM and not common_reason(comparison):
        said += [
            (f"{row.quantity.title}: B/A {ratio_text(row.ratio)} ({interval_text(row)}), "
             f"{verdict_text(row, comparison.margin)}.", Ink.TEXT)
            for row in comparison.rows if row.interval is not None
        ]  # fmt: skip
        said.append((f"Intervals at {LEVEL:.1%}, so that all six hold at 95 %.", Ink.DIM))
    if common_reason(comparison):
        said.append((verdict_text(comparison.rows[0], comparison.margin) + ".", Ink.WARN))
    else:
        said += [
            (f"{row.quantity.title}: {row.why}.", Ink.WARN)
            for row in comparison.rows
            if row.why and (row.interval is None or width >= _INTERVAL_FROM)
        ]
    said.append((f"Scope: {comparison.scope}.", Ink.DIM))
    said += [(line, Ink.DIM) for line in comparison.caveats]
    said += [(line, Ink.TEXT) for line in noise_lines(comparison)]
    said += [(f"{line}.", Ink.DIM) for line in filter(None, [method_line(comparison)])]
    return [((0, line, ink),) for text, ink in said for line in wrap(text, width - 2)]


@dataclass(frozen=True, slots=True)
class VerdictTable:
    """A head and six rows; the picture of the interval takes the room that is left."""

    comparison: Comparison

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        shape = _Shape.of(width)
        self._draw_head(canvas, shape)
        for line, row in enumerate(self.comparison.rows, start=1):
            if line < height:
                self._draw_row(canvas, line, row, shape)
        return canvas.strips()

    def _draw_head(self, canvas: Canvas, shape: _Shape) -> None:
        found = self.comparison
        canvas.text(0, 0, "ms, tokens/s", Ink.DIM)
        canvas.put_right(0, shape.a, "A", INKS[0])
        canvas.put_right(0, shape.b, "B", INKS[1])
        canvas.put_right(0, shape.ratio, "B/A", Ink.DIM)
        if shape.interval:
            canvas.put_right(0, shape.interval, f"at {LEVEL:.1%}", Ink.DIM)
        band = f"±{found.margin * 100:g} % band"
        canvas.text(0, shape.picture + max((shape.size - len(band)) // 2, 0), band, Ink.DIM)
        runs = f"{len(found.a)}+{len(found.b)} runs"
        room = canvas.width - shape.words
        words = f"verdict, {runs}" if len(runs) + 9 <= room else runs
        canvas.text(0, shape.words, fit(words, room), Ink.DIM)

    def _draw_row(self, canvas: Canvas, line: int, row: Row, shape: _Shape) -> None:
        look = _LOOKS[row.verdict]
        canvas.text(line, 0, row.quantity.title, Ink.TEXT)
        canvas.put_right(line, shape.a, value_text(row, row.a), Ink.STRONG)
        canvas.put_right(line, shape.b, value_text(row, row.b), Ink.STRONG)
        canvas.put_right(line, shape.ratio, ratio_text(row.ratio), Ink.STRONG)
        if shape.interval:
            canvas.put_right(line, shape.interval, interval_text(row), Ink.TEXT)
        drawn = picture(row, self.comparison.margin, shape.size, reach(self.comparison))
        for column, glyph in enumerate(drawn):
            ink = Ink.FAINT if glyph == "·" else Ink.DIM if glyph == "┊" else look
            canvas.text(line, shape.picture + column, glyph, ink)
        words = verdict_words(row, self.comparison.margin, canvas.width - shape.words)
        canvas.text(line, shape.words, words, Ink.DIM if row.verdict == NONE else look)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Right edges of the numbers, left edges of the rest; ``interval`` is 0 without room."""

    a: int
    b: int
    ratio: int
    interval: int
    picture: int
    size: int
    words: int

    @classmethod
    def of(cls, width: int) -> _Shape:
        a = _TITLE + _VALUE
        b = a + _VALUE
        ratio = b + _RATIO
        interval = ratio + _INTERVAL if width >= _INTERVAL_FROM else 0
        picture_at = max(interval, ratio) + 2
        words = _WORDS[width >= 90, width >= _INTERVAL_FROM]
        size = min(max(width - picture_at - words - 2, _LEAST_PICTURE), _MOST_PICTURE)
        size -= 1 - size % 2
        return cls(a, b, ratio, interval, picture_at, size, picture_at + size + 2)


def verdict_words(row: Row, margin: float, width: int) -> str:
    """The longest form of the verdict that fits; cut where none does."""
    size = f"{margin * 100:g} %"
    short = {
        SLOWER: (f"B SLOWER ≥ {size}", "B SLOWER"),
        FASTER: (f"B FASTER ≥ {size}", "B FASTER"),
        SLOWER_BY_SOME: ("B slower, size uncertain", "B slower, ±?"),
        FASTER_BY_SOME: ("B faster, size uncertain", "B faster, ±?"),
        EQUIVALENT: (f"EQUAL within {size}", "EQUIVALENT"),
        INCONCLUSIVE: (f"inconclusive: ~{row.runs_needed or '1,000+'} a side", "inconclusive"),
        NONE: ("no verdict", "no verdict"),
    }[row.verdict]
    if row.verdict == INCONCLUSIVE and row.why:
        short = ("inconclusive", "inconclusive")
    forms = (verdict_text(row, margin), *short)
    return next((form for form in forms if len(form) <= width), fit(forms[-1], width))
