"""The live monitor over a made-up engine: ``python _live.py '{"rate": 6}' [--no-agent] [--fps N]``.

What ``tuiapp run`` opens, with every part real but vLLM. Leave it with q.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from _synthetic_engine import QUIET
from tuiapp.clock import Clock
from tuiapp.recorder import Recorder
from tuiapp.session.columns import Session
from tuiapp.session.writer import SessionWriter
from tuiapp.sources.agent import AgentSource
from tuiapp.sources.engine import EngineConfig, EngineSource
from tuiapp.tui.app import MonitorApp
from tuiapp.workload.spec import Workload

_ENGINE = Path(__file__).with_name("_synthetic_engine.py")
_META = {"workload": {"name": "chat", "arrival": "poisson", "rate": 6.0}}
_SLOS = ["ttft:p99<100ms", "tpot:p99<50ms"]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("load", help="JSON of tests.doubles.synthetic.Load")
    parser.add_argument("--no-agent", action="store_true", help="nothing watches the host")
    parser.add_argument("--fps", type=float, default=2.0, help="redraws a second")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tuiapp-bench-") as folder:
        clock = Clock()
        config = EngineConfig(
            engine_args=("--load", args.load),
            workload=Workload(**QUIET).to_dict(),
            drain_s=0,
            engine=f"{_ENGINE}:start",
        )
        writer = SessionWriter(Path(folder, "run.tuiapp"))
        engine = EngineSource(config, clock)
        others = [] if args.no_agent else [AgentSource(clock)]
        recorder = Recorder(Session(), writer, clock, engine, others)
        recorder.describe({**_META, "slo": _SLOS})
        running = asyncio.create_task(recorder.run())
        try:
            await MonitorApp(recorder, recorder.stop, fps=args.fps).run_async()
        finally:
            await recorder.stop()
            await running


if __name__ == "__main__":
    asyncio.run(main())
