"""How fast token events become columns, and whether the keyboard still answers meanwhile.

    python benchmarks/ingest.py [--quick]

First, without a screen: batches of 100 ms as an engine child sends them, bytes → ``Decoder`` →
``Session.fold``, at several rates of token events. Then the live monitor on a pseudo-terminal of
140×45 while 10,000 events a second come in: the time from a key to the repaint that it asks for.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from _live import monitor
from _measure import cpu_s, machine, percentile, table
from _terminal import COLUMNS, ROWS, Pty
from tests.doubles.synthetic import Load, frames
from tuiapp.events import Kind
from tuiapp.session.columns import Session
from tuiapp.session.decoder import Decoder
from tuiapp.session.frames import pack

SYNC = b"ingested"
RATES = (10_000, 100_000, 1_000_000)
TOKENS_A_REQUEST = 100
TARGET_M_PER_S, TARGET_P99_MS = 2.0, 50.0
READ_BYTES = 1 << 18
KEY_RATE = 10_000
LABELS = (b"whole run", b"last 10 s", b"last 60 s")
"""What each press of z puts into the panes' titles, in turn."""


def batches(events_per_s: int, events: int) -> tuple[bytes, int]:
    """(the bytes an engine child would write, token events in them)."""
    load = Load(
        rate=events_per_s / TOKENS_A_REQUEST,
        duration_s=events / events_per_s,
        output_tokens=TOKENS_A_REQUEST,
    )
    made = list(frames(load, sampled=False))
    rows = sum(frame.rows for frame in made if frame.kind == Kind.TOKENS)
    return b"".join(pack(frame, SYNC, seq) for seq, frame in enumerate(made)), rows


def ingest(data: bytes) -> tuple[float, float]:
    """CPU seconds of (decoding alone, decoding and folding)."""
    costs = []
    for fold in (False, True):
        decoder, session = Decoder(SYNC), Session()
        view = memoryview(data)
        gc.collect()
        start = time.process_time()
        for at in range(0, len(view), READ_BYTES):
            for frame in decoder.feed(view[at : at + READ_BYTES]):
                if fold:
                    session.fold(frame)
        costs.append(time.process_time() - start)
    return costs[0], costs[1]


def columns(events: int, repeats: int) -> None:
    rows = []
    for rate in RATES:
        data, count = batches(rate, events)
        runs = [ingest(data) for _ in range(repeats)]
        decode, both = min(run[0] for run in runs), min(run[1] for run in runs)
        rows.append(
            (
                f"{rate:,}",
                f"{count:,}",
                len(data) / count,
                count / decode / 1e6,
                count / both / 1e6,
                f"{both * rate / count * 100:.2f} %",
            )
        )
    head = ("events/s", "events", "B/event", "decode, M/s", "decode + fold, M/s", "of a core")
    table(f"Frames to columns (target: {TARGET_M_PER_S:g} M events/s)", head, rows)


def keys(seconds: float) -> None:
    """Press z at random moments; each press changes the titles of the panes."""
    load = {"rate": KEY_RATE / TOKENS_A_REQUEST, "duration_s": seconds + 60}
    load["output_tokens"] = TOKENS_A_REQUEST
    rng, waits, presses, lost = random.Random(7), [], 0, 0
    with monitor(load) as program, Pty(*program) as terminal:
        if terminal.read_until(b"last 60 s over the run", 30) is None:
            sys.exit(f"the monitor did not come up:\n{terminal.seen[-2000:]!r}")
        idle(terminal, 5)
        start_s, start_cpu_s = time.monotonic(), cpu_s(terminal.pid)
        while time.monotonic() - start_s < seconds:
            idle(terminal, rng.uniform(0.2, 0.7))
            pressed = time.monotonic()
            terminal.write(b"z")
            seen = terminal.read_until(LABELS[presses % 3], 5)
            presses += 1
            lost += seen is None
            if seen is not None:
                waits.append((seen - pressed) * 1e3)
        share = (cpu_s(terminal.pid) - start_cpu_s) / (time.monotonic() - start_s)
    head = ("events/s", "keys", "unanswered", "p50, ms", "p99, ms", "max, ms", "monitor's CPU")
    shown = f"{KEY_RATE:,}", presses, lost, percentile(waits, 0.5), percentile(waits, 0.99)
    title = f"From key to repaint at {COLUMNS}×{ROWS} (target: p99 < {TARGET_P99_MS:g} ms)"
    table(title, head, [(*shown, max(waits), f"{share * 100:.0f} %")])


def idle(terminal: Pty, seconds: float) -> None:
    """Let the monitor draw, and take what it writes."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        terminal.read(left)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a short run")
    parser.add_argument("--no-keys", action="store_true", help="leave the live part out")
    args = parser.parse_args()
    print(machine())
    columns(100_000 if args.quick else 1_000_000, 1 if args.quick else 3)
    if not args.no_keys:
        keys(5 if args.quick else 20)


if __name__ == "__main__":
    main()
