"""What every pane is: a pure drawing of a scene, and only its changed lines reach the terminal."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Self

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.filter import ANSIToTruecolor
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tuiapp.session.view import View
from tuiapp.tui.panes.lines import wrap
from tuiapp.tui.renderables.canvas import Canvas, Renderable, clean
from tuiapp.tui.renderables.palette import Ink, Palette


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
        gpu_pane: GPUs have a pane of their own on the screen.
        itl_pane: ITL has one.
        narrow: the screen's status line may have no room for everything.
    """

    view: View
    palette: Palette
    log_axis: bool = True
    window_label: str = "last 60 s"
    frame: int = 0
    full: bool = False
    gpu_pane: bool = True
    itl_pane: bool = True
    narrow: bool = False


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
    """Redrawn at every n-th frame. Those of one number are of one moment, so that what they tell
    fits together."""
    KEYS: ClassVar[tuple[Key, ...]] = ()
    FULL_KEYS: ClassVar[tuple[Key, ...]] = ()
    """What the bottom line offers while the pane has the focus; the screen to itself."""

    def __init__(self, name: str) -> None:
        super().__init__(id=name, classes="pane")
        self._title = ""
        self._lines: list[Strip] = []
        self._framed: dict[int, Strip] = {}
        self._framed_size = Size()
        self._blank: Strip | None = None
        self._sides: tuple[list[Segment], list[Segment]] = ([], [])
        self._drawn: tuple[object, ...] = ()
        self._key: object = None

    class Resized(Message):
        """A pane has another size, or can be seen again: it is to be drawn at once."""

    def on_resize(self) -> None:
        self.post_message(self.Resized())

    def parts(self, scene: Scene, width: int, height: int) -> Sequence[Part]:
        """What to draw into ``width`` × ``height`` cells."""
        raise NotImplementedError

    def key(self, scene: Scene, width: int, height: int) -> object:
        """While it stays equal, the pane is not drawn again; None draws whenever it is its turn."""
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
        """Draw the scene, and refresh the lines that changed.

        A mistake of ours in one drawing does not end a run of hours: the pane says what it was,
        and so does the program when it is left.
        """
        try:
            self._show(scene, force=force)
        except Exception as error:
            if self.app.is_headless:  # a test, or a picture that is asked for
                raise
            fault = _described(error)
            self.app.faults[self.TITLE] = fault  # type: ignore[attr-defined]
            self._show_fault(fault, scene.palette)

    def _show(self, scene: Scene, *, force: bool) -> None:
        width, height = self.content_size
        if width < 1 or height < 1:
            return
        shape, resting = (width, height, scene.palette), scene.frame % self.EVERY != 0
        if shape == self._drawn and resting and not force:
            return
        key = self.key(scene, width, height)
        if shape == self._drawn and key == self._key is not None and not force:
            return
        self._drawn, self._key = shape, key
        self._entitle(clean(self.title(scene)))
        lines = stack(self.parts(scene, width, height), width, height, scene.palette)
        old, self._lines = self._lines, lines
        if len(old) != len(lines):
            self.refresh()
        elif changed := [y for y in range(height) if old[y] != lines[y]]:
            self._refresh_lines(changed, width)

    def _show_fault(self, fault: str, palette: Palette) -> None:
        width, height = self.content_size
        canvas = Canvas(width, height, palette)
        for row, line in enumerate(wrap(f"cannot be drawn: {fault}", width)[:height]):
            canvas.text(row, 0, line, Ink.BAD)
        self._lines, self._drawn = canvas.strips(), ()
        self.refresh()

    def _refresh_lines(self, changed: Sequence[int], width: int) -> None:
        """Neighbouring changed lines become one region: each walks the whole compositor."""
        breaks = [at for at in range(1, len(changed)) if changed[at] != changed[at - 1] + 1]
        runs = pairwise((0, *breaks, len(changed)))
        top = self.gutter.top
        for y in changed:
            self._framed.pop(top + y, None)
        self.refresh(*(Region(0, changed[a], width, b - a) for a, b in runs))

    def refresh(self, *regions: Region, repaint: bool = True, **more: bool) -> Self:
        """As every widget's; without regions the border may look different, too."""
        if not regions:
            self._framed.clear()
        return super().refresh(*regions, repaint=repaint, **more)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Lines with what is around them; only those that changed are put together anew.

        Textual would style each of them again, at several times the cost: ours have their styles
        already. The border, its title and the padding are Textual's.
        """
        if self._framed_size != self.outer_size or not self._framed:
            self._frame()
        missing = [y for y in crop.line_range if y not in self._framed]
        if missing:
            self._frame_lines(missing)
        lines = [self._framed[y] for y in crop.line_range]
        if crop.column_span != (0, self._framed_size.width):
            return [line.crop(*crop.column_span) for line in lines]
        return lines

    def _frame(self) -> None:
        """Keep the border lines as Textual draws them, and what it puts around the others."""
        size, gutter = self.outer_size, self.gutter
        first, end = gutter.top, size.height - gutter.bottom
        drawn = [*range(min(first + 1, size.height)), *range(max(end, first + 1), size.height)]
        self._framed, self._blank = {}, None
        for y in drawn:
            line = super().render_lines(Region(0, y, size.width, 1))[0]
            if first <= y < end:  # of all lines between, one tells what is around them
                self._sides = [*line.crop(0, gutter.left)], [*line.crop(size.width - gutter.right)]
            else:
                self._framed[y] = line
        self._framed_size = size

    def _frame_lines(self, missing: Sequence[int]) -> None:
        width, top, background = self._framed_size.width, self.gutter.top, self.background_colors[1]
        left, right = self._sides
        # Inks are true colours already.
        filters = [f for f in self.get_line_filters() if not isinstance(f, ANSIToTruecolor)]
        for y in missing:
            line = Strip([*left, *self.render_line(y - top), *right], width)
            for line_filter in filters:
                line = line.apply_filter(line_filter, background)
            self._framed[y] = line

    def _entitle(self, title: str) -> None:
        """Put plain text into the border; a string would be read as markup there."""
        if title != self._title:
            self._title = title
            self.border_title = Content(title)

    def render_line(self, y: int) -> Strip:
        """The line drawn last; blank where the pane has just grown."""
        width = self.content_size.width
        if y < len(self._lines) and self._lines[y].cell_length == width:
            return self._lines[y]
        if self._blank is None or self._blank.cell_length != width:
            self._blank = Strip.blank(width, Style.null() + self.rich_style)
        return self._blank


def _described(error: Exception) -> str:
    """What went wrong and where, in a line."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"


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
