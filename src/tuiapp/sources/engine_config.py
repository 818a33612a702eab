"""What the engine child is started with."""

from __future__ import annotations

import getpass
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from tuiapp.sources import VLLM


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What to run.

    Attributes:
        model: path or Hugging Face id; None for the demo model.
        engine_args: vLLM's own arguments, passed through unchanged.
        engine_python: interpreter that has vLLM; this one when None.
        workload: ``Workload.to_dict()``.
        drain_s: how long requests in flight may still take once the load has ended.
        demo_dir: where the demo model is, or is to be made; the user's cache when None.
        engine: ``vllm``, or ``FILE:FUNCTION`` of a stand-in for tests and benchmarks.
    """

    model: str | None = None
    engine_args: tuple[str, ...] = ()
    engine_python: str | None = None
    workload: Mapping[str, Any] = field(default_factory=dict)
    drain_s: float = 30.0
    demo_dir: str | None = None
    engine: str = VLLM


def demo_dir() -> Path:
    """Where the demo model is kept for this user."""
    return Path(platformdirs.user_cache_dir("tuiapp")) / "demo-llama"


def environment(scratch: str) -> dict[str, str]:
    """Every socket and temporary file of the engine goes where it is removed with it.

    torch keeps its compiled kernels among the temporary files: those stay where they were.
    """
    kernels = Path(tempfile.gettempdir()) / f"torchinductor_{_user()}"
    return {
        "TMPDIR": scratch,
        "VLLM_RPC_BASE_PATH": scratch,
        "TORCHINDUCTOR_CACHE_DIR": os.environ.get("TORCHINDUCTOR_CACHE_DIR", str(kernels)),
        "PYTHONUNBUFFERED": "1",
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # containers run under ids that have no name
        return str(os.getuid())
