"""The file while it grows: blocks, crashes, a full disk."""

from __future__ import annotations

import errno
import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.doubles.synthetic import Load, frames
from tuiapp.errors import SessionError
from tuiapp.events import Frame, Kind, mark_frame
from tuiapp.session import disk
from tuiapp.session import writer as writer_module
from tuiapp.session.blocks import merge_frames
from tuiapp.session.frames import MAGIC
from tuiapp.session.library import new_path
from tuiapp.session.reader import Report, load, read_frames
from tuiapp.session.writer import SessionWriter

LOAD = Load(seed=2, duration_s=6.0, rate=10.0)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    writer = SessionWriter(tmp_path / "deep" / "run.tuiapp")
    for frame in frames(LOAD):
        writer.put(frame)
    writer.close()
    assert writer.size == writer.path.stat().st_size
    return writer.path


def test_whole_file_reads_back(recording: Path) -> None:
    report = Report()
    session = load(recording, report)
    assert report.whole
    assert report.torn_bytes == 0
    assert len(session.requests) == 60


def test_every_truncation_loads_and_never_lies(recording: Path) -> None:
    whole, data = load(recording), recording.read_bytes()
    tokens = int(whole.ticks["output_tokens"].sum())
    for cut in range(len(MAGIC), len(data), 997):
        recording.write_bytes(data[:cut])
        report = Report()
        part = load(recording, report)
        assert int(part.ticks["output_tokens"].sum()) <= tokens
        assert report.damage.bad_frames == 0
        both = min(len(part.requests), len(whole.requests))
        np.testing.assert_array_equal(
            part.requests["t_sched_ns"][:both][part.requests["t_sent_ns"][:both] > 0],
            whole.requests["t_sched_ns"][:both][part.requests["t_sent_ns"][:both] > 0],
        )


def test_newest_row_of_a_request_wins_within_a_block() -> None:
    rows = [Frame(Kind.REQUESTS, 0, at, {"req": [3], "status": [at]}) for at in (1, 2, 3)]
    (merged,) = merge_frames(rows)
    assert list(merged.columns["status"]) == [3]


def test_probes_with_changing_gauges_share_a_block() -> None:
    first = Frame(Kind.SAMPLES, 0, 1, {"t_ns": [1], "core0": [0.5]}, {"group": "cpu"})
    second = Frame(Kind.SAMPLES, 2, 2, {"t_ns": [2], "core1": [0.25]}, {"group": "cpu"})
    (merged,) = merge_frames([first, second])
    np.testing.assert_array_equal(merged.columns["core0"], np.array([0.5, np.nan], np.float32))
    np.testing.assert_array_equal(merged.columns["core1"], np.array([np.nan, 0.25], np.float32))


def test_a_full_disk_keeps_whole_frames_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "BLOCK_S", 0.01)
    writer = SessionWriter(tmp_path / "run.tuiapp")
    full = True

    def write(fd: int, data: memoryview, offset: int) -> int:
        if full:
            os_write(fd, data[: len(data) // 2], offset)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os_write(fd, data, offset)

    os_write = os.pwrite
    writer.put(mark_frame(1, "before"))
    wait_for(lambda: writer.size > len(MAGIC))
    size = writer.size
    monkeypatch.setattr(disk.os, "pwrite", write)
    writer.put(mark_frame(2, "while full"))
    wait_for(lambda: bool(writer.failing))
    assert "space" in writer.failing
    assert writer.path.stat().st_size == size
    assert [mark.text for mark in load(writer.path).marks] == ["before"]
    full = False
    wait_for(lambda: not writer.failing)
    writer.close()
    assert [mark.text for mark in load(writer.path).marks] == ["before", "while full"]


def test_what_did_not_fit_is_recorded_as_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "MAX_HELD_ROWS", 2)
    writer = SessionWriter(tmp_path / "run.tuiapp")
    for t_ns in range(5):
        writer.put(mark_frame(t_ns, str(t_ns)))
    writer.close()
    gaps = [frame for frame in read_frames(writer.path) if frame.kind == Kind.GAP]
    assert gaps
    assert load(writer.path).lost_frames + len(load(writer.path).marks) == 5


def wait_for(condition, tries: int = 500) -> None:  # type: ignore[no-untyped-def]
    from tuiapp.clock import sleep_s

    for _ in range(tries):
        if condition():
            return
        sleep_s(0.01)
    raise AssertionError("it never came true")


def test_recordings_are_never_overwritten(recording: Path) -> None:
    with pytest.raises(SessionError, match="exists already"):
        SessionWriter(recording)


def test_an_unwritable_place_is_one_clear_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with pytest.raises(SessionError, match="Cannot record to"):
        SessionWriter(blocked / "run.tuiapp")


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tuiapp"
    path.write_bytes(b"PK\x03\x04 something else")
    with pytest.raises(SessionError, match="no tuiapp session"):
        load(path)
    path.write_bytes(MAGIC[:-2] + bytes((99, 0)))
    with pytest.raises(SessionError, match="newer tuiapp"):
        load(path)


def test_names_are_free_and_safe(tmp_path: Path) -> None:
    first = new_path("../../etc/pass wd\n", 0, tmp_path)
    assert first.parent == tmp_path
    first.touch()
    assert new_path("../../etc/pass wd\n", 0, tmp_path) != first


def test_a_disk_that_is_full_at_once_is_a_sentence_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(fd: int, data: memoryview, offset: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(disk.os, "pwrite", write)
    with pytest.raises(SessionError, match=r"Cannot record to .*: No space left on device"):
        SessionWriter(tmp_path / "run.tuiapp")
    assert not list(tmp_path.iterdir())


def test_a_name_too_long_and_a_folder_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="File name too long"):
        SessionWriter(tmp_path / ("x" * 300))
    with pytest.raises(SessionError, match="is a folder"):
        SessionWriter(tmp_path)


def test_a_frame_that_cannot_be_encoded_is_a_gap_and_the_rest_is_recorded(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "run.tuiapp")
    writer.put(Frame(Kind.TOKENS, 5, 9, {"req": ["no number"], "t_ns": [1], "n": [1]}))
    writer.flush()
    assert "ValueError" in writer.failing
    writer.put(mark_frame(20, "after"))
    writer.close()
    assert not writer.failing
    frames = list(read_frames(writer.path))
    gap = next(frame for frame in frames if frame.kind == Kind.GAP)
    assert (gap.t0_ns, gap.t1_ns, gap.attrs["frames"]) == (5, 9, 1)
    assert [mark.text for mark in load(writer.path).marks] == ["after"]


def test_the_header_is_on_the_disk_within_the_first_second(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "run.tuiapp")
    writer.put(Frame(Kind.META, 0, 0, attrs={"model": {"name": "m"}}))
    wait_for(lambda: bool(load(writer.path).meta), 40)  # 0.4 s; a block is a second
    writer.close()


def test_what_was_lost_last_is_recorded_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = SessionWriter(tmp_path / "run.tuiapp")
    monkeypatch.setattr(writer_module, "MAX_HELD_ROWS", 0)
    writer.put(mark_frame(7, "never written"))
    writer.close()
    assert load(writer.path).lost_frames == 1


def test_whoever_writes_what_is_held_writes_it_once_and_in_order(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "run.tuiapp")

    def put_and_flush() -> None:
        for _ in range(100):
            writer.put(mark_frame(20, "again"))
            writer.flush()

    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=put_and_flush) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval_s)
        writer.close()
    report = Report()
    marks = sum(frame.rows for frame in read_frames(writer.path, report) if frame.kind == Kind.MARK)
    assert (marks, report.damage.bad_frames, report.damage.missing_frames) == (400, 0, 0)
