"""``tuiapp host``: what this machine is, with evidence, and what makes it slower than need be."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from tuiapp.cli.console import say
from tuiapp.errors import UsageError

_EXAMPLES = """\
examples:
  tuiapp host                          what this machine is, its GPUs, and what slows it down
  tuiapp host --explain                every signal: what was read, where, and what it proves
  tuiapp host --tax                    and what its hypervisor costs, measured; three seconds
  tuiapp host --json | jq .machine     for scripts
  tuiapp host --capture host.tar.gz    its files for a bug report, without serials and names
  tuiapp host --root host.tar.gz       look at such a capture, or at any tree of files
  tuiapp host --quiet && echo virtual  like systemd-detect-virt --quiet

exit codes: 0 done; 1 it failed; 2 wrong usage. With --quiet: 0 a guest or in a container,
1 neither, or unknown; with --vm only guests count, with --container only containers."""


def add_parser(commands: Any, name: str) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        name,
        help="what this machine is: virtualization, GPUs, what slows it down; with evidence",
        description="Say what this machine is, with evidence, and what makes it slower than it "
        "could be.",
        epilog=_EXAMPLES,
    )
    parser.add_argument("--json", action="store_true", help="the result as JSON on stdout")
    parser.add_argument("--explain", action="store_true", help="show every signal and conflict")
    parser.add_argument(
        "--root", type=_place, metavar="DIR", help="look at a recorded machine: a tree or a capture"
    )
    parser.add_argument(
        "--capture", type=Path, metavar="FILE", help="write what was read, redacted, as .tar.gz"
    )
    parser.add_argument(
        "--tax", action="store_true", help="measure what the layers below cost; about three seconds"
    )
    parser.add_argument(
        "--engine-python", metavar="PATH", help="with --tax: a Python whose torch sees the GPU"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing; see exit codes")
    parser.add_argument("--vm", action="store_true", help="with --quiet: only guests count")
    parser.add_argument("--container", action="store_true", help="with --quiet: only containers")


def _place(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("an empty name is no folder")
    return Path(text)


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    _check(args)
    try:
        return _answer(args)
    except PermissionError as error:
        what = error.filename or args.root or args.capture
        raise UsageError(f"{what} cannot be read or written: permission denied.") from error


def _answer(args: argparse.Namespace) -> int:
    from tuiapp.machine.looking import look, opened

    with opened(args.root or Path("/")) as root:
        found = look(root)
        if args.quiet:
            return _verdict(found.machine, args)
        if args.capture is not None:
            return _capture(args, root)
        from tuiapp.cli.host_report import report

        measured = _measure(args.engine_python) if args.tax else None
        report(found, measured, as_json=args.json, explain=args.explain)
    return 0


def _check(args: argparse.Namespace) -> None:
    if args.engine_args:
        raise UsageError("`tuiapp host` starts no engine: nothing can stand behind `--`.")
    if (args.vm or args.container) and not args.quiet:
        raise UsageError("--vm and --container belong to --quiet.", "Add --quiet.")
    if args.vm and args.container:
        raise UsageError("--vm and --container exclude each other.", "Leave both out for either.")
    if args.engine_python is not None and not args.tax:
        raise UsageError("--engine-python belongs to --tax.", "Add --tax.")
    if args.tax and args.root is not None:
        raise UsageError("--tax measures the machine it runs on.", "Leave out --root.")
    if args.capture and (args.json or args.explain or args.tax):
        raise UsageError(
            "--capture writes a file and nothing else.", "Leave out the other options."
        )
    if args.quiet and (args.json or args.explain or args.capture or args.tax):
        raise UsageError("--quiet prints nothing.", "Leave out the other options.")


def _verdict(machine: Any, args: argparse.Namespace) -> int:
    """0 for a guest, or in a container; a host partition owns its hardware and is none."""
    guest = machine.machine == "guest" and not args.container
    container = machine.container is not None and not args.vm
    return 0 if guest or container else 1


def _capture(args: argparse.Namespace, root: Path) -> int:
    from tuiapp.cli.host_report import collect_facts
    from tuiapp.cli.host_sampling import recorded
    from tuiapp.cli.sessions_common import emit
    from tuiapp.machine.capture import write
    from tuiapp.machine.looking import look
    from tuiapp.words import plural

    found = look(root)
    # These read, through the same tree, what the probes of facts and of GPUs read.
    recorded(found.tree, *collect_facts(found))
    left = write(args.capture, found.tree, found.cpuid)
    emit([f"{args.capture}: {plural(len(found.tree.files), 'file')}", *left])
    return 0


def _measure(engine_python: str | None) -> Any:
    from tuiapp.cli.host_sampling import spare_bytes
    from tuiapp.tax import measure

    # numpy's linear algebra is not needed, and its threads cost a tenth of a second to start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    return measure(
        lambda what: say(f"measuring {what}"),
        engine_python=engine_python,
        spare_bytes=spare_bytes(),
    )
