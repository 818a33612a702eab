"""What every pane is: a pure drawing of a scene, and only its changed lines reach the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tuiapp.session.view import View
from tuiapp.tui.renderables.canvas import Canvas, Renderable, clean
from tuiapp.tui.renderables.palette import Palette


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a pane may draw from.

    Attributes:
        view: the session at the cursor.
        palette: styles of the theme and the terminal.
        log_axis: latency axes are logarithmic.
        window_label: "last 60 s", "60 s to 01:23" or "whole run".
        frame: number of the redraw, for what is animated.
        full: the pane has the screen to itself.
    """

    view: View
    palette: Palette
    log_axis: bool = True
    window_label: str = "last 60 s"
    frame: int = 0
    full: bool = False


Part = tuple[Renderable, int]
"""A drawing and the rows it gets."""


Key = tuple[str, str, str]
"""A key as shown, what it does, and the action a click on it runs."""


class Pane(Widget, can_focus=True):
    """A drawing of the scene with a border and a title.

    Subclasses give ``TITLE`` and ``parts``: drawings from top to bottom with their heights.
    """

    TITLE: ClassVar[str] = ""
    EVERY: ClassVar[int] = 1
    """Redrawn at every n-th frame."""
    KEYS: ClassVar[tuple[Key, ...]] = ()
    FULL_KEYS: ClassVar[tuple[Key, ...]] = ()
    """What the bottom line offers while the pane has the focus; the screen to itself."""

    def __init__(self, name: str) -> None:
        super().__init__(id=name, classes="pane")
        self._title = ""
        self._lines: list[Strip] = []
        self._drawn: tuple[object, ...] = ()

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        """What to draw into ``width`` × ``height`` cells."""
        raise NotImplementedError

    def key(self, scene: Scene, width: int, height: int) -> object:
        """While it stays equal, the pane is not drawn again; None draws at every turn."""
        return None

    def forget(self) -> None:
        """Draw anew at the next frame, whatever ``key`` says."""
        self._drawn = ()

    def activate(self) -> bool:
        """Enter was pressed while the pane had the screen; False leaves the full screen."""
        return False

    def title(self, scene: Scene) -> str:
        """Text in the border; may carry the numbers of the moment."""
        return self.TITLE

    def show(self, scene: Scene, *, force: bool = False) -> None:
        """Draw the scene, and refresh the lines that changed."""
        width, height = self.content_size
        if width < 1 or height < 1:
            return
        own = self.key(scene, width, height)
        key = (width, height, scene.palette, own)
        same = key == self._drawn and (own is not None or scene.frame % self.EVERY != 0)
        if same and not force:
            return
        self._drawn = key
        self._entitle(clean(self.title(scene)))
        lines = stack(self.parts(scene, width, height), width, height, scene.palette)
        old, self._lines = self._lines, lines
        if len(old) != len(lines):
            self.refresh()
            return
        # Neighbouring changed lines become one region: each region walks the whole compositor.
        start: int | None = None
        for y in range(height + 1):
            changed = y < height and old[y] != lines[y]
            if changed and start is None:
                start = y
            elif not changed and start is not None:
                self.refresh(Region(0, start, width, y - start))
                start = None

    def _entitle(self, title: str) -> None:
        """Put plain text into the border; a string would be read as markup there."""
        if title != self._title:
            self._title = title
            self.border_title = Content(title)  # type: ignore[assignment]

    def render_line(self, y: int) -> Strip:
        """The line drawn last; blank where the pane has just grown."""
        width = self.content_size.width
        if y < len(self._lines) and self._lines[y].cell_length == width:
            return self._lines[y]
        return Strip.blank(width, Style.null() + self.rich_style)


def stack(parts: Sequence[Part], width: int, height: int, palette: Palette) -> list[Strip]:
    """Draw parts below each other into exactly ``height`` lines; what does not fit is cut."""
    lines: list[Strip] = []
    for drawing, rows in parts:
        rows = min(rows, height - len(lines))
        if rows > 0:
            lines += drawing.strips(width, rows, palette)
    if len(lines) < height:
        lines += Canvas(width, height - len(lines), palette).strips()
    return lines
