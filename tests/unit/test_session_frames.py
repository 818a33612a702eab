"""The bytes of a frame: what goes in comes out, and damage costs one frame at most."""

from __future__ import annotations

import numpy as np
import pytest

from tuiapp.events import Frame, Kind, log_frame
from tuiapp.session.decoder import Decoder
from tuiapp.session.frames import OVERHEAD, RAW, ZLIB, pack

SYNC = b"8 bytes!"


def tokens(rows: int = 500, seed: int = 0) -> Frame:
    rng = np.random.default_rng(seed)
    t_ns = np.cumsum(rng.integers(1, 10_000_000, rows))
    columns = {"req": rng.integers(0, 9, rows), "t_ns": t_ns, "n": np.ones(rows, int)}
    return Frame(Kind.TOKENS, int(t_ns[0]), int(t_ns[-1]), columns)


def gauges() -> Frame:
    columns = {"t_ns": [5, 6], "total": [0.25, float("nan")]}
    return Frame(Kind.SAMPLES, 5, 6, columns, {"group": "cpu"})


FRAMES = [tokens(), gauges(), log_frame(7, "engine", "INFO", "grün\x1b[31m"), tokens(3, seed=2)]


def stream(codec: int) -> bytes:
    return b"".join(pack(frame, SYNC, seq, codec) for seq, frame in enumerate(FRAMES))


@pytest.mark.parametrize("codec", [RAW, ZLIB])
@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_round_trip_whatever_the_chunks(codec: int, chunk: int) -> None:
    data, decoder = stream(codec), Decoder()
    out = [
        frame for at in range(0, len(data), chunk) for frame in decoder.feed(data[at : at + chunk])
    ]
    assert [frame.kind for frame in out] == [frame.kind for frame in FRAMES]
    for name in ("req", "t_ns", "n"):
        np.testing.assert_array_equal(out[0].columns[name], FRAMES[0].columns[name])
    np.testing.assert_array_equal(out[1].columns["total"], np.array([0.25, np.nan], np.float32))
    assert out[1].attrs == {"group": "cpu"}
    assert out[2].columns["text"] == ["grün\x1b[31m"]
    assert decoder.pending == 0


def test_files_are_smaller_than_pipes() -> None:
    assert len(pack(tokens(), SYNC, 0, ZLIB)) * 3 < len(pack(tokens(), SYNC, 0, RAW))


def read_all(data: bytes) -> tuple[list[Frame], Decoder]:
    decoder = Decoder(SYNC)
    return [*decoder.feed(data), *decoder.finish()], decoder


@pytest.mark.parametrize("codec", [RAW, ZLIB])
def test_any_flipped_bit_loses_one_frame_and_never_lies(codec: int) -> None:
    data = stream(codec)
    rng = np.random.default_rng(1)
    for at in (*range(OVERHEAD), *rng.integers(0, len(data), 150)):
        damaged = bytearray(data)
        damaged[at] ^= 1 << int(rng.integers(8))
        out, decoder = read_all(bytes(damaged))
        whole = {frame.t1_ns: frame for frame in FRAMES}
        for frame in out:
            np.testing.assert_array_equal(
                np.asarray(frame.columns["t_ns"]), np.asarray(whole[frame.t1_ns].columns["t_ns"])
            )
        assert len(out) >= len(FRAMES) - 1
        assert decoder.damage.bad_frames or decoder.damage.skipped_bytes


def test_a_torn_tail_gives_every_whole_frame() -> None:
    data = stream(ZLIB)
    ends = np.cumsum([len(pack(frame, SYNC, seq, ZLIB)) for seq, frame in enumerate(FRAMES)])
    for cut in range(0, len(data), 37):
        out, _ = read_all(data[:cut])
        assert len(out) == int((ends <= cut).sum())


def test_missing_frames_are_counted() -> None:
    decoder = Decoder()
    data = pack(FRAMES[0], SYNC, 4, RAW) + pack(FRAMES[1], SYNC, 9, RAW)
    assert len(list(decoder.feed(data))) == 2
    assert decoder.damage.missing_frames == 4


def test_a_declared_length_is_not_believed_before_it_is_there() -> None:
    lie = bytearray(pack(FRAMES[0], SYNC, 0, RAW))
    lie[1:5] = (0x7FFFFFFF).to_bytes(4, "big")
    out, _ = read_all(bytes(lie) + pack(FRAMES[1], SYNC, 1, RAW))
    assert [frame.kind for frame in out] == [Kind.SAMPLES]


def test_unknown_kinds_and_encodings_are_passed_over() -> None:
    import msgpack

    from tuiapp.session import frames

    body = msgpack.packb([{}, {"t_ns": ["<i8", b"\x01" + bytes(7)], "new": ["zz9", b"?"]}])
    frame = frames._unpack_body(body, 200, 1, 1, 1)
    assert list(frame.columns) == ["t_ns"]
