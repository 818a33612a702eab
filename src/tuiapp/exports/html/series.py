"""A session's course over time as plain data for charts: bounded in size, unknown is None."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

MOST_POINTS = 600
"""Points of a line; where there are more, each stands for a stretch of time."""
_S = 1e9


def rounded(values: Any, digits: int = 4) -> list[float | None]:
    """Floats of ``digits`` digits that count, None for NaN and the infinities."""
    return [
        float(f"{value:.{digits}g}") if np.isfinite(value) else None
        for value in np.asarray(values, float).tolist()
    ]


def seconds(t_ns: Any) -> list[float]:
    """Moments in seconds, to the millisecond."""
    out: list[float] = np.round(np.asarray(t_ns, float) / _S, 3).tolist()
    return out


def line(name: str, values: Any, **look: Any) -> dict[str, Any]:
    """A line of a chart; ``look`` may hold ``fill`` and ``step``."""
    return {"name": name, "values": rounded(values), **look}


def chart(title: str, unit: str, t_ns: Any, lines: Sequence[Any], **more: Any) -> dict[str, Any]:
    """A chart of lines that share their moments.

    Args:
        more: ``top``, the value the axis ends at; ``note``, how its points were made; ``kind``.
    """
    return {"title": title, "unit": unit, "t": seconds(t_ns), "lines": list(lines), **more}


class Stretches:
    """Time from ``start_ns`` to ``end_ns`` in equal stretches.

    Args:
        step_ns: the shortest a stretch may be; it is a whole number of them.
        most: stretches there may be.
    """

    def __init__(
        self, start_ns: int, end_ns: int, step_ns: int = 1, most: int = MOST_POINTS
    ) -> None:
        steps = max(-(-(end_ns - start_ns) // step_ns), 1)
        self.start_ns = start_ns
        self.width_ns = -(-steps // most) * step_ns
        self.count = -(-(end_ns - start_ns) // self.width_ns) or 1

    @property
    def middles_ns(self) -> np.ndarray:
        """The middle of each."""
        return self.start_ns + (np.arange(self.count) + 0.5) * self.width_ns

    def of(self, t_ns: np.ndarray) -> np.ndarray:
        """The stretch of each moment."""
        at = (np.asarray(t_ns, np.int64) - self.start_ns) // self.width_ns
        return np.asarray(np.clip(at, 0, self.count - 1))

    def means(self, t_ns: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Mean of the known values in each; NaN where there is none."""
        known = np.isfinite(values)
        at = self.of(t_ns[known])
        counts = np.bincount(at, minlength=self.count)
        sums = np.bincount(at, values[known].astype(float), self.count)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(sums / counts)

    def highest(self, t_ns: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Largest known value in each; NaN where there is none."""
        out = np.full(self.count, np.nan)
        known = np.isfinite(values)
        np.fmax.at(out, self.of(t_ns[known]), values[known].astype(float))
        return out

    def quantiles(self, t_ns: np.ndarray, values: np.ndarray, q: float, least: int) -> np.ndarray:
        """Nearest-rank quantile of each stretch of ``least`` values or more; else NaN."""
        at = self.of(t_ns)
        order = np.lexsort((values, at))
        counts = np.bincount(at, minlength=self.count)
        ends = np.cumsum(counts)
        enough = counts >= least
        rank = ends - counts + np.maximum(np.ceil(counts * q).astype(np.int64), 1) - 1
        out = np.full(self.count, np.nan)
        out[enough] = values[order][rank[enough]]
        return out
