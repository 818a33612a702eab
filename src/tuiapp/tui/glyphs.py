"""A screen's SVG that needs nothing from anywhere: no font, and shapes for what is no letter.

Blocks, lines and braille dots are drawn as paths in the cells' own size, so that they look the same
everywhere. A font draws them with gaps between the rows, at other widths than its letters, or has
none and another one steps in for the whole line. Sizes of the parts follow Unicode's names of the
characters (charts U+2500, U+2580 and U+2800).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from html import escape, unescape
from itertools import groupby
from typing import NamedTuple

from rich.cells import cell_len

_FONT = "Fira Code"
FONTS = f"{_FONT}, DejaVu Sans Mono, Noto Sans Mono, Liberation Mono, Menlo, Consolas, monospace"
_FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}")
_TEXT = re.compile(
    r'<text class="(?P<style>[^"]+)" x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" '
    r'textLength="(?P<length>[\d.]+)"(?P<clip>[^>]*)>(?P<body>[^<]*)</text>'
)
_LINE_HEIGHT = re.compile(r"line-height: ([\d.]+)px")
_ABOVE_BASELINE = 18.5  # px from a cell's top to its baseline, in Rich's template
_OVERLAP = 0.6  # px that a line goes on into the next cell: smoothed ends would show
_LIGHT, _HEAVY, _DOT = 1.6, 3.2, 1.7  # px: widths of lines, radius of a dot

# Upper left, upper right, lower left, lower right.
_QUADRANTS = dict(zip("▖▗▘▙▚▛▜▝▞▟", (2, 1, 8, 11, 9, 14, 13, 4, 6, 7), strict=True))
Size = tuple[float, float]
_SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}
_DASHES = {"TRIPLE": 3, "QUADRUPLE": 4, "DOUBLE": 2}
_ARMS = {
    "UP": ("up",),
    "DOWN": ("down",),
    "LEFT": ("left",),
    "RIGHT": ("right",),
    "VERTICAL": ("up", "down"),
    "HORIZONTAL": ("left", "right"),
}
_BRAILLE_DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))


class Cell(NamedTuple):
    """Where a character stands, px.

    ``spill`` is how far it may reach into the next cell at its right: only where that one has the
    same colours.
    """

    x: float
    top: float
    width: float
    height: float
    spill: float


def alone(svg: str) -> str:
    """The same picture, with nothing loaded from a network and shapes for what is no letter.

    Args:
        svg: as Rich and Textual export a screen.
    """
    svg = _FONT_FACE.sub("", svg).replace(f"font-family: {_FONT}", f"font-family: {FONTS}")
    found = _LINE_HEIGHT.search(svg)
    return svg if found is None else _TEXT.sub(lambda text: _redrawn(text, float(found[1])), svg)


def _redrawn(text: re.Match[str], height: float) -> str:
    body = unescape(text["body"])
    if not any(map(_is_drawn, body)):
        return text[0]
    x, top = float(text["x"]), float(text["y"]) - _ABOVE_BASELINE
    width = float(text["length"]) / cell_len(body)
    parts: list[str] = []
    for drawn, run in groupby(body, _is_drawn):
        characters = "".join(run)
        length = width * cell_len(characters)
        if drawn:
            parts += _paths(text["style"], characters, x, top, (width, height))
        elif characters.strip():
            parts.append(
                f'<text class="{text["style"]}" x="{_px(x)}" y="{text["y"]}" '
                f'textLength="{_px(length)}"{text["clip"]}>'
                f"{escape(characters).replace(' ', '&#160;')}</text>"
            )
        x += length
    return "".join(parts)


def _paths(style: str, characters: str, x: float, top: float, size: Size) -> Iterator[str]:
    """One path for each run of one opacity, and of blocks.

    Those are not smoothed at their edges, as little as the cells' backgrounds are: no seam shows
    where two meet between pixels.
    """
    width, height = size
    end = x + width * len(characters)
    for look, run in groupby(characters, _look):
        steps: list[str] = []
        for char, same in groupby(run):
            count = len(list(same))
            right = x + count * width
            spill = _OVERLAP if right < end - width / 2 else 0.0
            steps += _shape(char, count, Cell(x, top, width, height, spill))
            x = right
        yield f'<path class="{style}"{look} d="{"".join(steps)}"/>'


def _look(char: str) -> str:
    """Further attributes of a character's path."""
    if char in _SHADES:
        return f' fill-opacity="{_SHADES[char]:g}" shape-rendering="crispEdges"'
    return ' shape-rendering="crispEdges"' if "▀" <= char <= "▟" else ""


def _is_drawn(char: str) -> bool:
    return _kind(char) is not None


def _shape(char: str, count: int, cell: Cell) -> Iterator[str]:
    """The same character ``count`` times, from the cell given to the right."""
    kind = _kind(char)
    if kind is None:
        return
    if _spans_cells(char):
        yield from kind(char, cell._replace(width=cell.width * count))
        return
    for index in range(count):
        spill = cell.spill if index == count - 1 else _OVERLAP
        yield from kind(char, cell._replace(x=cell.x + index * cell.width, spill=spill))


def _kind(char: str) -> Callable[[str, Cell], Iterator[str]] | None:
    if "▀" <= char <= "▟":
        return _block
    if "⠀" < char <= "⣿":
        return _dots
    is_double, is_diagonal = "═" <= char <= "╬", "╱" <= char <= "╳"
    if "─" <= char <= "╿" and not is_double and not is_diagonal:
        return _dashes if "DASH" in _words(char) else _lines
    return None


def _spans_cells(char: str) -> bool:
    """Whether some of them side by side are one wide one."""
    return "▀" <= char <= "█" or char in "░▒▓▔─━"


def _words(char: str) -> list[str]:
    return unicodedata.name(char).removeprefix("BOX DRAWINGS ").split()


# -- the three kinds ---------------------------------------------------------------------------


def _block(char: str, cell: Cell) -> Iterator[str]:
    x, top, width, height, _ = cell
    if char == "▀":
        yield _rect(x, top, width, height / 2)
    elif "▁" <= char <= "█":
        part = height * (ord(char) - ord("▀")) / 8
        yield _rect(x, top + height - part, width, part)
    elif "▉" <= char <= "▏":
        part = width * (ord("▐") - ord(char)) / 8
        yield _rect(x, top, part, height)
    elif char == "▐":
        yield _rect(x + width / 2, top, width / 2, height)
    elif char in _SHADES:
        yield _rect(x, top, width, height)
    elif char == "▔":
        yield _rect(x, top, width, height / 8)
    elif char == "▕":
        yield _rect(x + width * 7 / 8, top, width / 8, height)
    else:
        for place in range(4):
            if _QUADRANTS[char] & 8 >> place:
                left, upper = x + width / 2 * (place % 2), top + height / 2 * (place // 2)
                yield _rect(left, upper, width / 2, height / 2)


def _dots(char: str, cell: Cell) -> Iterator[str]:
    x, top, width, height, _ = cell
    for bit, (column, row) in enumerate(_BRAILLE_DOTS):
        if ord(char) - ord("⠀") >> bit & 1:
            left, middle = x + width * (0.25 + column / 2) - _DOT, top + height * (0.125 + row / 4)
            yield (
                f"M{_px(left)} {_px(middle)}"
                f"a{_DOT} {_DOT} 0 1 0 {2 * _DOT:g} 0a{_DOT} {_DOT} 0 1 0 {-2 * _DOT:g} 0z"
            )


def _lines(char: str, cell: Cell) -> Iterator[str]:
    x, top, width, height, spill = cell
    across, down = x + width / 2, top + height / 2
    arms = _arms(char)
    if "ARC" in _words(char):
        yield from _arc(arms, cell)
        return
    # An arm reaches over the middle as far as the others are wide, so that corners are whole.
    reach_x = max((arms[arm] for arm in ("up", "down") if arm in arms), default=0) / 2
    reach_y = max((arms[arm] for arm in ("left", "right") if arm in arms), default=0) / 2
    for arm, thick in arms.items():
        if arm == "up":
            yield _rect(across - thick / 2, top, thick, height / 2 + reach_y)
        elif arm == "down":
            yield _rect(across - thick / 2, down - reach_y, thick, height / 2 + reach_y + _OVERLAP)
        elif arm == "left":
            yield _rect(x, down - thick / 2, width / 2 + reach_x, thick)
        else:
            yield _rect(across - reach_x, down - thick / 2, width / 2 + reach_x + spill, thick)


def _arms(char: str) -> dict[str, float]:
    """The lines from the cell's middle and how thick each is, by the character's name."""
    arms: dict[str, float] = {}
    thick = _LIGHT
    for part in " ".join(_words(char)).split(" AND "):
        words = part.split()
        thick = _HEAVY if "HEAVY" in words else _LIGHT if "LIGHT" in words else thick
        arms |= {arm: thick for word in words for arm in _ARMS.get(word, ())}
    return arms


def _arc(arms: dict[str, float], cell: Cell) -> Iterator[str]:
    """A quarter of a ring, and the upright arm on to the cell's edge."""
    x, top, width, height, _ = cell
    across, down, radius, half = x + width / 2, top + height / 2, width / 2, _LIGHT / 2
    right, below = (1 if "right" in arms else -1), (1 if "down" in arms else -1)
    outer, inner = radius + half, radius - half
    turn = 1 if right * below > 0 else 0
    start = down + below * radius
    yield (
        f"M{_px(across - right * half)} {_px(start)}"
        f"a{_px(outer)} {_px(outer)} 0 0 {turn} {_px(right * outer)} {_px(-below * outer)}"
        f"v{_px(below * _LIGHT)}"
        f"a{_px(inner)} {_px(inner)} 0 0 {1 - turn} {_px(-right * inner)} {_px(below * inner)}z"
    )
    rest = height / 2 - radius + (_OVERLAP if below > 0 else 0)
    yield _rect(across - half, start if below > 0 else start - rest, _LIGHT, rest)


def _dashes(char: str, cell: Cell) -> Iterator[str]:
    x, top, width, height, _ = cell
    words = _words(char)
    count = next(_DASHES[word] for word in words if word in _DASHES)
    thick = _HEAVY if "HEAVY" in words else _LIGHT
    for index in range(count):
        if "HORIZONTAL" in words:
            step = width / count
            yield _rect(x + (index + 0.2) * step, top + (height - thick) / 2, step * 0.6, thick)
        else:
            step = height / count
            yield _rect(x + (width - thick) / 2, top + (index + 0.2) * step, thick, step * 0.6)


def _rect(x: float, y: float, width: float, height: float) -> str:
    return f"M{_px(x)} {_px(y)}h{_px(width)}v{_px(height)}h{_px(-width)}z"


def _px(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
