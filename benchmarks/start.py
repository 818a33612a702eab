"""What a start costs: ``tuiapp --help``, and ``tuiapp run`` up to its first painted frame.

    python benchmarks/start.py [--quick]

CPU seconds, user and system, of the command itself; the engine and the host agent, which start
beside it, are other processes. The best of several: what else runs here can only add.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _measure import ROOT, best, cpu_s, machine, spread, table
from _terminal import Pty

TUIAPP = [sys.executable, "-m", "tuiapp"]
STUB = ROOT / "tests" / "doubles" / "stub_engine.py"
PAINTED = b"starting"


def command_cpu_s(argv: list[str]) -> float:
    """CPU seconds of a command that ends by itself."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def first_frame() -> tuple[float, float]:
    """(CPU seconds, wall seconds) until the status line is on the screen."""
    with tempfile.TemporaryDirectory() as folder:
        env = {"XDG_DATA_HOME": folder, "TUIAPP_ENGINE": f"{STUB}:start"}
        with Pty([*TUIAPP, "run", "--output", str(Path(folder, "run.tuiapp"))], env) as screen:
            at = screen.read_until(PAINTED, 20)
            cpu = cpu_s(screen.pid)
            if at is None:
                raise SystemExit("the monitor painted nothing within 20 s")
            return cpu, at - screen.started_s


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    times = 2 if parser.parse_args().quick else 7
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "")
    print(machine())
    rows = []
    for name, argv in (
        ("python -c pass", [sys.executable, "-c", "pass"]),
        ("tuiapp --help", [*TUIAPP, "--help"]),
        ("tuiapp run --help", [*TUIAPP, "run", "--help"]),
    ):
        found = [command_cpu_s(argv) for _ in range(times)]
        rows.append((name, best(lambda found=found: min(found), 1), spread(found), ""))
    time.sleep(0.5)
    frames = [first_frame() for _ in range(times)]
    cpu, wall = ([pair[at] for pair in frames] for at in (0, 1))
    rows.append(("tuiapp run, first frame", min(cpu), spread(cpu), f"{min(wall):.2f}"))
    head = ("start", "CPU s, best", "median (range)", "wall s, best")
    table("Start", head, rows)


if __name__ == "__main__":
    main()
