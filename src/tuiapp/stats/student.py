"""Student's t: intervals of a mean, of a difference of means, and of paired differences.

Student (1908); Welch (1947) with Satterthwaite's degrees of freedom (1946) for two means whose
spreads differ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_ANGLES = 4096


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean difference with its interval; unit of its input.

    Attributes:
        error: standard error of ``value``.
        freedom: degrees of freedom of ``error``.
    """

    value: float
    low: float
    high: float
    error: float
    freedom: float


def t_quantile(p: float, freedom: float) -> float:
    """Student's t quantile for any ``freedom`` of 1 or more and p from 0.5 up.

    With x = √ν · tan θ the density becomes cos θ to the power ν − 1, which is summed over θ.
    """
    step = math.pi / 2 / _ANGLES
    density = np.cos((np.arange(_ANGLES) + 0.5) * step) ** (max(freedom, 1.0) - 1)
    below = np.concatenate(([0.0], np.cumsum(density)))
    angle = np.interp(2 * p - 1, below / below[-1], np.arange(_ANGLES + 1) * step)
    return math.sqrt(max(freedom, 1.0)) * math.tan(float(angle))


def welch(a: np.ndarray, b: np.ndarray, level: float = 0.95) -> Estimate:
    """``mean(b) − mean(a)`` of two independent samples whose spreads may differ.

    Raises:
        ValueError: fewer than two values on a side.
    """
    if min(len(a), len(b)) < 2:
        raise ValueError("a spread needs two values on each side")
    parts = [float(np.var(side, ddof=1)) / len(side) for side in (a, b)]
    total = sum(parts)
    squares = sum(part**2 / (len(side) - 1) for part, side in zip(parts, (a, b), strict=True))
    freedom = total**2 / squares if squares > 0 else float(len(a) + len(b) - 2)
    return _estimate(float(np.mean(b) - np.mean(a)), math.sqrt(total), freedom, level)


def paired(differences: np.ndarray, level: float = 0.95) -> Estimate:
    """Mean of differences within pairs.

    Raises:
        ValueError: fewer than two pairs.
    """
    if len(differences) < 2:
        raise ValueError("a spread needs two pairs")
    error = float(np.std(differences, ddof=1)) / math.sqrt(len(differences))
    return _estimate(float(np.mean(differences)), error, len(differences) - 1.0, level)


def _estimate(value: float, error: float, freedom: float, level: float) -> Estimate:
    reach = error * t_quantile((1 + level) / 2, freedom) if error > 0 else 0.0
    return Estimate(value, value - reach, value + reach, error, freedom)
