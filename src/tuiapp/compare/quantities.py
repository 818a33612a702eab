"""The declared family: the six quantities that are compared, no more and no fewer.

Choosing the quantity after looking at the numbers would make every interval a lie, so the family
is fixed and each interval is widened for six (Bonferroni).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tuiapp.session.view import View


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a run.

    Attributes:
        name: as in JSON, with its unit.
        title: on a screen.
        metric: the latency metric whose quantile ``q`` it is; empty for throughput.
        higher_is_better: of throughput.
    """

    name: str
    title: str
    metric: str = ""
    q: float = 0.0
    higher_is_better: bool = False

    def of(self, view: View) -> float | None:
        """Its value, seconds or tokens a second; +inf when too many requests failed; None
        when nothing was measured."""
        if self.metric:
            found_ns = view.run(self.metric).statistic_ns(self.q)
            return None if found_ns is None else found_ns / 1e9
        window = view.measured
        if window is None or window.seconds <= 0:
            return None
        return view.tokens(window.start_ns - 1, window.end_ns) / window.seconds


FAMILY = (
    Quantity("ttft_p50_s", "TTFT p50", "ttft", 0.5),
    Quantity("ttft_p99_s", "TTFT p99", "ttft", 0.99),
    Quantity("itl_p50_s", "ITL p50", "itl", 0.5),
    Quantity("itl_p99_s", "ITL p99", "itl", 0.99),
    Quantity("e2el_p99_s", "end-to-end p99", "e2el", 0.99),
    Quantity("output_tokens_per_s", "output tokens/s", higher_is_better=True),
)
FAMILY_LEVEL = 0.95
LEVEL = 1 - (1 - FAMILY_LEVEL) / len(FAMILY)
"""Of each interval, so that all six hold together in 95 of 100 comparisons."""


def is_usable(value: float | None) -> bool:
    """A ratio can be made with it."""
    return value is not None and math.isfinite(value) and value > 0
