"""What a search for harmful files begins with, and what is done with each file it finds."""

from __future__ import annotations

import random
from pathlib import Path

from tests.doubles.synthetic import Load
from tests.doubles.synthetic import frames as made_up
from tests.fuzz.bytes_of import SYNC, file_of, heal
from tests.fuzz.uses import numbers, read_all
from tuiapp.events import Frame, Kind, log_frame, mark_frame
from tuiapp.exports.summary import summary
from tuiapp.session.frames import RAW, ZLIB, pack
from tuiapp.session.index import Block, Index, closing
from tuiapp.session.view import View

_LOAD = Load(seed=9, duration_s=1.0, rate=3.0, output_tokens=4, start_s=0.4)


def corpus() -> dict[str, bytes]:
    """Small files of every kind of frame: raw, compressed, closed, and a frame a file."""
    run = [*made_up(_LOAD), mark_frame(5, "a note"), log_frame(6, "engine", "INFO", "grün")]
    run.append(Frame(Kind.GAP, 0, 7, {}, {"frames": 2, "reason": "full"}))
    kinds = {frame.kind: frame for frame in reversed(run)}
    files = {f"kind{kind}": _closed([frame], RAW) for kind, frame in kinds.items()}
    files["raw"] = _closed(run[:24], RAW)
    files["compressed"] = _closed(run[-24:], ZLIB)
    files["open"] = file_of(*(pack(frame, SYNC, seq, RAW) for seq, frame in enumerate(run[-9:])))
    return files


def _closed(frames: list[Frame], codec: int) -> bytes:
    index, data = Index(), file_of()
    for seq, frame in enumerate(frames):
        packed = pack(frame, SYNC, seq, codec)
        spans = (frame.t0_ns, frame.t1_ns, frame.rows)
        index.add(Block(len(data), len(packed), frame.kind, seq, *spans))
        data += packed
    return data + closing(index, SYNC, len(frames), len(data))


def once(path: Path, data: bytes) -> None:
    """Open ``data`` as a file, first as it is and then with its checksums made right."""
    for given in {data, heal(data)}:
        path.write_bytes(given)
        found = read_all(path)
        if found is not None and found[0].folded:
            view = View(found[0], found[0].end_ns)
            numbers(view)
            summary(view)


def mutated(rng: random.Random, seeds: list[bytes]) -> bytes:
    """One of ``seeds`` with a few bytes changed, moved, doubled or gone, or joined to another."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.randint(1, 6)):
        at, size = rng.randrange(len(data) + 1), rng.choice((1, 1, 1, 2, 4, 8, 40))
        change = rng.randrange(6)
        if change == 0:
            data[at : at + size] = rng.randbytes(size)
        elif change == 1:
            data[at : at + size] = rng.choice((b"\0", b"\xff", b"\x7f", b"\xc9")) * size
        elif change == 2:
            del data[at : at + size]
        elif change == 3:
            data[at:at] = data[at : at + size]
        elif change == 4 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        else:
            other = rng.choice(seeds)
            data[at:] = other[rng.randrange(len(other)) :]
    return bytes(data)
