"""Themes from TOML files: the packaged ones, then the user's own beside them.

A file is validated whole before anything of it is used. A bad one costs a sentence, never the
program; the user's theme of a packaged theme's name replaces it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import platformdirs
from textual.color import Color, ColorParseError
from textual.theme import Theme

import tuiapp
from tuiapp.errors import TuiappError
from tuiapp.tui.renderables.palette import HEAT_ANCHORS, SERIES

DEFAULT_THEME = "tuiapp-dark"
MAX_BYTES = 64 << 10

_TOP = ("name", "dark", "colors", "plot")
_COLORS_NEEDED = ("primary", "foreground", "background", "warning", "error", "success")
_COLORS = (*_COLORS_NEEDED, "secondary", "accent", "surface", "panel", "boost")
_PLOT = (
    *("background", "dim", "faint", "track", "select", "good", "warn", "bad"),
    *("window", "window-over", "run", "run-over", "slo"),
    *("p50", "p90", "p99", "queue", "prefill", "rest"),
)
_LISTS = {"heat": HEAT_ANCHORS, "series": SERIES}
_COLOR_HELP = "a colour such as '#56b4e9', 'rgb(86,180,233)' or 'orange'"


class ThemeError(TuiappError):
    """A theme file does not say what a theme file may say."""

    exit_code = 2


def theme_folders() -> tuple[Path, Path]:
    """The packaged folder and the user's; the latter need not exist."""
    package = Path(tuiapp.__file__).parent
    packaged = package / "themes"
    if not packaged.is_dir():  # a checkout keeps them beside the sources
        packaged = package.parents[1] / "themes"
    return packaged, platformdirs.user_config_path("tuiapp") / "themes"


def load_theme(path: Path) -> Theme:
    """The theme in a file.

    Raises:
        ThemeError: with one sentence: which file, which key, what is allowed.
    """
    table = _read(path)
    _check_keys(path, table, _TOP, "")
    name = table.get("name")
    if not isinstance(name, str) or not name or not all(c.isalnum() or c in "-_" for c in name):
        raise ThemeError(f"{path}: name must be letters, digits, '-' and '_', not {name!r}.")
    dark = table.get("dark", True)
    if not isinstance(dark, bool):
        raise ThemeError(f"{path}: dark must be true or false, not {dark!r}.")
    colors = _colors(path, table)
    return Theme(name=name, dark=dark, variables=_plot(path, table), **colors)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ThemeError(f"{path}: a theme file may have at most {MAX_BYTES >> 10} KiB.")
        return tomllib.loads(data.decode())
    except OSError as error:
        raise ThemeError(f"{path}: cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ThemeError(f"{path}: is not TOML ({error}).") from error


def _check_keys(path: Path, table: Mapping[str, Any], allowed: Sequence[str], where: str) -> None:
    for key in table:
        if key not in allowed:
            known = ", ".join(allowed)
            raise ThemeError(f"{path}: unknown key {where}{key}; allowed are {known}.")


def _table(path: Path, table: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise ThemeError(f"{path}: {key} must be a table of colours, [{key}].")
    return value


def _colors(path: Path, table: Mapping[str, Any]) -> dict[str, Any]:
    colors = _table(path, table, "colors")
    _check_keys(path, colors, _COLORS, "colors.")
    for key in _COLORS_NEEDED:
        if key not in colors:
            raise ThemeError(f"{path}: colors.{key} is missing; give {_COLOR_HELP}.")
    return {key: _color(path, f"colors.{key}", value) for key, value in colors.items()}


def _plot(path: Path, table: Mapping[str, Any]) -> dict[str, str]:
    plot = _table(path, table, "plot")
    _check_keys(path, plot, (*_PLOT, *_LISTS), "plot.")
    variables = {}
    for key, value in plot.items():
        where = f"plot.{key}"
        if key not in _LISTS:
            variables[f"plot-{key}"] = _color(path, where, value)
            continue
        wanted = _LISTS[key]
        if not isinstance(value, list) or len(value) != wanted:
            raise ThemeError(f"{path}: {where} must be a list of {wanted} colours.")
        for index, item in enumerate(value):
            variables[f"plot-{key}-{index}"] = _color(path, f"{where}[{index}]", item)
    return variables


def _color(path: Path, where: str, value: object) -> str:
    try:
        color = Color.parse(value) if isinstance(value, str) else None
    except ColorParseError:
        color = None
    if color is None or color.ansi is not None:
        raise ThemeError(f"{path}: {where} must be {_COLOR_HELP}, not {value!r}.")
    return str(value)


def load_themes(folders: Sequence[Path] | None = None) -> list[Theme]:
    """Every usable theme; ``ThemeLibrary`` also knows what was wrong with the others."""
    return list(ThemeLibrary(folders).themes.values())


class ThemeLibrary:
    """Every theme found, and what was wrong with the rest.

    Args:
        folders: where to look, later ones win; ``theme_folders()`` when None.

    Attributes:
        themes: by name.
        problems: one sentence for each file that could not be used.
    """

    def __init__(self, folders: Sequence[Path] | None = None) -> None:
        self._folders = tuple(theme_folders() if folders is None else folders)
        self.themes: dict[str, Theme] = {}
        self.problems: list[str] = []
        self._stamps: dict[Path, tuple[int, int]] = {}
        self.load()

    def load(self) -> None:
        """Read all files again."""
        self._stamps = self._scan()
        themes, problems = {}, []
        for path in self._stamps:
            try:
                theme = load_theme(path)
            except ThemeError as error:
                problems.append(error.message)
            else:
                themes[theme.name] = theme
        self.themes, self.problems = themes, problems

    def changed(self) -> bool:
        """Whether a file came, went or was written since ``load``; cheap enough to poll."""
        return self._scan() != self._stamps

    def _scan(self) -> dict[Path, tuple[int, int]]:
        """Modification time and size of every theme file, folder by folder, by name."""
        stamps = {}
        for folder in self._folders:
            try:
                paths = sorted(folder.glob("*.toml"))
            except OSError:
                continue
            for path in paths:
                try:
                    stat = path.stat()
                except OSError:  # gone between the two calls, or a dangling link
                    continue
                stamps[path] = (stat.st_mtime_ns, stat.st_size)
        return stamps
