"""The command line: one subcommand a file, errors turned into exit codes here and only here.

0 all went well, 1 something failed, 2 the command line was wrong, 3 a service-level objective was
missed. Nothing heavy is imported before a subcommand runs: ``tuiapp --help`` is quick.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from tuiapp import __version__
from tuiapp.errors import TuiappError

COMMANDS = {
    "run": "tuiapp.cli.run",
}

_DESCRIPTION = """\
Watch what a user of your model would feel, while it happens, next to what the host is doing.

tuiapp starts a vLLM engine, drives a seeded load at it, draws the distributions of TTFT, TPOT
and ITL, and records every sample."""

_EXAMPLES = """\
examples:
  tuiapp run                                   the built-in demo model, chat load, live monitor
  tuiapp run Qwen/Qwen3-0.6B --preset rag      another model, another load
  tuiapp run --headless --json --requests 200  for scripts: the result as JSON on stdout

tuiapp COMMAND --help tells each command's options."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (the process's own, when left out); returns the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    own, passed_on = _split(given)
    parser = _parser()
    args = parser.parse_args(own)
    if args.command is None:
        parser.print_help()
        return 0
    args.engine_args = passed_on
    try:
        code: int = import_module(COMMANDS[args.command]).run(args)
    except TuiappError as error:
        return _say(error)
    except BrokenPipeError:
        # Whoever read our output has left; keep Python from complaining at exit as well.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _split(argv: list[str]) -> tuple[list[str], list[str]]:
    """Our own arguments, and those behind ``--`` that belong to the engine."""
    if "--" not in argv:
        return argv, []
    at = argv.index("--")
    return argv[:at], argv[at + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tuiapp",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tuiapp {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, module in COMMANDS.items():
        import_module(module).add_parser(commands, name)
    return parser


def _say(error: TuiappError) -> int:
    print(f"tuiapp: {error.message}", file=sys.stderr)  # noqa: T201
    if error.advice:
        print(f"        {error.advice}", file=sys.stderr)  # noqa: T201
    return error.exit_code
