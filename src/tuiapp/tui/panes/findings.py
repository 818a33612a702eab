"""Why this host is slow: everything that was looked at, the likeliest cause first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from tuiapp.diagnosis import diagnose
from tuiapp.diagnosis.finding import BAD, FINE, UNKNOWN, WARN, Finding
from tuiapp.tui.panes.base import Key, Pane, Part, Scene
from tuiapp.tui.panes.lines import Line, Page, wrap
from tuiapp.tui.renderables.canvas import fit
from tuiapp.tui.renderables.palette import Ink
from tuiapp.words import plural

MARKS = {
    BAD: ("✗", Ink.BAD),
    WARN: ("!", Ink.WARN),
    UNKNOWN: ("?", Ink.DIM),
    FINE: ("✓", Ink.GOOD),
}
_INDENT = 2
_TITLE = 30
"""Cells of a title with its text beside it."""
_LEAST_TEXT = 30


class FindingsPane(Pane):
    """Why this host may be slow: each factor with what was read and what to do."""

    TITLE = "Why slow"
    EVERY: ClassVar[int] = 2
    FULL_KEYS: ClassVar[tuple[Key, ...]] = (("↑↓", "scroll", "focused.scroll_lines(1)"),)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_lines(-1)", "up", show=False),
        Binding("down,j", "scroll_lines(1)", "down", show=False),
        Binding("pageup", "scroll_page(-1)", "a page up", show=False),
        Binding("pagedown", "scroll_page(1)", "a page down", show=False),
    ]

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._offset = 0
        self._most = 0

    def title(self, scene: Scene) -> str:
        return f"{self.TITLE} · {scene.window_label}"

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        lines = described(diagnose(scene.view), width - 2)
        self._most = max(len(lines) - height, 0)
        self._offset = min(self._offset, self._most)
        return ((Page(lines, self._offset), height),)

    def action_scroll_page(self, direction: int) -> None:
        self.action_scroll_lines(direction * max(self.content_size.height - 1, 1))

    def action_scroll_lines(self, step: int) -> None:
        self._offset = min(max(self._offset + step, 0), self._most)
        self.screen.redraw(force=True)  # type: ignore[attr-defined]

    def on_mouse_scroll_down(self) -> None:
        self.action_scroll_lines(3)

    def on_mouse_scroll_up(self) -> None:
        self.action_scroll_lines(-3)


def described(findings: Sequence[Finding], width: int) -> list[Line]:
    """A sentence on all of them, then causes with their advice, the unknown, and the rest."""
    lines: list[Line] = [((0, line, Ink.STRONG),) for line in wrap(_sum(findings), width)]
    for finding in findings:
        if finding.is_cause:
            lines += [(), *_cause(finding, width)]
    for severity in (UNKNOWN, FINE):
        group = [finding for finding in findings if finding.severity == severity]
        lines += [()] if group else []
        for finding in group:
            lines += _beside(finding, width)
    return lines


def _sum(findings: Sequence[Finding]) -> str:
    causes = sum(finding.is_cause for finding in findings)
    unknown = sum(finding.severity == UNKNOWN for finding in findings)
    found = "nothing found" if not causes else f"{plural(causes, 'cause')} found"
    unread = f"{unknown} could not be told" if unknown else "all of them could be told"
    return f"{found}; {len(findings)} factors looked at, {unread}"


def _cause(finding: Finding, width: int) -> list[Line]:
    mark, ink = MARKS[finding.severity]
    lines: list[Line] = [((0, mark, ink), (_INDENT, fit(finding.title, width - _INDENT), ink))]
    for text, shade in ((finding.evidence, Ink.TEXT), (finding.advice, Ink.ACCENT)):
        lines += [((_INDENT, line, shade),) for line in wrap(text, width - _INDENT)]
    return lines


def _beside(finding: Finding, width: int) -> list[Line]:
    """The title, and the evidence beside it where there is room for both, else below."""
    mark, ink = MARKS[finding.severity]
    shade = Ink.TEXT if finding.severity == FINE else Ink.DIM
    left = _INDENT + _TITLE + 1
    if width - left < _LEAST_TEXT:
        left = _INDENT + 2
        head: Line = ((0, mark, ink), (_INDENT, fit(finding.title, width - _INDENT), Ink.TEXT))
        below = wrap(finding.evidence, width - left, 2)
        return [head, *(((left, line, Ink.DIM),) for line in below)]
    first, *more = wrap(finding.evidence, width - left) or [""]
    title = fit(finding.title, _TITLE)
    return [
        ((0, mark, ink), (_INDENT, title, Ink.TEXT), (left, first, shade)),
        *(((left, line, shade),) for line in more),
    ]
