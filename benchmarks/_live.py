"""``tuiapp run`` over a made-up engine: every part is real but vLLM."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_ENGINE = Path(__file__).with_name("_synthetic_engine.py")
_NO_LOAD = ("--arrival", "constant", "--rate", "0.00001", "--warmup", "0", "--drain", "1s")
"""The driver's own load; the made-up engine speaks of another one."""

Program = tuple[list[str], dict[str, str]]
"""A command and the variables it needs."""


@contextmanager
def monitor(load: Mapping[str, float]) -> Iterator[Program]:
    """The live monitor of a made-up run.

    Args:
        load: values of ``tests.doubles.synthetic.Load``.
    """
    with TemporaryDirectory(prefix="tuiapp-bench-") as folder:
        argv = [sys.executable, "-m", "tuiapp", "run", *_NO_LOAD, "--slo", "ttft:p99<100ms"]
        argv += ["--output", str(Path(folder, "run.tuiapp")), "--", "--load", json.dumps(load)]
        yield argv, {"TUIAPP_ENGINE": f"{_ENGINE}:start"}
