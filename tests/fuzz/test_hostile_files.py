"""Session files made to do harm: lengths, bodies and indexes that lie, and what is no file."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest

from tests.doubles.synthetic import NS, Load
from tests.doubles.synthetic import frames as made_up
from tests.fuzz.bytes_of import SYNC, body_of, closed, column, file_of, raw_frame
from tests.fuzz.uses import numbers, read_all, use
from tuiapp.errors import SessionError
from tuiapp.events import (
    INDEX_COLUMNS,
    Frame,
    Kind,
    log_frame,
    mark_frame,
)
from tuiapp.session.file import SessionFile
from tuiapp.session.frames import MAGIC, MAX_BODY, MAX_ROWS, RAW, ZLIB, pack, pack_trailer
from tuiapp.session.index import Block, Index, closing
from tuiapp.session.reader import Report, load, read_frames
from tuiapp.session.validity import MAX_NS, MAX_REQ
from tuiapp.session.view import View

RUN = [*made_up(Load(seed=3, duration_s=3.0, rate=5.0, output_tokens=6, gpus=1, start_s=0.5))]
DATA = file_of(*(pack(frame, SYNC, seq, RAW) for seq, frame in enumerate(RUN)))


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


# -- files that lie about their size -------------------------------------------------------

WIDE = {f"g{at}": column([1.0], "<f4") for at in range(300)}
LIES: dict[str, bytes] = {
    "a request far away": file_of(
        raw_frame(2, body_of({"req": column([MAX_REQ - 1], "<u4")}), rows=1)
    ),
    "requests as far as allowed": file_of(
        *(
            raw_frame(2, body_of({"req": column([at], "<u4")}), rows=1, seq=seq)
            for seq, at in enumerate(((1 << 18) - 1, (1 << 18) + 1023))
        )
    ),
    "steps as far as allowed": file_of(
        *(
            raw_frame(10, body_of({"t_ns": column([day * 86_399 * NS])}), rows=1, seq=day)
            for day in (1, 2)
        )
    ),
    "a step after sixty days": file_of(
        raw_frame(10, body_of({"t_ns": column([MAX_NS - 1])}), rows=1, span=(0, MAX_NS - 1))
    ),
    "rows that are not there": file_of(
        raw_frame(3, body_of({"req": ["<u4", b""]}), rows=MAX_ROWS),
        raw_frame(6, body_of({"text": ["text", []]}), rows=MAX_ROWS),
    ),
    "a length that is not there": file_of(struct.pack(">BIB", 0xC9, MAX_BODY, 3) + bytes(80)),
    "a raw length that is not there": file_of(
        raw_frame(3, body_of({}), codec=ZLIB, raw_length=MAX_BODY)
    ),
    "a list of four billion": file_of(raw_frame(1, b"\x92\xdd\xff\xff\xff\xff")),
    "a map of four billion": file_of(raw_frame(1, b"\x92\xdf\xff\xff\xff\xff")),
    "a string of four billion": file_of(raw_frame(1, b"\x92\xdb\xff\xff\xff\xff")),
    "bytes of four billion": file_of(raw_frame(1, b"\x92\xc6\xff\xff\xff\xff")),
    "an extension of four billion": file_of(raw_frame(1, b"\x92\xc9\xff\xff\xff\xff\x01")),
    "an index of four million": closed(
        index=raw_frame(9, body_of({"offset": ["<i8", b""]}), rows=MAX_ROWS)
    ),
    "a trailer that points nowhere": MAGIC + pack_trailer(1 << 63, 0xFFFFFFFF),
    "a dtype of a gigabyte": file_of(
        raw_frame(3, body_of({"req": ["(1000000000,)i8", b""], "t_ns": ["|V2000000000", b""]}))
    ),
}
BOMBS: dict[str, bytes] = {
    "zeros": file_of(
        raw_frame(4, body_of({"t_ns": ["d<i8", bytes(60 << 20)]}), rows=(60 << 20) // 8, codec=ZLIB)
    ),
    "empty lists": file_of(
        raw_frame(6, body_of({"text": ["text", [[]] * 260_000]}), rows=260_000, codec=ZLIB)
    ),
    "lists of lists": file_of(
        raw_frame(1, b"\x92" + (b"\xdc\xff\xff" + b"\x90" * 65_535) * 99 + b"\x80", codec=ZLIB)
    ),
    "empty maps": file_of(raw_frame(1, body_of({}, [{}] * 1_000_000), codec=ZLIB)),
    "nested lists": file_of(raw_frame(1, b"\x91" * 1_000_000, codec=ZLIB)),
    "almost empty gauges": file_of(
        raw_frame(4, body_of({"t_ns": column([1]), **WIDE}), rows=1, codec=ZLIB),
        raw_frame(4, body_of({"t_ns": ["d<i8", bytes(8_000_000)]}), rows=1_000_000, seq=1),
    ),
}
OPEN_ALL = """
import gc, resource, sys
from pathlib import Path
from tuiapp.exports.summary import summary
from tuiapp.session.file import SessionFile
from tuiapp.session.reader import load
from tuiapp.session.view import View
def look(path):
    with SessionFile(path) as file:
        for _ in file.frames():
            pass
    session = load(path)
    summary(View(session, session.end_ns))
    print(path.name, session.folded, session.rejected, flush=True)
    del session
    gc.collect()
allowed, *paths = sys.argv[1:]
look(Path(paths[0]))  # loads what is loaded on first use
pages = int(Path("/proc/self/statm").read_text().split()[0])
size = pages * resource.getpagesize() + int(allowed)
resource.setrlimit(resource.RLIMIT_AS, (size, size))
for path in paths:
    look(Path(path))
"""


def open_all(folder: Path, files: dict[str, bytes], allowed: int) -> None:
    """Open files in a process that may take ``allowed`` more bytes than it has."""
    first = written(folder / "a run", DATA)
    paths = [first, *(written(folder / name, data) for name, data in files.items())]
    call = [sys.executable, "-c", OPEN_ALL, str(allowed), *map(str, paths)]
    done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=100)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == len(paths) + 1


def test_a_small_file_cannot_take_a_hundred_megabytes(tmp_path: Path) -> None:
    assert max(map(len, LIES.values())) <= 250
    open_all(tmp_path, LIES, 100 << 20)


def test_bombs_do_not_go_off(tmp_path: Path) -> None:
    open_all(tmp_path, BOMBS, 100 << 20)


def test_what_compresses_too_well_is_stored_as_it_is(tmp_path: Path) -> None:
    """No honest recording can be taken for a bomb."""
    rows = 200_000
    idle = {"t_ns": np.zeros(rows, np.int64), "total": np.zeros(rows, np.float32)}
    data = pack(Frame(Kind.SAMPLES, 0, 0, idle, {"group": "cpu"}), SYNC, 0, ZLIB)
    report = Report()
    session = load(written(tmp_path / "idle.tuiapp", file_of(data)), report)
    assert report.whole
    assert len(session.samples["cpu"]) == rows


# -- bodies that are none ------------------------------------------------------------------

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "a number": b"\x05",
    "no map of columns": msgpack.packb([{}, [1, 2]]),
    "three things": msgpack.packb([{}, {}, {}]),
    "attributes that are a list": msgpack.packb([[1], {}]),
    "names that are bytes": msgpack.packb([{}, {b"t_ns": column([1])}]),
    "names that are numbers": msgpack.packb([{}, {1: column([1])}], strict_types=False),
    "objects": body_of({"t_ns": ["|O", bytes(8)]}),
    "strings of bytes": body_of({"t_ns": ["|S8", bytes(8)]}),
    "long floats": body_of({"t_ns": ["<f16", bytes(16)]}),
    "a structure": body_of({"t_ns": ["<i4,<i4", bytes(8)]}),
    "dates": body_of({"t_ns": ["<M8[ns]", bytes(8)]}),
    "big endians": body_of({"t_ns": [">i8", bytes(8)]}),
    "an encoding that is a number": body_of({"t_ns": [8, bytes(8)]}),
    "data that is text": body_of({"t_ns": ["<i8", "8 letter"]}),
    "data that is a list": body_of({"t_ns": ["<i8", [1] * 8]}),
    "text that is bytes": body_of({"text": ["text", b"a"]}),
    "text that is numbers": body_of({"text": ["text", [1]]}),
    "text that is no UTF-8": b"\x92\x80\x81\xa4text\x92\xa4text\x91\xa2\xff\xfe",
    "too short": body_of({"t_ns": ["<i8", bytes(7)]}),
    "a time of another kind": b"\x92\x81\xa1a\xd6\xff\xff\xff\xff\xff\x80",
    "ten thousand columns": body_of({str(at): column([1]) for at in range(10_000)}),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("kind", [*Kind, 77])
def test_a_body_that_makes_no_sense_costs_its_frame_only(
    body: bytes, kind: int, tmp_path: Path
) -> None:
    good = [pack(mark_frame(at, str(at)), SYNC, at, ZLIB) for at in (0, 2)]
    bad = raw_frame(kind, body, rows=1, seq=1)
    path = written(tmp_path / "a.tuiapp", file_of(good[0], bad, good[1]))
    found = read_all(path)
    assert found is not None
    session, report = found
    assert {"0", "2"} <= {mark.text for mark in session.marks}
    numbers(View(session, session.end_ns))
    known = kind not in (Kind.INDEX, Kind.META, Kind.GAP, 77)
    assert not known or session.rejected or not report.whole


@pytest.mark.parametrize("codec", [2, 255])
def test_a_codec_of_a_later_version_costs_its_frame_only(codec: int, tmp_path: Path) -> None:
    frame = raw_frame(7, body_of({}), codec=codec)
    path = written(tmp_path / "a.tuiapp", file_of(frame, pack(mark_frame(1, "a"), SYNC, 1, RAW)))
    report = Report()
    assert [mark.text for mark in load(path, report).marks] == ["a"]
    assert not report.whole


# -- an index that lies --------------------------------------------------------------------


def blocks_of(data: list[bytes]) -> list[Block]:
    blocks, offset = [], len(MAGIC)
    for seq, packed in enumerate(data):
        blocks.append(Block(offset, len(packed), Kind.MARK, seq, seq, seq, 1))
        offset += len(packed)
    return blocks


MARKS = [pack(mark_frame(at, f"at {at}"), SYNC, at, ZLIB) for at in range(4)]
BLOCKS = blocks_of(MARKS)
END = BLOCKS[-1].end
INDEX_LIES: dict[str, Callable[[list[Block]], list[Block]]] = {
    "beyond the end": lambda b: [*b[:3], b[3]._replace(offset=1 << 40)],
    "before the start": lambda b: [b[0]._replace(offset=-50), *b[1:]],
    "into the magic": lambda b: [b[0]._replace(offset=2), *b[1:]],
    "around the world": lambda b: [*b[:3], b[3]._replace(offset=(1 << 63) - 10)],
    "overlapping": lambda b: [b[0]._replace(length=b[0].length + 9), *b[1:]],
    "twice the same": lambda b: [b[0], b[0], *b[2:]],
    "in another order": lambda b: b[::-1],
    "of nothing": lambda b: [],
    "of the first only": lambda b: b[:1],
    "without one in the middle": lambda b: [b[0], *b[2:]],
    "at itself": lambda b: [*b, Block(END, 300, Kind.INDEX, 4, 0, 0, 1)],
    "of no length": lambda b: [*b[:3], b[3]._replace(length=0)],
    "of every length": lambda b: [*b[:3], b[3]._replace(length=0xFFFFFFFF)],
}
TELLING_LIES: dict[str, Callable[[list[Block]], list[Block]]] = {
    "another kind": lambda b: [b[0]._replace(kind=Kind.TOKENS), *b[1:]],
    "another time": lambda b: [b[0]._replace(t1_ns=10**15), *b[1:]],
    "other rows": lambda b: [b[0]._replace(rows=9), *b[1:]],
    "a border elsewhere": lambda b: [
        b[0]._replace(length=b[0].length + 1), b[1]._replace(offset=b[1].offset + 1), *b[2:]
    ],
}  # fmt: skip


def with_index(blocks: list[Block]) -> bytes:
    index = Index()
    for block in blocks:
        index.add(block)
    return file_of(*MARKS) + closing(index, SYNC, 4, END)


def texts(path: Path) -> tuple[list[str], SessionFile]:
    with SessionFile(path) as file:
        found = [text for frame in file.frames() for text in frame.columns.get("text", ())]
        return found, file


@pytest.mark.parametrize("lie", INDEX_LIES.values(), ids=INDEX_LIES.keys())
def test_an_index_that_does_not_fit_is_made_again(
    lie: Callable[[list[Block]], list[Block]], tmp_path: Path
) -> None:
    found, file = texts(written(tmp_path / "a.tuiapp", with_index(lie(BLOCKS))))
    assert not file.indexed
    assert found == ["at 0", "at 1", "at 2", "at 3"]


@pytest.mark.parametrize("lie", TELLING_LIES.values(), ids=TELLING_LIES.keys())
def test_a_block_that_is_not_what_the_index_says_is_damage(
    lie: Callable[[list[Block]], list[Block]], tmp_path: Path
) -> None:
    found, file = texts(written(tmp_path / "a.tuiapp", with_index(lie(BLOCKS))))
    assert "at 3" in found
    assert file.report.damage.bad_frames or found == ["at 0", "at 1", "at 2", "at 3"]
    assert "at 0" not in found or not file.indexed


@pytest.mark.parametrize("encoding", ["<f8", "<i4", "text"])
def test_an_index_of_other_types_is_made_again(encoding: str, tmp_path: Path) -> None:
    values: Any = ["a"] if encoding == "text" else np.zeros(1, encoding).tobytes()
    index = raw_frame(
        9, body_of({name: [encoding, values] for name in INDEX_COLUMNS}), rows=1, seq=4
    )
    assert len(texts(written(tmp_path / "a.tuiapp", closed(*MARKS, index=index)))[0]) == 4


def test_trailers_in_the_middle_are_passed_over(tmp_path: Path) -> None:
    trailer = pack_trailer(8, 70)
    path = written(tmp_path / "a.tuiapp", file_of(trailer, *(m + trailer * 3 for m in MARKS)))
    report = Report()
    assert len(load(path, report).marks) == 4
    assert report.whole
    assert len(texts(path)[0]) == 4


def test_a_frame_that_comes_again_is_damage_and_counts_once(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tuiapp", file_of(*MARKS, MARKS[1], MARKS[3]))
    report = Report()
    assert len(load(path, report).marks) == 4
    assert report.damage.repeated_frames == 2
    assert report.lost == 0
    assert report.damage.missing_frames == 0
    assert len(texts(path)[0]) == 4


# -- what is no file, or does not stay as it is --------------------------------------------


def refusals(path: Path) -> list[str]:
    said = []
    for attempt in (lambda: SessionFile(path), lambda: list(read_frames(path)), lambda: load(path)):
        with pytest.raises(SessionError) as refused:
            attempt()
        said.append(refused.value.message)
    return said


def test_folders_pipes_and_devices_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert all("s a directory" in said for said in refusals(tmp_path))
    for path in (tmp_path / "fifo", Path("/dev/zero"), Path("/dev/null")):
        assert all("no regular file" in said for said in refusals(path))
    assert all("Cannot read" in said for said in refusals(tmp_path / "loop"))


@pytest.mark.parametrize("size", range(len(MAGIC)))
def test_less_than_the_magic_is_no_session(size: int, tmp_path: Path) -> None:
    for said in refusals(written(tmp_path / "a.tuiapp", MAGIC[:size])):
        assert "is no tuiapp session" in said


def test_the_magic_alone_is_an_empty_session(tmp_path: Path) -> None:
    found = read_all(written(tmp_path / "a.tuiapp", MAGIC))
    assert found is not None
    use(found[0])
    assert found[1] == Report()


@pytest.mark.parametrize("start", [MAGIC, file_of(*MARKS)], ids=["magic", "frames"])
def test_a_terabyte_of_nothing_is_given_up(start: bytes, tmp_path: Path) -> None:
    path = written(tmp_path / "a.tuiapp", start)
    os.truncate(path, 1 << 40)
    report = Report()
    assert len(load(path, report).marks) == (0 if start == MAGIC else 4)
    assert not report.whole
    with SessionFile(path) as file:
        assert not file.report.whole


def test_a_search_that_is_made_to_last_for_ever_is_given_up(tmp_path: Path) -> None:
    """Frames that seem to begin every few bytes, each as long as the rest of the file."""
    size, count = 60, 40_000
    parts = [
        struct.pack(">BIB4x8sIqqIBI", 0xC9, (count - at) * size - 6, 3, SYNC, at, 0, 0, 1, 0, 9)
        for at in range(count)
    ]
    data = b"".join(part.ljust(size, b"\0") for part in parts)
    path = written(tmp_path / "a.tuiapp", file_of(MARKS[0], data))
    report = Report()
    assert len(load(path, report).marks) == 1
    assert report.damage.skipped_bytes == len(data)


def test_a_file_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    frames_ = [
        log_frame(at, "engine", "INFO", np.random.default_rng(at).bytes(30_000).hex())
        for at in range(60)
    ]
    data = file_of(*(pack(frame, SYNC, seq, RAW) for seq, frame in enumerate(frames_)))
    path = written(tmp_path / "a.tuiapp", data)
    report = Report()
    reading = read_frames(path, report)
    with SessionFile(path) as file:
        next(reading)
        os.truncate(path, 100_000)
        assert len(list(reading)) < 59
        assert not report.whole
        assert file.read(40) is None
        assert not file.report.whole


def test_a_file_that_grows_while_it_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tuiapp", file_of(*MARKS))
    count = 0
    with path.open("ab") as more:
        for count, _ in enumerate(read_frames(path), 1):
            more.write(pack(mark_frame(9, "new"), SYNC, 3 + count, RAW))
            more.flush()
    assert count == 4
