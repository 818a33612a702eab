"""A disk without room: the file stays readable, and nothing is lost once there is room again."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.writing import child, read
from tuiapp.events import mark_frame
from tuiapp.session import writer as writer_module
from tuiapp.session.writer import SessionWriter


def fill(writer: SessionWriter, rng: random.Random, first: int = 0) -> int:
    """Note after note until nothing can be written any more; returns how many there were."""
    at = first
    deadline = time.monotonic() + 60
    while not writer.failing:
        assert time.monotonic() < deadline
        writer.put(mark_frame(at, f"{at} {rng.randbytes(400).hex()}"))
        at += 1
        if at % 10 == 0:
            time.sleep(0.002)
    return at


def assert_prefix(path: Path, size: int) -> int:
    """The file ends with its last whole frame; returns how many notes it holds."""
    assert path.stat().st_size == size
    found, report = read(path)
    assert (report.whole, report.torn_bytes) == (True, 0)
    texts = [text for frame in found for text in frame.columns["text"]]
    rng = random.Random(4)
    assert texts == [f"{at} {rng.randbytes(400).hex()}" for at in range(len(texts))]
    return len(texts)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    call = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(call, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole up to the last frame while it is full, and nothing is lost once there is room."""
    monkeypatch.setattr(writer_module, "BLOCK_S", 0.005)
    filler = small_disk / "filler"
    filler.write_bytes(bytes(600_000))
    writer = SessionWriter(small_disk / "run.tuiapp")
    count = fill(writer, random.Random(4))
    assert "space" in writer.failing.lower()
    assert 0 < assert_prefix(writer.path, writer.size) < count
    filler.unlink()
    writer.close()
    assert not writer.failing
    assert assert_prefix(writer.path, writer.size) == count


LIMITED = """
import random, resource, sys
from pathlib import Path
from tuiapp.session import writer as w
from tests.integration.test_session_full_disk import assert_prefix, fill
w.BLOCK_S = 0.005
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
writer = w.SessionWriter(Path(sys.argv[1]))
count = fill(writer, random.Random(4))
assert 0 < assert_prefix(writer.path, writer.size) < count
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
writer.close()
assert assert_prefix(writer.path, writer.size) == count
print("whole", count)
"""


def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    """As a full disk, for anybody."""
    with child("-c", LIMITED, tmp_path / "run.tuiapp") as limited:
        out, err = limited.communicate(timeout=60)
    assert (out.split()[:1], err) == (["whole"], ""), err


NO_ROOM = """
import resource, sys; from pathlib import Path
from tuiapp.session.writer import SessionWriter; from tuiapp.errors import SessionError
resource.setrlimit(resource.RLIMIT_FSIZE, (4, 4))
try: SessionWriter(Path(sys.argv[1]))
except SessionError as error: print(error.message)
"""


def test_a_disk_that_was_full_from_the_start(tmp_path: Path) -> None:
    """Nothing can be written at all: one sentence, and no empty file is left."""
    with child("-c", NO_ROOM, tmp_path / "run.tuiapp") as limited:
        out, err = limited.communicate(timeout=60)
    assert out.startswith("Cannot record to")
    assert err == ""
    assert list(tmp_path.iterdir()) == []
