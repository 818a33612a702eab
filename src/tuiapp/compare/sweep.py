"""Latency and throughput against load: where the knee is, and how much load meets the objectives.

The knee is where throughput over response time is largest (Kleinrock 1979, "Power and
deterministic rules of thumb for probabilistic problems"): before it more load is nearly free,
after it every request pays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from tuiapp.compare.design import SWEEP, Design
from tuiapp.compare.runs import Run, read_run
from tuiapp.errors import UsageError
from tuiapp.stats.student import paired

UNITS = {"rate": "requests/s", "concurrency": "clients", "input-len": "prompt tokens"}


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured at one level; means over its runs, seconds and tokens a second.

    Attributes:
        level: requests a second, clients, or prompt tokens.
        meets: every objective was met in every run, by its interval where it has one; False when
            one was surely missed; None when the interval holds a limit, or without objectives.
        worst: the largest ratio of a measured statistic to its limit; None without objectives.
        power: throughput over mean response time, and its interval over the runs (Student's t,
            95 %), None with a single one.
        predictability: TTFT p99 over p50; 1 is a clock.
    """

    level: float
    runs: int
    requests: int
    ttft_p50_s: float | None
    ttft_p99_s: float | None
    itl_p50_s: float | None
    itl_p99_s: float | None
    e2el_mean_s: float | None
    output_tokens_per_s: float | None
    meets: bool | None
    worst: float | None
    power: float | None = None
    power_span: tuple[float, float] | None = None

    @property
    def predictability(self) -> float | None:
        if not self.ttft_p50_s or self.ttft_p99_s is None:
            return None
        return self.ttft_p99_s / self.ttft_p50_s


@dataclass(frozen=True, slots=True)
class Sweep:
    """One host's sweep.

    Attributes:
        knee: the level with the most throughput for its response time; None when the largest
            power is at an end of the sweep, so that the knee may lie outside.
        knee_span: the lowest and the highest level whose power may be as large as the knee's;
            None where single runs at a level tell no interval.
        capacity: the highest level that meets every objective, between measured levels by
            interpolation; None without objectives, or when it lies outside the sweep.
        capacity_span: (a level that surely meets them, one that surely does not); None ends are
            outside the sweep.
        failed: levels of which no run was made.
    """

    name: str
    over: str
    digest: str
    points: tuple[Point, ...]
    knee: float | None
    capacity: float | None
    capacity_span: tuple[float | None, float | None]
    knee_span: tuple[float, float] | None = None
    failed: tuple[float, ...] = ()


def read_sweep(folder: Path, design: Design) -> Sweep:
    """The sweep in ``folder``.

    Raises:
        UsageError: none of its runs was made.
    """
    runs = [
        (planned.level, read_run(folder / planned.file))
        for planned in design.runs
        if planned.outcome == "done"
    ]
    if design.kind != SWEEP or not runs:
        raise no_run_of_a_sweep(folder)
    return sweep(design, runs)


def no_run_of_a_sweep(folder: Path) -> UsageError:
    """To be raised where there is nothing to read."""
    return UsageError(f"{folder} holds no run of a sweep.", "`tuiapp sweep` makes one.")


def sweep(design: Design, runs: Sequence[tuple[float, Run]]) -> Sweep:
    """Points of a sweep, its knee and its capacity; pure."""
    levels = sorted({level for level, _ in runs})
    points = tuple(_point(at, [run for level, run in runs if level == at]) for at in levels)
    return Sweep(
        design.name,
        design.over,
        design.digest,
        points,
        knee(points),
        capacity(points),
        (
            max((p.level for p in points if p.meets), default=None),
            min((p.level for p in points if p.meets is False), default=None),
        ),
        knee_span(points),
        tuple(sorted({run.level for run in design.runs} - set(levels))),
    )


def _point(level: float, runs: Sequence[Run]) -> Point:
    judged = [_judge(run) for run in runs]
    ratios = [ratio for _, ratio in judged if ratio is not None]
    outcomes = [meets for meets, _ in judged]
    meets = False if False in outcomes else None if None in outcomes else True
    means = [run.view.run("e2el").summary.mean for run in runs]
    rates = [run.values["output_tokens_per_s"] for run in runs]
    powers = [rate / mean * 1e9 for rate, mean in zip(rates, means, strict=True) if rate and mean]

    def mean_of(name: str) -> float | None:
        return _mean([run.values[name] for run in runs])

    return Point(
        level=level,
        runs=len(runs),
        requests=sum(run.requests for run in runs),
        ttft_p50_s=mean_of("ttft_p50_s"),
        ttft_p99_s=mean_of("ttft_p99_s"),
        itl_p50_s=mean_of("itl_p50_s"),
        itl_p99_s=mean_of("itl_p99_s"),
        e2el_mean_s=_mean([None if mean is None else mean / 1e9 for mean in means]),
        output_tokens_per_s=mean_of("output_tokens_per_s"),
        meets=meets,
        worst=max(ratios) if ratios else None,
        power=_mean(powers),
        power_span=_span(powers) if len(powers) == len(runs) else None,
    )


def _span(values: Sequence[float]) -> tuple[float, float] | None:
    if len(values) < 2 or not all(map(math.isfinite, values)):
        return None
    found = paired(np.array(values))
    return found.low, found.high


def _judge(run: Run) -> tuple[bool | None, float | None]:
    """(all objectives met for sure, the largest statistic over its limit)."""
    meets: bool | None = True if run.view.slos else None
    ratios = []
    for slo in run.view.slos:
        found = run.view.final(slo.metric)
        value = found.statistic_ns(slo.q)
        if value is None:
            return None, None
        ratios.append(value / slo.limit_ns)
        low, high = value, value
        if slo.q == 0.99 and found.summary.p99_ci is not None:
            low, high = found.summary.p99_ci
        if low > slo.limit_ns:
            meets = False
        elif high > slo.limit_ns and meets:
            meets = None
    return meets, max(ratios, default=None)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def knee(points: Sequence[Point]) -> float | None:
    """The level of the largest throughput over mean response time, inside the sweep."""
    at = max(range(len(points)), key=lambda at: points[at].power or 0.0, default=0)
    return points[at].level if 0 < at < len(points) - 1 else None


def knee_span(points: Sequence[Point]) -> tuple[float, float] | None:
    """The lowest and the highest level whose power is not surely below that of another."""
    spans = [point.power_span for point in points]
    known = [span for span in spans if span is not None]
    if len(known) < len(spans) or not known:
        return None
    floor = max(low for low, _ in known)
    levels = [p.level for p, (_, high) in zip(points, known, strict=True) if high >= floor]
    return levels[0], levels[-1]


def capacity(points: Sequence[Point]) -> float | None:
    """Where the worst statistic reaches its limit, interpolated between levels in logarithms."""
    for before, after in pairwise(points):
        if before.worst is None or after.worst is None or before.worst > 1:
            return None
        if after.worst > 1:
            if math.isinf(after.worst) or before.worst <= 0:
                return before.level
            low, high = math.log(before.worst), math.log(after.worst)
            share = -low / (high - low)
            return math.exp(
                math.log(before.level) + share * (math.log(after.level) - math.log(before.level))
            )
    return None
