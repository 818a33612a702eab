"""The interval log of histograms, decoded here from the format's own description."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from collections import Counter, defaultdict

import numpy as np
import pytest

from tests.doubles.drawing import HOSTILE
from tests.doubles.synthetic import Load, frames
from tests.unit.exported import FIXTURE, recorded, text_of
from tuiapp.exports.hdr_log import HIGHEST_US, encoded
from tuiapp.exports.summary import summary
from tuiapp.session.columns import Session
from tuiapp.session.reader import load
from tuiapp.session.view import View

TAGS = {"ttft", "tpot", "itl", "e2el"}
LINE = re.compile(r"Tag=(\w+),(\d+\.\d{3}),(\d+\.\d{3}),(\d+\.\d{3}),([A-Za-z0-9+/=]+)")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    load = Load(duration_s=35.0, rate=12.0, failed_share=0.03, gpus=1)
    return recorded(tmp_path_factory.mktemp("run") / "run.tuiapp", frames(load))


def decoded(data: bytes) -> Counter[tuple[int, int]]:
    """Count by (lowest, highest) value of a bucket."""
    cookie, length = struct.unpack_from(">ii", data)
    assert cookie == 0x1C849314
    assert length == len(data) - 8
    plain = zlib.decompress(data[8:])
    cookie, length, offset, digits, low, high, ratio = struct.unpack_from(">iiiiqqd", plain)
    assert (cookie, offset, digits, low, ratio) == (0x1C849313, 0, 3, 1, 1.0)
    assert length == len(plain) - 40
    assert high == HIGHEST_US
    counts: Counter[tuple[int, int]] = Counter()
    at, number, shift = 0, 0, 0
    for byte in plain[40:]:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            value = (number >> 1) ^ -(number & 1)
            if value < 0:
                at -= value
            else:
                counts[_bounds(at)] += value
                at += 1
            number = shift = 0
    assert shift == 0
    return counts


def _bounds(index: int) -> tuple[int, int]:
    """2048 buckets of 1, then 1024 of 2, 1024 of 4, ..."""
    bucket, sub = (index >> 10) - 1, (index & 1023) + 1024
    if bucket < 0:
        bucket, sub = 0, sub - 1024
    return sub << bucket, ((sub + 1) << bucket) - 1


def logged(text: str) -> dict[str, list[tuple[float, float, float, Counter[tuple[int, int]]]]]:
    found = defaultdict(list)
    for line in text.splitlines():
        if not line.startswith(("#", '"')):
            match = LINE.fullmatch(line)
            assert match, line[:80]
            start, length, most = (float(part) for part in match.groups()[1:4])
            found[match[1]].append((start, length, most, decoded(base64.b64decode(match[5]))))
    return found


def raw_us(session: Session, tag: str) -> np.ndarray:
    if tag != "itl":
        values = View(session, session.end_ns).run(tag).values_ns
        assert values is not None
        return np.sort(np.rint(values / 1e3))
    req, t_ns, _ = session.ring.held()
    gaps = [np.diff(t_ns[req == one]) for one in np.unique(req)]
    return np.sort(np.rint(np.concatenate(gaps) / 1e3))


@pytest.mark.parametrize("tag", sorted(TAGS))
def test_it_holds_every_raw_value_within_its_bucket(session: Session, tag: str) -> None:
    total: Counter[tuple[int, int]] = Counter()
    for *_, counts in logged(text_of("hdr", session))[tag]:
        total += counts
    low, high = (np.repeat(side, list(total.values())) for side in zip(*total, strict=True))
    values = raw_us(session, tag)
    assert len(low) == len(values) > 100
    assert (np.sort(low) <= values).all()
    assert (values <= np.sort(high)).all()
    assert (high - low <= np.maximum(low, 1) / 1000).all()


def test_intervals_are_ten_seconds_apart_and_hold_what_became_known_in_them(
    session: Session,
) -> None:
    view = View(session, session.end_ns)
    log = logged(text_of("hdr", session))
    assert set(log) == TAGS
    origin_s = (view.run_start_ns + 1) / 1e9
    known, values = view.points("ttft", view.run_start_ns)
    known = known[np.isfinite(values)]
    assert len(log["ttft"]) >= 4
    for at, (start, length, most, counts) in enumerate(log["ttft"]):
        assert start == pytest.approx(origin_s + 10 * at, abs=1e-3)
        assert 0 < length <= 10
        begin = view.run_start_ns + 1 + at * 10_000_000_000
        inside = (known >= begin) & (known < begin + 10_000_000_000)
        assert counts.total() == int(inside.sum())
        assert most == pytest.approx(values[np.isfinite(values)][inside].max() / 1e6, abs=1e-3)


def test_failed_requests_are_counted_in_a_comment(session: Session) -> None:
    failed = summary(View(session, session.end_ns))["requests"]["failed"]
    assert failed > 0
    text = text_of("hdr", session)
    assert f"{failed} failed requests, 0 unfinished" in text
    assert sum(row[3].total() for row in logged(text)["e2el"]) == len(session.requests) - failed


def test_an_old_recording_can_be_logged() -> None:
    session = load(FIXTURE)
    log = logged(text_of("hdr", session))
    result = summary(View(session, session.end_ns))
    assert set(log) == TAGS
    assert sum(row[3].total() for row in log["e2el"]) == result["requests"]["ok"]
    assert sum(row[3].total() for row in log["itl"]) == result["itl_s"]["n"]


def test_nothing_after_the_cursor_is_told(session: Session) -> None:
    cursor_ns = session.end_ns // 2
    log = logged(text_of("hdr", session, cursor_ns))
    for rows in log.values():
        assert all(start + length <= cursor_ns / 1e9 + 2e-3 for start, length, *_ in rows)
    req, t_ns, _ = session.ring.held()
    seen = req[t_ns <= cursor_ns]
    assert sum(row[3].total() for row in log["itl"]) == len(seen) - len(np.unique(seen))


def test_an_empty_session_is_a_log_without_intervals() -> None:
    text = text_of("hdr", Session())
    assert text.startswith("#[Histogram log format version 1.3]\n")
    assert logged(text) == {}


def test_values_of_every_size_come_back() -> None:
    sizes = [0, 1, 2047, 2048, 2049, 4095, 4096, 999_999, HIGHEST_US]
    counts = decoded(encoded(np.array(sizes * 300)))
    assert counts.total() == 300 * len(sizes)
    for size in sizes:
        assert any(low <= size <= high and many >= 300 for (low, high), many in counts.items())


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_a_recording_says_stands_in_the_log(text: str, session: Session) -> None:
    session.meta["created_ns"] = text
    session.meta["model"] = {"name": text}
    assert text_of("hdr", session).isascii()
