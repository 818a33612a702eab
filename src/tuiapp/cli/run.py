"""``tuiapp run``: start an engine, drive a load at it, watch and record it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tuiapp.cli.parser import count, number, seconds, seconds_or_none
from tuiapp.errors import UsageError

_EXAMPLES = """\
examples:
  tuiapp run
      the demo model (made on this machine, nothing to download) under the chat load
  tuiapp run meta-llama/Llama-3.1-8B-Instruct --preset voice --slo voice
      a voice assistant's load against a voice assistant's objectives
  tuiapp run ./my-model --rate 12 --arrival gamma --burstiness 0.3 --input-len lognormal:800,0.7
  tuiapp run --concurrency 16 --requests 500 --headless --json > result.json
  tuiapp run big/model -- --tensor-parallel-size 4 --quantization fp8
      everything behind -- goes to vLLM unchanged
  tuiapp run --engine-python ~/vllm-env/bin/python
      use the vLLM of another environment

LEN is a number of tokens: 128, uniform:64-256 or lognormal:MEDIAN,SIGMA[,MAX].
An SLO is METRIC:STATISTIC<LIMIT (ttft:p99<100ms, tpot:mean<20ms) or a preset's name.

exit codes: 0 done; 1 the engine failed, or nothing was measured; 2 wrong usage;
  3 an SLO was missed (headless)."""

PRESET_NAMES = ("chat", "rag", "code", "voice", "agent", "translate", "batch", "bursty", "steady")
ARRIVALS = ("poisson", "constant", "gamma", "closed", "ramp")
HEADLESS_DURATION_S = 60.0


def add_parser(commands: Any, name: str) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        name,
        help="start a vLLM engine, drive a load at it, watch and record it",
        description="Start a vLLM engine, drive a load at it, watch it live and record it.",
        usage="tuiapp run [MODEL] [options] [-- any vLLM engine argument]",
        epilog=_EXAMPLES,
    )
    add_model(parser)
    add_load(parser.add_argument_group("load"))
    add_engine(parser.add_argument_group("engine"))
    _add_output(parser.add_argument_group("screen and recording"))


def add_model(parser: Any) -> None:
    """The argument MODEL."""
    parser.add_argument(
        "model",
        nargs="?",
        metavar="MODEL",
        help="a model's folder or its Hugging Face name (default: a small demo model, made here)",
    )


def add_load(group: Any) -> None:
    """The options of a load."""
    group.add_argument(
        "--preset",
        choices=PRESET_NAMES,
        default="chat",
        help="the load, with objectives; what follows changes it (default: chat, 6 req/s)",
    )
    group.add_argument("--rate", type=number, metavar="R", help="requests a second, open loop")
    group.add_argument("--arrival", choices=ARRIVALS, help="how requests arrive")
    group.add_argument(
        "--burstiness", type=number, metavar="B", help="gamma shape; 1 is Poisson, less is burstier"
    )
    group.add_argument("--ramp-to", type=number, metavar="R", help="rate at the end of --duration")
    group.add_argument("--concurrency", type=count, metavar="N", help="closed loop of N clients")
    group.add_argument("--input-len", metavar="LEN", help="prompt tokens a request")
    group.add_argument("--output-len", metavar="LEN", help="output tokens a request")
    group.add_argument("--prefix-groups", type=count, metavar="N", help="number of shared prefixes")
    group.add_argument("--prefix-tokens", type=count, metavar="N", help="length of a shared prefix")
    group.add_argument("--requests", type=count, metavar="N", help="stop after N requests")
    group.add_argument(
        "--duration",
        type=seconds,
        metavar="T",
        help="stop after T: 90, 90s, 2m (default: when told to; headless: 60s)",
    )
    group.add_argument("--warmup", type=count, metavar="N", help="requests before the measurement")
    group.add_argument(
        "--seed", type=count, metavar="S", help="same arrivals, lengths and tokens on every host"
    )
    group.add_argument(
        "--slo",
        action="append",
        default=[],
        metavar="SLO",
        help="objective, or a preset of them such as voice; may be repeated",
    )


def add_engine(group: Any) -> None:
    """The options of an engine and its end."""
    group.add_argument(
        "--engine-python", metavar="PATH", help="Python of the environment that has vLLM"
    )
    group.add_argument(
        "--drain",
        type=seconds_or_none,
        default=30.0,
        metavar="T",
        help="how long running requests may finish at the end (default: 30s; 0: not at all)",
    )


def _add_output(group: Any) -> None:
    group.add_argument("--headless", action="store_true", help="no screen: print the result")
    group.add_argument("--json", action="store_true", help="with --headless: as JSON on stdout")
    group.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="where to record; missing folders are made",
    )
    group.add_argument(
        "--fps",
        type=number,
        default=1.0,
        metavar="HZ",
        help="redraws a second; of most panes half as many (default: 1)",
    )
    group.add_argument("--theme", metavar="NAME", help="colours; see docs/themes.md")


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    _check(args)
    if args.headless:
        from tuiapp.cli.headless import run_headless
        from tuiapp.cli.screen import check_look

        check_look(args.fps, args.theme)
        return run_headless(args)
    from tuiapp.cli.live import run_live

    return run_live(args)


def _check(args: argparse.Namespace) -> None:
    if args.json and not args.headless:
        raise UsageError("--json needs --headless.", "Add --headless.")
    if args.output is not None and not args.output.name:
        raise UsageError("--output names no file.", "Give the path of a file to make.")
