"""Colours of every drawing, built once a theme.

A drawing names an *ink*; the palette turns it into a prebuilt ``rich`` style. Colours come from
the theme's variables: Textual's own and ``plot-*``, where a theme that lacks the latter gets them
derived from the former. With 16 colours or none, drawings change glyphs too (``coarse``, ``mono``):
there colour alone cannot carry meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color

HEAT_ANCHORS = 8
SERIES = 6
HEAT_LEVELS = 24
"""Colours of the heat ramp; level 0 is the empty cell, drawn as background."""


class Depth(IntEnum):
    """How many colours the terminal shows, in bits."""

    NONE = 0
    ANSI_16 = 4
    ANSI_256 = 8
    TRUE = 24


class Ink(IntEnum):
    """What a cell means. The number is its style's place in ``Palette.styles``."""

    TEXT = 0
    STRONG = 1  # the numbers one came for
    DIM = 2  # labels, units
    FAINT = 3  # rules and grids
    TRACK = 4  # the empty part of a gauge
    SELECT = 5  # ground under the selected row
    ACCENT = 6
    GOOD = 7
    WARN = 8
    BAD = 9
    WINDOW = 10  # the last seconds
    WINDOW_OVER = 11  # the same, beyond the SLO
    RUN = 12  # everything since the start
    RUN_OVER = 13
    SLO = 14
    P50 = 15
    P90 = 16
    P99 = 17
    QUEUE = 18
    PREFILL = 19
    REST = 20
    SERIES_0 = 21
    SERIES_1 = 22
    SERIES_2 = 23
    SERIES_3 = 24
    SERIES_4 = 25
    SERIES_5 = 26


_INVERSE, _CUT = -1, -2
PLAIN = len(Ink)
"""Style numbers below stand on the pane's own background."""


@dataclass(frozen=True, slots=True)
class _Look:
    """How an ink looks: theme variable, one of 16 colours on black, attributes without colour."""

    variable: str
    ansi: int
    mono: str = "not bold"  # a style without any attribute counts as none at all
    bold: bool = False


_LOOKS = {
    Ink.TEXT: _Look("foreground", 7),
    Ink.STRONG: _Look("foreground", 15, "bold", bold=True),
    Ink.DIM: _Look("plot-dim", 7, "dim"),
    Ink.FAINT: _Look("plot-faint", 8, "dim"),
    Ink.TRACK: _Look("plot-track", 8, "dim"),
    Ink.SELECT: _Look("plot-select", 4, "reverse"),
    Ink.ACCENT: _Look("accent", 14, "bold"),
    Ink.GOOD: _Look("plot-good", 10),
    Ink.WARN: _Look("plot-warn", 11, "bold"),
    Ink.BAD: _Look("plot-bad", 9, "bold"),
    Ink.WINDOW: _Look("plot-window", 14),
    Ink.WINDOW_OVER: _Look("plot-window-over", 11, "bold"),
    Ink.RUN: _Look("plot-run", 8, "dim"),
    Ink.RUN_OVER: _Look("plot-run-over", 3, "dim"),
    Ink.SLO: _Look("plot-slo", 11),
    Ink.P50: _Look("plot-p50", 15),
    Ink.P90: _Look("plot-p90", 12),
    Ink.P99: _Look("plot-p99", 13, "bold"),
    Ink.QUEUE: _Look("plot-queue", 13),
    Ink.PREFILL: _Look("plot-prefill", 14),
    Ink.REST: _Look("plot-rest", 12, "dim"),
    Ink.SERIES_0: _Look("plot-series-0", 14),
    Ink.SERIES_1: _Look("plot-series-1", 11),
    Ink.SERIES_2: _Look("plot-series-2", 10),
    Ink.SERIES_3: _Look("plot-series-3", 13),
    Ink.SERIES_4: _Look("plot-series-4", 12),
    Ink.SERIES_5: _Look("plot-series-5", 9),
}

# The 16 colours as rich knows them: it maps a true colour to the nearest, so these stay exact.
# fmt: off
_ANSI_RGB = (
    "#000000", "#aa0000", "#00aa00", "#aa5500", "#0000aa", "#aa00aa", "#00aaaa", "#aaaaaa",
    "#555555", "#ff5555", "#55ff55", "#ffff55", "#5555ff", "#ff55ff", "#55ffff", "#ffffff",
)
# fmt: on

_OKABE_ITO = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#0072b2", "#d55e00")
# Nuñez, Anderton & Renslow 2018, from its first colour that stands out on black.
_CIVIDIS = (
    *("#1b3a66", "#3b496c", "#575d6d", "#707173"),
    *("#8a8678", "#a59c74", "#c3b369", "#fee838"),
)


def detect_depth(environ: Mapping[str, str], color_system: str | None) -> Depth:
    """How many colours to use.

    Args:
        environ: the process's environment; a non-empty ``NO_COLOR`` (https://no-color.org) and
            ``TERM=dumb`` mean none.
        color_system: what ``rich.console.Console.color_system`` says.
    """
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return Depth.NONE
    known = {"truecolor": Depth.TRUE, "256": Depth.ANSI_256, "standard": Depth.ANSI_16}
    return known.get(color_system or "", Depth.ANSI_16 if color_system else Depth.NONE)


def plot_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Every ``plot-*`` variable: the theme's own, or one derived from its basic colours.

    Meant for ``App.get_theme_variable_defaults``, so that CSS may use ``$plot-*`` with any theme.

    Args:
        variables: at least ``foreground``, ``background``, ``primary``, ``warning``, ``error``
            and ``success``, as ``Theme.to_color_system().generate()`` returns them.
    """
    base = _derived(variables)
    heat = _heat_defaults(variables)
    base |= {f"plot-heat-{i}": color for i, color in enumerate(heat)}
    base |= {f"plot-series-{i}": color for i, color in enumerate(_OKABE_ITO)}
    return {name: variables.get(name, default) for name, default in base.items()}


def _derived(variables: Mapping[str, str]) -> dict[str, str]:
    ground = Color.parse(variables["background"])
    ink = Color.parse(variables["foreground"])
    window, warn, bad, good = (
        Color.parse(variables[name]) for name in ("primary", "warning", "error", "success")
    )
    derived = {
        "background": ground,
        "dim": ink.blend(ground, 0.40),
        "faint": ink.blend(ground, 0.74),
        "track": ink.blend(ground, 0.88),
        "select": window.blend(ground, 0.72),
        "good": good,
        "warn": warn,
        "bad": bad,
        "window": window,
        "window-over": warn,
        "run": window.blend(ground, 0.66),
        "run-over": warn.blend(ground, 0.66),
        "slo": warn,
        "p50": ink.blend(good, 0.5),
        "p90": ink.blend(window, 0.6),
        "p99": ink.blend(bad, 0.6),
        "queue": bad.blend(ink, 0.2),
        "prefill": window,
        "rest": window.blend(ground, 0.5),
    }
    return {f"plot-{name}": color.hex for name, color in derived.items()}


def _heat_defaults(variables: Mapping[str, str]) -> tuple[str, ...]:
    light = Color.parse(variables["background"]).brightness > 0.5
    return _CIVIDIS[::-1] if light else _CIVIDIS


class Palette:
    """Prebuilt styles for one theme and one terminal.

    Args:
        variables: theme variables, as ``App.theme_variables`` holds them.
        depth: colours of the terminal.

    Attributes:
        styles: by style number: the inks, then pairs and heat cells as they were asked for.
    """

    def __init__(self, variables: Mapping[str, str], depth: Depth = Depth.TRUE) -> None:
        self.depth = depth
        plot = plot_variables(variables)
        colors = {**variables, **plot}
        self._ground = Color.parse(plot["plot-background"])
        self._light = self._ground.brightness > 0.5
        self._heat = [Color.parse(plot[f"plot-heat-{i}"]) for i in range(HEAT_ANCHORS)]
        self.styles: list[Style] = [self._style(_LOOKS[ink], colors) for ink in Ink]
        self._pairs: dict[tuple[int, int], int] = {}
        self._heat_base = 0

    @property
    def coarse(self) -> bool:
        """Too few colours to tell things apart by colour alone."""
        return self.depth <= Depth.ANSI_16

    @property
    def mono(self) -> bool:
        """No colours at all: glyphs and bold only."""
        return self.depth == Depth.NONE

    def on(self, ink: int, ground: Ink) -> int:
        """Number of the style with ``ink`` over a ground of ``ground``'s colour.

        Without colours that is ``ink`` itself, reversed where the ground is ``SELECT``.
        """
        number = self._pairs.get((ink, ground))
        if number is None:
            number = self._pairs[ink, ground] = len(self.styles)
            self.styles.append(self._pair(self.styles[ink], ground))
        return number

    def inverse(self, ink: Ink) -> int:
        """Number of the style that has ``ink`` as its ground: for what must not be missed."""
        number = self._pairs.get((ink, _INVERSE))
        if number is None:
            number = self._pairs[ink, _INVERSE] = len(self.styles)
            style = self.styles[ink]
            swapped = Style(color=style.bgcolor, bgcolor=style.color, bold=True)
            self.styles.append(Style(reverse=True, bold=True) if self.mono else swapped)
        return number

    def cut(self, ink: int) -> int:
        """Number of the style that draws the ground over ``ink``'s colour.

        With it a block that grows from below becomes one that hangs from above. Without colours
        that is ``ink`` itself.
        """
        if self.mono:
            return ink
        number = self._pairs.get((ink, _CUT))
        if number is None:
            number = self._pairs[ink, _CUT] = len(self.styles)
            style = self.styles[ink]
            self.styles.append(Style(color=style.bgcolor, bgcolor=style.color))
        return number

    def heat_base(self) -> int:
        """Number of the first heat cell.

        ``base + upper * (HEAT_LEVELS + 1) + lower`` is the style whose foreground is the upper
        half's level and whose background is the lower half's.
        """
        if not self._heat_base:
            self._heat_base = len(self.styles)
            ramp = [self._rich(self._ground), *map(self._rich, self._ramp())]
            self.styles += [Style(color=a, bgcolor=b) for a in ramp for b in ramp]
        return self._heat_base

    def _style(self, look: _Look, colors: Mapping[str, str]) -> Style:
        if self.mono:
            return Style.parse(look.mono)
        if self.depth == Depth.ANSI_16:
            number = look.ansi
            if self._light:  # bright colours vanish on white
                number = {7: 8, 15: 0}.get(number, number - 8 if number > 8 else number)
            color = Color.parse(_ANSI_RGB[number])
        else:
            color = self._ground + Color.parse(colors[look.variable])
        ground = self._rich(self._background())
        return Style(color=self._rich(color), bgcolor=ground, bold=look.bold)

    def _background(self) -> Color:
        if self.depth == Depth.ANSI_16:
            return Color.parse(_ANSI_RGB[15 if self._light else 0])
        return self._ground

    def _pair(self, ink: Style, ground: Ink) -> Style:
        if self.mono:
            return ink + Style(reverse=True) if ground is Ink.SELECT else ink
        return ink + Style(bgcolor=self.styles[ground].color)

    def _ramp(self) -> list[Color]:
        """``HEAT_LEVELS`` colours between the theme's anchors."""
        colors = []
        for level in range(HEAT_LEVELS):
            place = level * (len(self._heat) - 1) / (HEAT_LEVELS - 1)
            low = min(int(place), len(self._heat) - 2)
            colors.append(self._heat[low].blend(self._heat[low + 1], place - low))
        return colors

    @staticmethod
    def _rich(color: Color) -> RichColor:
        return color.rich_color
