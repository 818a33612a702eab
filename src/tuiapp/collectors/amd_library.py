"""What AMD's own library adds to the files in /sys, where the package ``amdsmi`` is installed.

Asked once, when the GPUs are found: how a GPU reaches this system, and its memory's bandwidth.
Nothing else is taken from it, least of all serial numbers.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from tuiapp.collectors.base import Host

_PATHS = {
    "BAREMETAL": "bare",
    "HOST": "bare",
    "GUEST": "sriov-vf",
    "PASSTHROUGH": "passthrough",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What the library says of one GPU; None for what it does not.

    Attributes:
        path: ``bare``, ``passthrough`` or ``sriov-vf``.
        mem_bandwidth_bytes_per_s: of its memory at the highest clock.
    """

    path: str | None = None
    mem_bandwidth_bytes_per_s: float | None = None


def ask_library(host: Host) -> Mapping[str, Told]:
    """What it says of each GPU, by PCI address in lower case; empty where it is not installed.

    The library speaks of this machine only, so a recorded tree gets nothing from it.
    """
    if host.files_only or host.root or find_spec("amdsmi") is None:
        return {}
    try:
        # Without its shared library it prints and raises whatever comes next.
        with redirect_stdout(io.StringIO()):
            smi = import_module("amdsmi")
        smi.amdsmi_init()
    except Exception:  # noqa: BLE001 - everything it tells is extra
        return {}
    try:
        return dict(_gpus(smi))
    except Exception:  # noqa: BLE001 - as above
        return {}
    finally:
        _quietly(smi.amdsmi_shut_down)


def _gpus(smi: Any) -> list[tuple[str, Told]]:
    found = []
    for handle in smi.amdsmi_get_processor_handles():
        address = str(smi.amdsmi_get_gpu_device_bdf(handle)).lower()
        mode = _quietly(lambda gpu=handle: smi.amdsmi_get_gpu_virtualization_mode(gpu)["mode"])
        vram = _quietly(lambda gpu=handle: smi.amdsmi_get_gpu_vram_info(gpu)["vram_max_bandwidth"])
        found.append((address, Told(_PATHS.get(getattr(mode, "name", "")), _bandwidth(vram))))
    return found


def _bandwidth(gb_per_s: Any) -> float | None:
    """The library answers in GB/s, and with the word N/A for what it does not know."""
    known = isinstance(gb_per_s, int | float) and 0 < gb_per_s < 1e6
    return gb_per_s * 1e9 if known else None


def _quietly(call: Any) -> Any:
    """What ``call`` returns; None when it raises: older releases lack some functions."""
    try:
        return call()
    except Exception:  # noqa: BLE001 - the library's own errors derive from Exception alone
        return None
