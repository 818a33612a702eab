from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from textual.app import App
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from tests.doubles.drawing import VARIABLES
from tuiapp.tui.renderables.palette import Depth, Ink, Palette, detect_depth, plot_variables
from tuiapp.tui.themes import (
    DEFAULT_THEME,
    MAX_BYTES,
    ThemeError,
    ThemeLibrary,
    load_theme,
    load_themes,
    theme_folders,
)

PACKAGED = ThemeLibrary(theme_folders()[:1])
NAMES = ("tuiapp-dark", "tuiapp-light", "high-contrast", "colour-blind-safe")

MINIMAL = """
name = "mine"
[colors]
primary = "#6cc5f0"
foreground = "white"
background = "rgb(10,10,10)"
warning = "orange"
error = "red"
success = "green"
"""


def variables_of(theme: Theme) -> dict[str, str]:
    generated = {**theme.to_color_system().generate(), **theme.variables}
    return {**plot_variables(generated), **generated}


def test_the_packaged_themes() -> None:
    assert PACKAGED.problems == []
    assert set(NAMES) <= set(PACKAGED.themes)
    assert DEFAULT_THEME in PACKAGED.themes


def linear(color: str) -> np.ndarray:
    """Linear RGB of an sRGB colour."""
    rgb = np.array(Color.parse(color).rgb) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """Contrast ratio as WCAG 2.2 defines it."""
    low, high = sorted(float(np.array([0.2126, 0.7152, 0.0722]) @ linear(c)) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", NAMES)
def test_what_must_be_read_can_be(name: str) -> None:
    colors = variables_of(PACKAGED.themes[name])
    least = 7.0 if name == "high-contrast" else 4.5
    for word in ("dim", "good", "warn", "bad", "slo", "p50", "p90", "p99", "queue"):
        assert contrast(colors[f"plot-{word}"], colors["plot-background"]) >= least, word
    assert contrast(colors["foreground"], colors["plot-background"]) >= 10


# Machado, Oliveira & Fernandes 2009, severity 1.0, on linear RGB.
_DEFICIENCIES = {
    "none": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritan": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(color: str, deficiency: np.ndarray) -> np.ndarray:
    """CIE L*a*b* (D65) of a colour as somebody with that deficiency sees it."""
    xyz = _TO_XYZ @ np.clip(deficiency @ linear(color), 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def closest(colors: Mapping[str, str], names: tuple[str, ...], deficiency: np.ndarray) -> float:
    seen = [lab(colors[f"plot-{name}"], deficiency) for name in names]
    return min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2))


@pytest.mark.parametrize("deficiency", _DEFICIENCIES)
@pytest.mark.parametrize(
    "names",
    [
        ("background", "run", "window", "window-over"),
        ("background", "run-over", "window-over"),
        ("p50", "p90", "p99"),
        ("good", "warn", "bad"),
        ("queue", "prefill", "rest"),
        tuple(f"series-{i}" for i in range(4)),
        ("background", *(f"heat-{i}" for i in (0, 2, 4, 6, 7))),
    ],
)
def test_the_colour_blind_safe_theme_is(deficiency: str, names: tuple[str, ...]) -> None:
    colors = variables_of(PACKAGED.themes["colour-blind-safe"])
    assert closest(colors, names, _DEFICIENCIES[deficiency]) > 12


@pytest.mark.parametrize("name", [*NAMES, *BUILTIN_THEMES])
@pytest.mark.parametrize("depth", list(Depth))
def test_a_palette_of_every_theme(name: str, depth: Depth) -> None:
    theme = {**BUILTIN_THEMES, **PACKAGED.themes}[name]
    palette = Palette(variables_of(theme), depth)
    assert all(palette.styles), "a null style crashes without colours"
    if depth > Depth.ANSI_16 and not theme.ansi:
        window, run = palette.styles[Ink.WINDOW], palette.styles[Ink.RUN]
        assert window.color != run.color != window.bgcolor


def test_a_theme_of_six_colours_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL)
    theme = load_theme(path)
    assert (theme.name, theme.dark, theme.variables) == ("mine", True, {})
    assert Palette(variables_of(theme)).styles[Ink.WINDOW].color is not None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("[colors]", "[colours]"), "unknown key colours"),
        (('primary = "#6cc5f0"', ""), "colors.primary is missing"),
        (('"white"', '"whiter than white"'), "colors.foreground must be a colour"),
        (('"white"', "7"), "colors.foreground must be a colour"),
        (('"white"', '"ansi_red"'), "colors.foreground must be a colour"),
        (('"mine"', '"a b\\n"'), "name must be"),
        (('name = "mine"', ""), "name must be"),
        (("[colors]", 'dark = "no"\n[colors]'), "dark must be true or false"),
        (("[colors]", "plot = 3\n[colors]"), "plot must be a table"),
        (("[colors]", '[plot]\nwimdow = "red"\n[colors]'), "unknown key plot.wimdow"),
        (("[colors]", '[plot]\nheat = ["red"]\n[colors]'), "plot.heat must be a list of 8"),
        (("[colors]", f"[plot]\nheat = {['red'] * 7 + ['rod']}\n[colors]"), "plot.heat[7] must"),
        (("[colors]", "[colors"), "is not TOML"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path: Path, change: tuple[str, str], sentence: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(MINIMAL.replace(*change))
    with pytest.raises(ThemeError) as raised:
        load_theme(path)
    assert str(path) in raised.value.message
    assert sentence in raised.value.message
    assert "\n" not in raised.value.message


@pytest.mark.parametrize(
    "data", [b"\xff\xfe", b"#" * (MAX_BYTES + 1), b"a = " + b"[" * 9999, b"\x00"]
)
def test_bytes_that_are_no_theme(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.toml").write_bytes(data)
    library = ThemeLibrary([*theme_folders()[:1], tmp_path])
    assert len(library.problems) == 1
    assert set(library.themes) == set(PACKAGED.themes)


def test_what_is_no_file_costs_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "dangling.toml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "README.txt").write_text("not a theme")
    library = ThemeLibrary([tmp_path, tmp_path / "missing"])
    assert len(library.problems) == 1
    assert "cannot be read" in library.problems[0]
    assert load_themes([tmp_path]) == []


def test_the_users_theme_replaces_the_packaged_one(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(MINIMAL.replace("mine", DEFAULT_THEME))
    library = ThemeLibrary([theme_folders()[0], tmp_path])
    assert library.themes[DEFAULT_THEME].foreground == "white"


def test_changes_are_seen(tmp_path: Path) -> None:
    library = ThemeLibrary([tmp_path])
    assert not library.changed()
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL)
    assert library.changed()
    library.load()
    assert not library.changed()
    assert list(library.themes) == ["mine"]
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 10**9))
    assert library.changed()
    library.load()
    path.unlink()
    assert library.changed()


def test_the_users_folder_follows_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/somewhere")
    assert theme_folders()[1] == Path("/somewhere/tuiapp/themes")


async def test_textual_takes_them() -> None:
    class Themed(App[None]):
        CSS = "Screen { background: $plot-background; color: $plot-window; }"

        def get_theme_variable_defaults(self) -> dict[str, str]:
            return plot_variables(self.current_theme.to_color_system().generate())

    app = Themed()
    for theme in PACKAGED.themes.values():
        app.register_theme(theme)
    async with app.run_test() as pilot:
        for name in (*NAMES, "nord", "textual-light"):
            app.theme = name
            await pilot.pause()
            window = Color.parse(app.theme_variables["plot-window"])
            assert app.screen.styles.color == window
            style = Palette(app.theme_variables).styles[Ink.WINDOW]
            assert style.color == window.rich_color


@pytest.mark.parametrize(
    ("environ", "color_system", "depth"),
    [
        ({}, "truecolor", Depth.TRUE),
        ({}, "256", Depth.ANSI_256),
        ({}, "standard", Depth.ANSI_16),
        ({}, None, Depth.NONE),
        ({"NO_COLOR": "1"}, "truecolor", Depth.NONE),
        ({"NO_COLOR": ""}, "truecolor", Depth.TRUE),
        ({"TERM": "dumb"}, "truecolor", Depth.NONE),
    ],
)
def test_detect_depth(environ: dict[str, str], color_system: str | None, depth: Depth) -> None:
    assert detect_depth(environ, color_system) == depth


def test_sixteen_colours_are_exactly_those() -> None:
    """Textual maps true colours to the nearest of its 16: ours must not move."""
    from rich.color import ColorSystem

    palette = Palette(VARIABLES, Depth.ANSI_16)
    for style in palette.styles:
        assert style.color is not None
        downgraded = style.color.downgrade(ColorSystem.STANDARD)
        assert downgraded.get_truecolor() is not None
    named = {
        ink: palette.styles[ink].color.downgrade(ColorSystem.STANDARD).number  # type: ignore[union-attr]
        for ink in (Ink.WINDOW, Ink.RUN, Ink.BAD, Ink.STRONG)
    }
    assert named == {Ink.WINDOW: 14, Ink.RUN: 8, Ink.BAD: 9, Ink.STRONG: 15}
