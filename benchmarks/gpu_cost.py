"""What watching GPUs costs: per cent of one core for 1, 4 and 8 of them, at the default rate.

    python benchmarks/gpu_cost.py [SECONDS]

The whole host agent runs with all its collectors, as it does beside an engine. There is no GPU: a
scripted library stands in for the driver (tests/doubles/nvml). Its answers cost CPU time that a
real driver's would not, and a real driver's own time is missing; what the threads spent inside it
is counted by the library itself and shown apart. CPU time is the kernel's own count in nanoseconds
(/proc/<pid>/task/*/schedstat).
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.doubles import nvml
from tuiapp.clock import Clock
from tuiapp.sources.agent import AgentSource

BUDGET = 0.005
"""Of one core, all collectors together, with eight devices."""
DEVICES = (0, 1, 4, 8)
SETTLE_S = 3.0
COST = "TUIAPP_NVML_DOUBLE_COST"


@dataclass(frozen=True)
class Cost:
    """Seconds of CPU time a second."""

    agent: float
    double: float
    calls_per_s: float


def cpu_s(pid: int) -> float:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def scenario(count: int, pid: int) -> str:
    """Devices at work: values that change, two processes each."""
    return f"""
        count = {count}
        gpu*.util = 80 91 95 88
        gpu*.mem_used_mib = 70000
        gpu*.power_mw = 612000 655000
        gpu*.temp = 61 62
        gpu*.throttle_reasons = 0 4
        gpu*.processes = {pid}:68000 1:900
        gpu*.process_util = {pid}:80 1:5
        gpu*.fi.197 = 0 1000000 2000000 3000000
        gpu*.fi.198 = 0 1000000 2000000 3000000
    """


async def measure(library: Path | None, count: int, seconds: float) -> Cost:
    """Run an agent; without a library it finds no GPU."""
    env, left = {"LD_LIBRARY_PATH": ""}, None
    if library is not None:
        left = library.with_name("cost.txt")
        left.write_text("0 0")
        env = nvml.environment(library, scenario(count, os.getpid())) | {COST: str(left)}
    source = AgentSource(Clock(), env=env)
    source.send({"op": "watch", "pid": os.getpid()})

    async def read() -> None:
        async for _ in source.frames():
            pass

    reader = asyncio.create_task(read())
    while source.pid is None:
        await asyncio.sleep(0.01)
    await asyncio.sleep(SETTLE_S)
    start_s = cpu_s(source.pid)
    await asyncio.sleep(seconds)
    used_s = cpu_s(source.pid) - start_s
    await source.aclose()
    await reader
    spent_ns, calls = map(int, left.read_text().split()) if left else (0, 0)
    whole = seconds + SETTLE_S
    return Cost(used_s / seconds, spent_ns / 1e9 / whole, calls / whole)


async def main(seconds: float) -> int:
    print(f"{'GPUs':>4}{'agent, % of a core':>20}{'of it the double':>18}{'calls/s':>9}")
    with tempfile.TemporaryDirectory() as folder:
        library = nvml.build(Path(folder))
        for count in DEVICES:
            cost = await measure(library if count else None, count, seconds)
            percent = f"{cost.agent * 100:20.2f}{cost.double * 100:18.2f}"
            print(f"{count:4}{percent}{cost.calls_per_s:9.0f}", flush=True)
    own = cost.agent - cost.double
    print(f"{own * 100:.2f} % without the double; budget {BUDGET * 100:g} % with 8 GPUs")
    return int(own > BUDGET)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0)))
