"""Characters as shapes: each covers of its cell what its name in Unicode says."""

from __future__ import annotations

import io
import unicodedata

import numpy as np
import pytest
import resvg_py
from PIL import Image

from tuiapp.tui import glyphs

WIDTH, HEIGHT, ZOOM = 8, 16, 10
BLACK = 0.5
EIGHTHS = "▁▂▃▄▅▆▇█"
LEFT_EIGHTHS = "▏▎▍▌▋▊▉█"
DRAWN = [*map(chr, range(0x2500, 0x25A0)), *map(chr, range(0x2801, 0x2900))]


def document(text: str, cells: int = 1) -> str:
    """One line of text as Rich exports it, in cells of WIDTH by HEIGHT."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH * cells}" height="{HEIGHT}">'
        f"<style>text {{ line-height: {HEIGHT}px }}</style>"
        f'<text class="ink" x="0" y="{glyphs._ABOVE_BASELINE}" textLength="{WIDTH * cells}" '
        f'clip-path="">{text}</text></svg>'
    )


def ink(text: str, cells: int = 1) -> np.ndarray:
    """How black each pixel is, 0 to 1, shape [HEIGHT * ZOOM, WIDTH * ZOOM * cells]."""
    png = resvg_py.svg_to_bytes(
        glyphs.alone(document(text, cells)),
        background="white",
        zoom=ZOOM,
        skip_system_fonts=True,
    )
    with Image.open(io.BytesIO(bytes(png))) as drawn:
        return 1 - np.asarray(drawn.convert("L"), float) / 255


def name(char: str) -> str:
    return unicodedata.name(char)


def test_every_character_of_the_charts_is_drawn_or_left_alone() -> None:
    for char in DRAWN:
        drawn = glyphs.alone(document(char))
        if {"DIAGONAL", "DOUBLE"} & set(name(char).split()) and "DASH" not in name(char):
            assert drawn == document(char)
        else:
            assert "<text" not in drawn
            assert ink(char).max() > 0.2, name(char)


@pytest.mark.parametrize("eighths", range(1, 9))
def test_eighths(eighths: int) -> None:
    lower = ink(EIGHTHS[eighths - 1]) > BLACK
    assert lower.mean() == pytest.approx(eighths / 8)
    assert lower[-1].all()
    left = ink(LEFT_EIGHTHS[eighths - 1]) > BLACK
    assert left.mean() == pytest.approx(eighths / 8, abs=0.01)
    assert left[:, 0].all()


@pytest.mark.parametrize("char", "▀▄▌▐▖▗▘▙▚▛▜▝▞▟", ids=name)
def test_quarters(char: str) -> None:
    words = name(char)
    quarters = [
        quarter
        for quarter in ("UPPER LEFT", "UPPER RIGHT", "LOWER LEFT", "LOWER RIGHT")
        if quarter in words or any(f"{side} HALF" in words for side in quarter.split())
    ]
    black = ink(char)
    half_y, half_x = HEIGHT * ZOOM // 2, WIDTH * ZOOM // 2
    for quarter in ("UPPER LEFT", "UPPER RIGHT", "LOWER LEFT", "LOWER RIGHT"):
        top, left = "LOWER" in quarter, "RIGHT" in quarter
        part = black[top * half_y :, left * half_x :][:half_y, :half_x]
        assert part.mean() == pytest.approx(float(quarter in quarters), abs=0.01), quarter


def test_shades_let_their_ground_through() -> None:
    assert [round(float(ink(char).mean()), 2) for char in "░▒▓"] == [0.25, 0.5, 0.75]


@pytest.mark.parametrize("dot", range(1, 9))
def test_dots_are_where_braille_numbers_them(dot: int) -> None:
    # 1 2 3 7 down the left column, 4 5 6 8 down the right one.
    column, row = divmod([1, 2, 3, 7, 4, 5, 6, 8].index(dot), 4)
    black = ink(chr(0x2800 + (1 << dot - 1))) > BLACK
    at = np.argwhere(black).mean(axis=0) / ZOOM
    assert at == pytest.approx([HEIGHT * (row + 0.5) / 4, WIDTH * (column + 0.5) / 2], abs=0.1)


LINES = [
    c for c in map(chr, range(0x2500, 0x2580)) if not {"DIAGONAL", "DOUBLE"} & set(name(c).split())
]


@pytest.mark.parametrize("char", [c for c in LINES if "DASH" not in name(c)], ids=name)
def test_lines_reach_the_edges_they_are_named_after(char: str) -> None:
    words = set(name(char).split())
    black = ink(char) > BLACK
    middle_y, middle_x = HEIGHT * ZOOM // 2, WIDTH * ZOOM // 2
    edges = {
        "UP": black[0, middle_x],
        "DOWN": black[-1, middle_x],
        "LEFT": black[middle_y, 0],
        "RIGHT": black[middle_y, -1],
    }
    across = {"UP": "VERTICAL", "DOWN": "VERTICAL", "LEFT": "HORIZONTAL", "RIGHT": "HORIZONTAL"}
    assert {edge: bool(edge in words or across[edge] in words) for edge in edges} == {
        edge: bool(reached) for edge, reached in edges.items()
    }
    thickest = max(black[:, 0].sum(), black[:, -1].sum(), black[0].sum(), black[-1].sum())
    assert thickest == round((glyphs._HEAVY if "HEAVY" in words else glyphs._LIGHT) * ZOOM)


@pytest.mark.parametrize("char", [c for c in LINES if "DASH" in name(c)], ids=name)
def test_dashes_are_as_many_as_their_name_says(char: str) -> None:
    black = ink(char) > BLACK
    line = black[HEIGHT * ZOOM // 2] if "HORIZONTAL" in name(char) else black[:, WIDTH * ZOOM // 2]
    starts = int((np.diff(line.astype(int)) == 1).sum())
    assert starts == {"DOUBLE": 2, "TRIPLE": 3, "QUADRUPLE": 4}[name(char).split()[3]]


def test_letters_stay_letters_at_their_place() -> None:
    drawn = glyphs.alone(document("│a b█", 5))
    assert drawn.count("<path") == 2
    assert f'x="{WIDTH}" y="{glyphs._ABOVE_BASELINE}" textLength="{3 * WIDTH}"' in drawn
    assert ">a&#160;b</text>" in drawn


def test_what_is_no_exported_screen_is_left_alone() -> None:
    assert glyphs.alone("<svg></svg>") == "<svg></svg>"
    assert glyphs.alone(document("a &amp; b", 5)) == document("a &amp; b", 5)
