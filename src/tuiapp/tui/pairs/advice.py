"""Which host for what, on what numbers, and what would change it."""

from __future__ import annotations

from tuiapp.compare.advice import EITHER, OPEN, Advice
from tuiapp.tui.pairs.scene import INKS, Content, PairScene
from tuiapp.tui.panes.lines import Line, wrap
from tuiapp.tui.renderables.palette import Ink

_CHOICE = 8
_INKS = {"A": INKS[0], "B": INKS[1], EITHER: Ink.ACCENT, OPEN: Ink.DIM}


def content(scene: PairScene, width: int, height: int) -> Content:
    """What can be recommended first; what cannot, with what is missing."""
    del height
    found = sorted(scene.compared.answer.advice, key=lambda advice: advice.choice == OPEN)
    lines: list[Line] = []
    for advice in found:
        lines += [*_told(advice, width), ()]
    return Content(lines=lines[:-1])


def _told(advice: Advice, width: int) -> list[Line]:
    choice = "—" if advice.choice == OPEN else advice.choice
    head: Line = ((0, choice, _INKS[advice.choice]), (_CHOICE, advice.want, Ink.STRONG))
    room = max(width - _CHOICE - 2, 1)
    told = [(advice.because, Ink.TEXT), (f"unless {advice.unless}", Ink.DIM)]
    return [head, *(((_CHOICE, line, ink),) for text, ink in told for line in wrap(text, room))]
