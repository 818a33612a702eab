"""The screen as a picture: alone in a file, the same as the screen, nothing loaded from outside."""

from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.doubles.scenes import NS, serving
from tests.doubles.terminal import shown
from tuiapp.errors import SessionError
from tuiapp.session.view import View
from tuiapp.tui import picture

BROWSER = next(filter(None, map(shutil.which, picture._BROWSERS)), None)


@pytest.fixture(scope="module")
def view() -> View:
    return View(serving().session, 60 * NS - 1)


def test_an_svg_holds_the_screen_and_loads_nothing(view: View) -> None:
    before = dict(os.environ)
    drawn = picture.svg(view)
    assert dict(os.environ) == before
    ElementTree.fromstring(drawn)
    text = drawn.replace("&#160;", " ")
    assert "demo-llama" in text
    assert "01:00" in text
    assert "src:" not in drawn
    assert drawn.count("http") == drawn.count('xmlns="http://www.w3.org') + drawn.count(
        "https://www.textualize.io"
    )


def test_a_file_of_it(view: View, tmp_path: Path) -> None:
    picture.write_svg(view, tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == picture.svg(view)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_a_png_is_as_large_as_the_svg(view: View) -> None:
    drawn = picture.png(view, columns=80, rows=24)
    assert drawn.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", drawn[16:24])
    assert 900 < width < 1100
    assert 550 < height < 700


def test_without_a_browser_a_sentence(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SessionError, match="needs Chromium") as refused:
        picture.png(view)
    assert "SVG" in refused.value.advice


async def test_a_screenshot_goes_where_there_is_a_folder_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tuiapp.tui.app.user_downloads_path", lambda: tmp_path / "missing")
    async with shown(serving()) as monitor:
        monitor.app._save_picture()
        await monitor.pilot.pause(0.5)
    (picture,) = tmp_path.glob("*.svg")
    assert "TTFT" in picture.read_text()
