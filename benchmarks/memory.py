"""Memory of the columns over a long, heavy run, fed faster than real time.

    python benchmarks/memory.py [--quick]

100 requests and 5,000 output tokens a second for ten minutes (``--quick``: one), folded into a
session as a recorder would, with the views that a screen asks for once a second. A row a minute.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from dataclasses import replace

import numpy as np

from _measure import cpu_s, machine, rss_mib, table
from tests.doubles.synthetic import NS, Load, cold_start, frames
from tuiapp.events import LOAD_STATE, Frame, Kind
from tuiapp.session.columns import Session
from tuiapp.session.view import View

LOAD = Load(rate=100.0, output_tokens=50, duration_s=60.0)
MINUTE_NS = 60 * NS


def shifted(frame: Frame, req: int, at_ns: int) -> Frame:
    """The frame with later requests at a later time: every minute is the same minute again."""
    columns = dict(frame.columns)
    for name, column in columns.items():
        if name == "req":
            columns[name] = column + req
        elif name.endswith("_ns"):
            t_ns = np.asarray(column)
            columns[name] = t_ns + at_ns * (t_ns >= 0)
    return Frame(frame.kind, frame.t0_ns + at_ns, frame.t1_ns + at_ns, columns, frame.attrs)


def look(session: Session, cursor_ns: int) -> None:
    """What a redraw of the whole screen computes."""
    view = View(session, cursor_ns, 60 * NS)
    for metric in ("ttft", "tpot", "itl"):
        assert view.recent(metric).summary.n <= view.run(metric).summary.n
    assert view.traffic.sent >= 0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one minute")
    minutes = 1 if parser.parse_args().quick else 10
    print(machine())
    session = Session()
    for frame in cold_start(LOAD):
        session.fold(frame)
    before = rss_mib()
    rows: list[tuple[object, ...]] = [(0, f"{before:.1f}", "", "", "")]
    for minute in range(minutes):
        load = replace(LOAD, seed=minute)
        used = cpu_s(os.getpid())
        next_look = 0
        for frame in frames(load):
            if frame.kind in (Kind.META, Kind.FACTS) and LOAD_STATE in str(frame.columns):
                continue
            late = shifted(frame, minute * int(LOAD.rate * 60), minute * MINUTE_NS)
            session.fold(late)
            if late.t1_ns >= next_look:
                next_look = late.t1_ns + NS
                look(session, late.t1_ns)
        used = cpu_s(os.getpid()) - used
        tokens, requests = session.ring.total, session.ends.count(session.end_ns)
        rss = rss_mib()
        rows.append((minute + 1, f"{rss:.1f}", f"{requests:,}", f"{tokens:,}", f"{used:.1f}"))
    head = ("minute", "RSS MiB", "requests", "deliveries", "CPU s, made up and folded")
    table("Memory of a heavy run", head, rows)


if __name__ == "__main__":
    main()
