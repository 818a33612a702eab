"""Gaps are counted the same, however they come and however many there are."""

from __future__ import annotations

import numpy as np
import pytest

from tuiapp.session import gaps
from tuiapp.session.gaps import GapCounts
from tuiapp.stats.bins import BINS, bin_index

TICKS = 40


@pytest.fixture
def made() -> tuple[np.ndarray, np.ndarray]:
    """(tick, gap in ns): many more than 255 of a tick fall into one bin."""
    rng = np.random.default_rng(3)
    tick = np.sort(rng.integers(0, TICKS, 60_000))
    gap_ns = np.where(rng.random(60_000) < 0.5, 7_000_000, rng.lognormal(15, 1, 60_000))
    return tick, gap_ns.astype(np.int64)


def counted(tick: np.ndarray, gap_ns: np.ndarray, low: int = 0, high: int = TICKS) -> np.ndarray:
    inside = (tick >= low) & (tick < high)
    return np.bincount(bin_index(gap_ns[inside]), minlength=BINS)


def test_every_stretch_holds_what_ended_in_it(
    made: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps, "_AT_A_TIME", 1_000)
    tick, gap_ns = made
    found = GapCounts()
    for at in range(0, len(tick), 700):
        found.append(tick[at : at + 700], gap_ns[at : at + 700])
    for low, high in ((0, TICKS), (0, 7), (7, 8), (5, 31), (33, TICKS), (9, 9)):
        np.testing.assert_array_equal(found.between(low, high), counted(tick, gap_ns, low, high))
    assert found.between(0, TICKS).max() > 255 * TICKS


def test_late_gaps_find_their_tick(made: tuple[np.ndarray, np.ndarray]) -> None:
    tick, gap_ns = made
    late = np.random.default_rng(4).random(len(tick)) < 0.3
    found = GapCounts()
    for chosen in (~late, late):
        found.append(tick[chosen], gap_ns[chosen])
        found.between(0, TICKS)
    for low, high in ((0, TICKS), (11, 12), (20, 39)):
        np.testing.assert_array_equal(found.between(low, high), counted(tick, gap_ns, low, high))


def test_blocks_add_up(made: tuple[np.ndarray, np.ndarray]) -> None:
    tick, gap_ns = made
    found = GapCounts()
    found.append(tick, gap_ns)
    blocks = found.blocks(0, TICKS, 7)
    assert blocks.shape == (6, BINS)
    np.testing.assert_array_equal(blocks.sum(axis=0), counted(tick, gap_ns))


def test_a_range_that_is_empty_is_one_block_without_gaps(
    made: tuple[np.ndarray, np.ndarray],
) -> None:
    found = GapCounts()
    found.append(*made)
    for end in (3, 5):
        blocks = found.blocks(5, end, 7)
        assert blocks.shape == (1, BINS)
        assert not blocks.any()
