"""How often the interval of ITL's p99 holds the true one, on made-up series whose truth is known.

    python benchmarks/coverage.py [--quick] [--trials N] [--values N]

A series is a number of time blocks with ``--values`` gaps each. Their logarithms (σ = 0.5) are
independent, or a share of their variance comes and goes with a correlation that falls to 1/e in τ
blocks, or episodes come that make gaps 3.5 times as long. Every trial is a run of its own; the same
seed gives the same table.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from _measure import machine, table
from tuiapp.stats.bins import BINS, bin_index
from tuiapp.stats.blocks import MIN_BLOCKS, block_interval

Q, SIGMA, SCALE_NS = 0.99, 0.5, 20e6
STEPS = 20
"""Steps of the slow part in a block; gaps within a step share it."""
NORMAL = NormalDist()
Interval = Callable[[np.ndarray, float], "tuple[float, float] | None"]


@dataclass(frozen=True)
class Series:
    """A kind of series.

    Attributes:
        tau: blocks until the slow part's correlation has fallen to 1/e.
        share: of the variance that is slow.
        episodes: how many begin in a block without one; 0 for none.
        lasting: blocks that an episode lasts on average.
        heavy: the fast part is Student's t with three degrees of freedom.
        load: the logarithm of the number of gaps follows the slow part with this slope.
    """

    name: str
    tau: float = 0.0
    share: float = 0.0
    episodes: float = 0.0
    lasting: float = 0.0
    heavy: bool = False
    load: float = 0.0

    def slow_parts(self, rng: np.random.Generator, trials: int, blocks: int) -> np.ndarray:
        """What the gaps of a step share: (trials, blocks · STEPS), in units of σ."""
        out = np.zeros((trials, blocks * STEPS))
        if self.tau:
            keep = math.exp(-1 / (self.tau * STEPS))
            state = rng.standard_normal(trials)
            for step in range(out.shape[1]):
                out[:, step] = state
                noise = rng.standard_normal(trials)
                state = keep * state + math.sqrt(1 - keep * keep) * noise
        elif self.episodes:
            begin, end = self.episodes / STEPS, 1 / (self.lasting * STEPS)
            on = rng.random(trials) < begin / (begin + end)
            for step in range(out.shape[1]):
                out[:, step] = on
                on = np.where(on, rng.random(trials) >= end, rng.random(trials) < begin)
        return out

    def gaps(self, rng: np.random.Generator, slow: np.ndarray, each: int) -> tuple[np.ndarray, ...]:
        """(block, gap in units of σ above the median) of one trial."""
        per_step = np.full(len(slow), each // STEPS)
        if self.load:
            per_step = rng.poisson(per_step * np.exp(self.load * slow - self.load**2 / 2))
        step = np.repeat(np.arange(len(slow)), per_step)
        fast = rng.standard_t(3, len(step)) if self.heavy else rng.standard_normal(len(step))
        if self.episodes:
            return step // STEPS, fast + slow[step] * math.log(3.5) / SIGMA
        shared = math.sqrt(self.share) * slow[step]
        return step // STEPS, shared + math.sqrt(1 - self.share) * fast

    def truth(self) -> float:
        """The quantile, in units of σ above the median."""
        if self.heavy:
            rng = np.random.default_rng(0)
            slow = math.sqrt(self.share) * rng.standard_normal(1 << 22)
            fast = math.sqrt(1 - self.share) * rng.standard_t(3, 1 << 22)
            return float(np.quantile(slow + fast, Q))
        if not self.episodes:
            # Gaps are more where there is more load: their slow part is tilted by the slope.
            return NORMAL.inv_cdf(Q) + math.sqrt(self.share) * self.load
        inside = self.episodes / (self.episodes + 1 / self.lasting)
        low, high = 0.0, 20.0
        for _ in range(60):
            middle = (low + high) / 2
            slower = NORMAL.cdf(middle - math.log(3.5) / SIGMA)
            below = inside * slower + (1 - inside) * NORMAL.cdf(middle)
            low, high = (middle, high) if below < Q else (low, middle)
        return low


THIRD = 1 / 3
SERIES = (
    Series("independent"),
    Series("independent, heavy tail", heavy=True),
    Series("a third slow, τ = 0.07 blocks", 0.07, THIRD),
    Series("a third slow, τ = 0.3", 0.3, THIRD),
    Series("a third slow, τ = 1", 1.0, THIRD),
    Series("a tenth slow, τ = 0.3", 0.3, 0.1),
    Series("a tenth slow, τ = 1", 1.0, 0.1),
    Series("a fifth slow, τ = 0.3, heavy tail", 0.3, 0.2, heavy=True),
    Series("a third slow, τ = 0.3, with the load", 0.3, THIRD, load=0.4),
    Series("episodes of 0.1 blocks, 1 a block", episodes=1.0, lasting=0.1),
    Series("episodes of 0.3 blocks, 1 in 3", episodes=0.3, lasting=0.3),
    Series("episodes of 1 block, 1 in 5", episodes=0.2, lasting=1.0),
)


@dataclass(frozen=True)
class Coverage:
    """Of the trials with an interval: shares below and above it, its median width; the rest."""

    below: float
    above: float
    width: float
    without: float

    @property
    def covers(self) -> float:
        return 1 - self.below - self.above

    def __str__(self) -> str:
        if self.without == 1:
            return "none shown"
        return f"{self.covers:.1%} · {self.width:.0%} · {self.without:.0%}"


def trials(series: Series, blocks: int, each: int, count: int, seed: int) -> Iterator[np.ndarray]:
    """Counts (blocks, BINS) of ``count`` runs."""
    rng = np.random.default_rng([seed, blocks, each])
    for slow in series.slow_parts(rng, count, blocks):
        block, place = series.gaps(rng, slow, each)
        bins = bin_index(SCALE_NS * np.exp(SIGMA * place))
        counts = np.bincount(block * BINS + bins, minlength=blocks * BINS)
        yield counts.reshape(blocks, BINS)


def coverage(
    series: Series, blocks: int, each: int, count: int, interval: Interval = block_interval
) -> Coverage:
    """Over ``count`` runs."""
    truth = SCALE_NS * math.exp(SIGMA * series.truth())
    found = [interval(counts, Q) for counts in trials(series, blocks, each, count, seed=7)]
    ends = np.array([pair for pair in found if pair is not None])
    if not len(ends):
        return Coverage(0, 0, 0, 1)
    low, high = ends.T
    return Coverage(
        below=float(np.mean(truth < low)),
        above=float(np.mean(truth > high)),
        width=float(np.median((high - low) / truth)),
        without=1 - len(ends) / count,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the trials")
    parser.add_argument("--trials", type=int, default=2_000, help="runs a cell")
    parser.add_argument("--values", type=int, default=300, help="gaps a block")
    args = parser.parse_args()
    count = args.trials // 10 if args.quick else args.trials
    sizes = (MIN_BLOCKS, 40, 60)
    print(machine())
    rows = [
        (series.name, *(str(coverage(series, size, args.values, count)) for size in sizes))
        for series in SERIES
    ]
    title = (
        f"95 % interval of p99, {args.values} gaps a block, {count} runs a cell: "
        "covers · median width of p99 · runs without an interval"
    )
    table(title, ("series", *(f"{size} blocks" for size in sizes)), rows)


if __name__ == "__main__":
    main()
