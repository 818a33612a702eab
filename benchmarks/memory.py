"""Memory of the monitor over a long, heavy run, fed faster than real time.

    python benchmarks/memory.py [--quick]

100 requests and 5,000 output tokens a second for ten minutes (``--quick``: one). Another process
makes the run up and sends its frames; this one is the monitor: it decodes and folds them, records
them, and draws the screen at 140×45, without a terminal, once a second of the run. A row a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from _measure import MIB, machine, peak_mib, rss_mib, table
from _terminal import COLUMNS, ROWS
from tests.doubles.synthetic import NS, Load, cold_start, frames
from tuiapp.clock import FakeClock
from tuiapp.events import LOAD_STATE, Frame, Kind
from tuiapp.session import writer
from tuiapp.session.columns import Session
from tuiapp.session.decoder import Decoder
from tuiapp.session.frames import pack
from tuiapp.tui.app import MonitorApp

LOAD = Load(rate=100.0, output_tokens=50, duration_s=60.0)
SYNC = b"memories"
MINUTE_NS = 60 * NS
TARGET_MIB = 80
SPEED = 20
"""About how many times faster than real time; the writer's blocks are as much shorter."""


def shifted(frame: Frame, req: int, at_ns: int) -> Frame:
    """The frame with later requests at a later time."""
    columns = dict(frame.columns)
    for name, column in columns.items():
        if name == "req":
            columns[name] = column + req
        elif name.endswith("_ns"):
            t_ns = np.asarray(column)
            columns[name] = t_ns + at_ns * (t_ns >= 0)
    return Frame(frame.kind, frame.t0_ns + at_ns, frame.t1_ns + at_ns, columns, frame.attrs)


def made_up(minutes: int) -> Iterator[Frame]:
    """A start, then one made-up minute after another."""
    yield from cold_start(LOAD)
    for minute in range(minutes):
        for frame in frames(replace(LOAD, seed=minute)):
            told = frame.kind not in (Kind.META, Kind.FACTS) or LOAD_STATE not in str(frame.columns)
            if told and frame.t0_ns >= LOAD.start_s * NS:
                yield shifted(frame, minute * int(LOAD.rate * 60), minute * MINUTE_NS)


def feed(minutes: int) -> None:
    """In the other process: write the frames' bytes to stdout."""
    for seq, frame in enumerate(made_up(minutes)):
        sys.stdout.buffer.write(pack(frame, SYNC, seq))


@dataclass
class Run:
    """What the screen asks of a run."""

    path: Path
    session: Session = field(init=False)
    clock: FakeClock = field(default_factory=FakeClock)
    finished: bool = False
    exit_facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.session = Session(self.path, folder=self.path.parent)
        self.writer = self.recording = writer.SessionWriter(self.path)

    def take(self, frame: Frame) -> None:
        self.writer.put(frame)
        self.session.fold(frame)
        self.clock.advance(max(frame.t1_ns - self.clock.now_ns(), 0))


async def watch(minutes: int, path: Path) -> tuple[Session, list[tuple[object, ...]]]:
    """The session, and (minute, MiB, requests, deliveries, MiB written) at each minute's end."""
    run, rows, looked_ns = Run(path), [], 0

    async def stop() -> None:
        """Nothing to end."""

    app = MonitorApp(run, stop, fps=1e-4)
    feeder = subprocess.Popen([sys.executable, __file__, "--feed", str(minutes)], stdout=-1)
    assert feeder.stdout is not None
    async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
        decoder = Decoder(SYNC)
        rows.append(_row(run, 0))
        while data := feeder.stdout.read1(1 << 18):  # type: ignore[attr-defined]
            for frame in decoder.feed(data):
                run.take(frame)
                if frame.t1_ns >= looked_ns:
                    looked_ns = frame.t1_ns + NS
                    app.screen.redraw()  # type: ignore[attr-defined]
                    await pilot.pause()
                if frame.t1_ns >= LOAD.start_s * NS + len(rows) * MINUTE_NS:
                    rows.append(_row(run, len(rows)))
    run.writer.close()
    if feeder.wait():
        sys.exit(f"the process that makes the run up ended with {feeder.returncode}")
    return run.session, rows


def _row(run: Run, minute: int) -> tuple[object, ...]:
    session = run.session
    requests, tokens = session.ends.count(session.end_ns), session.ring.total
    written = run.writer.size / (1 << 20)
    return minute, f"{rss_mib():.1f}", f"{requests:,}", f"{tokens:,}", f"{written:.1f}"


def held(session: Session) -> str:
    """One line on what the columns that grow with the run take."""
    logs = (session.sent, session.firsts, session.ends)
    requests = session.requests.nbytes + sum(log.nbytes for log in logs)
    sampled = session.ticks.nbytes + sum(table.nbytes for table in session.samples.values())
    parts = (
        f"requests {requests / MIB:.1f} MiB ({requests / len(session.requests):.0f} B each)",
        f"gaps {session.gaps.nbytes / MIB:.1f} MiB",
        f"ticks and samples {sampled / MIB:.1f} MiB",
    )
    return ", ".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one minute")
    parser.add_argument("--feed", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.feed:
        feed(args.feed)
        return
    print(machine())
    writer.BLOCK_S = 1 / SPEED
    with TemporaryDirectory() as folder:
        session, rows = asyncio.run(watch(1 if args.quick else 10, Path(folder, "run.tuiapp")))
    head = ("minute", "RSS, MiB", "requests", "deliveries", "recorded, MiB")
    table(f"Memory of a heavy run (target: {TARGET_MIB} MiB)", head, rows)
    print(f"\npeak {peak_mib():.1f} MiB; of it {held(session)}")
    if len(rows) > 2:
        first, last = float(str(rows[1][1])), float(str(rows[-1][1]))
        print(f"{(last - first) / (len(rows) - 2):.2f} MiB a minute after the first")


if __name__ == "__main__":
    main()
