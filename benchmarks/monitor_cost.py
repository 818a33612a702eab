"""What watching costs: CPU seconds per 30 s and memory, ours beside other monitors'.

    python benchmarks/monitor_cost.py            ours over a made-up engine
    python benchmarks/monitor_cost.py --engine   ours over a real vLLM engine as well
    python benchmarks/monitor_cost.py --peers    four others from PyPI on a real vLLM server as well

Every monitor runs at its default rate in a tmux pane of 140×45, under 6 requests a second of about
48 output tokens. PSS divides pages among the processes that share them; RSS counts them in each.
CPU seconds are those of the monitor's own processes, user and system, after it has settled; the
engine, the load and tmux are not counted.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from _live import monitor
from _measure import agent_of, cpu_s, machine, meter_of, peak_mib, pss_mib, rss_mib, table, tree
from _peers import PEERS, Peer, install
from _server import vllm_server, why_not
from _terminal import COLUMNS, ROWS, Tmux

RATE = 6.0
SETTLE_S = 12.0
TARGET_S, TARGET_MIB = 0.6, 80
HEAD = ("monitor", "CPU s/30 s", "RSS, MiB", "PSS, MiB", "peak, MiB")
PARTS = ("screen and recording", "host agent", "hiccup meter")


@dataclass(frozen=True)
class Cost:
    """Of one process."""

    cpu_s: float
    rss_mib: float
    pss_mib: float
    peak_mib: float

    def row(self, name: str) -> tuple[object, ...]:
        return (name, self.cpu_s, self.rss_mib, self.pss_mib, self.peak_mib)


def costs(pids: Sequence[int], seconds: float) -> list[Cost]:
    """Each process's cost over the next ``seconds``, scaled to 30."""
    before = [cpu_s(pid) for pid in pids]
    time.sleep(seconds)
    return [
        Cost((cpu_s(pid) - start) * 30 / seconds, rss_mib(pid), pss_mib(pid), peak_mib(pid))
        for pid, start in zip(pids, before, strict=True)
    ]


def together(parts: Sequence[Cost]) -> Cost:
    return Cost(*(sum(getattr(part, name) for part in parts) for name in Cost.__annotations__))


def of_ours(name: str, pid: int, seconds: float) -> Iterator[tuple[object, ...]]:
    """Each of our processes, and all of them."""
    parts = costs([pid, agent_of(pid), meter_of(pid)], seconds)
    for part, what in zip(parts, PARTS, strict=True):
        yield part.row(f"{name}, {what}")
    yield together(parts).row(f"{name}, all")


def settle(pane: Tmux, text: str, seconds: float, settle_s: float, *, show: bool) -> None:
    if not pane.wait_for(text, seconds):
        raise RuntimeError(f"{text!r} did not appear:\n{pane.screen()}")
    time.sleep(settle_s)
    if show:
        print(pane.screen(), file=sys.stderr)


def ours(seconds: float, settle_s: float, *, show: bool) -> Iterator[tuple[object, ...]]:
    load = {"rate": RATE, "duration_s": 4 * seconds + settle_s + 60}
    with monitor(load) as program, Tmux(*program) as pane:
        settle(pane, "p99", 60, settle_s, show=show)
        yield from of_ours("tuiapp", pane.pid, seconds)
        pane.press("?")
        time.sleep(1)
        covered = costs([pane.pid], seconds / 2)[0]
        yield ("tuiapp, screen covered by help", covered.cpu_s, covered.rss_mib, None, None)


def ours_on_engine(seconds: float, settle_s: float, *, show: bool) -> Iterator[tuple[object, ...]]:
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-m", "tuiapp", "run", "--output", f"{folder}/run.tuiapp"]
        argv += ["--rate", str(RATE), "--output-len", "48", "--input-len", "64"]
        with Tmux(argv) as pane:
            settle(pane, "serving", 240, settle_s, show=show)
            yield from of_ours("tuiapp run", pane.pid, seconds)
            pane.press("q")
            time.sleep(3)


def of_peer(peer: Peer, url: str, seconds: float, *, show: bool) -> tuple[object, ...]:
    argv = peer.argv(install(), url)
    with (
        tempfile.TemporaryDirectory() as home,
        _in_folder(home),
        Tmux(argv, {"HOME": home}) as pane,
    ):
        time.sleep(SETTLE_S)
        if show:
            print(pane.screen(), file=sys.stderr)
        cost = together(costs(tree(pane.pid), seconds))
    return (f"{peer.name}, every {peer.default_s:g} s", *cost.row("")[1:])


@contextmanager
def _in_folder(folder: str) -> Iterator[None]:
    """Some of them write where they stand."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def peers(seconds: float, *, show: bool) -> Iterator[tuple[object, ...]]:
    install()
    with vllm_server(RATE) as url:
        for peer in PEERS:
            yield of_peer(peer, url, seconds, show=show)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a short run, ours only")
    parser.add_argument("--engine", action="store_true", help="ours over a real engine, too")
    parser.add_argument("--peers", action="store_true", help="the others, too")
    parser.add_argument("--show", action="store_true", help="print each screen to stderr")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to watch each")
    args = parser.parse_args()
    seconds, settle_s = (3.0, 2.0) if args.quick else (args.seconds, SETTLE_S)
    print(machine())
    rows = list(ours(seconds, settle_s, show=args.show))
    if (args.engine or args.peers) and why_not():
        print(f"the real engine is left out: {why_not()}", file=sys.stderr)
        args.engine = args.peers = False
    if args.engine:
        rows += ours_on_engine(seconds, settle_s, show=args.show)
    if args.peers:
        try:
            rows += peers(seconds, show=args.show)
        except RuntimeError as error:
            print(f"the others are left out: {error}", file=sys.stderr)
    title = f"Cost of watching at {COLUMNS}×{ROWS} (target: {TARGET_S} CPU s, {TARGET_MIB} MiB)"
    table(title, HEAD, rows)


if __name__ == "__main__":
    main()
