"""Times copies and kernel launches on the first GPU; run by ``tax.gpu`` in the engine's Python.

Prints one JSON object: the numbers, or ``{"error": reason}``.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from tuiapp.clock import monotonic_ns

_LARGE, _SMALL = 256 << 20, 4096
_COPIES, _LAUNCHES = 5, 400


def main() -> None:
    """Measure and print."""
    try:
        import torch

        told = measure(torch)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        told = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(told) + "\n")


def measure(torch: Any) -> dict[str, Any]:
    """The numbers; ``{"error": reason}`` when torch sees no GPU."""
    if not torch.cuda.is_available():
        return {"error": "the engine's torch sees no GPU"}
    device = torch.device("cuda:0")
    host = torch.empty(_LARGE, dtype=torch.uint8, pin_memory=True)
    there = torch.empty(_LARGE, dtype=torch.uint8, device=device)
    small = torch.empty(_SMALL, dtype=torch.uint8)
    place = torch.empty(_SMALL, dtype=torch.uint8, device=device)

    def timed(work: Any, count: int) -> list[float]:
        seconds = []
        for _ in range(count + 1):
            torch.cuda.synchronize()
            start = monotonic_ns()
            work()
            torch.cuda.synchronize()
            seconds.append((monotonic_ns() - start) / 1e9)
        return sorted(seconds[1:])

    launches = timed(lambda: place.add_(1), _LAUNCHES)
    copies = timed(lambda: place.copy_(small), _LAUNCHES)
    return {
        "to_gpu_bytes_per_s": _LARGE / timed(lambda: there.copy_(host), _COPIES)[0],
        "from_gpu_bytes_per_s": _LARGE / timed(lambda: host.copy_(there), _COPIES)[0],
        "kernel_launch_s": launches[len(launches) // 2],
        "small_copy_s": copies[len(copies) // 2],
    }
