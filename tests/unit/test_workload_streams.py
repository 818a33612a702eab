"""The random words are Philox4x64-10's, and the gaps made of them are distributed as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tuiapp.workload.streams import GAMMA_WORDS, Stream, Words, exponential, gamma

MASK = (1 << 64) - 1
# Random123's known answer for a counter and a key of zero.
KNOWN_ANSWER = [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]


def philox(counter: int, key: int) -> list[int]:
    """Salmon et al., SC11: an implementation that shares nothing with numpy."""
    c0, c1, c2, c3 = (counter >> shift & MASK for shift in (0, 64, 128, 192))
    k0, k1 = key & MASK, key >> 64
    for _ in range(10):
        p0, p1 = 0xD2E7470EE14C6C93 * c0, 0xCA5A826395121157 * c2
        c0, c1, c2, c3 = p1 >> 64 ^ c1 ^ k0, p1 & MASK, p0 >> 64 ^ c3 ^ k1, p0 & MASK
        k0, k1 = k0 + 0x9E3779B97F4A7C15 & MASK, k1 + 0xBB67AE8584CAA73B & MASK
    return [c0, c1, c2, c3]


def test_the_reference_gives_the_known_answer() -> None:
    assert philox(0, 0) == KNOWN_ANSWER


@pytest.mark.parametrize("seed", [0, 1, 123456789, 1 << 63])
@pytest.mark.parametrize(("stream", "index"), [(Stream.GAPS, 0), (Stream.PREFIXES, 1 << 40)])
def test_words_equal_the_reference(seed: int, stream: Stream, index: int) -> None:
    words = Words(seed)
    words.seek(stream, index)
    counter = index << 64 | stream << 128
    expected = philox(counter + 1, seed) + philox(counter + 2, seed)
    assert words.read(7).tolist() == expected[:7]


def test_places_are_independent_of_what_was_read_before() -> None:
    words = Words(5)
    words.seek(Stream.REQUESTS, 3)
    first = words.read(9).tolist()
    words.read(3)
    words.seek(Stream.REQUESTS, 4)
    assert words.read(9).tolist() != first
    words.seek(Stream.REQUESTS, 3)
    assert words.read(4).tolist() + words.read(5).tolist() == first


def test_uniforms_lie_in_the_half_open_unit_interval() -> None:
    words = Words(5)
    words.seek(Stream.GAPS, 0)
    u = words.read_uniforms(50_000)
    assert u.min() >= 0
    assert u.max() < 1
    assert u.mean() == pytest.approx(0.5, abs=0.01)
    assert u.var() == pytest.approx(1 / 12, rel=0.02)


def uniforms(n: int, columns: int) -> np.ndarray:
    words = Words(17)
    words.seek(Stream.GAPS, 0)
    return words.read_uniforms(n * columns).reshape(n, columns)


def distance(values: np.ndarray, cdf: np.ndarray) -> float:
    """Kolmogorov's distance between sorted values and their cumulative probabilities."""
    rank = np.arange(len(values))
    return float(np.maximum(cdf - rank / len(cdf), (rank + 1) / len(cdf) - cdf).max())


N = 40_000
CRITICAL = 1.63 / math.sqrt(N)  # at 1 %


def test_exponential_gaps() -> None:
    gaps = np.sort(exponential(uniforms(N, 1)[:, 0]))
    assert distance(gaps, 1 - np.exp(-gaps)) < CRITICAL


@pytest.mark.parametrize("shape", [0.1, 0.25, 0.5, 1.5, 4, 50])
def test_moments_of_gamma_gaps(shape: float) -> None:
    gaps = gamma(uniforms(N, GAMMA_WORDS), shape)
    spread = 1 / math.sqrt(shape)
    assert gaps.min() >= 0
    assert gaps.mean() == pytest.approx(1, abs=4 * spread / math.sqrt(N))
    assert gaps.std() == pytest.approx(spread, rel=0.05)
    skew = ((gaps - 1) ** 3).mean() / gaps.std() ** 3
    assert skew == pytest.approx(2 * spread, rel=0.15, abs=0.05)


def test_gamma_of_whole_shapes_is_the_sum_of_exponentials() -> None:
    gaps = np.sort(gamma(uniforms(N, GAMMA_WORDS), 2))
    erlang = 1 - np.exp(-2 * gaps) * (1 + 2 * gaps)
    assert distance(gaps, erlang) < CRITICAL


def test_half_integer_gamma_is_chi_squared() -> None:
    gaps = np.sort(gamma(uniforms(N, GAMMA_WORDS), 0.5))
    chi = np.array([math.erf(math.sqrt(gap / 2)) for gap in gaps])
    assert distance(gaps, chi) < CRITICAL


def test_a_row_whose_tries_all_fail_gets_the_mode() -> None:
    hopeless = np.zeros((1, GAMMA_WORDS))
    hopeless[0, 1::3] = math.nextafter(1, 0)  # radius: 8.6 standard deviations
    hopeless[0, 2::3] = 0.5  # angle: downwards
    hopeless[0, 3::3] = math.nextafter(1, 0)
    assert gamma(hopeless, 3.0)[0] == pytest.approx((3 - 1 / 3) / 3, abs=1e-6)


def test_gaps_are_multiples_of_a_millionth() -> None:
    for gaps in (exponential(uniforms(99, 1)[:, 0]), gamma(uniforms(99, GAMMA_WORDS), 0.3)):
        assert (gaps * 2**20 % 1 == 0).all()
