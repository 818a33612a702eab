"""What comparing two recordings of a million tokens each costs, in CPU time.

    python benchmarks/comparing.py [--quick]

Two made-up runs of 20,000 requests and a million tokens (``--quick``: a tenth) are read, compared,
and shown by the comparison's screen at 140×45, without a terminal: moved to any moment, and drawn,
with one tab after the other beside the mirrored distributions.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from _measure import machine, percentile, table
from _terminal import COLUMNS, ROWS
from sessions import record
from tests.doubles.synthetic import Load, frames
from tuiapp.compare.answer import answer
from tuiapp.compare.comparison import compare
from tuiapp.compare.reading import Question
from tuiapp.compare.runs import read_run
from tuiapp.tui.compare_app import CompareApp
from tuiapp.tui.pairs import TABS

SEEKS = 40
TARGET_S, TARGET_MS = 1.5, 80.0
TTFT_S = (0.020, 0.022)


def recordings(folder: Path, tokens: int) -> tuple[Path, Path]:
    """A's and B's; B's first tokens take a tenth longer."""
    for side, ttft_s in enumerate(TTFT_S):
        seconds = tokens / 5_000
        load = Load(seed=side, rate=100.0, output_tokens=50, duration_s=seconds, ttft_s=ttft_s)
        record(frames(load), folder / f"{side}.tuiapp")
    return folder / "0.tuiapp", folder / "1.tuiapp"


def verdicts(paths: tuple[Path, Path]) -> list[tuple[str, float]]:
    """CPU seconds of reading both, and of all verdicts."""
    start = time.process_time()
    a, b = map(read_run, paths)
    read = time.process_time()
    answer(compare([a], [b]), None)
    return [("read both", read - start), ("all verdicts", time.process_time() - read)]


async def seeks(paths: tuple[Path, Path]) -> list[tuple[str, float, float]]:
    """Of each tab: CPU milliseconds of a seek and what it redraws, middle and worst."""
    app = CompareApp(Question(([paths[0]], [paths[1]])), fps=1e-4)
    rows, rng = [], random.Random(3)
    async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause(0.2)
        screen = app.shown
        assert screen.compared is not None, screen.failed
        span_ns = screen.scene().chosen.span_ns
        for name in TABS:
            screen.action_open(name)
            await pilot.pause(0.2)
            spent = []
            for _ in range(SEEKS):
                start = time.process_time()
                screen._with_port(lambda port: port.jump(rng.randrange(span_ns)))
                await pilot.pause()
                spent.append((time.process_time() - start) * 1e3)
            rows.append((name, statistics.median(spent), percentile(spent, 0.99)))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the tokens")
    tokens = 100_000 if parser.parse_args().quick else 1_000_000
    print(machine())
    with TemporaryDirectory() as name:
        paths = recordings(Path(name), tokens)
        title = f"Two recordings of {tokens:,} tokens each (target for both: {TARGET_S:g} s)"
        table(title, ("step", "CPU s"), verdicts(paths))
        title = f"A seek on the screen at {COLUMNS}×{ROWS} (target: {TARGET_MS:g} ms)"
        table(title, ("tab", "CPU ms, middle", "worst"), asyncio.run(seeks(paths)))


if __name__ == "__main__":
    main()
