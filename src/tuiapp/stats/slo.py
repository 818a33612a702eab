"""Service level objectives: ``ttft:p99<100ms``, and presets that name several.

A limit is met by a value equal to it, as in ``vllm bench serve --goodput``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from tuiapp.errors import UsageError

METRICS = ("ttft", "tpot", "itl", "e2el")
_UNITS_NS = {"s": 10**9, "ms": 10**6, "us": 10**3, "µs": 10**3, "μs": 10**3}
_SHOWN = (("s", 10**9), ("ms", 10**6), ("us", 10**3))
_MOST_NS = 10**15
_FORM = re.compile(
    r"(?P<metric>[a-z0-9_]+):(?P<statistic>[a-z0-9.]+)<=?(?P<limit>\d{1,9}(\.\d{1,9})?)(?P<unit>[a-zµμ]*)"
)
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,3})?)")
_ADVICE = (
    "Write METRIC:STATISTIC<LIMIT such as ttft:p99<100ms, with ttft, tpot, itl or e2el; p50, p99, "
    "p99.9 …, mean or max; s, ms or us. Or name a preset: {presets}."
)

SLO_PRESETS: dict[str, tuple[str, ...]] = {
    "real-time": ("ttft:p99<100ms",),
    "voice": ("ttft:p99<400ms", "tpot:p99<50ms"),
    "chat": ("ttft:p99<200ms", "tpot:p99<50ms"),
    "rag": ("ttft:p99<300ms", "tpot:p99<100ms"),
    "code": ("ttft:p99<500ms", "tpot:p99<150ms"),
    "content": ("ttft:p99<600ms", "tpot:p99<200ms"),
    "agent": ("e2el:p99<5s",),
    "mlperf-llama2-70b-server": ("ttft:p99<2s", "tpot:p99<200ms"),
    "mlperf-llama2-70b-interactive": ("ttft:p99<450ms", "tpot:p99<40ms"),
    "mlperf-llama3.1-8b-server": ("ttft:p99<2s", "tpot:p99<100ms"),
    "mlperf-llama3.1-8b-interactive": ("ttft:p99<500ms", "tpot:p99<30ms"),
    "mlperf-llama3.1-405b-server": ("ttft:p99<6s", "tpot:p99<175ms"),
    "mlperf-llama3.1-405b-interactive": ("ttft:p99<4.5s", "tpot:p99<80ms"),
    "mlperf-mixtral-8x7b-server": ("ttft:p99<2s", "tpot:p99<200ms"),
    "mlperf-deepseek-r1-server": ("ttft:p99<2s", "tpot:p99<80ms"),
    "mlperf-deepseek-r1-interactive": ("ttft:p99<1.5s", "tpot:p99<15ms"),
}
"""Preset name to its objectives; where each comes from stands in ``docs/metrics.md``."""


@dataclass(frozen=True, slots=True)
class Slo:
    """One objective.

    Attributes:
        metric: one of ``METRICS``.
        statistic: ``p50``, ``p99.9`` …, ``mean`` or ``max``.
        limit_ns: the largest value that still meets it, nanoseconds.
    """

    metric: str
    statistic: str
    limit_ns: int

    @classmethod
    def parse(cls, text: str) -> Slo:
        """Read ``ttft:p99<100ms``; spaces and capitals do not matter.

        Raises:
            UsageError: it is no objective; the message says what is wrong with it.
        """
        found = _FORM.fullmatch("".join(text.lower().split()))
        if found is None:
            raise _wrong(text, "it does not have that form")
        metric, unit = found["metric"], found["unit"]
        if metric not in METRICS:
            raise _wrong(text, f"{metric!r} is no latency metric")
        if unit not in _UNITS_NS:
            raise _wrong(text, f"{unit!r} is no unit of time" if unit else "the unit is missing")
        limit_ns = int(Decimal(found["limit"]) * _UNITS_NS[unit])
        if not 0 < limit_ns <= _MOST_NS:
            raise _wrong(text, "the limit is not above zero and below twelve days")
        return cls(metric, _statistic(text, found["statistic"]), limit_ns)

    def __str__(self) -> str:
        return f"{self.metric}:{self.statistic}<{_time_text(self.limit_ns)}"

    @property
    def q(self) -> float | None:
        """The quantile it speaks of, 1 for ``max``; None for ``mean``."""
        if self.statistic == "mean":
            return None
        return 1.0 if self.statistic == "max" else float(Decimal(self.statistic[1:]) / 100)

    def judge(self, value_ns: float | None) -> bool | None:
        """Whether a value of its statistic meets it; None when there is no value."""
        return None if value_ns is None else value_ns <= self.limit_ns


def parse_slos(texts: Iterable[str]) -> tuple[Slo, ...]:
    """Objectives from texts that are each an objective or a preset's name, without repeats.

    Raises:
        UsageError: a text is neither.
    """
    slos: dict[Slo, None] = {}
    for text in texts:
        for part in SLO_PRESETS.get(text.strip().lower(), (text,)):
            slos[Slo.parse(part)] = None
    return tuple(slos)


def _statistic(text: str, statistic: str) -> str:
    if statistic in ("mean", "max"):
        return statistic
    found = _PERCENTILE.fullmatch(statistic)
    if found is None or not float(found[1]):
        raise _wrong(text, f"{statistic!r} is no statistic")
    return f"p{Decimal(found[1]).normalize():f}"


def _time_text(ns: int) -> str:
    unit, size = next((shown for shown in _SHOWN if ns >= shown[1]), _SHOWN[-1])
    return f"{Decimal(ns) / size:f}{unit}"


def _wrong(text: str, why: str) -> UsageError:
    advice = _ADVICE.format(presets=", ".join(SLO_PRESETS))
    return UsageError(f"{text[:60]!r} is not an SLO: {why}.", advice)
