"""Are the numbers true? Against an engine whose every delay is known, and against vLLM's own.

    python benchmarks/truth.py            # both, the second on the real engine
    python benchmarks/truth.py --quick    # the scripted engine only

Scripted: the engine child runs for real, vLLM replaced by a stand-in that writes down when each
token was due and when it gave it out: a busy machine makes the stand-in itself late. TTFT, TPOT and
ITL of the recording are held against what was given out, request by request. In the middle nothing
is delivered for five seconds: had the driver waited for the engine (coordinated omission), the
queue of those seconds would be missing from TTFT.

Real: the recording's TTFT and TPOT beside those that vLLM's engine core stamped for the same
requests (``RequestStateStats``). Ours begin at the intended arrival and end in the client's hands,
vLLM's begin in its queue and end where a token is computed; the difference is the way there and
back, and is printed as such.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tuiapp.clock import Clock
from tuiapp.events import Phase
from tuiapp.recorder import Recorder
from tuiapp.session.columns import Session
from tuiapp.session.latency import request_values
from tuiapp.session.writer import SessionWriter
from tuiapp.sources.engine import EngineConfig, EngineSource
from tuiapp.workload.lengths import Lengths
from tuiapp.workload.spec import Workload

NS = 1e9
STALL_S = (5.0, 10.0)
DUE = "TUIAPP_TRUTH_DUE"
_PARTS = ("t_sched_ns", "t_queued_ns", "t_core_first_ns", "t_first_ns")


def scripted(launch):  # type: ignore[no-untyped-def]
    """In the engine child: a stand-in with delays drawn from the request's number."""
    from tests.doubles.stub_engine import Script, StubEngine

    def delays(req: int, n: int) -> list[float]:
        rng = np.random.default_rng(req)
        return [rng.uniform(0.01, 0.2), *rng.uniform(0.005, 0.04, n - 1)]

    class Written(StubEngine):
        async def _until(self, at_ns: int) -> None:
            """To the microsecond: asyncio's own timers round up to a millisecond."""
            while (left := at_ns - time.monotonic_ns()) > 0:
                await asyncio.sleep(max(left - 1_500_000, 0) / NS)

        def close(self) -> None:
            told = {
                str(req): [[at - launch.origin_ns for at in ats] for ats in both]
                for req, both in (
                    (req, (self.due_ns[req], self.given_ns[req])) for req in self.due_ns
                )
            }
            Path(os.environ[DUE]).write_text(json.dumps(told))

    return Written(Script(delays_s=delays, stall=STALL_S))


def record(workload: Workload, engine: str, path: Path) -> Session:
    """Run a workload to its end and return what was recorded."""

    async def go() -> Session:
        clock, session = Clock(), Session()
        source = EngineSource(EngineConfig(workload=workload.to_dict(), engine=engine), clock)
        recorder = Recorder(session, SessionWriter(path), clock, source)
        await recorder.run()
        if not recorder.exit_facts.get("expected"):
            raise SystemExit(f"the engine failed: {recorder.exit_facts}")
        return session

    return asyncio.run(go())


def against_script(folder: Path) -> list[tuple[str, ...]]:
    """Rows of the table: worst and median difference to the script, in ms."""
    due_path = folder / "due.json"
    os.environ[DUE] = str(due_path)
    workload = Workload(rate=15.0, requests=300, output=Lengths("fixed", 24), warmup=0, seed=4)
    session = record(workload, f"{Path(__file__).resolve()}:scripted", folder / "script.tuiapp")
    told = {int(req): np.array(both) for req, both in json.loads(due_path.read_text()).items()}
    table, ring = session.requests, session.ring
    off: dict[str, list[float]] = {"TTFT": [], "TPOT": [], "ITL": [], "(the stand-in itself)": []}
    for req, (due, ats) in told.items():
        off["(the stand-in itself)"] += list(ats - due)
        t_ns, _ = ring.of(req)
        sched, first, last = (
            int(table[name][req]) for name in ("t_sched_ns", "t_first_ns", "t_last_ns")
        )
        off["TTFT"].append((first - sched) - (ats[0] - sched))
        off["TPOT"].append(((last - first) - (ats[-1] - ats[0])) / (len(ats) - 1))
        off["ITL"] += list(np.diff(t_ns) - np.diff(ats))
    rows = [_row(name, values) for name, values in off.items()]
    return [*rows, _stall_row(session)]


def _row(name: str, values: list[float]) -> tuple[str, ...]:
    ms = np.abs(np.array(values)) / 1e6
    within = f"{(ms <= 1).mean():.2%}"
    return (name, f"{len(ms)}", f"{np.median(ms):.3f}", f"{np.quantile(ms, 0.99):.3f}",
            f"{ms.max():.3f}", within)  # fmt: skip


def _stall_row(session: Session) -> tuple[str, ...]:
    """Requests that arrived in the stall must show the rest of it in their TTFT."""
    table = session.requests
    sched = table["t_sched_ns"] - int(table["t_sent_ns"].min())
    inside = (sched > STALL_S[0] * NS) & (sched < (STALL_S[1] - 0.3) * NS)
    ttft = (table["t_first_ns"] - table["t_sched_ns"])[inside]
    rest = STALL_S[1] * NS - sched[inside]
    short = int((ttft < rest - 1e6).sum())
    span = f"TTFT up to {ttft.max() / NS:.2f} s"
    return ("5 s stall", f"{int(inside.sum())}", "", "", span, f"{short} hide part of it")


def against_vllm(folder: Path) -> list[tuple[str, ...]]:
    """Rows of the table: our percentiles beside those of vLLM's own stamps."""
    workload = Workload(rate=3.0, requests=200, output=Lengths("fixed", 48), seed=5)
    session = record(workload, "vllm", folder / "real.tuiapp")
    table = session.requests
    req = request_values(session, "ttft", -1, session.end_ns)[0]
    req = req[table["phase"][req] == Phase.MEASURE]
    sched, queued, computed, first = (table[name][req].astype(float) for name in _PARTS)
    gaps = table["output_tokens"][req].astype(float) - 1
    core_tpot = (table["t_core_last_ns"][req] - computed) / gaps
    tpot = (table["t_last_ns"][req] - first) / gaps
    pairs = (
        ("TTFT", first - sched, computed - queued),
        ("  less the way there and back", computed - queued, computed - queued),
        ("  there (arrival → queue)", queued - sched, None),
        ("  back (computed → client)", first - computed, None),
        ("TPOT", tpot, core_tpot),
    )
    return [_beside(name, ours, core) for name, ours, core in pairs if name[2:6] != "less"]


def _beside(name: str, ours: np.ndarray, core: np.ndarray | None) -> tuple[str, ...]:
    cells = [name]
    for q in (0.5, 0.9, 0.99):
        mine = float(np.quantile(ours, q)) / 1e6
        if core is None:
            cells += [f"{mine:.2f}", "", ""]
        else:
            theirs = float(np.quantile(core, q)) / 1e6
            cells += [f"{mine:.2f}", f"{theirs:.2f}", f"{mine / theirs - 1:+.1%}"]
    return tuple(cells)


def show(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print a Markdown table."""
    for row in (head, ("---", *("---:" for _ in head[1:])), *rows):
        print("| " + " | ".join(row) + " |")
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the scripted engine only")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        print("Differences to when each token was given out, ms\n")
        head = ("metric", "n", "median", "p99", "largest", "within 1 ms")
        show(head, against_script(Path(folder)))
        if quick:
            return
        print("Ours beside vLLM's engine core, ms\n")
        names = (("p50", "vLLM", "diff"), ("p90", "vLLM", "diff"), ("p99", "vLLM", "diff"))
        show(("metric", *(name for group in names for name in group)), against_vllm(Path(folder)))


if __name__ == "__main__":
    main()
