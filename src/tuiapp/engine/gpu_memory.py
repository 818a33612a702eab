"""How much memory the NVIDIA GPUs of this machine have, asked of the driver's own library.

Plain ctypes: the engine's Python may lack nvidia-ml-py, and CUDA must not be initialised here.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_uint, c_ulonglong, c_void_p

_LIBRARY = "libnvidia-ml.so.1"


class _Memory(ctypes.Structure):
    _fields_ = (("total", c_ulonglong), ("free", c_ulonglong), ("used", c_ulonglong))


def total_bytes(library: str = _LIBRARY) -> int | None:
    """Memory of all GPUs together; None when there is none, or none that can be asked."""
    try:
        nvml = ctypes.CDLL(library)
    except OSError:
        return None
    if nvml.nvmlInit_v2() != 0:
        return None
    try:
        return _sum(nvml)
    finally:
        nvml.nvmlShutdown()


def _sum(nvml: ctypes.CDLL) -> int | None:
    count, total = c_uint(), 0
    if nvml.nvmlDeviceGetCount_v2(byref(count)) != 0:
        return None
    nvml.nvmlDeviceGetMemoryInfo.argtypes = (c_void_p, POINTER(_Memory))
    for index in range(count.value):
        device, memory = c_void_p(), _Memory()
        found = nvml.nvmlDeviceGetHandleByIndex_v2(c_uint(index), byref(device)) == 0
        if not found or nvml.nvmlDeviceGetMemoryInfo(device, byref(memory)) != 0:
            return None
        total += memory.total
    return total or None
