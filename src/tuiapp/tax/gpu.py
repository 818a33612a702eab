"""Copies between host and GPU, and how long a kernel takes to start, through the engine's torch.

torch is the engine's alone: it runs in a process of its own, in the engine's Python.
"""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import tuiapp
from tuiapp.errors import Unavailable
from tuiapp.tax.ranks import time_text
from tuiapp.tax.report import Result

_LIBRARY = "libcuda.so.1"
_LIMIT_S = 60.0
_NUMBERS = ("to_gpu_bytes_per_s", "from_gpu_bytes_per_s", "kernel_launch_s", "small_copy_s")
_SCRIPT = (
    "import sys; sys.path.insert(0, sys.argv[1]); from tuiapp.engine.gpu_tax import main; main()"
)


@dataclass(frozen=True, slots=True)
class Gpu(Result):
    """The first GPU.

    Attributes:
        to_gpu_bytes_per_s, from_gpu_bytes_per_s: large copies of pinned memory.
        kernel_launch_s: an empty kernel, launched and waited for; median.
        small_copy_s: 4 KiB to the GPU, waited for; median. Confidential computing makes it dear.
    """

    NOISE_OF: ClassVar[str] = "kernel_launch"
    to_gpu_bytes_per_s: float
    from_gpu_bytes_per_s: float
    kernel_launch_s: float
    small_copy_s: float

    def lines(self) -> list[str]:
        there, back = self.to_gpu_bytes_per_s / 1e9, self.from_gpu_bytes_per_s / 1e9
        return [
            f"copies to the GPU {there:.1f} GB/s, from it {back:.1f} GB/s",
            f"launching a kernel {time_text(self.kernel_launch_s)}, copying 4 KiB "
            f"{time_text(self.small_copy_s)}",
        ]


def probe(python: str | None = None) -> Gpu:
    """Measure in the engine's Python; Unavailable without a GPU or its torch, and why."""
    try:
        ctypes.CDLL(_LIBRARY)
    except OSError:
        raise Unavailable("no NVIDIA driver was found") from None
    return measure(python or sys.executable)


def measure(python: str) -> Gpu:
    """What ``python``, which has torch, measures; Unavailable and why."""
    source = str(Path(tuiapp.__file__).resolve().parent.parent)
    try:
        done = subprocess.run(
            [python, "-c", _SCRIPT, source],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
        told = json.loads(done.stdout.strip().rpartition("\n")[2])
    except subprocess.TimeoutExpired:
        raise Unavailable(f"torch has not answered within {_LIMIT_S:.0f} s") from None
    except (OSError, ValueError):
        raise Unavailable("the engine's Python could not run the measurement") from None
    return _result(told)


def _result(told: Any) -> Gpu:
    if not isinstance(told, dict) or "error" in told:
        reason = str(told.get("error"))[:200] if isinstance(told, dict) else "no answer"
        raise Unavailable(reason)
    try:
        return Gpu(told.get("noise"), *(float(told[name]) for name in _NUMBERS))
    except (KeyError, TypeError, ValueError):
        raise Unavailable("the engine's Python gave an answer without numbers") from None
