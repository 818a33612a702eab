"""What a session file costs, beside other ways to keep the same rows, and how fast it opens.

    python benchmarks/sessions.py [--quick]

First: a million token events (request, nanosecond, count) written and read back whole, in one run,
as blocks of a second; CPU seconds and bytes an event. Parquet is left out where pyarrow is missing.
Then: a recording of ten million tokens (``--quick``: one) opened, read and sought in the replay's
screen at 140×45, without a terminal.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import os
import random
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import msgpack
import numpy as np

from _measure import machine, rss_mib, table
from _terminal import COLUMNS, ROWS
from memory import LOAD, made_up
from tests.doubles.synthetic import NS, Load, make
from tuiapp.events import Frame, Kind
from tuiapp.player import Player
from tuiapp.session.blocks import merge_frames
from tuiapp.session.file import SessionFile
from tuiapp.session.frames import MAGIC, ZLIB, pack
from tuiapp.session.index import Block, Index, closing
from tuiapp.tui.replay_app import ReplayApp

SYNC = b"sessions"
SEEKS, ACROSS = 60, 10
TARGET_BYTES, TARGET_OPEN_S, TARGET_SEEK_MS = 3.5, 1.0, 50.0

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


# -- the same rows, kept in different ways -------------------------------------------------


def token_rows(events: int) -> Rows:
    """(req, t_ns, n) of a load of 100 requests and 5,000 tokens a second, in time order."""
    run = make(Load(rate=100.0, output_tokens=50, duration_s=events / 5_000))
    order = np.argsort(run.t_ns, kind="stable")
    return run.req[order].astype(np.uint32), run.t_ns[order], run.n[order].astype(np.uint16)


def seconds(rows: Rows) -> Iterator[Rows]:
    """Rows a second at a time."""
    edges = np.arange(rows[1][0], rows[1][-1] + NS, NS)
    at = np.searchsorted(rows[1], edges)
    for low, high in zip(at, [*at[1:], len(rows[1])], strict=True):
        if high > low:
            yield tuple(column[low:high] for column in rows)  # type: ignore[misc]


def write_session(rows: Rows, path: Path) -> None:
    with path.open("wb") as out:
        out.write(MAGIC)
        for seq, (req, t_ns, n) in enumerate(seconds(rows)):
            frame = Frame(
                Kind.TOKENS, int(t_ns[0]), int(t_ns[-1]), {"req": req, "t_ns": t_ns, "n": n}
            )
            out.write(pack(merge_frames([frame])[0], SYNC, seq, ZLIB))


def read_session(path: Path) -> int:
    with SessionFile(path) as file:
        return sum(int(frame.columns["n"].sum()) for frame in file.frames([Kind.TOKENS]))


def write_msgpack(rows: Rows, path: Path) -> None:
    with path.open("wb") as out:
        for row in zip(*(column.tolist() for column in rows), strict=True):
            out.write(msgpack.packb(row))


def read_msgpack(path: Path) -> int:
    with path.open("rb") as file:
        return sum(row[2] for row in msgpack.Unpacker(file))


def write_jsonl(rows: Rows, path: Path) -> None:
    with path.open("w") as out:
        for req, t_ns, n in zip(*(column.tolist() for column in rows), strict=True):
            out.write(json.dumps({"req": req, "t_ns": t_ns, "n": n}) + "\n")


def read_jsonl(path: Path) -> int:
    with path.open() as file:
        return sum(json.loads(line)["n"] for line in file)


def write_sqlite(rows: Rows, path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("create table tokens (req integer, t_ns integer, n integer)")
        for second in seconds(rows):
            db.executemany("insert into tokens values (?, ?, ?)",
                           zip(*(column.tolist() for column in second), strict=True))  # fmt: skip


def read_sqlite(path: Path) -> int:
    with sqlite3.connect(path) as db:
        return sum(n for _, _, n in db.execute("select req, t_ns, n from tokens"))


def write_parquet(rows: Rows, path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    schema = pyarrow.schema([("req", "uint32"), ("t_ns", "int64"), ("n", "uint16")])
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as out:
        for second in seconds(rows):
            out.write_table(pyarrow.table(list(map(pyarrow.array, second)), schema=schema))


def read_parquet(path: Path) -> int:
    import pyarrow.parquet

    return int(pyarrow.parquet.read_table(path)["n"].to_numpy().sum())


WAYS: dict[str, tuple[Callable[[Rows, Path], None], Callable[[Path], int]]] = {
    "session file": (write_session, read_session),
    "Parquet, zstd, a row group a second": (write_parquet, read_parquet),
    "msgpack, an array a row": (write_msgpack, read_msgpack),
    "SQLite, a row a token": (write_sqlite, read_sqlite),
    "JSONL": (write_jsonl, read_jsonl),
}


def compare(events: int, folder: Path) -> None:
    rows, shown = token_rows(events), []
    total = int(rows[2].sum())
    for name, (write, read) in WAYS.items():
        if "Parquet" in name and importlib.util.find_spec("pyarrow") is None:
            print("Parquet is left out: pyarrow is not installed", file=sys.stderr)
            continue
        path = folder / "rows"
        path.unlink(missing_ok=True)
        start = time.process_time()
        write(rows, path)
        wrote = time.process_time()
        assert read(path) == total
        size = path.stat().st_size / len(rows[1])
        shown.append((name, size, wrote - start, time.process_time() - wrote))
    head = ("way", "B/event", "write, CPU s", "read, CPU s")
    title = f"{len(rows[1]):,} token events (target: {TARGET_BYTES:g} B/event)"
    table(title, head, shown)


# -- a whole recording ---------------------------------------------------------------------


def record(given: Iterable[Frame], path: Path) -> dict[str, int]:
    """A recording of these frames as the writer leaves it; bytes by kind of block."""
    index, held, second, size = Index(), [], 0, len(MAGIC)
    spent: dict[str, int] = {}
    with path.open("wb") as out:
        out.write(MAGIC)

        def flush() -> None:
            nonlocal size
            for frame in merge_frames(held):
                data = pack(frame, SYNC, len(index), ZLIB)
                span = (frame.t0_ns, frame.t1_ns, frame.rows)
                index.add(Block(size, len(data), frame.kind, len(index), *span))
                out.write(data)
                size += len(data)
                kind = Kind(frame.kind).name
                spent[kind] = spent.get(kind, 0) + len(data)
            held.clear()

        for frame in given:
            if frame.t1_ns // NS > second:
                second = frame.t1_ns // NS
                flush()
            held.append(frame)
        flush()
        tail = closing(index, SYNC, len(index), size)
        out.write(tail)
        spent["INDEX"] = len(tail)
    return spent


async def look(path: Path) -> list[tuple[object, ...]]:
    """CPU of opening, of reading to the end, and of a seek with its redraw."""
    before = rss_mib()
    start = time.process_time()
    player = Player(path)
    player.clock.seek(player.opening_ns)  # as ``tuiapp replay`` opens it
    # Reading goes on beside the screen, and must not count for the first picture.
    drawn, read_on = asyncio.Event(), player.read

    async def read_later() -> None:
        await drawn.wait()
        await read_on()

    player.read = read_later  # type: ignore[method-assign]
    app = ReplayApp(player, fps=1e-4)
    async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
        app.screen.redraw(force=True)  # type: ignore[attr-defined]
        await pilot.pause()
        opened = time.process_time() - start
        drawn.set()
        while player.read_ns < player.end_ns:
            await asyncio.sleep(0.01)
        read = time.process_time() - start
        # The screen's own timer, which is off here, draws the whole session's strip once.
        app.screen.redraw(force=True)  # type: ignore[attr-defined]
        await pilot.pause(0.5)
        rng = random.Random(3)
        seeks = [
            await _seek(app, pilot, rng.randrange(player.load_start_ns, player.end_ns))
            for _ in range(SEEKS)
        ]
        across = []
        for _ in range(ACROSS):
            await _seek(app, pilot, player.load_start_ns // 2)
            across.append(
                await _seek(app, pilot, rng.randrange(player.load_start_ns, player.end_ns))
            )
    return [
        (f"open to the first picture, CPU s (target {TARGET_OPEN_S:g})", f"{opened:.2f}"),
        ("all of it read, CPU s", f"{read:.2f}"),
        (f"seek anywhere in the load and redraw, CPU ms (target {TARGET_SEEK_MS:g})", _of(seeks)),
        ("from the cold start into the load, where the screen takes another shape", _of(across)),
        ("RSS before, MiB", f"{before:.0f}"),
        ("RSS when all is read, MiB", f"{rss_mib():.0f}"),
        ("deliveries", f"{player.session.ring.total:,}"),
        ("requests", f"{len(player.session.ends):,}"),
    ]


async def _seek(app: ReplayApp, pilot: object, t_ns: int) -> float:
    """CPU milliseconds of a jump to ``t_ns`` until it is on the screen."""
    start = time.process_time()
    app.screen.viewport.jump(t_ns)  # type: ignore[attr-defined]
    app.screen.redraw(force=True)  # type: ignore[attr-defined]
    await pilot.pause()  # type: ignore[attr-defined]
    return (time.process_time() - start) * 1e3


def _of(spent: list[float]) -> str:
    return f"median {statistics.median(spent):.1f}, worst of {len(spent)} {max(spent):.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer rows")
    quick = parser.parse_args().quick
    print(machine())
    with TemporaryDirectory() as name:
        folder = Path(name)
        compare(100_000 if quick else 1_000_000, folder)
        minutes = 3 if quick else 33
        path = folder / "run.tuiapp"
        spent = record(made_up(minutes), path)
        tokens = LOAD.rate * LOAD.output_tokens * LOAD.duration_s * minutes
        rows = [(kind, f"{size:,}", size / tokens) for kind, size in sorted(spent.items())]
        rows.append(("all", f"{path.stat().st_size:,}", path.stat().st_size / tokens))
        table(f"A recording of {minutes} minutes", ("blocks", "bytes", "B/token"), rows)
        found = asyncio.run(look(path))
    table("The same recording in the replay", ("", ""), found)


if __name__ == "__main__":
    main()
