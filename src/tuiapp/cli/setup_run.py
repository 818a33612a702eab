"""From the command line's options to a recorder that is ready to run."""

from __future__ import annotations

import argparse
import dataclasses
import os
import subprocess
from pathlib import Path
from typing import Any

from tuiapp import __version__
from tuiapp.cli.memory_bandwidth import measured_for
from tuiapp.clock import Clock, wall_ns
from tuiapp.errors import SessionError, UsageError
from tuiapp.recorder import Recorder
from tuiapp.session.columns import Session
from tuiapp.session.library import new_path
from tuiapp.session.redaction import Redaction
from tuiapp.session.writer import SessionWriter
from tuiapp.stats.slo import parse_slos
from tuiapp.workload.presets import PRESETS
from tuiapp.workload.spec import Lengths, Workload

DEMO_MODEL = "demo-llama"
_PYTHON_BOUND_S = 20.0
STAND_IN = "TUIAPP_ENGINE"
"""Environment variable naming a stand-in for vLLM, ``FILE:FUNCTION``; for tests and benchmarks."""


def build(args: argparse.Namespace, *, default_duration_s: float | None) -> Recorder:
    """A recorder with the engine and the host agent as its sources.

    Raises:
        UsageError: an option makes no sense, or --output cannot be written.
        SessionError: there is no place for the recording.
    """
    from tuiapp.sources.agent import AgentSource
    from tuiapp.sources.engine import EngineConfig, EngineSource

    workload, slos = check_load(args, default_duration_s)
    engine_python = _python(args.engine_python)
    tax = measured_for(args.model)
    clock, created_ns = Clock(), wall_ns()
    # Last of all that can go wrong: an unusable command line leaves no empty recording behind.
    writer = _writer(args, created_ns)
    config = EngineConfig(
        model=args.model,
        engine_args=tuple(args.engine_args),
        engine_python=engine_python,
        workload=workload.to_dict(),
        drain_s=args.drain,
        engine=os.environ.get(STAND_IN, "vllm"),
    )
    engine = EngineSource(config, clock)
    agent = AgentSource(clock)
    redaction = Redaction(os.environ)
    session = Session(writer.path, folder=writer.path.parent)
    recorder = Recorder(session, writer, clock, engine, [agent], redaction)
    recorder.describe(
        {
            "program": {"name": "tuiapp", "version": __version__},
            "created_ns": created_ns,
            "origin_ns": clock.origin_ns,
            "session": str(writer.path.resolve()),
            "model": {"name": args.model or DEMO_MODEL},
            "engine": {"args": redaction.arguments(args.engine_args)},
            "workload": {**workload.to_dict(), "slos": slos, "digest": workload.digest()},
            "slo": slos,
            **({"host": {"tax": tax}} if tax else {}),
        }
    )
    return recorder


def check_load(
    args: argparse.Namespace, default_duration_s: float | None = None
) -> tuple[Workload, list[str]]:
    """The load and its objectives.

    Raises:
        UsageError: an option of theirs makes no sense.
    """
    workload = make_workload(args, default_duration_s)
    return workload, [str(slo) for slo in parse_slos(args.slo or list(workload.slos))]


def make_workload(args: argparse.Namespace, default_duration_s: float | None) -> Workload:
    """The preset, with what the options change."""
    changes: dict[str, Any] = {
        name: getattr(args, name)
        for name in (
            "rate",
            "burstiness",
            "ramp_to",
            "concurrency",
            "prefix_groups",
            "prefix_tokens",
            "requests",
            "warmup",
            "seed",
        )
        if getattr(args, name) is not None
    }
    if args.duration is not None:
        changes["duration_s"] = args.duration
    for option, name in (("input_len", "prompt"), ("output_len", "output")):
        if getattr(args, option) is not None:
            changes[name] = Lengths.parse(getattr(args, option))
    preset = PRESETS[args.preset]
    if args.arrival is not None:
        changes["arrival"] = args.arrival
    changes |= _arrival(args, preset.arrival)
    workload = dataclasses.replace(preset, **changes)
    if workload.requests is None and workload.duration_s is None and default_duration_s:
        workload = dataclasses.replace(workload, duration_s=default_duration_s)
    return workload


def _arrival(args: argparse.Namespace, preset: str) -> dict[str, Any]:
    """What --rate, --concurrency and --ramp-to say about how requests arrive.

    Raises:
        UsageError: they contradict each other, or --arrival.
    """
    if args.concurrency is not None:
        for option, given in (("--rate", args.rate), ("--ramp-to", args.ramp_to)):
            if given is not None:
                raise UsageError(
                    f"{option} and --concurrency exclude each other.",
                    f"{option} is an open loop, --concurrency a closed one: keep one of them.",
                )
        if args.arrival not in (None, "closed"):
            raise UsageError(
                f"--concurrency is a closed loop, and --arrival {args.arrival} an open one.",
                "Keep one of them.",
            )
        return {"arrival": "closed"}
    if args.arrival == "closed" and args.rate is not None:
        raise UsageError(
            "--rate has no meaning in a closed loop.", "Give --concurrency N instead of it."
        )
    if args.arrival == "ramp" and args.ramp_to is None:
        raise UsageError(
            "--arrival ramp needs a rate to end with.", "Give --ramp-to R and --duration T."
        )
    if args.ramp_to is not None:
        if args.arrival not in (None, "ramp"):
            raise UsageError(
                f"--ramp-to is a ramp, not --arrival {args.arrival}.", "Leave one of them out."
            )
        if args.duration is None:
            raise UsageError("--ramp-to needs to know by when.", "Give --duration T as well.")
        return {"arrival": "ramp", "concurrency": None}
    opens = args.rate is not None or args.arrival not in (None, "closed")
    if preset == "closed" and opens:
        return {"arrival": args.arrival or "poisson", "concurrency": None}
    return {}


def _writer(args: argparse.Namespace, created_ns: int) -> SessionWriter:
    if args.output is None:
        return SessionWriter(new_path(args.model or DEMO_MODEL, created_ns))
    try:
        return SessionWriter(args.output)
    except SessionError as error:
        raise UsageError(error.message, error.advice) from error


def _python(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        found = Path(path).expanduser()
        why = _why_not(found)
    except RuntimeError:
        why = "there is no such user"
    if why:
        raise UsageError(
            f"--engine-python {path}: {why}.",
            "Give the path of a Python interpreter, for example ~/vllm-env/bin/python.",
        )
    return str(found)


def _why_not(python: Path) -> str:
    """Why the engine cannot be run in ``python``; empty when it can be tried."""
    if not python.exists():
        return "there is no such file"
    if not python.is_file() or not os.access(python, os.X_OK):
        return "it is no program that can be run"
    try:
        told = subprocess.run(
            [python, "-c", "print('py' + 'thon')"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PYTHON_BOUND_S,
            check=False,
        )
    except OSError as error:
        return f"it cannot be run ({error.strerror})"
    except subprocess.TimeoutExpired:
        return "it does not answer"
    return "" if told.stdout.strip() == b"python" else "it is no Python"
