"""What does watching cost the engine that is watched?

    python benchmarks/observer.py [--blocks N] [--seconds S]
    python benchmarks/observer.py --fresh [--blocks N] [--requests N]

Four clients in a closed loop keep one real engine busy, so that any CPU taken away shows in the
throughput. B: watched by ``tuiapp run`` in a terminal of 140×45, with its screen, its host agent,
its hiccup meter and its recording. A: the same engine, a moment later, with all these processes
stopped (SIGSTOP): nobody watches, and the engine keeps its frames to itself. Order ABBA, ABBA, …,
so that an engine or a machine that drifts drifts for both; the first half second after each change
is left out. Each ABBA gives one ratio of B to A for each measure; shown are their geometric mean
and the 95 % t interval, and the same of the block's two A, the noise. What was written while nobody
watched is read in a watched stretch, so watching is charged with somewhat more than it costs.

``--fresh`` starts the engine anew for each run: A is then a bare driver whose frames are kept in
memory. It leaves nothing out, but two starts of one engine differ far more than watching does.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from _measure import agent_of, cpu_s, machine, table, tree
from _runs import ENGINE_ARGS, bare
from _server import why_not
from _terminal import COLUMNS, ROWS, Tmux, wait_gone
from tuiapp.session.columns import Session
from tuiapp.session.reader import load
from tuiapp.session.view import View
from tuiapp.stats.student import t_quantile
from tuiapp.workload.lengths import Lengths
from tuiapp.workload.spec import Workload

TARGET = 0.01
CONCURRENCY, PROMPT, OUTPUT, WARMUP, SEED = 4, 64, 64, 16, 11
CHANGE_S = 0.5
ORDER = "ABBA"


@dataclass(frozen=True)
class Result:
    """A run, or a stretch of one, in two numbers."""

    tokens_per_s: float
    tpot_ms: float


def result(session: Session, start_ns: int, end_ns: int) -> Result:
    view = View(session, end_ns, end_ns - start_ns)
    tokens = view.tokens(start_ns, end_ns) / ((end_ns - start_ns) / 1e9)
    p50 = view.recent("tpot").summary.p50
    assert p50 is not None
    return Result(tokens, p50 / 1e6)


def whole(session: Session) -> Result:
    window = View(session, session.end_ns).measured
    assert window is not None
    return result(session, window.start_ns - 1, window.end_ns)


def program(path: Path, *load: str) -> list[str]:
    argv = [sys.executable, "-m", "tuiapp", "run", "--output", str(path), "--preset", "batch"]
    argv += ["--concurrency", str(CONCURRENCY), *load]
    argv += ["--input-len", str(PROMPT), "--output-len", str(OUTPUT)]
    return [*argv, "--warmup", str(WARMUP), "--seed", str(SEED), "--", *ENGINE_ARGS]


# -- one engine, watched now and then ----------------------------------------------------------


def watchers(pid: int) -> list[int]:
    """All that watches: the monitor, its host agent and what that started."""
    return [pid, *tree(agent_of(pid))]


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Nobody watches meanwhile."""
    pids = watchers(pid)
    try:
        send(signal.SIGSTOP, pids)
        yield
    finally:
        send(signal.SIGCONT, reversed(pids))


def send(what: signal.Signals, pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # one that looked something up and has ended
            os.kill(pid, what)


def stretches(pid: int, blocks: int, seconds: float) -> Iterator[tuple[str, int, int]]:
    """(arm, start, end) of each stretch, wall time in ns; as it ends."""
    for arm in ORDER * blocks:
        if arm == "A":
            with stopped(pid):
                yield arm, *stretch(seconds)
        else:
            yield arm, *stretch(seconds)


def stretch(seconds: float) -> tuple[int, int]:
    time.sleep(CHANGE_S)
    start_ns = time.time_ns()
    time.sleep(seconds)
    return start_ns, time.time_ns()


def one_engine(blocks: int, seconds: float) -> list[dict[str, list[Result]]]:
    """The results of each block, by arm."""
    needed = str(math.ceil(len(ORDER) * blocks * (seconds + CHANGE_S) + 180))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.tuiapp")
        with Tmux(program(path, "--duration", needed)) as pane:
            if not pane.wait_for("serving", 240):
                raise SystemExit(f"the engine did not start:\n{pane.screen()}")
            time.sleep(20)  # what is looked up once at the start has been
            pids = watchers(pane.pid)
            used_s = -sum(map(cpu_s, pids))
            found = list(stretches(pane.pid, blocks, seconds))
            used_s += sum(map(cpu_s, pids))
            pane.press("q")
            wait_gone(pane.pid, 20)
        session = load(path)
    share = used_s / (sum(end - start for arm, start, end in found if arm == "B") / 1e9)
    said = f"{len(pids)} processes watched, with {share:.1%} of a core"
    print(f"{said}; {session.lost_frames} frames lost", file=sys.stderr)
    origin_ns = int(session.meta["created_ns"])
    results = [(arm, result(session, a - origin_ns, b - origin_ns)) for arm, a, b in found]
    parts = [results[at : at + len(ORDER)] for at in range(0, len(results), len(ORDER))]
    return [{arm: [got for name, got in part if name == arm] for arm in "AB"} for part in parts]


# -- a fresh engine for every run --------------------------------------------------------------


def unwatched(requests: int) -> Result:
    workload = Workload(
        arrival="closed", concurrency=CONCURRENCY, requests=requests, warmup=WARMUP, seed=SEED,
        prompt=Lengths("fixed", PROMPT), output=Lengths("fixed", OUTPUT),
    )  # fmt: skip
    return whole(bare(workload).session)


def watched(requests: int) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.tuiapp")
        with Tmux(program(path, "--requests", str(requests))) as pane:
            if not pane.wait_for("done after", 900):
                raise SystemExit(f"the watched run did not end:\n{pane.screen()}")
            time.sleep(1)
            pane.press("q")
            wait_gone(pane.pid, 20)
        return whole(load(path))


def fresh_engines(blocks: int, requests: int) -> list[dict[str, list[Result]]]:
    """The results of each block, by arm."""
    runs = {"A": unwatched, "B": watched}
    done: list[dict[str, list[Result]]] = []
    for block in range(blocks):
        found: dict[str, list[Result]] = {"A": [], "B": []}
        for arm in ORDER:
            got = runs[arm](requests)
            found[arm].append(got)
            said = f"block {block + 1} {arm}: {got.tokens_per_s:.1f} tok/s, TPOT p50"
            print(f"{said} {got.tpot_ms:.3f} ms", file=sys.stderr)
        done.append(found)
    return done


def ratios(values: Sequence[float]) -> str:
    """Geometric mean of ratios as a difference, with its interval."""
    logs = [math.log(value) for value in values]
    middle = statistics.fmean(logs)
    if len(logs) < 2:
        return f"{math.expm1(middle):+.1%}"
    reach = t_quantile(0.975, len(logs) - 1) * statistics.stdev(logs) / math.sqrt(len(logs))
    low, high = math.expm1(middle - reach), math.expm1(middle + reach)
    return f"{math.expm1(middle):+.1%} ({low:+.1%} to {high:+.1%})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--blocks", type=int, choices=range(1, 101), help="ABBA blocks")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each stretch")
    parser.add_argument("--fresh", action="store_true", help="a fresh engine for each run")
    parser.add_argument("--requests", type=int, default=300, help="measured requests a fresh run")
    args = parser.parse_args()
    print(machine())
    if why_not():
        print(f"left out: {why_not()}")
        return
    if args.fresh:
        blocks = fresh_engines(args.blocks or 3, args.requests)
        size = f"{len(blocks)} × {ORDER}, a fresh engine and {args.requests} requests a run"
    else:
        blocks = one_engine(args.blocks or 25, args.seconds)
        size = f"{len(blocks)} × {ORDER} of {args.seconds:g} s on one engine"
    rows = []
    for name, field in (("output tokens/s", "tokens_per_s"), ("TPOT p50, ms", "tpot_ms")):
        a, b = (
            [math.prod(getattr(run, field) for run in block[arm]) ** 0.5 for block in blocks]
            for arm in "AB"
        )
        noise = [getattr(block["A"][1], field) / getattr(block["A"][0], field) for block in blocks]
        effect = ratios([on / off for on, off in zip(b, a, strict=True)])
        rows.append((name, statistics.fmean(a), statistics.fmean(b), effect, ratios(noise)))
    head = ("measure", "unwatched", "watched", "watched / unwatched", "unwatched, 4th / 1st")
    table(f"Observer effect ({size}, {COLUMNS}×{ROWS}; target: within {TARGET:.0%})", head, rows)


if __name__ == "__main__":
    main()
