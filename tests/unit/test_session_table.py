"""Columns that grow, and event logs: which request at which moment, over a changing table."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from tests.unit.test_session_view import fold, request
from tuiapp.events import UNSET, Status
from tuiapp.session.pages import PAGE
from tuiapp.session.table import RECENT_ROWS, EventLog, Table

ROWS = 3_000_000


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def filled(folder: Path | None) -> Table:
    """Three million rows of 12 bytes, appended in pieces."""
    table = Table({"a": "<i8", "b": "<u4"}, {"b": 7}, folder)
    for start in range(0, ROWS, 100_000):
        table.append({"a": np.arange(start, start + 100_000)}, 100_000)
    return table


def test_older_rows_rest_until_somebody_looks(tmp_path: Path) -> None:
    before = resident_bytes()
    table = filled(tmp_path)
    assert table.nbytes == 12 * ROWS
    assert resident_bytes() - before < table.nbytes / 4
    table["a"][5] = 1234  # what has rested can still be written to
    assert int(table["a"].sum()) == ROWS * (ROWS - 1) // 2 + 1234 - 5
    assert int(table["b"].min()) == int(table["b"].max()) == 7
    assert resident_bytes() - before > table.nbytes * 3 / 4
    table.append({"a": np.zeros(RECENT_ROWS, int)}, RECENT_ROWS)
    assert resident_bytes() - before < table.nbytes / 4
    assert not list(tmp_path.iterdir()), "the file has no name"


def test_without_a_folder_to_rest_in_all_stays_in_memory(tmp_path: Path) -> None:
    for folder in (None, tmp_path / "missing"):
        table = filled(folder)
        np.testing.assert_array_equal(table["a"], np.arange(ROWS))


def test_a_disk_without_room_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    np.testing.assert_array_equal(filled(tmp_path)["a"], np.arange(ROWS))


@pytest.fixture
def log() -> EventLog:
    """Requests 0 ... 9; request r happens at 100 - 10 r, told in three batches."""
    table = Table({"t_ns": "<i8"}, {"t_ns": UNSET})
    table.grow(12)
    log = EventLog(table, "t_ns")
    for batch in ((9, 7, 8), (3, 2, 1, 0), (4, 5, 6)):
        req = np.array(batch)
        table.put(req, {"t_ns": 100 - 10 * req})
        log.append(req)
    return log


def test_events_are_in_time_order_however_they_come(log: EventLog) -> None:
    assert log.between(UNSET, 1_000).tolist() == list(range(9, -1, -1))
    assert log.between(20, 50).tolist() == [7, 6, 5]
    assert [log.count(t_ns) for t_ns in (9, 10, 55, 100)] == [0, 1, 5, 10]
    assert [log.last_ns(t_ns) for t_ns in (9, 10, 55, 999)] == [None, 10, 50, 100]


def test_what_is_removed_is_gone(log: EventLog) -> None:
    log.remove(np.array([0, 5, 11]))
    assert log.between(UNSET, 1_000).tolist() == [9, 8, 7, 6, 4, 3, 2, 1]
    assert len(log) == 8


def test_nothing_has_happened() -> None:
    log = EventLog(Table({"t_ns": "<i8"}), "t_ns")
    log.append(np.empty(0, int))
    assert (len(log), log.count(5), log.last_ns(5)) == (0, 0, None)


def test_a_newer_row_moves_a_moment_and_counts_once() -> None:
    sent = {"t_sched_ns": 1, "t_sent_ns": 2}
    session = fold(
        request(0, **sent, t_end_ns=50, status=Status.OK),
        request(1, **sent, t_end_ns=60, status=Status.OK),
        request(0, **sent, t_end_ns=70, status=Status.OK),
    )
    assert session.ends.between(UNSET, 100).tolist() == [1, 0]
    assert session.ends.count(50) == 0
    session.fold(request(1, **sent, t_end_ns=UNSET))
    assert session.ends.between(UNSET, 100).tolist() == [0]
    assert session.sent.count(100) == 2
