"""How often are the verdicts of a comparison right?

    python benchmarks/verdicts.py [--trials N]

By simulation with known truth, seeded. A run has an effect of its own (a fresh engine start lands
in another place), and its requests are lognormal, independent or autocorrelated. Each trial is a
whole comparison: two sides, a family of six correlated quantities, the intervals and outcomes of
``tuiapp.compare``. Printed are

- coverage of one 95 % interval of ln(B / A), iid and autocorrelated requests, with run noise;
- what is said when there is no difference (A/A): share of families with any outcome that names a
  direction, beside the naive rule "B's p99 of all requests is 5 % higher";
- power: how often a true difference is found, by runs a side.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from _measure import machine, table
from tuiapp.compare.quantities import FAMILY, LEVEL
from tuiapp.compare.verdict import FASTER, FASTER_BY_SOME, SLOWER, SLOWER_BY_SOME, decide
from tuiapp.stats.student import paired, welch

SIGMA, REQUESTS, SEED, MARGIN = 0.5, 500, 20261124, 0.05
DIRECTIONS = (SLOWER, FASTER, SLOWER_BY_SOME, FASTER_BY_SOME)
QUANTILES = (0.5, 0.99)


def logs_of_runs(
    rng: np.random.Generator, trials: int, runs: int, run_sd: float, correlation: float
) -> np.ndarray:
    """ln p50 and ln p99 of simulated runs: shape (trials, runs, 2)."""
    out = np.empty((trials, runs, len(QUANTILES)))
    for at in range(trials):
        noise = rng.standard_normal((runs, REQUESTS))
        if correlation:
            noise = autocorrelated(noise, correlation)
        values = SIGMA * noise + run_sd * rng.standard_normal((runs, 1))
        out[at] = np.quantile(values, QUANTILES, axis=1).T
    return out


def autocorrelated(noise: np.ndarray, correlation: float) -> np.ndarray:
    """AR(1) along the last axis, of variance 1."""
    out = noise.copy()
    scale = np.sqrt(1 - correlation**2)
    for at in range(1, out.shape[-1]):
        out[..., at] = correlation * out[..., at - 1] + scale * noise[..., at]
    return out


def coverage(rng: np.random.Generator, trials: int) -> list[tuple[object, ...]]:
    rows = []
    for correlation in (0.0, 0.8):
        for run_sd in (0.0, 0.05):
            for runs in (5, 10):
                a, b = (logs_of_runs(rng, trials, runs, run_sd, correlation) for _ in "ab")
                row: list[object] = [f"{correlation:g}", f"{run_sd:.0%}", runs]
                for q in range(len(QUANTILES)):
                    found = [welch(x, y) for x, y in zip(a[..., q], b[..., q], strict=True)]
                    row.append(f"{np.mean([e.low <= 0 <= e.high for e in found]):.1%}")
                pairs = [paired(y - x) for x, y in zip(a[..., 1], b[..., 1], strict=True)]
                row.append(f"{np.mean([e.low <= 0 <= e.high for e in pairs]):.1%}")
                rows.append(tuple(row))
    return rows


def families(
    rng: np.random.Generator, trials: int, runs: int, run_sd: float, truth: float
) -> np.ndarray:
    """Outcomes of a family: shape (trials, 6); six quantities that share half of a run's noise."""
    sd = run_sd / np.sqrt(2)
    sides = []
    for shift in (0.0, truth):
        common = rng.standard_normal((trials, runs, 1))
        own = rng.standard_normal((trials, runs, len(FAMILY)))
        sides.append(shift + sd * (common + own))
    out = np.empty((trials, len(FAMILY)), object)
    for at in range(trials):
        for q in range(len(FAMILY)):
            found = welch(sides[0][at, :, q], sides[1][at, :, q], LEVEL)
            out[at, q] = decide(found.low, found.high, MARGIN)
    return out


def naive(rng: np.random.Generator, trials: int, runs: int, run_sd: float, truth: float) -> float:
    """How often "p99 of all requests differs by more than 5 %" is said."""
    said = 0
    for _ in range(trials):
        p99 = []
        for shift in (0.0, truth):
            effect = shift + run_sd * rng.standard_normal((runs, 1))
            p99.append(np.quantile(SIGMA * rng.standard_normal((runs, REQUESTS)) + effect, 0.99))
        said += abs(p99[1] - p99[0]) > np.log1p(MARGIN)
    return said / trials


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=2000, help="comparisons in each row")
    args = parser.parse_args()
    rng = np.random.default_rng(SEED)
    print(machine())
    head = ("lag-1 correlation", "run noise", "runs", "p50, Welch", "p99, Welch", "p99, paired")
    table(f"Coverage of a 95 % interval ({args.trials} trials)", head, coverage(rng, args.trials))
    rows = []
    for run_sd in (0.02, 0.05):
        for runs in (5, 10):
            found = families(rng, args.trials, runs, run_sd, 0.0)
            named = np.isin(found, DIRECTIONS).any(axis=1).mean()
            equal = (found == "equivalent").all(axis=1).mean()
            wrong = naive(rng, args.trials, runs, run_sd, 0.0)
            rows.append((f"{run_sd:.0%}", runs, f"{named:.1%}", f"{equal:.1%}", f"{wrong:.1%}"))
    head = ("run noise", "runs", "any direction", "all equivalent", "naive rule: differs")
    table("No difference: what is said of a family of six", head, rows)
    rows = []
    for truth in (0.05, 0.08, 0.15):
        for runs in (5, 10, 20):
            found = families(rng, args.trials, runs, 0.03, np.log1p(truth))
            one = np.isin(found[:, 0], (SLOWER, SLOWER_BY_SOME)).mean()
            sure = (found[:, 0] == SLOWER).mean()
            wrong = np.isin(found, (FASTER, FASTER_BY_SOME)).any(axis=1).mean()
            rows.append((f"{truth:.0%}", runs, f"{one:.1%}", f"{sure:.1%}", f"{wrong:.2%}"))
    head = ("truly slower by", "runs", "slower", "by at least 5 %", "any wrong direction")
    table("Power, run noise 3 % (one quantity at the family's level)", head, rows)


if __name__ == "__main__":
    main()
