"""``tuiapp sessions``: look at recordings, change them, write them as something else."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

from tuiapp.cli.console import working
from tuiapp.errors import UsageError

VERBS = {
    "list": "tuiapp.cli.sessions_list",
    "show": "tuiapp.cli.sessions_show",
    "rename": "tuiapp.cli.sessions_rename",
    "annotate": "tuiapp.cli.sessions_annotate",
    "rm": "tuiapp.cli.sessions_rm",
    "verify": "tuiapp.cli.sessions_verify",
    "recover": "tuiapp.cli.sessions_recover",
    "cut": "tuiapp.cli.sessions_cut",
    "merge": "tuiapp.cli.sessions_merge",
    "import": "tuiapp.cli.sessions_import",
    "export": "tuiapp.cli.sessions_export",
    "redact": "tuiapp.cli.sessions_redact",
}

_EXAMPLES = """\
examples:
  tuiapp sessions list --sort ttft             what there is, the best TTFT p99 first
  tuiapp sessions show 20261124-1015           the result of a recording, named by its beginning
  tuiapp sessions cut FILE --from 1:30 --to 2:00 -o burst.tuiapp
  tuiapp sessions redact FILE -o for-others.tuiapp

FILE is a path, the name of a recording in the library, or the beginning of one that fits only
one. `tuiapp sessions VERB --help` tells each verb's options.

exit codes: 0 done; 1 it failed; 2 wrong usage; 3 something is lost (verify, recover)."""


def add_parser(commands: Any, name: str) -> None:
    """Register the subcommand and its verbs."""
    parser = commands.add_parser(
        name,
        help="list, show, check, cut, merge, redact, import and export recordings",
        description="Look at recordings, change them, and write them as something else.",
        epilog=_EXAMPLES,
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    for verb, module in VERBS.items():
        import_module(module).add_parser(verbs, verb)


def run(args: argparse.Namespace) -> int:
    """Do what the verb says; returns the exit code."""
    if args.engine_args:
        raise UsageError("`tuiapp sessions` starts no engine: nothing can stand behind `--`.")
    if args.verb is None:
        raise UsageError(
            f"`tuiapp sessions` needs a verb: {', '.join(VERBS)}.",
            "`tuiapp sessions --help` shows how to use them.",
        )
    with working(f"tuiapp sessions {args.verb}"):
        code: int = import_module(VERBS[args.verb]).run(args)
    return code
