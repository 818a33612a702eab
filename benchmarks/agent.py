"""What the host agent costs: CPU seconds per 30 s at its default rate, start-up, and memory.

    python benchmarks/agent.py [SECONDS]

The agent runs as it does beside an engine, watching a process tree of four. Beside it: a loop of
psutil calls that reads the same gauges at the same rates without sending them anywhere, and a loop
that only wakes up as often, which is the least this machine charges for. CPU time is the kernel's
own count in nanoseconds (/proc/<pid>/task/*/schedstat).
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tuiapp.clock import Clock
from tuiapp.sources.agent import AgentSource

BUDGET_CPU_S = 0.15
SETTLE_S = 1.5
WATCHED = """
import subprocess, time
for _ in range(3):
    subprocess.Popen(["sleep", "1000"])
time.sleep(1000)
"""
IDLE = """
import select
while True:
    select.select([], [], [], 0.25)
"""
PSUTIL = """
import time, psutil
tree = psutil.Process(int(__import__("sys").argv[1]))
tick = 0
while True:
    psutil.cpu_times(), psutil.cpu_times(percpu=True), psutil.cpu_stats(), psutil.cpu_freq()
    if tick % 4 == 0:
        psutil.virtual_memory(), psutil.swap_memory(), psutil.getloadavg()
        for process in [tree, *tree.children(recursive=True)]:
            with process.oneshot():
                process.cpu_times(), process.memory_info(), process.num_threads()
                process.num_ctx_switches()
    tick += 1
    time.sleep(0.25)
"""


@dataclass(frozen=True)
class Cost:
    """What a process used: CPU seconds up to the settled state and after it, and memory."""

    start_s: float
    running_s: float
    rss_bytes: int


def cpu_s(pid: int) -> float:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def rss_bytes(pid: int) -> int:
    fields = Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()
    return int(fields[0]) * 1024


async def measure(pid: int, seconds: float) -> Cost:
    await asyncio.sleep(SETTLE_S)
    start_s = cpu_s(pid)
    await asyncio.sleep(seconds)
    return Cost(start_s, cpu_s(pid) - start_s, rss_bytes(pid))


async def agent_cost(watched: int, seconds: float) -> tuple[Cost, int]:
    source = AgentSource(Clock())
    source.send({"op": "watch", "pid": watched})
    frames = 0

    async def read() -> None:
        nonlocal frames
        async for _ in source.frames():
            frames += 1

    reader = asyncio.create_task(read())
    while source.pid is None:
        await asyncio.sleep(0.01)
    cost = await measure(source.pid, seconds)
    await source.aclose()
    await reader
    return cost, frames


async def script_cost(script: str, watched: int, seconds: float) -> Cost:
    process = subprocess.Popen([sys.executable, "-c", script, str(watched)])
    try:
        return await measure(process.pid, seconds)
    finally:
        process.kill()
        process.wait()


async def main(seconds: float) -> int:
    watched = subprocess.Popen([sys.executable, "-c", WATCHED], start_new_session=True)
    try:
        (agent, frames), psutil, idle = await asyncio.gather(
            agent_cost(watched.pid, seconds),
            script_cost(PSUTIL, watched.pid, seconds),
            script_cost(IDLE, watched.pid, seconds),
        )
    finally:
        os.killpg(watched.pid, signal.SIGKILL)
        watched.wait()
    print(f"{'':24}{'CPU s / 30 s':>14}{'start, CPU s':>14}{'RSS, MiB':>10}")
    rows = {"tuiapp.agent": agent, "psutil, readings only": psutil, "waking up only": idle}
    for name, cost in rows.items():
        per_30 = cost.running_s * 30 / seconds
        print(f"{name:24}{per_30:14.3f}{cost.start_s:14.3f}{cost.rss_bytes / 2**20:10.1f}")
    per_30 = agent.running_s * 30 / seconds
    print(f"{frames} frames in {seconds:g} s; budget {BUDGET_CPU_S} CPU s per 30 s")
    return int(per_30 > BUDGET_CPU_S)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 30.0)))
