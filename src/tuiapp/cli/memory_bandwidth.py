"""The bandwidth of this machine's memory, measured before an engine starts on its CPU.

Decoding on a CPU is bound by it (``session.roofline``), and once the engine runs the machine is not
quiet any more. It takes half a second, in a process of its own: the arrays are larger than all that
a monitor needs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tuiapp.cli.console import say
from tuiapp.engine import gpu_memory, preflight
from tuiapp.errors import EngineError

_LIMIT_S = 20.0


def measured_for(model: str | None) -> dict[str, Any]:
    """Facts for the header; empty where it bounds nothing, or could not be measured.

    It bounds nothing where there is a GPU, and for weights that stay in the caches, as those of
    the demo model (None) do. What weights a name stands for is not known yet.
    """
    if model is None or not _may_exceed_caches(model) or gpu_memory.total_bytes() is not None:
        return {}
    from tuiapp.cli.host_sampling import spare_bytes  # with probes that most runs do without

    say("measuring the memory's bandwidth")
    argv = [sys.executable, "-m", "tuiapp.tax.bandwidth"]
    if (spare := spare_bytes()) is not None:
        argv.append(str(spare))
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(argv, env=env, capture_output=True, timeout=_LIMIT_S, check=True)
        facts = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _may_exceed_caches(model: str) -> bool:
    """Not where it is known that the engine will not start with it."""
    if not preflight.looks_like_path(model):
        return True
    path = Path(model).expanduser()
    try:
        preflight.check_model_dir(path)
        weights = preflight.weight_bytes(path) if path.is_dir() else path.stat().st_size
        preflight.check_memory(path, weights)
    except EngineError:
        return False
    from tuiapp.tax.bandwidth import last_caches

    return weights > sum(last_caches(os.sched_getaffinity(0)))
