"""Why: the diagnosis of both sides beside each other, what differs first."""

from __future__ import annotations

from itertools import zip_longest

from tuiapp.compare.causes import Factor
from tuiapp.diagnosis.finding import Finding
from tuiapp.tui.pairs.scene import INKS, Content, PairScene
from tuiapp.tui.pairs.shift import which_runs
from tuiapp.tui.panes.findings import MARKS
from tuiapp.tui.panes.lines import Line, wrap
from tuiapp.tui.renderables.canvas import fit
from tuiapp.tui.renderables.palette import Ink
from tuiapp.words import plural

_BESIDE_FROM, _GAP, _INDENT = 96, 3, 2
_Half = tuple[str, Ink, int]
"""A line of one side: text, ink, indent."""


def content(scene: PairScene, width: int, height: int) -> Content:
    """Causes of either side first, those of one side alone before all; then what was fine."""
    del height
    found = scene.chosen.factors
    differing = [factor for factor in found if factor.differs]
    alike = [factor for factor in found if factor.is_cause and not factor.differs]
    rest = [factor for factor in found if not factor.is_cause]
    said = _said(len(differing), len(alike), len(rest))
    lines: list[Line] = [((0, line, Ink.STRONG),) for line in wrap(said, width - 2)]
    if which_runs(scene):
        lines.append(((0, fit(which_runs(scene), width - 2), Ink.DIM),))
    for factor in (*differing, *alike):
        lines += [(), *_told(factor, width, whole=True)]
    lines.append(())
    for factor in rest:
        lines += _told(factor, width, whole=False)
    return Content(lines=lines)


def _said(differing: int, alike: int, rest: int) -> str:
    if not differing and not alike:
        return f"no cause found on either side; {rest} factors looked at, over the whole runs"
    first = f"{plural(differing, 'cause')} on one side only"
    return f"{first}, {alike} more in all; {rest} others looked at, over the whole runs"


def _told(factor: Factor, width: int, *, whole: bool) -> list[Line]:
    """Both sides of a factor: in two columns, or below each other."""
    if width < _BESIDE_FROM:
        return [
            _line(0, side, half, at == 0)
            for side, found in enumerate((factor.a, factor.b))
            if found is not None
            for at, half in enumerate(_half(found, width - 2, whole=whole))
        ]
    wide = (width - _GAP - 2) // 2
    a, b = (
        [] if found is None else _half(found, wide, whole=whole) for found in (factor.a, factor.b)
    )
    lines: list[Line] = []
    for at, (left, right) in enumerate(zip_longest(a, b)):
        pieces: Line = ()
        if left is not None:
            pieces += _line(0, 0, left, at == 0)
        if right is not None:
            pieces += _line(wide + _GAP, 1, right, at == 0)
        lines.append(pieces)
    return lines


def _line(col: int, side: int, half: _Half, first: bool) -> Line:
    text, ink, indent = half
    letter: Line = ((col, "AB"[side], INKS[side]),) if first else ()
    return (*letter, (col + _INDENT + indent, text, ink))


def _half(found: Finding, width: int, *, whole: bool) -> list[_Half]:
    mark, ink = MARKS[found.severity]
    room = max(width - 2 * _INDENT, 1)
    shade = ink if found.is_cause else Ink.TEXT
    lines: list[_Half] = [(fit(f"{mark} {found.title}", room + _INDENT), shade, 0)]
    lines += [(line, Ink.TEXT if whole else Ink.DIM, _INDENT)
              for line in wrap(found.evidence, room, None if whole else 1)]  # fmt: skip
    if found.is_cause:
        lines += [(line, Ink.ACCENT, _INDENT) for line in wrap(found.advice, room)]
    return lines
