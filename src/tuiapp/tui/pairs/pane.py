"""The pane under the distributions: one tab after the other, scrolled where it is longer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from tuiapp.tui.pairs import TABS, tab
from tuiapp.tui.pairs.scene import PairScene
from tuiapp.tui.panes.base import Pane, Part, Scene
from tuiapp.tui.panes.lines import Page

_FOLLOWING = {"verdicts", "shift", "time"}
"""Tabs that show the moment; the others are about whole runs."""


class TabPane(Pane):
    """Shows the tab ``shown``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_lines(-1)", "up", show=False),
        Binding("down,j", "scroll_lines(1)", "down", show=False),
        Binding("pageup", "scroll_lines(-10)", "a page up", show=False),
        Binding("pagedown", "scroll_lines(10)", "a page down", show=False),
    ]

    def __init__(self) -> None:
        super().__init__("tab")
        self.shown = next(iter(TABS))
        self._offset = 0
        self._most = 0

    def open(self, name: str) -> None:
        """Show another tab, from its top."""
        self.shown, self._offset = name, 0

    def key(self, scene: Scene, width: int, height: int) -> object:
        if self.shown in _FOLLOWING:
            return None
        assert isinstance(scene, PairScene)
        return self.shown, self._offset, scene.chosen.places, id(scene.compared)

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        assert isinstance(scene, PairScene)
        found = tab(self.shown)(scene, width, height)
        rows = max(height - sum(rows for _, rows in found.parts), 0)
        self._most = max(len(found.lines) - rows, 0)
        self._offset = min(self._offset, self._most)
        return (*found.parts, (Page(found.lines, self._offset), rows))

    def action_scroll_lines(self, step: int) -> None:
        self._offset = min(max(self._offset + step, 0), self._most)
        self.screen.redraw(force=True)  # type: ignore[attr-defined]

    def on_mouse_scroll_down(self) -> None:
        self.action_scroll_lines(3)

    def on_mouse_scroll_up(self) -> None:
        self.action_scroll_lines(-3)
