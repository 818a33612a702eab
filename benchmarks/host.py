"""What ``tuiapp host`` costs, beside the tools that tell a part of it.

    python benchmarks/host.py [--runs N]

CPU seconds of the whole process and its children: the smallest and the middle one of several runs.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys

from _measure import machine, table

TARGET_S = 0.25
TOOLS = (["systemd-detect-virt"], ["virt-what"], ["lscpu"])


def cpu_s(argv: list[str]) -> float:
    """CPU seconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=11)
    runs = parser.parse_args().runs
    print(machine())
    own = [sys.executable, "-m", "tuiapp", "host"]
    rows = []
    for name, argv in (("tuiapp host", own), ("tuiapp host --quiet", [*own, "--quiet"])):
        rows.append(row(name, argv, runs))
    for argv in TOOLS:
        path = shutil.which(argv[0]) or shutil.which(argv[0], path="/usr/sbin:/sbin")
        if path is None:
            print(f"{argv[0]} is left out: it is not installed", file=sys.stderr)
        else:
            rows.append(row(argv[0], [path, *argv[1:]], runs))
    table(f"CPU seconds (target: {TARGET_S:g})", ("command", "smallest", "middle"), rows)


def row(name: str, argv: list[str], runs: int) -> tuple[str, str, str]:
    spent = [cpu_s(argv) for _ in range(runs)]
    return name, f"{min(spent):.3f}", f"{statistics.median(spent):.3f}"


if __name__ == "__main__":
    main()
