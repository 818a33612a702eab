"""A real vLLM server under a light chat load, for the monitors that watch one over HTTP.

``python _server.py load PORT MODEL RATE`` is the load: Poisson arrivals, streamed completions,
each over a connection of its own, until it is ended.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

START_S = 900
PROMPT_TOKENS, OUTPUT_TOKENS = 64, 48
ARGUMENTS = ("--enforce-eager", "--max-model-len", "2048", "--kv-cache-memory-bytes", "536870912")
_ENV = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1"}


def why_not() -> str:
    """Why no vLLM can be started here; empty when it can."""
    if importlib.util.find_spec("vllm") is None:
        return f"vLLM is not installed in {sys.executable}; `make setup` installs it"
    return ""


def demo_model() -> Path:
    """The demo model, made where it is not there yet."""
    made = subprocess.run(
        [sys.executable, "-m", "tuiapp.engine.demo_model"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return Path(made.stdout.strip().splitlines()[-1])


@contextmanager
def vllm_server(rate: float) -> Iterator[str]:
    """The URL of an OpenAI server of the demo model, with ``rate`` requests a second on it.

    Raises:
        RuntimeError: it did not start.
    """
    port = free_port()
    with (
        tempfile.TemporaryFile() as log,
        ready_server(demo_model(), port, ARGUMENTS),
        running([sys.executable, __file__, "load", str(port), "demo", str(rate)], log),
    ):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def ready_server(model: Path, port: int, arguments: Sequence[str]) -> Iterator[int]:
    """The process of an OpenAI server that answers; the model is served as ``demo``.

    Raises:
        RuntimeError: it did not start.
    """
    server = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *arguments]
    server += ["--model", str(model), "--served-model-name", "demo", "--port", str(port)]
    with tempfile.TemporaryFile() as log, running(server, log) as pid:
        _wait_ready(f"http://127.0.0.1:{port}", log)
        yield pid


@contextmanager
def running(argv: list[str], log: object) -> Iterator[int]:
    """A process in a session of its own, ended with all it started."""
    env = {**os.environ, **_ENV, "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(argv, stdout=log, stderr=log, env=env, start_new_session=True)  # type: ignore[call-overload]
    try:
        yield process.pid
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_ready(url: str, log: object) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with suppress(OSError):
            urllib.request.urlopen(f"{url}/health", timeout=2).close()
            return
        time.sleep(0.5)
    log.seek(0)  # type: ignore[attr-defined]
    tail = log.read().decode("utf-8", "replace")[-2000:]  # type: ignore[attr-defined]
    raise RuntimeError(f"the vLLM server was not ready after {START_S} s:\n{tail}")


async def load(port: int, model: str, rate: float) -> None:
    """Send requests for ever, at absolute deadlines."""
    rng, tasks = random.Random(1), set()
    due = time.monotonic()
    while True:
        due += rng.expovariate(rate)
        await asyncio.sleep(max(due - time.monotonic(), 0))
        prompt = [rng.randrange(300, 2000) for _ in range(PROMPT_TOKENS)]
        task = asyncio.create_task(_request(port, model, prompt))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def _request(port: int, model: str, prompt: list[int]) -> None:
    asked = {"model": model, "prompt": prompt, "max_tokens": OUTPUT_TOKENS}
    body = json.dumps({**asked, "ignore_eos": True, "stream": True}).encode()
    head = (
        "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head.encode() + body)
        while await reader.read(1 << 14):
            pass
        writer.close()


if __name__ == "__main__":
    _, _, *given = sys.argv
    asyncio.run(load(int(given[0]), given[1], float(given[2])))
