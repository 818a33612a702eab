"""What differs between the two hosts, most telling first: meant to, or confounding."""

from __future__ import annotations

from tuiapp.compare.gate import CONFOUNDER, Difference
from tuiapp.compare.hosts import host_differences
from tuiapp.tui.pairs.scene import INKS, Content, PairScene
from tuiapp.tui.panes.lines import Line, wrap
from tuiapp.tui.renderables.canvas import fit
from tuiapp.tui.renderables.palette import Ink

_KIND, _NAME = 12, 28


def content(scene: PairScene, width: int, height: int) -> Content:
    """A difference a row; what could not be compared last."""
    del height
    comparison = scene.compared.answer.comparison
    found = host_differences(comparison)
    each = max((width - _KIND - _NAME - 4) // 2, 8)
    left = _KIND + _NAME
    lines: list[Line] = [
        ((0, "what differs", Ink.DIM), (left, "A", INKS[0]), (left + each + 2, "B", INKS[1]))
    ]
    for difference in found:
        lines += _difference(difference, left, each)
    if not found:
        lines.append(((0, "nothing that the two sides' headers tell differs", Ink.TEXT),))
    for text in (*comparison.gate.mixed, *comparison.gate.missing):
        lines += [((0, line, Ink.BAD),) for line in wrap(text, width - 2)]
    if comparison.gate.unknown:
        text = f"told by one side only: {', '.join(comparison.gate.unknown)}"
        lines += [(), *(((0, line, Ink.DIM),) for line in wrap(text, width - 2))]
    return Content(lines=lines)


def _difference(difference: Difference, left: int, each: int) -> list[Line]:
    confounds = difference.kind == CONFOUNDER
    cells_a, cells_b = wrap(difference.a, each, 3), wrap(difference.b, each, 3)
    lines: list[Line] = []
    for at in range(max(len(cells_a), len(cells_b), 1)):
        a = cells_a[at] if at < len(cells_a) else ""
        b = cells_b[at] if at < len(cells_b) else ""
        cells: Line = ((left, a, Ink.STRONG), (left + each + 2, b, Ink.STRONG))
        if at == 0:
            kind = (0, "confounder!" if confounds else difference.kind,
                    Ink.BAD if confounds else Ink.DIM)  # fmt: skip
            cells = (kind, (_KIND, fit(difference.field, _NAME - 1), Ink.TEXT), *cells)
        lines.append(cells)
    return lines
