"""The replay's screen as a picture: an SVG file, or a PNG drawn from it by resvg or Chromium."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tuiapp.clock import ReplayClock
from tuiapp.errors import SessionError
from tuiapp.session.columns import Session
from tuiapp.session.view import View
from tuiapp.tui.glyphs import FONTS
from tuiapp.tui.replay_app import ReplayApp

COLUMNS, ROWS = 120, 35
_STILL_FPS = 1e-4
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_BROWSER_S = 60.0
_VIEW_BOX = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_LETTER = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">'
    f'<text y="16" font-family="{FONTS}">{{}}</text></svg>'
)


@dataclass(frozen=True, slots=True)
class _Path:
    path: Path
    size: int
    failing: str = ""


class Still:
    """A session that stands at one moment; what a screen asks of a playback."""

    finished = True
    growing = False
    damaged = 0
    start_ns = 0

    def __init__(self, view: View) -> None:
        path = view.session.path
        self.session: Session = view.session
        self.end_ns = max(view.session.end_ns, view.cursor_ns)
        self.read_ns = self.end_ns
        self.recording = _Path(path or Path(), path.stat().st_size if path else 0)
        self.clock = ReplayClock(lambda: self.end_ns, view.cursor_ns)

    async def read(self) -> None:
        """All of it is read."""

    def mark(self, text: str, t_ns: int | None = None) -> None:
        """Nobody can note anything in a picture."""


def svg(view: View, *, columns: int = COLUMNS, rows: int = ROWS, theme: str | None = None) -> str:
    """The screen at the view's cursor, as an SVG that loads nothing from anywhere.

    Its window is the screen's own first one, whatever the view's is.
    """
    told = {name: os.environ.get(name) for name in ("COLORTERM", "NO_COLOR", "TERM")}
    os.environ.update(COLORTERM="truecolor", TERM="xterm-256color")
    os.environ.pop("NO_COLOR", None)
    try:
        return asyncio.run(
            _draw(ReplayApp(Still(view), fps=_STILL_FPS, theme=theme), columns, rows)
        )
    finally:
        for name, value in told.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


async def _draw(app: ReplayApp, columns: int, rows: int) -> str:
    async with app.run_test(size=(columns, rows)) as pilot:
        await pilot.pause()
        app.screen.redraw(force=True)  # type: ignore[attr-defined]
        await pilot.pause()
        drawn: str = app.export_screenshot(title="tuiapp")
        return drawn


def png(view: View, **options: object) -> bytes:
    """The same as a PNG, through the ``png`` extra or else an installed Chromium.

    Raises:
        SessionError: there is nothing to draw it with, no font, or it failed.
    """
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    try:
        import resvg_py
    except ImportError as error:
        if browser is None:
            raise SessionError(
                "A PNG needs resvg or Chromium, and neither is installed.",
                "pip install 'tuiapp[png]', or export the SVG: any browser shows it.",
            ) from error
        return _by_browser(browser, svg(view, **options))  # type: ignore[arg-type]
    if resvg_py.svg_to_bytes(_LETTER.format("M")) == resvg_py.svg_to_bytes(_LETTER.format("")):
        raise SessionError(
            "A PNG would have no letters: no font of fixed width is installed here.",
            "Install DejaVu Sans Mono, or export the SVG and look at it elsewhere.",
        )
    return bytes(resvg_py.svg_to_bytes(svg(view, **options)))  # type: ignore[arg-type]


def _by_browser(browser: str, drawn: str) -> bytes:
    size = _VIEW_BOX.search(drawn)
    width, height = (round(float(side)) for side in size.groups()) if size else (1500, 900)
    with tempfile.TemporaryDirectory(prefix="tuiapp-picture-") as folder:
        page, target = Path(folder, "page.html"), Path(folder, "page.png")
        page.write_text(f'<body style="margin:0">{drawn}</body>', encoding="utf-8")
        argv = [browser, "--headless", "--disable-gpu", "--hide-scrollbars"]
        argv += ["--no-sandbox"] if os.geteuid() == 0 else []
        argv += [f"--user-data-dir={folder}/profile", f"--window-size={width},{height}"]
        argv += [f"--screenshot={target}", page.as_uri()]
        try:
            subprocess.run(argv, capture_output=True, timeout=_BROWSER_S, check=True)
            return target.read_bytes()
        except (OSError, subprocess.SubprocessError) as error:
            raise SessionError(
                f"{Path(browser).name} could not draw the picture.", "Export the SVG instead."
            ) from error


def write_svg(view: View, path: Path) -> None:
    """Write the SVG to a new file."""
    path.write_text(svg(view), encoding="utf-8")


def write_png(view: View, path: Path) -> None:
    """Write the PNG to a new file."""
    path.write_bytes(png(view))
