"""What each statistic costs, and how often it is wrong where the truth is known.

    python benchmarks/stats.py [--quick]

Costs are CPU milliseconds of one call, best of several. Characteristics are shares of simulated
runs: lognormal latencies with σ = 0.5, independent of each other (``coverage.py`` has the others).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import numpy as np

from tuiapp.clock import cpu_s
from tuiapp.stats.blocks import block_interval
from tuiapp.stats.histogram import bin_index, counts_of, quantiles_from_counts
from tuiapp.stats.order import interval_ranks
from tuiapp.stats.quantile import quantiles
from tuiapp.stats.summary import summarize, summarize_counts
from tuiapp.workload.plan import Plan
from tuiapp.workload.presets import PRESETS
from tuiapp.workload.spec import Lengths, Workload

SIGMA = 0.5
REQUESTS = 2_000
TRUTH = math.exp(SIGMA * 2.3263478740408408)
QS = (0.5, 0.9, 0.95, 0.99)


def cost_ms(work: Callable[[], object], repeats: int = 5) -> float:
    """CPU milliseconds of one call; the best of ``repeats`` rounds of at least 20 ms."""
    calls = 1
    while (spent := _spent_s(work, calls)) < 0.02:
        calls *= 4
    return 1e3 * min(spent, *(_spent_s(work, calls) for _ in range(repeats))) / calls


def _spent_s(work: Callable[[], object], calls: int) -> float:
    start = cpu_s()
    for _ in range(calls):
        work()
    return cpu_s() - start


def print_costs() -> None:
    rng = np.random.default_rng(1)
    million = rng.lognormal(math.log(20e6), SIGMA, 1_000_000)
    whole, thousand = million.astype(np.int64), million[:10_000]
    blocks = np.stack([counts_of(part) for part in np.array_split(million, 60)])
    counts = blocks.sum(axis=0)
    plan = Plan(Workload(prompt=Lengths.parse("512")), 32_000, 4_096)
    gap = iter(range(1 << 40))
    rows: list[tuple[str, Callable[[], object]]] = [
        ("bin_index, 1 M values", lambda: bin_index(whole)),
        ("quantiles, four of 10 k values", lambda: quantiles(thousand, QS)),
        ("quantiles, four of 1 M values", lambda: quantiles(million, QS)),
        ("quantiles_from_counts, four", lambda: quantiles_from_counts(counts, QS)),
        ("interval_ranks, n = 2 k", lambda: interval_ranks.__wrapped__(2_000, 0.99)),
        ("interval_ranks, n = 10 M", lambda: interval_ranks.__wrapped__(10**7, 0.99)),
        ("block_interval, 1 M values in 60 blocks", lambda: block_interval(blocks, 0.99)),
        ("summarize, 10 k values", lambda: summarize(thousand)),
        ("summarize, 1 M values", lambda: summarize(million)),
        ("summarize_counts, no blocks", lambda: summarize_counts(counts, 10**6)),
        ("Plan.request, 512 tokens", lambda: plan.request(7)),
        ("Plan.gap", lambda: plan.gap(next(gap))),
        ("Workload.digest", PRESETS["chat"].digest),
    ]
    print(f"{'cost of one call':<46}{'CPU ms':>10}")
    for name, work in rows:
        print(f"{name:<46}{cost_ms(work):>10.4f}")


def p99_of_runs(rng: np.random.Generator, runs: int) -> np.ndarray:
    """p99 of ``runs`` runs of REQUESTS requests each."""
    parts = [
        np.quantile(rng.lognormal(0, SIGMA, (part, REQUESTS)), 0.99, axis=1)
        for part in (min(500, runs - start) for start in range(0, runs, 500))
    ]
    return np.concatenate(parts)


def print_alarms(runs: int) -> None:
    """How often two hosts' p99 of one run each differ, with and without a reason."""
    rng = np.random.default_rng(2)
    a, b = p99_of_runs(rng, runs), p99_of_runs(rng, runs)
    print(f"\np99 of {REQUESTS} requests a host, σ = {SIGMA}, {runs} pairs")
    print(f"{'truth':<40}{'|Δ| > 5 %':>12}{'|Δ| > 8 %':>12}{'wrong sign':>12}")
    for name, factor in (("no difference", 1.0), ("all of the distribution 8 % slower", 1.08)):
        change = factor * b / a - 1
        seen = [float(np.mean(np.abs(change) > limit)) for limit in (0.05, 0.08)]
        wrong = f"{np.mean(change < 0):.0%}" if factor > 1 else "—"
        print(f"{name:<40}{seen[0]:>12.0%}{seen[1]:>12.0%}{wrong:>12}")


def print_coverage(runs: int) -> None:
    """Share of runs whose 95 % interval holds the true p99."""
    rng = np.random.default_rng(3)
    print(f"\n{'95 % interval of p99':<46}{'covers':>10}{'lower':>9}{'upper':>9}")
    for n in (400, REQUESTS, 10_000):
        ranks = interval_ranks(n, 0.99)
        assert ranks is not None
        found = np.array([_ends(rng.lognormal(0, SIGMA, n), ranks) for _ in range(runs)])
        _print_interval(f"exact, {n} independent requests", found, TRUTH)


def _ends(values: np.ndarray, ranks: tuple[int, int]) -> np.ndarray:
    places = np.array(ranks) - 1
    return np.partition(values, places)[places]


def _print_interval(name: str, ends: np.ndarray, truth: float) -> None:
    covers = np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1]))
    lower, upper = np.median(ends, axis=0) / truth - 1
    print(f"{name:<46}{covers:>10.1%}{lower:>9.1%}{upper:>9.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer simulated runs")
    quick = parser.parse_args().quick
    print_costs()
    print_alarms(1_000 if quick else 4_000)
    print_coverage(300 if quick else 2_000)


if __name__ == "__main__":
    main()
