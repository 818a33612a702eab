"""Writing a session as something else, from a screen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from textual.screen import Screen

from tuiapp.errors import TuiappError
from tuiapp.exports import EXPORTS, write_file
from tuiapp.session.library import free_path
from tuiapp.session.view import View
from tuiapp.tui.screens.ask import ChooseScreen

PICTURES = {"svg": "the screen at that moment, as an SVG", "png": "the same as a PNG"}


def ask_export(screen: Screen[Any], name: str, view: Callable[[], View]) -> None:
    """Ask in which form, then write it beside where the program was started, in a thread.

    Args:
        name: of the session; the file's begins with it.
        view: what to write; called in the thread.
    """
    offered = {**{key: form.summary for key, form in EXPORTS.items()}, **PICTURES}
    lines = [(key, f"{key:11} {summary}") for key, summary in offered.items()]

    def chosen(form: str | None) -> None:
        if form is not None:
            work = partial(_write, screen, name, view, form)
            screen.run_worker(work, thread=True, group="export")

    screen.app.push_screen(ChooseScreen(f"Export {name} as", lines), chosen)


def _write(screen: Screen[Any], name: str, view: Callable[[], View], form: str) -> None:
    say = partial(screen.app.call_from_thread, screen.app.notify, markup=False)
    suffix = EXPORTS[form].suffix if form in EXPORTS else f".{form}"
    target = free_path(Path.cwd() / f"{name}{suffix}")
    try:
        if form in PICTURES:
            from tuiapp.tui import picture

            write = picture.write_svg if form == "svg" else picture.write_png
            write(view(), target)
        else:
            write_file(form, view(), target)
    except (TuiappError, OSError) as error:
        say(str(error), title="Not exported", severity="error")
    else:
        say(str(target), title="Exported")
