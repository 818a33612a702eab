"""Distributions of lengths: text form, bounds, and what is drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tuiapp.errors import UsageError
from tuiapp.workload.lengths import MAX_TOKENS, Lengths


def draw(text: str, n: int = 20_000) -> np.ndarray:
    lengths = Lengths.parse(text)
    return np.array([lengths.sample(u, v) for u, v in np.random.default_rng(1).random((n, 2))])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("64", "fixed:64"),
        ("fixed:64", "fixed:64"),
        (" Uniform: 16 - 128 ", "uniform:16-128"),
        ("lognormal:64,0.60", "lognormal:64,0.6"),
        ("lognormal:64,1.0,512", "lognormal:64,1,512"),
    ],
)
def test_text_form(text: str, shown: str) -> None:
    lengths = Lengths.parse(text)
    assert str(lengths) == shown
    assert Lengths.parse(shown) == lengths


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-5",
        "1.5",
        "fixed:",
        "uniform:128-16",
        "uniform:0-4",
        "normal:5,1",
        "lognormal:64",
        "lognormal:64,0",
        "lognormal:64,9",
        "lognormal:64,nan",
        "lognormal:64,1,32",
        f"{MAX_TOKENS + 1}",
        "9" * 5_000,
    ],
)
def test_refused_with_advice(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Lengths.parse(text)
    assert "uniform:16-128" in caught.value.advice
    assert len(caught.value.message) < 200


def test_fixed() -> None:
    assert set(draw("64", 10)) == {64}


def test_uniform_reaches_both_ends_evenly() -> None:
    counts = np.bincount(draw("uniform:3-6"), minlength=7)
    assert counts[:3].sum() == 0
    np.testing.assert_allclose(counts[3:], 5_000, rtol=0.05)


def test_lognormal_has_its_median_and_spread_within_its_bounds() -> None:
    drawn = draw("lognormal:200,0.5")
    assert np.median(drawn) == pytest.approx(200, rel=0.02)
    assert np.log(drawn).std() == pytest.approx(0.5, rel=0.02)
    capped = draw("lognormal:2,3,40")
    assert (capped.min(), capped.max()) == (1, 40)


def test_the_ends_of_the_uniforms_are_safe() -> None:
    most = math.nextafter(1, 0)
    for text in ("uniform:1-7", "lognormal:64,4"):
        for u in (0.0, most):
            for v in (0.0, 0.5, most):
                assert 1 <= Lengths.parse(text).sample(u, v) <= MAX_TOKENS
    assert Lengths.parse("uniform:1-7").sample(most, 0) == 7
