"""What does watching cost the engine that is watched?

    python benchmarks/observer.py [--blocks N] [--requests N]

The same seeded load on fresh starts of the same engine, four clients in a closed loop so that any
CPU taken away shows in the throughput. A: nobody watches; the driver's frames are kept in memory.
B: ``tuiapp run`` in a terminal of 140×45, with its screen, its host agent and its recording.
Order ABBA, so that a machine that drifts drifts for both. Each ABBA gives one ratio of B to A for
each measure; shown are their geometric mean and the 95 % t interval, and A to A, the noise.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from _measure import machine, table
from _runs import ENGINE_ARGS, bare
from _server import why_not
from _terminal import COLUMNS, ROWS, Tmux, wait_gone
from tuiapp.session.columns import Session
from tuiapp.session.reader import load
from tuiapp.session.view import View
from tuiapp.workload.lengths import Lengths
from tuiapp.workload.spec import Workload

TARGET = 0.01
CONCURRENCY, PROMPT, OUTPUT, WARMUP, SEED = 4, 64, 64, 16, 11
T975 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365}
"""Student's t by degrees of freedom."""


@dataclass(frozen=True)
class Result:
    """One run in two numbers."""

    tokens_per_s: float
    tpot_ms: float


def result(session: Session) -> Result:
    view = View(session, session.end_ns)
    window = view.measured
    assert window is not None
    tokens = view.tokens(window.start_ns - 1, window.end_ns) / window.seconds
    p50 = view.run("tpot").summary.p50
    assert p50 is not None
    return Result(tokens, p50 / 1e6)


def unwatched(requests: int) -> Result:
    workload = Workload(
        arrival="closed", concurrency=CONCURRENCY, requests=requests, warmup=WARMUP, seed=SEED,
        prompt=Lengths("fixed", PROMPT), output=Lengths("fixed", OUTPUT),
    )  # fmt: skip
    return result(bare(workload).session)


def watched(requests: int) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.tuiapp")
        argv = [sys.executable, "-m", "tuiapp", "run", "--output", str(path), "--preset", "batch"]
        argv += ["--concurrency", str(CONCURRENCY), "--requests", str(requests)]
        argv += ["--input-len", str(PROMPT), "--output-len", str(OUTPUT)]
        argv += ["--warmup", str(WARMUP), "--seed", str(SEED), "--", *ENGINE_ARGS]
        with Tmux(argv) as pane:
            if not pane.wait_for("done after", 900):
                raise SystemExit(f"the watched run did not end:\n{pane.screen()}")
            time.sleep(1)
            pane.press("q")
            wait_gone(pane.pid, 20)
        return result(load(path))


def ratios(values: Sequence[float]) -> str:
    """Geometric mean of ratios as a difference, with its interval."""
    logs = [math.log(value) for value in values]
    middle = statistics.fmean(logs)
    if len(logs) < 2:
        return f"{math.expm1(middle):+.1%}"
    reach = T975[len(logs) - 1] * statistics.stdev(logs) / math.sqrt(len(logs))
    low, high = math.expm1(middle - reach), math.expm1(middle + reach)
    return f"{math.expm1(middle):+.1%} ({low:+.1%} to {high:+.1%})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--blocks", type=int, default=3, choices=range(1, 9), help="ABBA blocks")
    parser.add_argument("--requests", type=int, default=300, help="measured requests a run")
    args = parser.parse_args()
    print(machine())
    if why_not():
        print(f"left out: {why_not()}")
        return
    runs = {"A": unwatched, "B": watched}
    blocks: list[dict[str, list[Result]]] = []
    for block in range(args.blocks):
        found: dict[str, list[Result]] = {"A": [], "B": []}
        for arm in "ABBA":
            got = runs[arm](args.requests)
            found[arm].append(got)
            said = f"block {block + 1} {arm}: {got.tokens_per_s:.1f} tok/s, TPOT p50"
            print(f"{said} {got.tpot_ms:.3f} ms", file=sys.stderr)
        blocks.append(found)
    rows = []
    for name, field in (("output tokens/s", "tokens_per_s"), ("TPOT p50", "tpot_ms")):
        a, b = (
            [math.prod(getattr(run, field) for run in block[arm]) ** 0.5 for block in blocks]
            for arm in "AB"
        )
        noise = [getattr(block["A"][1], field) / getattr(block["A"][0], field) for block in blocks]
        effect = ratios([on / off for on, off in zip(b, a, strict=True)])
        rows.append((name, statistics.fmean(a), statistics.fmean(b), effect, ratios(noise)))
    size = f"{args.blocks} × ABBA, {args.requests} requests a run, {COLUMNS}×{ROWS}"
    head = ("measure", "unwatched", "watched", "watched / unwatched", "unwatched, 4th / 1st run")
    table(f"Observer effect ({size}; target: within {TARGET:.0%})", head, rows)


if __name__ == "__main__":
    main()
