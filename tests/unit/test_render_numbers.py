from __future__ import annotations

import math

import pytest

from tests.doubles.drawing import PALETTE, picture, style_at
from tuiapp.tui.renderables.numbers import (
    Field,
    NumberLines,
    fit_fields,
    format_bytes,
    format_clock,
    format_count,
    format_duration,
    format_ms,
    format_si,
    quantile_fields,
)
from tuiapp.tui.renderables.palette import Ink

MS = 1e6
GOOD = quantile_fields(23.1 * MS, 41 * MS, 86 * MS, 1204, interval_ns=(71 * MS, 118 * MS))
FEW = quantile_fields(23.1 * MS, 141 * MS, math.inf, 61, caveat="too few (61/368)")
NONE = quantile_fields(None, math.nan, None, 0)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, " 0.00"),
        (0.31 * MS, " 0.31"),
        (0.996 * MS, "  1.0"),
        (23.14 * MS, " 23.1"),
        (99.96 * MS, "  100"),
        (1204 * MS, "1,204"),
        (12_345 * MS, "12345"),
        (123_456 * MS, " 123s"),
        (3e6 * MS, "3000s"),
        (1e8 * MS, "27.8h"),
        (None, "    —"),
        (math.nan, "    —"),
        (math.inf, "    ∞"),
    ],
)
def test_format_ms(ns: float | None, text: str) -> None:
    assert format_ms(ns) == text


@pytest.mark.parametrize("width", [4, 5, 6, 7])
def test_format_ms_keeps_its_width(width: int) -> None:
    for exponent in range(-3, 10):
        for digits in (1, 1.04, 3.14159, 9.949, 9.951, 9.996):
            assert len(format_ms(digits * 10**exponent * MS, width)) == width


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (5.94, "5.94"),
        (59.4, "59.4"),
        (384, "384"),
        (999.7, "1.0k"),
        (1204, "1.2k"),
        (123_456, "123k"),
        (12_345_678, "12.3M"),
        (-1500, "-1.5k"),
        (None, "—"),
        (math.inf, "∞"),
    ],
)
def test_format_si(value: float | None, text: str) -> None:
    assert format_si(value) == text


def test_other_formats() -> None:
    assert format_count(1204) == "1,204"
    assert format_count(12_345, 5) == "12345"
    assert format_count(1_234_567, 5) == " 1.2M"
    assert format_bytes(1_240_000) == "1.2 MB"
    assert format_bytes(16 * 2**30, binary=True) == "16.0 GiB"
    assert format_bytes(12) == "12 B"
    assert format_duration(0.0071) == "7.1 ms"
    assert format_duration(0.31) == "0.3 s"
    assert format_duration(134) == "02:14"
    assert format_clock(3734.9, 9) == "  1:02:14"
    assert format_clock(None) == "—"
    assert format_clock(59.999999999) == "01:00"


def test_a_distribution_fits_a_pane_of_58() -> None:
    assert picture(NumberLines((GOOD, FEW, NONE)), 58, 3) == [
        "p50  23.1  p90  41.0  p99  86.0  (71.0–118)        n 1,204",
        "p50  23.1  p90   141  p99     ∞† too few (61/368)  n    61",
        "p50     —  p90     —  p99     —                    n     0",
    ]


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (57, "p50  23.1 p90  41.0 p99  86.0  (71.0–118)       n 1,204"),
        (55, "p50  23.1 p90  41.0 p99  86.0  (71.0–118)       n 1,204"),
        (54, "p50  23.1  p90  41.0  p99  86.0  (71.0–118)"),
        (46, "p50  23.1  p90  41.0  p99  86.0  n 1,204"),
        (36, "p50  23.1  p90  41.0  p99  86.0"),
        (28, "p50  23.1 p99  86.0 n 1,204"),
        (9, "p50  23.1"),
        (6, "…"),
    ],
)
def test_too_narrow_closes_up_then_keeps_what_matters_most(width: int, line: str) -> None:
    assert picture(NumberLines((GOOD,)), width, 1) == [line]


def test_fields_keep_their_places() -> None:
    small = quantile_fields(1 * MS, 2 * MS, 3 * MS, 5, interval_ns=(1 * MS, 9 * MS))
    large = quantile_fields(9e4 * MS, 9e5 * MS, math.inf, 123_456, caveat="too few (5/368)")
    for label in ("p50", "p90", "p99", "n "):
        places = {picture(NumberLines((f,)), 70, 1)[0].index(label) for f in (small, large, NONE)}
        assert len(places) == 1


def test_a_number_is_never_cut() -> None:
    (line,) = picture(NumberLines(((Field("out", "1,234,567", width=5),),)), 40, 1)
    assert line == "out     …"


def test_inks() -> None:
    strips = NumberLines((FEW, NONE)).strips(58, 2, PALETTE)
    for column, ink in ((0, Ink.P50), (11, Ink.P90), (22, Ink.P99), (51, Ink.DIM)):
        assert style_at(strips, 0, column) == PALETTE.styles[ink]
    assert style_at(strips, 0, 8) == PALETTE.styles[Ink.STRONG]
    assert style_at(strips, 0, 35) == PALETTE.styles[Ink.WARN]
    assert style_at(strips, 1, 8) == PALETTE.styles[Ink.DIM], "unknown does not shout"


def test_fit_fields_keeps_order_and_the_earlier_of_equals() -> None:
    fields = [Field("a", "1"), Field("b", "2"), Field("c", "3", keep=9)]
    assert [field.label for field in fit_fields(fields, 20)] == ["a", "c"]
