"""The opened file: index and trailer, a scan without them, notes appended behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.doubles.synthetic import NS, Load, frames
from tuiapp.errors import SessionError
from tuiapp.events import Frame, Kind, mark_frame
from tuiapp.session.file import SessionFile
from tuiapp.session.frames import MAGIC, TRAILER_SIZE, ZLIB, pack
from tuiapp.session.reader import Report, load, read_frames
from tuiapp.session.writer import SessionWriter

LOAD = Load(seed=4, duration_s=6.0, rate=10.0)
SYNC = b"12345678"


def write(path: Path, *given: Frame) -> Path:
    writer = SessionWriter(path, SYNC)
    for frame in given:
        writer.put(frame)
    writer.close()
    return path


def marks(*at_s: int) -> list[Frame]:
    return [mark_frame(at * NS, f"at {at}") for at in at_s]


def write_blocks(path: Path, *given: Frame) -> Path:
    """Every frame a block of its own, closed by hand as after a crash: no index."""
    packed = [pack(frame, SYNC, seq, ZLIB) for seq, frame in enumerate(given)]
    path.write_bytes(MAGIC + b"".join(packed))
    return path


def texts(file: SessionFile) -> list[str]:
    return [text for frame in file.frames([Kind.MARK]) for text in frame.columns["text"]]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write(tmp_path / "run.tuiapp", *frames(LOAD))


def test_a_closed_file_tells_its_blocks_without_a_scan(recording: Path) -> None:
    with SessionFile(recording) as file:
        assert file.indexed
        assert file.end_ns == load(recording).end_ns
        told = list(zip(file.index["kind"], file.index["t0_ns"], file.index["rows"], strict=True))
    known = [(f.kind, f.t0_ns, f.rows) for f in read_frames(recording) if f.kind != Kind.INDEX]
    assert told == known


def test_the_same_blocks_are_found_by_a_scan(recording: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn.tuiapp"
    torn.write_bytes(recording.read_bytes()[:-1])
    with SessionFile(recording) as whole, SessionFile(torn) as scanned:
        assert not scanned.indexed
        for name in ("offset", "length", "kind", "seq", "t0_ns", "t1_ns", "rows"):
            np.testing.assert_array_equal(scanned.index[name], whole.index[name])
        assert scanned.report.whole


def test_frames_of_a_kind_and_a_stretch_of_time(tmp_path: Path) -> None:
    path = write_blocks(tmp_path / "a.tuiapp", *marks(1, 2, 3, 4), Frame(Kind.META, 0, 0))
    with SessionFile(path) as file:
        assert texts(file) == ["at 1", "at 2", "at 3", "at 4"]
        found = list(file.frames([Kind.MARK], after_ns=NS, until_ns=3 * NS))
        assert [frame.t0_ns for frame in found] == [2 * NS, 3 * NS]
        assert [frame.kind for frame in file.frames([Kind.META])] == [Kind.META]


def test_appended_notes_leave_every_byte_before_them(recording: Path) -> None:
    before = recording.read_bytes()
    with SessionFile(recording) as file:
        file.append(marks(1))
        file.append(marks(2))
        assert file.indexed
        assert texts(file) == ["at 1", "at 2"]
    assert recording.read_bytes().startswith(before)
    report = Report()
    assert [mark.text for mark in load(recording, report).marks] == ["at 1", "at 2"]
    assert report.whole


def test_appending_to_what_a_crash_left_cuts_the_torn_tail_only(tmp_path: Path) -> None:
    path = write_blocks(tmp_path / "a.tuiapp", *marks(1, 2))
    whole = path.read_bytes()
    path.write_bytes(whole + pack(marks(3)[0], SYNC, 2, ZLIB)[:-3])
    with SessionFile(path) as file:
        assert file.report.torn_bytes > 0
        file.append(marks(4))
        assert texts(file) == ["at 1", "at 2", "at 4"]
    assert path.read_bytes().startswith(whole)
    report = Report()
    list(read_frames(path, report))
    assert report.whole


def test_nothing_is_appended_to_a_file_that_is_being_recorded(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "run.tuiapp")
    with SessionFile(writer.path) as file:
        assert file.is_growing
        with pytest.raises(SessionError, match="being recorded"):
            file.append(marks(1))
    writer.close()
    with SessionFile(writer.path) as file:
        assert not file.is_growing
        file.append(marks(1))
        assert texts(file) == ["at 1"]


def test_what_comes_later_is_read_once_it_is_whole(tmp_path: Path) -> None:
    path = write_blocks(tmp_path / "a.tuiapp", *marks(1))
    later = [pack(marks(n)[0], SYNC, n - 1, ZLIB) for n in (2, 3)]
    with SessionFile(path) as file, path.open("ab", buffering=0) as writer:
        assert texts(file) == ["at 1"]
        assert list(file.grow()) == []
        writer.write(later[0][:10])
        assert list(file.grow()) == []
        assert file.report.torn_bytes == 10
        writer.write(later[0][10:] + later[1])
        assert [frame.columns["text"] for frame in file.grow()] == [["at 2"], ["at 3"]]
        assert list(file.grow()) == []
        assert (file.report.torn_bytes, file.report.whole) == (0, True)
        assert texts(file) == ["at 1", "at 2", "at 3"]


@pytest.mark.parametrize("at", ["trailer", "index"])
def test_a_damaged_index_is_made_again(recording: Path, at: str) -> None:
    data = bytearray(recording.read_bytes())
    data[-5 if at == "trailer" else -TRAILER_SIZE - 40] ^= 0x10
    recording.write_bytes(data)
    with SessionFile(recording) as file:
        assert not file.indexed
        assert sum(frame.rows for frame in file.frames([Kind.REQUESTS])) > 0


def test_a_damaged_block_is_left_out_and_counted(recording: Path) -> None:
    with SessionFile(recording) as file:
        row = int(file.index.select([Kind.TOKENS])[0])
        block = file.index.block(row)
    data = bytearray(recording.read_bytes())
    data[block.offset + block.length // 2] ^= 1
    recording.write_bytes(data)
    with SessionFile(recording) as file:
        assert file.indexed
        assert file.read(row) is None
        assert file.report.damage.bad_frames == 1


def test_what_cannot_be_written_to_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "run.tuiapp", *marks(1))
    with SessionFile(path) as file:
        path.unlink()
        with pytest.raises(SessionError, match="Cannot write to"):
            file.append(marks(2))


def test_no_file_and_no_session(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="Cannot read"):
        SessionFile(tmp_path / "none.tuiapp")
    (tmp_path / "text").write_text("hello, this is a text")
    with pytest.raises(SessionError, match="is no tuiapp session"):
        SessionFile(tmp_path / "text")
