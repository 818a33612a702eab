"""What verify finds wrong with a file, and what recover saves of it."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from tests.doubles.synthetic import NS, Load, frames
from tuiapp.errors import SessionError
from tuiapp.events import Frame, Kind, mark_frame
from tuiapp.session.blocks import merge_frames
from tuiapp.session.edit import recover, rewrite
from tuiapp.session.file import SessionFile
from tuiapp.session.frames import MAGIC, SYNC_AT, pack
from tuiapp.session.index import Block
from tuiapp.session.reader import load, read_frames
from tuiapp.session.verify import verify
from tuiapp.session.writer import SessionWriter

LOAD = Load(seed=4, duration_s=6.0, rate=10.0)
CODEC_AT = 42


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Blocks of one second, closed in order."""
    path = tmp_path / "run.tuiapp"
    seconds: dict[int, list[Frame]] = {}
    for frame in frames(LOAD):
        seconds.setdefault(frame.t1_ns // NS, []).append(frame)
    rewrite((block for at in sorted(seconds) for block in merge_frames(seconds[at])), path)
    return path


def blocks(path: Path, kind: Kind) -> list[Block]:
    with SessionFile(path) as file:
        return [file.index.block(int(row)) for row in file.index.select([kind])]


def damage(path: Path, *hit: Block) -> None:
    data = bytearray(path.read_bytes())
    for block in hit:
        data[block.end - 5] ^= 0x40
    path.write_bytes(data)


def torn(path: Path, bytes_off: int) -> None:
    """What a crash leaves: no index, and the last block not whole."""
    end = blocks(path, Kind.TOKENS)[-1].end
    path.write_bytes(path.read_bytes()[: end - bytes_off])


def test_a_recording_that_was_closed_is_whole(recording: Path) -> None:
    found = verify(recording)
    assert (found.whole, found.indexed, found.growing, found.lost) == (True, True, False, [])
    assert found.frames == sum(frame.kind != Kind.INDEX for frame in read_frames(recording))
    assert found.torn_bytes == 0


@pytest.mark.parametrize("indexed", [True, False])
def test_a_damaged_block_is_named_with_its_kind_time_and_bytes(
    recording: Path, indexed: bool
) -> None:
    if not indexed:
        recording.write_bytes(recording.read_bytes()[:-1])
    hit = blocks(recording, Kind.TOKENS)[2]
    damage(recording, hit)
    found = verify(recording)
    assert not found.whole
    assert found.indexed == indexed
    (lost,) = found.lost
    assert (lost.offset, lost.length, lost.frames) == (hit.offset, hit.length, 1)
    assert (lost.kind, lost.what) == (Kind.TOKENS, "TOKENS")
    assert lost.t0_ns <= hit.t0_ns + NS
    assert lost.t1_ns >= hit.t1_ns - NS


def test_blocks_that_were_taken_out_are_missed_by_their_numbers(recording: Path) -> None:
    out = blocks(recording, Kind.STEPS)[1]
    data = recording.read_bytes()
    recording.write_bytes(data[: out.offset] + data[out.end :])
    (lost,) = verify(recording).lost
    assert (lost.frames, lost.length, lost.kind) == (1, 0, None)
    assert "sequence" in lost.reason


def test_a_damaged_first_block_is_lost_too(recording: Path) -> None:
    recording.write_bytes(recording.read_bytes()[:-1])
    first = blocks(recording, Kind.META)[0]
    damage(recording, first)
    (lost,) = verify(recording).lost
    assert (lost.offset, lost.length, lost.frames) == (len(MAGIC), first.length, 1)


@pytest.mark.parametrize("indexed", [True, False])
def test_damaged_first_bytes_are_named_and_cost_nothing_else(
    recording: Path, tmp_path: Path, indexed: bool
) -> None:
    whole = [frame.attrs for frame in read_frames(recording) if frame.kind == Kind.META]
    data = recording.read_bytes()[: None if indexed else -1]
    recording.write_bytes(bytes(4) + data[4:])
    found = verify(recording)
    assert not found.whole
    (lost,) = found.lost
    assert (lost.offset, lost.length, lost.frames) == (0, len(MAGIC), 0)
    assert not recover(recording, tmp_path / "saved.tuiapp").whole
    again = [frame.attrs for frame in read_frames(tmp_path / "saved.tuiapp") if frame.kind == 1]
    assert again[: len(whole)] == whole
    assert verify(tmp_path / "saved.tuiapp").whole


def test_a_torn_tail_is_told_apart_from_damage(recording: Path) -> None:
    torn(recording, 10)
    found = verify(recording)
    assert not found.whole
    assert found.lost == []
    assert found.torn_bytes == blocks_cut(recording)
    assert not found.indexed


def blocks_cut(path: Path) -> int:
    with SessionFile(path) as file:
        return file.size - file.index.block(len(file.index) - 1).end


def test_notes_that_were_appended_leave_no_trace_of_damage(recording: Path) -> None:
    for at in (1, 2):
        with SessionFile(recording) as file:
            file.append([mark_frame(at * NS, f"note {at}")])
    found = verify(recording)
    assert found.whole
    assert found.indexed
    assert found.identifying["texts of marks"] == ["note 1", "note 2"]
    recording.write_bytes(recording.read_bytes()[:-1])
    assert verify(recording).lost == []


def test_a_recording_that_grows_is_not_torn(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "now.tuiapp")
    writer.put(mark_frame(1, "x"))
    try:
        while not writer.size > len(MAGIC):
            pass
        found = verify(writer.path)
        assert (found.growing, found.indexed, found.whole) == (True, False, True)
    finally:
        writer.close()


def test_a_block_that_makes_no_sense_is_lost(tmp_path: Path) -> None:
    path, sync = tmp_path / "a.tuiapp", b"12345678"
    bad = bytearray(pack(Frame(Kind.MARK, 5, 5, {"t_ns": [5], "text": ["x"]}), sync, 1))
    bad[CODEC_AT + 4 + 1 :] = b"\xc1" * len(bad[CODEC_AT + 5 :])
    crc = zlib.crc32(bad[SYNC_AT:], zlib.crc32(bad[: SYNC_AT - 4]))
    bad[SYNC_AT - 4 : SYNC_AT] = struct.pack(">I", crc)
    path.write_bytes(MAGIC + pack(mark_frame(1, "a"), sync, 0) + bytes(bad))
    (lost,) = verify(path).lost
    assert (lost.what, lost.t0_ns, lost.reason) == ("MARK", 5, "makes no sense")


def test_what_was_lost_while_recording_is_told_and_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.tuiapp"
    gap = Frame(Kind.GAP, NS, 2 * NS, attrs={"frames": 7, "reason": "No space left on device"})
    rewrite([mark_frame(1, "x"), gap], path)
    found = verify(path)
    assert found.whole
    (told,) = found.gaps
    assert told == {"frames": 7, "reason": gap.attrs["reason"], "t0_ns": NS, "t1_ns": 2 * NS}


def test_no_session_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "thesis.txt"
    path.write_text("not a session at all")
    with pytest.raises(SessionError, match="is no tuiapp session"):
        verify(path)


# -- recover -------------------------------------------------------------------------------


def test_recovering_a_whole_file_copies_every_block(recording: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.tuiapp"
    before = recording.read_bytes()
    assert recover(recording, target).whole
    assert recording.read_bytes() == before
    assert verify(target).indexed
    for one, other in zip(read_frames(recording), read_frames(target), strict=True):
        assert (one.kind, one.t0_ns, one.t1_ns, one.attrs) == (
            other.kind, other.t0_ns, other.t1_ns, other.attrs,
        )  # fmt: skip
        if one.kind != Kind.INDEX:
            for name, column in one.columns.items():
                np.testing.assert_array_equal(column, other.columns[name])


def test_recovering_a_damaged_file_saves_the_rest_and_says_what_is_lost(
    recording: Path, tmp_path: Path
) -> None:
    target = tmp_path / "copy.tuiapp"
    hits = [blocks(recording, Kind.TOKENS)[2], blocks(recording, Kind.STEPS)[4]]
    damage(recording, *hits)
    verdict = recover(recording, target)
    assert [lost.kind for lost in verdict.lost] == [Kind.TOKENS, Kind.STEPS]
    again = verify(target)
    assert again.whole
    assert again.indexed
    assert [gap["frames"] for gap in again.gaps] == [1, 1]
    assert again.frames == verdict.frames + 3  # two gaps, and what META says of it
    saved = load(target)
    assert saved.lost_frames == 2
    assert saved.meta["recovered"] == {
        "file": "run.tuiapp", "lost_frames": 2, "torn_bytes": 0,
    }  # fmt: skip
    kept = [len(frame.columns["req"]) for frame in read_frames(recording) if frame.kind == 3]
    assert saved.ring.total == sum(kept)


def test_recovering_a_torn_file_gives_it_an_index(recording: Path, tmp_path: Path) -> None:
    torn(recording, 10)
    target = tmp_path / "copy.tuiapp"
    verdict = recover(recording, target)
    assert verdict.torn_bytes > 0
    assert not verdict.whole
    assert verify(target).indexed
    assert load(target).lost_frames == 1
    assert load(target).requests["req"].tolist() == load(recording).requests["req"].tolist()


@pytest.mark.parametrize("kept", [0, 4, 8, 30])
def test_nothing_to_save_is_an_error_and_leaves_nothing(
    recording: Path, tmp_path: Path, kept: int
) -> None:
    recording.write_bytes(recording.read_bytes()[:kept])
    with pytest.raises(SessionError):
        recover(recording, tmp_path / "copy.tuiapp")
    assert list(tmp_path.iterdir()) == [recording]


def test_what_a_later_version_wrote_is_kept(tmp_path: Path) -> None:
    path, target, sync = tmp_path / "later.tuiapp", tmp_path / "copy.tuiapp", b"12345678"
    later = [
        pack(Frame(77, 5, 6, {"odd": np.arange(4.0)}, {"a": [1]}), sync, 0),
        pack(Frame(Kind.MARK, 7, 7, {"t_ns": [7], "text": ["x"], "by": np.ones(1)}), sync, 1),
    ]
    path.write_bytes(MAGIC[:-1] + bytes((9,)) + b"".join(later))
    assert recover(path, target).whole
    assert target.read_bytes()[9] == 9
    unknown, mark, _ = read_frames(target)
    assert (unknown.kind, unknown.attrs) == (77, {"a": [1]})
    assert unknown.columns["odd"].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert mark.columns["by"].tolist() == [1.0]


def test_a_block_compressed_in_a_later_way_is_kept(tmp_path: Path) -> None:
    path, target, sync = tmp_path / "later.tuiapp", tmp_path / "copy.tuiapp", b"12345678"
    data = bytearray(pack(mark_frame(5, "x"), sync, 1))
    data[CODEC_AT] = 7
    crc = zlib.crc32(data[SYNC_AT:], zlib.crc32(data[: SYNC_AT - 4]))
    data[SYNC_AT - 4 : SYNC_AT] = struct.pack(">I", crc)
    path.write_bytes(MAGIC + pack(mark_frame(1, "a"), sync, 0) + data)
    assert recover(path, target).whole
    with SessionFile(target) as file:
        block = file.index.block(1)
        assert file.raw(block.offset, block.length)[CODEC_AT:] == data[CODEC_AT:]


def test_a_recording_is_not_recovered_while_it_grows(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "now.tuiapp")
    try:
        with pytest.raises(SessionError, match="being recorded"):
            recover(writer.path, tmp_path / "copy.tuiapp")
    finally:
        writer.close()


def test_a_target_that_cannot_be_written_leaves_nothing(recording: Path, tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="Cannot write"):
        recover(recording, tmp_path / "no" / "such" / "copy.tuiapp")


def test_blocks_that_stand_there_twice_are_damage_and_nothing_is_lost(recording: Path) -> None:
    with SessionFile(recording) as file:
        end = file.index.block(len(file.index) - 1).end
    again = blocks(recording, Kind.TOKENS)[1]
    data = recording.read_bytes()
    recording.write_bytes(data[:end] + data[again.offset : again.end])
    found = verify(recording)
    assert not found.whole
    assert found.missing_frames == 0
    (twice,) = found.lost
    assert (twice.kind, twice.is_repeated, twice.length) == (Kind.TOKENS, True, again.length)
    assert load(recording).lost_frames == 0
    copy = recording.with_name("copy.tuiapp")
    recover(recording, copy)
    assert verify(copy).whole
    assert load(copy).lost_frames == 0


def test_blocks_that_nobody_would_believe_are_damage(recording: Path) -> None:
    given = [*read_frames(recording), mark_frame(2**62, "in a hundred years")]
    path = recording.with_name("odd.tuiapp")
    rewrite(given, path)
    (odd,) = verify(path).lost
    assert (odd.kind, odd.reason) == (Kind.MARK, "makes no sense")
    copy = recording.with_name("copy.tuiapp")
    recover(path, copy)
    assert verify(copy).whole
