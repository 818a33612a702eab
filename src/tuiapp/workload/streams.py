"""Random numbers that are the same everywhere, at any place of the sequence, for ever.

The bits are those of Philox4x64-10 (Salmon et al., SC11), a counter-based generator: any block is
computed from (key, counter) alone. Numpy guarantees a bit generator's raw words; it does not
guarantee what ``Generator``'s distributions make of them (NEP 19), so none of those is used.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

_GRID = 2.0**20
_TRIES = 8
GAMMA_WORDS = 1 + 3 * _TRIES


class Stream(IntEnum):
    """Independent sequences of one seed. The numbers are part of every workload: never reuse."""

    GAPS = 1
    REQUESTS = 2
    WARMUP = 3
    PREFIXES = 4


class Words:
    """Raw 64-bit words of a seed, addressed by stream and index."""

    def __init__(self, seed: int) -> None:
        self._bits = np.random.Philox(key=seed)
        self._start = self._bits.state

    def seek(self, stream: Stream, index: int) -> None:
        """Go to the beginning of entry ``index``; each has 2⁶⁴ blocks to itself."""
        # Setting the state costs a sixth of making a new generator.
        self._start["state"]["counter"][:] = (0, index, stream, 0)
        self._bits.state = self._start

    def read(self, count: int) -> np.ndarray:
        """The next ``count`` words, uint64."""
        return np.asarray(self._bits.random_raw(count), np.uint64)

    def read_uniforms(self, count: int) -> np.ndarray:
        """The next ``count`` words as float64 in [0, 1), 53 bits each."""
        return np.asarray((self.read(count) >> np.uint64(11)) * 2.0**-53)


def exponential(u: np.ndarray) -> np.ndarray:
    """Exponential gaps of mean 1 from uniforms."""
    return _on_grid(-np.log1p(-u))


def gamma(u: np.ndarray, shape: float) -> np.ndarray:
    """Gamma gaps of mean 1 and the given shape (Marsaglia & Tsang 2000).

    Args:
        u: uniforms, shape (n, GAMMA_WORDS): one to lift a shape below 1, then (radius, angle,
            acceptance) of each try.

    Returns:
        Shape (n,). All of the tries fail once in 10¹¹; the mode then stands in.
    """
    d = (shape if shape >= 1 else shape + 1) - 1 / 3
    lift, radius, angle, accept = u[:, 0], *np.moveaxis(u[:, 1:].reshape(len(u), _TRIES, 3), 2, 0)
    normal = np.sqrt(-2 * np.log1p(-radius)) * np.cos(2 * np.pi * angle)
    v = np.maximum(1 + normal / np.sqrt(9 * d), 0) ** 3
    with np.errstate(divide="ignore"):
        accepted = np.log(accept) < normal**2 / 2 + d - d * v + d * np.log(v)
    first = np.argmax(accepted, axis=1)
    rows = np.arange(len(u))
    values = d * np.where(accepted[rows, first], v[rows, first], 1.0)
    if shape < 1:
        values = values * np.power(1 - lift, 1 / shape)
    return _on_grid(values / shape)


def _on_grid(gaps: np.ndarray) -> np.ndarray:
    """Rounded to a millionth: math libraries differ in the last bit, workloads may not."""
    return np.rint(gaps * _GRID) / _GRID
