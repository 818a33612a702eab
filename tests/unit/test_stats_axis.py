"""Axes: whole bins in a column, round labels, a picture that stands still."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from tuiapp.stats.histogram import BINS, Axis, axis_for, counts_of, linear_axis_for

MS = 1_000_000
WIDE, NARROW, ONE = (1 * MS, 900 * MS), (20 * MS, 21 * MS), (7 * MS, 7 * MS)


def lognormal(n: int = 5_000) -> np.ndarray:
    return np.random.default_rng(3).lognormal(math.log(20 * MS), 0.5, n)


@pytest.mark.parametrize("span", [WIDE, NARROW, ONE, (1, 10**16), (0, 0)])
@pytest.mark.parametrize("columns", [1, 17, 60, 178, 400])
def test_a_log_axis_holds_both_ends_in_whole_bins(span: tuple[int, int], columns: int) -> None:
    axis = axis_for(*span, columns)
    edges = axis.edges_ns()
    assert len(edges) == columns + 1
    assert (np.diff(edges) > 0).all()
    assert edges[0] <= max(span[0], 1_000)
    assert min(span[1], 4_100 * 10**9) < edges[-1] or axis.end_bin > BINS - 1 - columns
    assert 1 <= axis.first_bin < axis.end_bin <= BINS - 1


def test_columns_count_the_same_from_values_and_from_bins() -> None:
    values = lognormal()
    axis = axis_for(values.min(), values.max(), 60)
    from_values = axis.counts_of_values(values)
    np.testing.assert_array_equal(from_values, axis.counts_of_bins(counts_of(values)))
    assert from_values.sum() == len(values)
    inside_third = (axis.edges_ns()[3] <= values) & (values < axis.edges_ns()[4])
    assert from_values[3] == inside_third.sum()


def test_what_lies_outside_is_told() -> None:
    values = np.array([1, 5 * MS, 20 * MS, 20 * MS, 900 * MS])
    for axis in (axis_for(*NARROW, 40), linear_axis_for(*NARROW, 40)):
        assert axis.counts_of_values(values).sum() == 2
        assert axis.outside(counts_of(values)) == (2, 1)


def test_counts_over_time_merge_row_by_row() -> None:
    rows = np.stack([counts_of(lognormal(100)), counts_of(lognormal(300))])
    for axis in (axis_for(*WIDE, 50), linear_axis_for(0, 900 * MS, 50)):
        columns = axis.counts_of_bins(rows)
        assert columns.shape == (2, 50)
        np.testing.assert_allclose(columns[1], axis.counts_of_bins(rows[1]))


def test_a_linear_axis_shares_bins_out_by_width() -> None:
    values = lognormal(200_000)
    axis = linear_axis_for(0, 100 * MS, 40)
    exact, shared = axis.counts_of_values(values), axis.counts_of_bins(counts_of(values))
    assert shared.sum() == pytest.approx(exact.sum(), rel=1e-4)
    assert np.abs(shared - exact).max() < 0.02 * exact.max()


def test_columns_narrower_than_a_bin_make_no_comb() -> None:
    values = np.random.default_rng(4).uniform(990 * MS, 1_010 * MS, 100_000)
    axis = linear_axis_for(1_000 * MS, 1_002 * MS, 40)
    shared = axis.counts_of_bins(counts_of(values))
    np.testing.assert_allclose(shared, 100_000 * 0.05 / 20, rtol=0.1)


def test_a_linear_axis_from_zero_shows_what_is_below_the_bins() -> None:
    axis = linear_axis_for(0, 10 * MS, 20)
    assert axis.counts_of_bins(counts_of(np.array([0, 0, 500])))[0] == 3


@pytest.mark.parametrize("axis", [axis_for(*WIDE, 60), linear_axis_for(0, 900 * MS, 60)])
def test_a_value_stands_in_the_column_that_counts_it(axis: Axis) -> None:
    for value in (3 * MS, 20 * MS, 555 * MS):
        assert int(axis.column_of(value)) == int(np.argmax(axis.counts_of_values([value])))
    assert axis.column_of(axis.edges_ns()[0]) == pytest.approx(0, abs=1e-9)
    assert axis.column_of(axis.edges_ns()[-1]) == pytest.approx(60)


def test_small_moves_of_the_data_do_not_move_the_axis() -> None:
    axis = axis_for(10.1 * MS, 210 * MS, 60)
    moved = {axis_for(10.1 * MS * f, 210 * MS * f, 60) for f in (1.0, 1.005, 1.01, 1.02)}
    assert moved == {axis}


def test_the_axis_before_is_kept_while_it_fits() -> None:
    before = axis_for(10 * MS, 300 * MS, 60)
    assert axis_for(14 * MS, 150 * MS, 60) != before
    assert axis_for(14 * MS, 150 * MS, 60, keep=before) is before
    assert axis_for(9 * MS, 150 * MS, 60, keep=before).edges_ns()[0] <= 9 * MS
    assert axis_for(14 * MS, 900 * MS, 60, keep=before).edges_ns()[-1] > 900 * MS
    assert axis_for(14 * MS, 20 * MS, 60, keep=before) != before
    assert axis_for(14 * MS, 150 * MS, 70, keep=before).columns == 70


def test_labels_are_1_2_5_steps() -> None:
    axis = axis_for(4 * MS, 300 * MS, 60)
    values = [round(value / MS) for _, value in axis.ticks(60)]
    assert values == [5, 10, 20, 50, 100, 200]


def test_labels_of_a_long_axis_are_decades() -> None:
    axis = axis_for(2_000, 9 * 10**11, 60)
    assert [value for _, value in axis.ticks(60)] == [10.0**e for e in range(4, 12)]
    assert [value for _, value in axis.ticks(36)] == [1e4, 1e6, 1e8, 1e10]


def test_labels_of_a_short_axis_are_evenly_spaced() -> None:
    values = [value / MS for _, value in axis_for(*NARROW, 40).ticks(40)]
    assert len(values) >= 3
    np.testing.assert_allclose(np.diff(values), values[1] - values[0])


@pytest.mark.parametrize("width", [20, 38, 58, 98, 180])
@pytest.mark.parametrize("span", [WIDE, NARROW, (2_000, 10**12), (30 * MS, 95 * MS)])
def test_labels_keep_apart_and_stand_where_their_value_is(
    span: tuple[int, int], width: int
) -> None:
    for axis in (axis_for(*span, width), linear_axis_for(*span, width)):
        ticks = axis.ticks(width, label=6)
        cells = [cell for cell, _ in ticks]
        assert len(ticks) >= 2
        assert all(0 <= cell < width for cell in cells)
        assert all(b - a >= 6 for a, b in pairwise(cells))
        for cell, value in ticks:
            assert cell == pytest.approx(axis.column_of(value), abs=1)


def test_labels_scale_with_the_cells_a_picture_has() -> None:
    axis = axis_for(4 * MS, 300 * MS, 120)
    assert [value for _, value in axis.ticks(60)] == [value for _, value in axis.ticks(120)]
    assert all(cell < 60 for cell, _ in axis.ticks(60))


def test_a_linear_axis_ends_on_round_values() -> None:
    axis = linear_axis_for(3 * MS, 187 * MS, 50)
    assert (axis.lo_ns, axis.hi_ns) == (0, 200 * MS)
    empty = linear_axis_for(0, 0, 50)
    assert empty.hi_ns > empty.lo_ns
