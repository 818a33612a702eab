"""The command line: one subcommand a file, errors turned into exit codes here and only here.

0 all went well, 1 something failed, 2 the command line was wrong, 3 a service-level objective was
missed. Nothing heavy is imported before a subcommand runs: ``tuiapp --help`` is quick.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from importlib import import_module

from tuiapp import __version__
from tuiapp.cli.console import drop_stdout, say_trouble
from tuiapp.cli.parser import Parser
from tuiapp.errors import TuiappError, UsageError

COMMANDS = {
    "run": "tuiapp.cli.run",
    "attach": "tuiapp.cli.attach",
    "replay": "tuiapp.cli.replay",
    "demo": "tuiapp.cli.demo",
    "sessions": "tuiapp.cli.sessions",
    "host": "tuiapp.cli.host",
    "trial": "tuiapp.cli.trial",
    "sweep": "tuiapp.cli.sweep",
    "compare": "tuiapp.cli.compare",
}

_STARTING = ("run", "trial", "sweep")
"""Commands that start an engine, and pass on to it what stands behind ``--``."""
_DESCRIPTION = """\
Watch what a user of your model would feel, while it happens, next to what the host is doing.

tuiapp starts a vLLM engine, drives a seeded load at it, draws the distributions of TTFT, TPOT
and ITL, and records every sample."""

_EXAMPLES = """\
examples:
  tuiapp                                       the home screen: your recordings
  tuiapp demo                                  replay a sample recording; no engine needed
  tuiapp run                                   the built-in demo model, chat load, live monitor
  tuiapp run Qwen/Qwen3-0.6B --preset rag      another model, another load
  tuiapp run --headless --json --requests 200  for scripts: the result as JSON on stdout
  tuiapp replay 20261124                       look at a recording again
  tuiapp attach                                watch a run that was started elsewhere, as it goes
  tuiapp host                                  what this machine is, and what slows it down

tuiapp COMMAND --help tells each command's options."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (the process's own, when left out); returns the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(given)
    except TuiappError as error:
        say_trouble(error.message, error.advice)
        return error.exit_code
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        drop_stdout()  # whoever read it has left
        return 1


def _run(given: list[str]) -> int:
    args = _parse(given)
    if args.command is None:
        if sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty():
            from tuiapp.cli.home import run_home

            return run_home(_run, _parse)
        _parser().print_help()
        return 0
    code: int = import_module(COMMANDS[args.command]).run(args)
    return code


def _parse(given: list[str]) -> argparse.Namespace:
    own, passed_on = _split(given)
    # Of a command that is named first, the others need not be known.
    args, unknown = _parser(*COMMANDS.keys() & own[:1]).parse_known_args(own)
    if unknown:
        advice = "`tuiapp --help` shows how to use it."
        if args.command is not None:
            advice = f"`tuiapp {args.command} --help` shows its options."
            if args.command in _STARTING and any(word.startswith("-") for word in unknown):
                advice = f"What is meant for vLLM stands behind `--`; {advice}"
        raise UsageError(f"tuiapp does not know {' '.join(unknown)}.", advice)
    args.engine_args = passed_on
    return args


def _split(argv: list[str]) -> tuple[list[str], list[str]]:
    """Our own arguments, and those behind ``--`` that belong to the engine."""
    if "--" not in argv:
        return argv, []
    at = argv.index("--")
    return argv[:at], argv[at + 1 :]


def _parser(*wanted: str) -> Parser:
    """With the commands that are ``wanted``; with all, when none is named."""
    parser = Parser(prog="tuiapp", description=_DESCRIPTION, epilog=_EXAMPLES)
    parser.add_argument("--version", action="version", version=f"tuiapp {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name in wanted or COMMANDS:
        import_module(COMMANDS[name]).add_parser(commands, name)
    return parser
