"""The demo model appears whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuiapp.engine import demo_model
from tuiapp.errors import EngineError


def fill(path: Path, text: str = "x") -> Path:
    path.mkdir(parents=True)
    for name in demo_model._COMPLETE:
        (path / name).write_text(text)
    return path


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Stands in for transformers and torch: the files, without their content."""
    made: list[Path] = []

    def write(path: Path) -> None:
        made.append(path)
        for name in demo_model._COMPLETE:
            (path / name).write_text("new")

    monkeypatch.setattr(demo_model, "_write_tokenizer", lambda _path: None)
    monkeypatch.setattr(demo_model, "_write_weights", write)
    return made


def test_it_is_made_beside_its_place_and_moved_there(tmp_path: Path, written: list[Path]):
    place = tmp_path / "cache" / "demo"
    assert demo_model.make(place) == place
    assert demo_model.is_complete(place)
    assert written[0] != place
    assert list(place.parent.iterdir()) == [place]


def test_a_complete_one_is_used_again(tmp_path: Path, written: list[Path]):
    place = fill(tmp_path / "demo")
    demo_model.make(place)
    assert written == []


def test_a_torn_one_is_replaced(tmp_path: Path, written: list[Path]):
    place = fill(tmp_path / "demo", "torn")
    (place / "config.json").unlink()
    demo_model.make(place)
    assert (place / "tokenizer.json").read_text() == "new"


def test_a_faster_run_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    place = tmp_path / "demo"
    monkeypatch.setattr(demo_model, "_write_tokenizer", lambda _path: None)
    monkeypatch.setattr(demo_model, "_write_weights", lambda _path: fill(place, "theirs"))
    demo_model.make(place)
    assert (place / "config.json").read_text() == "theirs"


def test_a_place_that_cannot_be_written(tmp_path: Path, written: list[Path]):
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError) as caught:
        demo_model.make(tmp_path / "file" / "demo")
    assert "cannot be made in" in caught.value.message


def test_the_command_prints_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    place = fill(tmp_path / "demo")
    assert demo_model.main(["demo_model", str(place)]) == 0
    assert capsys.readouterr().out == f"{place}\n"
