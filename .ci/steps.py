"""Running the set-up's commands: one short line each, and one sentence when one fails."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOG = ROOT / ".cache" / "setup.log"
LINES_SHOWN = 15
FULL_BELOW_BYTES = 200_000_000  # with less, not even the log may hold what went wrong

Run = Callable[..., str]
"""``run(title, *command)`` runs one step and returns its output, or raises StepError."""

NO_SPACE = re.compile(r"No space left on device")
NO_VENV = re.compile(r"ensurepip is not available|No module named venv")
NO_NETWORK = re.compile(
    r"Temporary failure in name resolution|Name or service not known|Network is unreachable"
    r"|Failed to establish a new connection|ConnectTimeoutError|NameResolutionError"
    r"|Connection refused|Could not connect|ProxyError"
)
NO_RELEASE = re.compile(r"No matching distribution found for (\S+)")

SENTENCES = {
    NO_SPACE: "The disk is full: free some space and run it again.",
    NO_VENV: (
        "This Python cannot make environments: install its venv module (Debian and Ubuntu: "
        "apt-get install python3-venv) and run it again."
    ),
    NO_NETWORK: (
        "The package index does not answer: check the network, or pip's settings "
        "(pip config list), and run it again."
    ),
    NO_RELEASE: (
        "pip finds no {match} for Python {python} on {machine}: try another Python "
        "(make PYTHON=/path/to/python3.11 ...), or leave vLLM out (make VLLM=none ...)."
    ),
}
"""What the output of a failed step may hold, and what to tell; the first that fits counts."""


class StepError(Exception):
    """A command of the set-up ended with an error; ``output`` is what it wrote."""

    def __init__(self, title: str, output: str) -> None:
        super().__init__(title)
        self.title = title
        self.output = output


def explain(failure: StepError) -> str:
    """One sentence for a failure we know, else the end of its output and where the rest is."""
    if shutil.disk_usage(ROOT).free < FULL_BELOW_BYTES:
        return SENTENCES[NO_SPACE]
    for pattern, sentence in SENTENCES.items():
        if found := pattern.search(failure.output):
            return sentence.format(
                match=found.group(found.lastindex or 0),
                python=platform.python_version(),
                machine=platform.machine(),
            )
    tail = "\n".join(failure.output.splitlines()[-LINES_SHOWN:])
    return f"{tail}\nThe step '{failure.title}' failed; {LOG} holds all it wrote."


def say(text: str) -> None:
    show(f"{text}\n")


class Progress:
    """One line for one step: its title, then the seconds it took.

    On a terminal the line also shows, while it lasts, the newest line of the step's output.
    """

    def __init__(self, title: str) -> None:
        self._text = f"  {title} ..."
        self._started = time.monotonic()
        self._live = sys.stderr.isatty()
        if self._live:
            self.update("")
        else:
            show(self._text)

    def update(self, newest: str) -> None:
        if self._live:
            printable = "".join(c for c in newest if c.isprintable())
            line = f"{self._text} {self._seconds():3.0f} s  {printable}"
            # A line that wraps could not be drawn over.
            show(f"\r\033[K{line[: shutil.get_terminal_size().columns - 1]}")

    def end(self, word: str = "") -> None:
        start = f"\r\033[K{self._text}" if self._live else ""
        show(f"{start} {word}{self._seconds():.0f} s\n")

    def _seconds(self) -> float:
        return time.monotonic() - self._started


def show(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)


def run_step(title: str, *command: str | Path) -> str:
    """Run ``command`` as one step, its output in ``LOG``; returns that output."""
    progress = Progress(title)
    code = 1
    try:
        code = run_logged(command, progress)
    finally:
        progress.end("failed, " if code else "")
    output = LOG.read_text(errors="replace")
    if code:
        raise StepError(title, output)
    return output


def run_logged(command: Sequence[str | Path], progress: Progress) -> int:
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("w") as log, start(command, log.fileno()) as process:
        while True:
            try:
                return process.wait(timeout=0.5)
            except subprocess.TimeoutExpired:
                progress.update(newest_line(LOG))


def start(command: Sequence[str | Path], output: int) -> subprocess.Popen[bytes]:
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_USER": "0"}
    return subprocess.Popen(
        [str(part) for part in command],
        cwd=ROOT,
        env={"PIP_RETRIES": "3"} | os.environ | quiet,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
    )


def newest_line(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 400))
        lines = file.read().decode(errors="replace").splitlines()
    return lines[-1].strip() if lines else ""
