"""Files of every version of the format that ever was, read by this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuiapp.errors import SessionError
from tuiapp.events import Frame, Kind, mark_frame
from tuiapp.exports.summary import summary
from tuiapp.session.file import SessionFile
from tuiapp.session.frames import MAGIC, MAJOR, MINOR, ZLIB, pack
from tuiapp.session.reader import Report, load
from tuiapp.session.view import View

FOLDER = Path(__file__).parents[1] / "fixtures" / "sessions"
VERSIONS = sorted(path.stem.removeprefix("v") for path in FOLDER.glob("v*.tuiapp"))
SYNC = b"12345678"


def file_of(version: str) -> Path:
    return FOLDER / f"v{version}.tuiapp"


def test_there_is_a_file_of_this_version() -> None:
    assert f"{MAJOR}.{MINOR}" in VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_reads_whole_and_says_the_same(version: str) -> None:
    """The fixtures hold one run, written by each version in turn."""
    report = Report()
    session = load(file_of(version), report)
    assert report.whole
    assert report.torn_bytes == 0
    result = summary(View(session, session.end_ns))
    assert result["requests"]["sent"] == 48
    assert result["requests"]["failed"] == 2
    assert result["ttft_s"]["p50"] == pytest.approx(0.0218121955, abs=1e-9)
    assert result["state"] == "done"
    assert [mark.text for mark in session.marks] == ["a note"]
    assert session.log[0].text.startswith("grün")


@pytest.mark.parametrize("version", VERSIONS)
def test_notes_can_be_appended_to_every_version(version: str, tmp_path: Path) -> None:
    path = tmp_path / "old.tuiapp"
    path.write_bytes(file_of(version).read_bytes())
    with SessionFile(path) as file:
        file.append([mark_frame(10, "later")])
    report = Report()
    assert [mark.text for mark in load(path, report).marks] == ["later", "a note"]
    assert report.whole


def test_what_a_later_minor_version_adds_is_passed_over(tmp_path: Path) -> None:
    later = MAGIC[:-1] + bytes((MINOR + 1,))
    new_kind = Frame(77, 0, 5, {"weight": [1.0, 2.0]}, {"unheard": {"of": []}})
    mark = mark_frame(9, "known")
    new_column = Frame(Kind.MARK, 9, 9, {**mark.columns, "colour": [3.0]}, {"also": "new"})
    packed = [pack(frame, SYNC, seq, ZLIB) for seq, frame in enumerate((new_kind, new_column))]
    path = tmp_path / "later.tuiapp"
    path.write_bytes(later + b"".join(packed))
    report = Report()
    assert [mark.text for mark in load(path, report).marks] == ["known"]
    assert report.whole
    with SessionFile(path) as file:
        assert file.version == (MAJOR, MINOR + 1)


def test_a_later_major_version_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "new.tuiapp"
    path.write_bytes(MAGIC[:-2] + bytes((MAJOR + 1, 0)) + b"whatever")
    with pytest.raises(SessionError, match="newer tuiapp") as refused:
        load(path)
    assert "Upgrade" in refused.value.advice
