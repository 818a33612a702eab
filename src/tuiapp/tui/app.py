"""The terminal application: themes, key bindings of the whole program, and screens."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar, runtime_checkable

from platformdirs import user_downloads_path
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.markup import escape
from textual.notifications import SeverityLevel
from textual.screen import Screen

from tuiapp.tui import themes
from tuiapp.tui.control import RunControl
from tuiapp.tui.glyphs import alone
from tuiapp.tui.panes.keys import KeysBar
from tuiapp.tui.renderables.canvas import clean
from tuiapp.tui.renderables.palette import Depth, Ink, Palette, detect_depth, plot_variables
from tuiapp.tui.screens.live import LiveScreen

_THEME_POLL_S = 2.0
_PALETTE_GONE_S = 0.1
_SEVERITY_INKS = {"information": Ink.STRONG, "warning": Ink.WARN, "error": Ink.BAD}

Result = TypeVar("Result")


@runtime_checkable
class Drawn(Protocol):
    """A screen that draws itself, and what the command palette offers on it."""

    def redraw(self, *, force: bool = False) -> None: ...
    def commands(self) -> Iterable[tuple[str, str, Callable[[], object]]]: ...


def _clearing(driver: type[Driver]) -> type[Driver]:
    """The driver, but nothing of the screen is left when it goes.

    Some terminals, tmux among them, keep lines of the alternate screen in sight after it was left
    when the window had grown meanwhile.
    """

    class Clearing(driver):  # type: ignore[misc, valid-type]
        def stop_application_mode(self) -> None:
            self.write("\x1b[0m\x1b[H\x1b[2J")
            super().stop_application_mode()

    return Clearing


def _settle() -> None:
    """Classes, styles and widgets are there to stay: searching them for garbage again and again
    would cost a redraw now and then some tens of milliseconds."""
    gc.collect()
    gc.freeze()


class ThemedApp(App[Result]):
    """Themes, the command palette, and a first screen.

    Args:
        fps: redraws a second.
        theme: name of the theme to begin with.
    """

    TITLE = "tuiapp"
    QUIT = "Leave"
    """What quitting does, in the palette."""
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    PALETTE_KEY = "slash"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (160, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall"), (50, "-taller")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c,ctrl+q", "quit", "quit", key_display="q", priority=True),
    ]

    stopping = False
    """What is shown is being ended."""

    def get_driver_class(self) -> type[Driver]:
        """The platform's driver, which clears the screen that it leaves."""
        return _clearing(super().get_driver_class())

    def __init__(self, *, fps: float, theme: str | None) -> None:
        colourless = detect_depth(os.environ, "truecolor") == Depth.NONE
        if colourless:  # Textual knows NO_COLOR, but not that TERM=dumb means the same
            os.environ["NO_COLOR"] = "1"
        # Without this, Textual turns colours into shades of grey instead of leaving them out.
        super().__init__(ansi_color=True if colourless else None)
        # Textual's own binding would come first everywhere: no slash could be typed into a note.
        self._bindings.key_to_bindings.pop(self.COMMAND_PALETTE_BINDING, None)
        self.bind(self.PALETTE_KEY, "command_palette", description="palette", show=False)
        self.fps = fps
        self.faults: dict[str, str] = {}
        """Panes that could not be drawn, and why."""
        self._palette: Palette | None = None
        self._themes = themes.ThemeLibrary()
        self._register_themes()
        self.theme = theme if theme in self.available_themes else themes.DEFAULT_THEME

    def _register_themes(self) -> None:
        for known in self._themes.themes.values():
            self.register_theme(known)

    def _follow_themes(self) -> None:
        """A theme file that is saved shows at once."""
        if self._themes.changed():
            self._themes.load()
            self._register_themes()
            self._say_problems()
            self.mutate_reactive(App.theme)

    def _say_problems(self) -> None:
        for problem in self._themes.problems:
            self.notify(problem, title="A theme was left out", severity="warning", markup=False)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return plot_variables(self.current_theme.to_color_system().generate())

    @property
    def palette(self) -> Palette:
        """Styles of the current theme on this terminal."""
        if self._palette is None:
            depth = detect_depth(os.environ, self.console.color_system)
            self._palette = Palette(self.theme_variables, depth)
        return self._palette

    def _forget_palette(self) -> None:
        self._palette = None
        if isinstance(self.screen, Drawn):
            self.screen.redraw(force=True)

    def first_screen(self) -> Screen[None]:
        """What is shown at first."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.theme_changed_signal.subscribe(self, lambda _: self._forget_palette())
        self.push_screen(self.first_screen())
        self._say_problems()
        self.set_interval(_THEME_POLL_S, self._follow_themes)
        self.call_after_refresh(_settle)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Say it in the bottom line, where it hides no numbers; what is too long there pops up."""
        text = f"{title}: {message}" if title else message
        plain = "\n" not in text and not (markup and "[" in text)
        bar = next(iter(self.screen.query(KeysBar)), None) if plain else None
        seconds = self.NOTIFICATION_TIMEOUT if timeout is None else timeout
        if bar is None or not bar.say(clean(text), _SEVERITY_INKS[severity], seconds):
            super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    def _save_picture(self) -> None:
        """Once the palette is gone."""
        # A server has no folder for downloads, mostly; then it goes where the program was started.
        downloads = user_downloads_path()
        folder = downloads if downloads.is_dir() else Path.cwd()
        self.set_timer(_PALETTE_GONE_S, lambda: self.deliver_screenshot(path=str(folder)))

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """The screen as an SVG that needs nothing from anywhere."""
        return alone(super().export_screenshot(title=title, simplify=simplify))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action of the screen can be found by typing its name."""
        yield SystemCommand("Theme", "Change the colours", self.action_change_theme)
        yield SystemCommand("Quit", self.QUIT, self.action_quit)
        yield SystemCommand("Screenshot", "Save the screen as an SVG", self._save_picture)
        if isinstance(screen, Drawn):
            for title, help_text, callback in screen.commands():
                yield SystemCommand(escape(title), help_text, callback)


class MonitorApp(ThemedApp[None]):
    """Shows one run while it happens.

    Args:
        run: the run to show and to steer.
        stop: ends the run and returns when nothing of it is left.
        fps: redraws a second.
        theme: name of the theme to begin with.
    """

    QUIT = "End the run and leave"

    def __init__(
        self,
        run: RunControl,
        stop: Callable[[], Awaitable[None]],
        *,
        fps: float = 1.0,
        theme: str | None = None,
    ) -> None:
        super().__init__(fps=fps, theme=theme)
        self.run_control = run
        self._stop = stop

    def first_screen(self) -> Screen[None]:
        return LiveScreen(self.run_control, self.fps)

    async def action_quit(self) -> None:
        """End the run, say so meanwhile, and leave; asked again, leave without waiting."""
        if self.stopping:
            self.exit()
            return
        self.stopping = True
        self._leaving = asyncio.create_task(self._close())

    async def _close(self) -> None:
        await self._stop()
        self.exit()
