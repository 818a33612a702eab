"""The screen as a picture: alone in a file, the same as the screen, nothing loaded from outside."""

from __future__ import annotations

import io
import os
import shutil
import sys
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import pytest
import resvg_py
from PIL import Image

from tests.doubles.scenes import NS, serving
from tests.doubles.terminal import shown
from tuiapp.errors import SessionError
from tuiapp.session.view import View
from tuiapp.tui import picture

SVG = "{http://www.w3.org/2000/svg}"
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


def test_lines_blocks_and_dots_are_shapes_and_the_rest_is_letters(view: View) -> None:
    drawn = picture.svg(view)
    texts = [element.text or "" for element in ElementTree.fromstring(drawn).iter(f"{SVG}text")]
    assert "TTFT" in "".join(texts)
    assert not [char for char in "".join(texts) if "─" <= char <= "▟" or "⠀" < char <= "⣿"]
    assert len(list(ElementTree.fromstring(drawn).iter(f"{SVG}path"))) > 100


def test_a_png_is_as_large_as_the_svg_and_shows_it(view: View) -> None:
    with Image.open(io.BytesIO(picture.png(view, columns=80, rows=24))) as drawn:
        assert 900 < drawn.width < 1100
        assert 550 < drawn.height < 700
        assert len(drawn.convert("RGB").getcolors(1 << 20) or ()) > 100


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_a_browser_draws_it_where_resvg_is_not(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with Image.open(io.BytesIO(picture.png(view, columns=80, rows=24))) as drawn:
        assert 900 < drawn.width < 1100


def test_without_either_a_sentence(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(SessionError, match="needs resvg or Chromium") as refused:
        picture.png(view)
    assert "tuiapp[png]" in refused.value.advice


def test_without_a_font_a_sentence(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = partial(resvg_py.svg_to_bytes, skip_system_fonts=True)
    monkeypatch.setattr(resvg_py, "svg_to_bytes", draw)
    with pytest.raises(SessionError, match="no letters"):
        picture.png(view)


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
    assert "https://cdn" not in picture.read_text()
