"""CPU of the load driver for each output token, beside ``vllm bench serve``'s.

    python benchmarks/driver.py            # over a stand-in, and over the real engine
    python benchmarks/driver.py --quick    # over the stand-in only

Stand-in: the driver alone, over an engine that computes nothing; what its token streams cost when
something merely iterates over them is taken off. Real engine: eight clients in a closed loop, the
same lengths for both. Ours lives in the process of vLLM's front end (AsyncLLM), so that process is
the line to compare with the others' front end (the API server) and client together. All start-up is
removed: what is shown is the difference between a long run and a short one, over the difference in
output tokens.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from _measure import cpu_s, machine, table
from _runs import ENGINE_ARGS, bare
from _server import demo_model, free_port, ready_server, why_not
from tuiapp.clock import Clock
from tuiapp.engine.client import Delivery
from tuiapp.engine.driver import Driver
from tuiapp.workload.lengths import Lengths
from tuiapp.workload.plan import Plan
from tuiapp.workload.spec import Workload

CLIENTS, PROMPT, OUTPUT = 8, 64, 64
SHORT, LONG = 100, 400
COLLECT_S = 0.25
CLIENT = (
    "from vllm.benchmarks.serve import add_cli_args, main; import argparse; "
    "p = argparse.ArgumentParser(); add_cli_args(p); main(p.parse_args())"
)


class Free:
    """An engine whose tokens cost nothing but the event loop's turn."""

    dead = None

    async def generate(
        self, req_id: str, prompt_token_ids: list[int], max_tokens: int
    ) -> AsyncIterator[Delivery]:
        for _ in range(max_tokens):
            await asyncio.sleep(0)
            yield 1, None


def workload(requests: int) -> Workload:
    return Workload(
        arrival="closed", concurrency=CLIENTS, requests=requests, warmup=0, seed=3,
        prompt=Lengths("fixed", PROMPT), output=Lengths("fixed", OUTPUT),
    )  # fmt: skip


async def _driven(requests: int) -> None:
    now = Clock()
    driver = Driver(Free(), Plan(workload(requests), 32_000, 4096), now, lambda _: None, 10.0)
    running = asyncio.create_task(driver.run())
    while not running.done():
        await asyncio.sleep(COLLECT_S)
        driver.ledger.collect()
    await running


async def _iterated(requests: int) -> None:
    left = list(range(requests))

    async def client() -> None:
        while left:
            async for _ in Free().generate(str(left.pop()), [], OUTPUT):
                pass

    await asyncio.gather(*(client() for _ in range(CLIENTS)))


def slope_us(cost_s: Callable[[int], float], short: int, long: int) -> float:
    """CPU µs an output token: what the requests between ``short`` and ``long`` cost."""
    first, second = cost_s(short), cost_s(long)
    return (second - first) / ((long - short) * OUTPUT) * 1e6


def over_stand_in(requests: int) -> list[tuple[object, ...]]:
    def cost(run: Callable[[int], object]) -> Callable[[int], float]:
        def spent(count: int) -> float:
            start = time.process_time()
            asyncio.run(run(count))  # type: ignore[arg-type]
            return time.process_time() - start

        return spent

    ours = min(slope_us(cost(_driven), requests // 4, requests) for _ in range(3))
    loop = min(slope_us(cost(_iterated), requests // 4, requests) for _ in range(3))
    return [
        ("driver over a stand-in", ours),
        ("  the same streams, only iterated over", loop),
        ("  so the driver's own", ours - loop),
    ]


def ours_real() -> float:
    return slope_us(lambda requests: bare(workload(requests)).child_cpu_s, SHORT, LONG)


@contextlib.contextmanager
def api_server() -> Iterator[tuple[int, int]]:
    """(port, pid) of a server of the demo model."""
    port = free_port()
    with ready_server(demo_model(), port, ENGINE_ARGS) as pid:
        yield port, pid


def vllm_bench() -> tuple[float, float]:
    """CPU µs a token of (the client, the API server)."""
    with api_server() as (port, pid):
        server: list[float] = []

        def client(requests: int) -> float:
            argv = [sys.executable, "-c", CLIENT, "--port", str(port), "--model", "demo"]
            argv += ["--tokenizer", str(demo_model()), "--endpoint", "/v1/completions"]
            argv += ["--dataset-name", "random", "--random-input-len", str(PROMPT)]
            argv += ["--random-output-len", str(OUTPUT), "--ignore-eos", "--disable-tqdm"]
            argv += ["--num-prompts", str(requests), "--max-concurrency", str(CLIENTS)]
            before, used = resource.getrusage(resource.RUSAGE_CHILDREN), cpu_s(pid)
            done = subprocess.run(argv, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"vllm bench serve failed:\n{done.stderr[-2000:]}")
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            server.append(cpu_s(pid) - used)
            return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

        client(SHORT)  # warms the server up
        server.clear()
        mine = slope_us(client, SHORT, LONG)
        tokens = (LONG - SHORT) * OUTPUT
        return mine, (server[1] - server[0]) / tokens * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="over the stand-in only")
    quick = parser.parse_args().quick
    print(machine())
    rows = over_stand_in(400 if quick else 2000)
    if not quick and why_not():
        print(f"the real engine is left out: {why_not()}", file=sys.stderr)
    elif not quick:
        rows.append(("tuiapp over vLLM: driver and AsyncLLM, one process", ours_real()))
        client, server = vllm_bench()
        rows.append(("vllm bench serve: client", client))
        rows.append(("vllm bench serve: client and API server", client + server))
    table(f"CPU of the load driver, {CLIENTS} clients", ("driver", "CPU µs / output token"), rows)


if __name__ == "__main__":
    main()
