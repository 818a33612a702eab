"""The comparison of two sides of runs: gate, family, intervals, verdicts.

Estimator: the mean over runs of ln q_B − ln q_A; Welch's t where the runs are independent, paired
t over blocks where a trial interleaved them. Every interval has level 1 − 0.05/6 (Bonferroni), so
that the intervals shown are the decisions made.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tuiapp.compare.gate import Gate, gate
from tuiapp.compare.noise import Noise, host_key, recall
from tuiapp.compare.quantities import FAMILY, LEVEL, Quantity, is_usable
from tuiapp.compare.runs import Run
from tuiapp.compare.verdict import (
    EQUIVALENT,
    FASTER,
    FASTER_BY_SOME,
    INCONCLUSIVE,
    NONE,
    WORSE,
    decide,
    runs_needed,
)
from tuiapp.stats.hodges_lehmann import shift
from tuiapp.stats.quantile import samples_needed
from tuiapp.stats.resample import quantile_ratio_interval, sum_ratio_interval
from tuiapp.stats.student import Estimate, paired, welch
from tuiapp.words import plural

MARGIN = 0.05
FEWEST_RUNS, GOOD_RUNS = 5, 10
_MOST_NAMED = 3
Block = tuple[list[int], list[int]]
"""Places of A's and of B's runs that a trial made one after the other."""
WELCH, PAIRED, BLOCKS, NOTHING = "Welch t", "paired t", "block bootstrap", ""


@dataclass(frozen=True, slots=True)
class Row:
    """One quantity of the family.

    Attributes:
        a, b: geometric means over runs, seconds or tokens a second; None when unknown, +inf when
            too many requests failed in a run.
        ratio: B / A; None without.
        interval: of B / A, at ``LEVEL``.
        method: how the interval came about; empty without one.
        robust_ratio: B / A by Hodges and Lehmann's estimate.
        verdict: about B against A; one of ``verdict``'s constants.
        why: why there is no verdict, or none but inconclusive; empty otherwise.
        runs_needed: a side, to settle an inconclusive row.
    """

    quantity: Quantity
    a: float | None
    b: float | None
    runs: tuple[int, int]
    ratio: float | None = None
    interval: tuple[float, float] | None = None
    method: str = NOTHING
    robust_ratio: float | None = None
    verdict: str = NONE
    why: str = ""
    runs_needed: int | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that is said about two sides.

    Attributes:
        rows: one for each quantity of the family, in its order.
        scope: what the verdicts are about, in words.
        caveats: what to know before relying on them.
        noise: what earlier trials learned of each host's own noise.
    """

    a: tuple[Run, ...]
    b: tuple[Run, ...]
    margin: float
    gate: Gate
    rows: tuple[Row, ...]
    scope: str
    caveats: tuple[str, ...]
    noise: tuple[Noise | None, Noise | None] = (None, None)

    @property
    def exit_code(self) -> int:
        """0 equivalent or better throughout, 4 worse somewhere, 5 undecided."""
        if any(row.verdict in WORSE for row in self.rows):
            return 4
        settled = (EQUIVALENT, FASTER, FASTER_BY_SOME)
        return 0 if all(row.verdict in settled for row in self.rows) else 5


def compare(
    a: Sequence[Run], b: Sequence[Run], margin: float = MARGIN, noise_folder: Path | None = None
) -> Comparison:
    """B against A.

    Args:
        margin: a share above 0; smaller differences do not matter to whoever asks.
        noise_folder: where trials keep the hosts' own noise; not looked at when left out.
    """
    found = gate(a, b)
    blocks = _blocks(a, b)
    rows = tuple(_row(quantity, a, b, found, margin, blocks) for quantity in FAMILY)
    caveats = tuple(_caveats(a, b, found))
    known = [recall(noise_folder, host_key(side[0])) if noise_folder else None for side in (a, b)]
    noise = known[0], known[1]
    return Comparison(tuple(a), tuple(b), margin, found, rows, _scope(a, b), caveats, noise)


def _row(
    quantity: Quantity,
    a: Sequence[Run],
    b: Sequence[Run],
    found: Gate,
    margin: float,
    blocks: Sequence[Block],
) -> Row:
    sides = [[run.values[quantity.name] for run in side] for side in (a, b)]
    mean_a, mean_b = map(_geometric_mean, sides)
    row = Row(quantity, mean_a, mean_b, (len(a), len(b)))
    trouble = _no_ratio(quantity, a, b)
    if trouble:
        return replace(row, why=trouble)
    logs = [np.log(np.array(side, np.float64)) for side in sides]
    ratio, robust = math.exp(logs[1].mean() - logs[0].mean()), math.exp(shift(*logs))
    row = replace(row, ratio=ratio, robust_ratio=robust)
    fewest = min(row.runs)
    if fewest < 2:
        interval = _of_two_recordings(quantity, a[0], b[0]) if max(row.runs) == 1 else None
        why = "one run a side tells of these recordings, not of the hosts"
        if max(row.runs) > 1:
            why = "one run tells of that recording, not of its host"
        return replace(row, interval=interval, method=BLOCKS if interval else NOTHING, why=why)
    estimate, method = _estimate(logs, blocks)
    row = replace(row, interval=(math.exp(estimate.low), math.exp(estimate.high)), method=method)
    if fewest < FEWEST_RUNS:
        return replace(row, why=f"a verdict needs {FEWEST_RUNS} runs a side")
    if not found.open:
        return replace(row, verdict=INCONCLUSIVE, why=found.reason)
    sign = -1 if quantity.higher_is_better else 1
    low, high = sorted((sign * estimate.low, sign * estimate.high))
    verdict = decide(low, high, margin)
    needed = None
    if verdict == INCONCLUSIVE:
        variance, freedom = _noise(logs, blocks if method == PAIRED else ())
        needed = runs_needed(estimate.value, variance, freedom, margin, LEVEL)
    return replace(row, verdict=verdict, runs_needed=needed)


def _no_ratio(quantity: Quantity, a: Sequence[Run], b: Sequence[Run]) -> str:
    """Why no ratio can be made of every run's value; empty when it can."""
    found = [_no_value(quantity, side) for side in (a, b)]
    if found[0] == found[1] and found[0]:
        return f"A and B: {found[0]}"
    return "; ".join(f"{name}: {why}" for name, why in zip("AB", found, strict=True) if why)


def _no_value(quantity: Quantity, side: Sequence[Run]) -> str:
    values = [run.values[quantity.name] for run in side]
    missing = sum(value is None for value in values)
    lost = sum(_is_lost(run, quantity) for run in side)
    if lost:
        return f"too many requests failed in {lost} of {plural(len(side), 'run')}"
    if missing:
        return f"nothing was measured in {missing} of {plural(len(side), 'run')}"
    return "" if all(map(is_usable, values)) else f"{quantity.title} is zero"


def _is_lost(run: Run, quantity: Quantity) -> bool:
    """So many requests failed that the value is infinite, or tells of the few that survived."""
    value = run.values[quantity.name]
    if value is not None and math.isinf(value):
        return True
    bound = 1 - quantity.q if quantity.metric else 0.5
    return run.requests > 0 and run.failed / run.requests > bound


def _geometric_mean(side: Sequence[float | None]) -> float | None:
    known = [value for value in side if value is not None]
    if not known:
        return None
    if any(math.isinf(value) for value in known):
        return math.inf
    return math.exp(sum(map(math.log, known)) / len(known)) if all(known) else 0.0


def _estimate(logs: Sequence[np.ndarray], blocks: Sequence[Block]) -> tuple[Estimate, str]:
    if len(blocks) >= FEWEST_RUNS:
        return paired(_pairs(logs, blocks), LEVEL), PAIRED
    return welch(logs[0], logs[1], LEVEL), WELCH


def _pairs(logs: Sequence[np.ndarray], blocks: Sequence[Block]) -> np.ndarray:
    """ln(B / A) of each block."""
    return np.array([logs[1][in_b].mean() - logs[0][in_a].mean() for in_a, in_b in blocks])


def _blocks(a: Sequence[Run], b: Sequence[Run]) -> list[Block]:
    """Places of the runs of each block of one trial; empty unless every run belongs to one."""
    sets = {run.trial.get("set") for run in (*a, *b)}
    if len(sets) != 1 or None in sets:
        return []
    found: dict[object, tuple[list[int], list[int]]] = {}
    for side, runs in enumerate((a, b)):
        for at, run in enumerate(runs):
            found.setdefault(run.trial.get("block"), ([], []))[side].append(at)
    return list(found.values()) if all(x and y for x, y in found.values()) else []


def _noise(logs: Sequence[np.ndarray], blocks: Sequence[Block]) -> tuple[float, float]:
    """(variance of one run of B less one of A, degrees of freedom a run); see ``runs_needed``."""
    if blocks:
        each = min(map(len, logs)) / len(blocks)
        return float(np.var(_pairs(logs, blocks), ddof=1)) * each, 1 / each
    parts = [float(np.var(side, ddof=1)) for side in logs]
    total, squares = sum(parts), sum(part**2 for part in parts)
    return total, total**2 / squares if squares > 0 else 2.0


def _of_two_recordings(quantity: Quantity, a: Run, b: Run) -> tuple[float, float] | None:
    if quantity.metric:
        metric = quantity.metric
        fewest = min(run.view.run(metric).n for run in (a, b))
        if fewest < samples_needed(quantity.q):
            return None
        counts = a.counts_by_block(metric), b.counts_by_block(metric)
        found = quantile_ratio_interval(*counts, quantity.q, LEVEL)
    else:
        found = sum_ratio_interval(a.rate_by_block(), b.rate_by_block(), LEVEL)
    return None if found is None else (math.exp(found[0]), math.exp(found[1]))


def _scope(a: Sequence[Run], b: Sequence[Run]) -> str:
    in_a, in_b = ({host_key(run) for run in side} for side in (a, b))
    keys = in_a | in_b
    if len(keys) == 1 and "" not in keys:
        return "one machine, compared with itself"
    if min(len(a), len(b)) < 2:
        return "these two recordings"
    if "" in keys:
        return "these recordings; not all of them tell which machine they were made on"
    if max(len(in_a), len(in_b)) > 1:
        return f"these machines as they were then, {len(in_a)} on side A and {len(in_b)} on side B"
    return "these two machines as they were then, not one kind of machine against another"


def _caveats(a: Sequence[Run], b: Sequence[Run], found: Gate) -> list[str]:
    caveats = [caveat for side, runs in (("A", a), ("B", b)) for caveat in _of_side(side, runs)]
    if found.unknown:
        fields = ", ".join(found.unknown)
        caveats.append(f"told by one side only, so not checked: {fields}")
    caveats += _of_numbers(a, b)
    return caveats


def _of_side(side: str, runs: Sequence[Run]) -> list[str]:
    """Failures, several machines, and what is wrong with which of its runs."""
    said = []
    requests, failed = sum(run.requests for run in runs), sum(run.failed for run in runs)
    if failed:
        said.append(f"{side}: {failed:,} of {plural(requests, 'request')} failed or never finished")
    keys = {host_key(run) for run in runs} - {""}
    if len(keys) > 1:
        said.append(
            f"{side}'s runs were made on {len(keys)} machines: what these differ from each other "
            "counts as noise of the runs"
        )
    named: dict[str, list[str]] = {}
    for run in runs:
        for caveat in run.caveats:
            named.setdefault(caveat, []).append(run.name)
    for caveat, names in named.items():
        shown = ", ".join(names[:_MOST_NAMED])
        more = len(names) - _MOST_NAMED
        if len(names) == len(runs) > 1:
            shown = f"all {len(runs)} runs"
        elif more > 0:
            shown = f"{shown} and {more} more"
        said.append(f"{side} {shown}: {caveat}")
    return said


def _of_numbers(a: Sequence[Run], b: Sequence[Run]) -> list[str]:
    """Few runs, and few or unequal requests."""
    said = []
    if FEWEST_RUNS <= min(len(a), len(b)) < GOOD_RUNS:
        counts = f"{len(a)} runs a side"
        if len(a) != len(b):
            counts = f"{len(a)} runs of A and {len(b)} of B"
        said.append(f"{counts}; {GOOD_RUNS} a side are recommended")
    small = [run for run in (*a, *b) if run.requests < samples_needed(0.99)]
    if small:
        what = "1 run has" if len(small) == 1 else f"{len(small)} runs have"
        said.append(f"{what} fewer than {samples_needed(0.99)} requests: p99 is near the largest")
    if len({run.requests for run in (*a, *b)}) > 1:
        counts = ", ".join(
            f"{side} {_from_to([run.requests for run in runs])}"
            for side, runs in (("A", a), ("B", b))
        )
        said.append(f"requests a run differ: {counts}")
    return said


def _from_to(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"
