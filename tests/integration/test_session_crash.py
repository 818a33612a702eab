"""What crashes and disks do to a recording: what is read from it is true, and damage is told.

Seeded: 10,000 truncations, 2,000 flipped bits, 500 pages of zeros, 30 writers killed in mid-write.
The truth is the list of frames of the whole file and where each of them stands.
"""

from __future__ import annotations

import io
import os
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.doubles.synthetic import NS, Load, frames
from tests.integration.writing import child, read
from tuiapp.errors import SessionError
from tuiapp.events import Frame, Kind, log_frame, mark_frame
from tuiapp.exports import export
from tuiapp.session import writer as writer_module
from tuiapp.session.columns import Session
from tuiapp.session.decoder import Damage
from tuiapp.session.deliveries import between
from tuiapp.session.file import SessionFile
from tuiapp.session.frames import MAGIC, ZLIB, pack, unpack
from tuiapp.session.index import Block, Index, closing
from tuiapp.session.reader import DAMAGED, Report, load, lost_between
from tuiapp.session.view import View

TRUNCATIONS, FLIPS, PAGES, KILLS = 10_000, 2_000, 500, 30
SYNC = b"\x0c\xa5\x91\xfe\x00\xc9\xd8U"
"""As unlucky as a sync word can be: it holds the first bytes of frames and trailers."""


@dataclass(frozen=True)
class Recording:
    """A file and the truth about it."""

    data: bytes
    frames: list[Frame]
    blocks: list[Block]

    def without(self, start: int, end: int) -> list[int]:
        """Numbers of the blocks that share no byte with [start, end)."""
        return [
            n for n, block in enumerate(self.blocks) if block.end <= start or block.offset >= end
        ]


def record(load_: Load, every: int, most: int) -> Recording:
    """A made-up run in blocks as the writer makes them, closed in order."""
    given = [*frames(load_, sampled=every > 1)][:most]
    given.insert(3, mark_frame(2 * NS, "a note"))
    given.insert(4, log_frame(3 * NS, "engine", "INFO", "grün"))
    index, data, offset = Index(), MAGIC, len(MAGIC)
    blocks: list[Block] = []
    merged = [
        frame
        for at in range(0, len(given), every)
        for frame in writer_module.merge_frames(given[at : at + every])
    ]
    for seq, frame in enumerate(merged):
        packed = pack(frame, SYNC, seq, ZLIB)
        block = Block(offset, len(packed), frame.kind, seq, frame.t0_ns, frame.t1_ns, frame.rows)
        blocks.append(block)
        index.add(block)
        data, offset = data + packed, offset + len(packed)
    return Recording(data + closing(index, SYNC, len(merged), offset), merged, blocks)


SMALL = record(Load(seed=11, duration_s=2.0, rate=9.0, output_tokens=12), every=1, most=44)
LARGE = record(Load(seed=12, duration_s=30.0, rate=12.0, gpus=1), every=240, most=9_000)
UNCLOSED = Recording(SMALL.data[: SMALL.blocks[-1].end], SMALL.frames, SMALL.blocks)


def plain(frame: Frame) -> Any:
    """A frame as values that can be compared."""
    columns = {
        name: column.tobytes() if isinstance(column, np.ndarray) else column
        for name, column in frame.columns.items()
    }
    return frame.kind, frame.t0_ns, frame.t1_ns, columns, frame.attrs


def truths(recording: Recording) -> list[Any]:
    """Every frame as it is read from the whole file."""
    return [plain(unpack(recording.data[block.offset : block.end])) for block in recording.blocks]


TRUE = {id(recording): truths(recording) for recording in (SMALL, LARGE, UNCLOSED)}


def told(session: Session) -> Any:
    """Everything a session says: its result, its events, its gauges, every delivery."""
    view, out = View(session, session.end_ns), io.StringIO()
    export("json")(view, out)
    gauges = {
        (group, name): [column.tolist() for column in view.series(group, name, -1)]
        for group in view.groups("")
        for name in session.samples[group].names
    }
    tokens = [
        tuple(column.tolist()) for batch in between(session, -1, view.cursor_ns) for column in batch
    ]
    said = (view.facts(), view.marks(), view.log(99), session.lost_frames, session.rejected)
    return out.getvalue(), repr(gauges), tokens, said


def survived(recording: Recording, survivors: list[int], lost: int) -> Session:
    """The session of the frames that survived, which knows where others are missing."""
    session, before, missing = Session(), None, 0
    for at in survivors:
        here = recording.frames[at]
        gone = at if before is None else at - before - 1
        if gone:
            beside = None if before is None else recording.frames[before]
            session.lose(*lost_between(beside, here), gone, DAMAGED)
        session.fold(here)
        before, missing = at, missing + gone
    session.lost_frames += max(lost - missing, 0)
    return session


def assert_survived(
    path: Path, recording: Recording, survivors: list[int], *, deep: bool
) -> Report:
    """Exactly ``survivors`` are read, each as it was written, and make the session shown."""
    found, report = read(path)
    truth = TRUE[id(recording)]
    assert [plain(frame) for frame in found] == [truth[at] for at in survivors]
    with SessionFile(path) as file:
        stored = list(file.frames())
        assert [plain(frame) for frame in stored] == [truth[at] for at in survivors]
        if not report.whole:
            assert not file.report.whole, "one reader hides what the other tells"
    if deep:
        session = load(path)
        session.path = None
        assert told(session) == told(survived(recording, survivors, report.lost))
    return report


def test_the_whole_files_are_what_they_should_be(tmp_path: Path) -> None:
    for recording in (SMALL, LARGE, UNCLOSED):
        path = tmp_path / "whole.tuiapp"
        path.write_bytes(recording.data)
        everything = [*range(len(recording.blocks))]
        assert assert_survived(path, recording, everything, deep=True).whole
    assert len(SMALL.data) > TRUNCATIONS
    assert {kind for kind in Kind if kind != Kind.GAP} - {b.kind for b in LARGE.blocks} == {
        Kind.INDEX
    }


def test_truncations(tmp_path: Path) -> None:
    """Everything before the cut is found, nothing is called damaged, only the tail is torn."""
    path = tmp_path / "cut.tuiapp"
    path.write_bytes(SMALL.data)
    rng = random.Random(1)
    cuts = sorted(rng.sample(range(len(SMALL.data)), TRUNCATIONS), reverse=True)
    fd = os.open(path, os.O_RDWR)
    seen = set()
    for cut in cuts:
        os.ftruncate(fd, cut)
        if cut < len(MAGIC):
            with pytest.raises(SessionError, match="no tuiapp session"):
                SessionFile(path)
            continue
        survivors = SMALL.without(cut, len(SMALL.data))
        with SessionFile(path) as file:
            assert not file.indexed
            assert [file.index.block(row) for row in range(len(file.index))] == SMALL.blocks[
                : len(survivors)
            ]
            assert file.report.whole
            whole = SMALL.blocks[len(survivors) - 1].end if survivors else len(MAGIC)
            assert len(survivors) == len(SMALL.blocks) or file.report.torn_bytes == cut - whole
        if len(survivors) not in seen:  # what is decoded is the same until the next block is lost
            seen.add(len(survivors))
            report = assert_survived(path, SMALL, survivors, deep=True)
            assert report.whole
    os.close(fd)
    assert len(seen) == len(SMALL.blocks) + 1


def test_flipped_bits(tmp_path: Path) -> None:
    """One frame is lost at most, no number changes, and the damage is told."""
    path, rng = tmp_path / "flipped.tuiapp", random.Random(2)
    for turn in range(FLIPS):
        recording = UNCLOSED if turn % 4 == 0 else SMALL
        at, bit = rng.randrange(len(recording.data)), rng.randrange(8)
        data = bytearray(recording.data)
        data[at] ^= 1 << bit
        path.write_bytes(data)
        if at == len(MAGIC) - 2 and data[at] > MAGIC[at]:
            with pytest.raises(SessionError, match="newer tuiapp"):
                load(path)
            continue
        survivors = recording.without(at, at + 1)
        report = assert_survived(path, recording, survivors, deep=turn % 40 == 0)
        lost = len(recording.blocks) > len(survivors) or at < len(MAGIC) - 2
        # A wrong length in the very last frame cannot be told from a torn tail.
        last = recording is UNCLOSED and at >= recording.blocks[-1].offset
        assert not lost or not report.whole or (last and report.torn_bytes)
        if len(survivors) < len(recording.blocks):
            assert report.lost or (last and report.torn_bytes)


def test_zeroed_pages(tmp_path: Path) -> None:
    """A page that never reached the disk costs the frames on it, and that is told."""
    path, rng = tmp_path / "zeroed.tuiapp", random.Random(3)
    for turn in range(PAGES):
        size = 512 if turn % 2 else 4096
        start = rng.randrange(0, len(LARGE.data), size)
        data = bytearray(LARGE.data)
        data[start : start + size] = bytes(len(data[start : start + size]))
        path.write_bytes(data)
        survivors = LARGE.without(start, start + size)
        report = assert_survived(path, LARGE, survivors, deep=turn % 50 == 0)
        nothing_lost = len(survivors) == len(LARGE.blocks) and start > 0
        assert report.whole == nothing_lost or start > LARGE.blocks[-1].offset


@pytest.mark.parametrize("recording", [SMALL, UNCLOSED], ids=["closed", "crashed"])
def test_every_bit_of_the_first_bytes(tmp_path: Path, recording: Recording) -> None:
    """A file that does not begin as a session is one by its frames, and says what is wrong."""
    path = tmp_path / "start.tuiapp"
    for bit in range(8 * (len(MAGIC) - 2)):
        data = bytearray(recording.data)
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        everything = [*range(len(recording.blocks))]
        report = assert_survived(path, recording, everything, deep=bit % 16 == 0)
        assert report.damage == Damage(skipped_bytes=len(MAGIC))


def test_damage_stays_told_after_a_note_was_appended(tmp_path: Path) -> None:
    path = tmp_path / "noted.tuiapp"
    data = bytearray(SMALL.data)
    data[SMALL.blocks[5].offset + 40] ^= 4
    data[-1] ^= 1  # so that appending begins with a scan, and ends with a new index
    path.write_bytes(data)
    with SessionFile(path) as file:
        assert not file.report.whole
        file.append([mark_frame(9, "later")])
        assert not file.report.whole
    assert not read(path)[1].whole


# -- killed while writing ------------------------------------------------------------------

WRITE_FAST = """
import os, random, sys, time
from pathlib import Path
from tuiapp.events import mark_frame
from tuiapp.session import disk, writer as w
w.BLOCK_S = 0.001
write_at = disk.write_at
def told(fd, data, offset):
    write_at(fd, data, offset)
    print(offset + len(data), flush=True)
disk.write_at = told
pwrite = os.pwrite
def slowly(fd, data, offset):  # a kernel may take as little as it likes: this one tears tails
    time.sleep(0.0003)
    return pwrite(fd, data[:700], offset)
os.pwrite = slowly if int(sys.argv[2]) % 2 else pwrite
writer, rng, at = w.SessionWriter(Path(sys.argv[1])), random.Random(int(sys.argv[2])), 0
while True:
    if writer._held_rows < 50:
        writer.put(mark_frame(at, f"{at} {rng.randbytes(150).hex()}"))
        at += 1
    else:
        time.sleep(0.0002)
"""


@pytest.mark.parametrize("seed", range(KILLS))
def test_killed_in_mid_write(tmp_path: Path, seed: int) -> None:
    """Everything that was synced is there, nothing stands there that was not written."""
    path = tmp_path / "killed.tuiapp"
    with child("-c", WRITE_FAST, path, seed) as writing:
        assert writing.stdout is not None
        writing.stdout.readline()  # the magic
        writing.stdout.readline()  # the first block
        time.sleep(random.Random(seed).uniform(0, 0.2))
        writing.send_signal(signal.SIGKILL)
        out, err = writing.communicate()
    assert err == ""
    synced = max(map(int, out.split()[:-1] or ["0"]), default=0)
    found, report = read(path)
    assert report.whole
    assert path.stat().st_size - report.torn_bytes >= synced
    rng, texts = random.Random(seed), [text for frame in found for text in frame.columns["text"]]
    assert texts == [f"{at} {rng.randbytes(150).hex()}" for at in range(len(texts))]
    with SessionFile(path) as file:
        assert not file.is_growing
        file.append([mark_frame(1, "after the crash")])
    gap = bool(report.torn_bytes)  # stands for the torn tail
    assert read(path)[1] == Report(frames=len(found) + 2 + gap)
