"""NVIDIA GPUs, through the driver's management library."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from importlib import import_module
from typing import Any

from tuiapp.collectors.base import NAN, Collector, Gauges, Host
from tuiapp.collectors.nvml_facts import gpu_facts
from tuiapp.collectors.nvml_fields import FIELDS, GAUGES, Field
from tuiapp.errors import Unavailable

LIBRARY = "libnvidia-ml.so.1"
_REASONS = {  # by nvmlReturn_t
    3: "not supported by this GPU",
    4: "not permitted by the driver",
    9: "the NVIDIA driver is not loaded",
    13: "not known to this driver",
    15: "the GPU is lost: it has fallen off the bus",
    16: "the GPU needs a reset",
    18: "the NVIDIA driver and its library differ in version",
}


class NvmlCollector(Collector):
    """One group a device, ``gpu0`` on, with the gauges of ``nvml_fields``.

    What a device does not support, or does not let us read, is NaN there and said once. A device
    that is lost is NaN throughout, and read again as soon as it answers.
    """

    name = "nvml"
    every = 2
    blocking = True

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._nvml: Any = None
        self._gpus: list[_Gpu] = []

    def open(self) -> None:
        try:
            # pynvml takes 50 ms and 6 MB to import: not where there is nothing to read.
            ctypes.CDLL(LIBRARY)
        except OSError as error:
            missing = "cannot open shared object" in str(error)
            reason = f"{LIBRARY} not found" if missing else str(error)
            raise Unavailable(reason) from error
        nvml = import_module("pynvml")
        try:
            nvml.nvmlInit()
            self._nvml = nvml
            count = nvml.nvmlDeviceGetCount()
        except nvml.NVMLError as error:
            self.close()
            raise Unavailable(f"NVML does not start: {text(error)}") from error
        if not count:
            self.close()
            raise Unavailable("NVML sees no GPU")
        self._gpus = [_Gpu(self, nvml, index) for index in range(count)]
        self.groups = tuple(gpu.group for gpu in self._gpus)

    def facts(self) -> dict[str, Any]:
        nvml = self._nvml
        return {
            "nvidia_driver": self.ask("nvml.driver", nvml.nvmlSystemGetDriverVersion),
            "cuda_driver": self.ask("nvml.cuda", self._cuda_version),
            "gpus": [gpu.facts() for gpu in self._gpus],
        }

    def sample(self, dt_s: float) -> dict[str, Gauges]:  # noqa: ARG002 - gauges only
        return {gpu.group: gpu.sample() for gpu in self._gpus}

    def close(self) -> None:
        if self._nvml is not None:
            with suppress(self._nvml.NVMLError):
                self._nvml.nvmlShutdown()
        self._nvml, self._gpus = None, []

    def ask(self, field: str, call: Any, *arguments: Any) -> Any:
        """The call's result; None, and the reason on record, when the driver refuses."""
        try:
            return call(*arguments)
        except self._nvml.NVMLError as error:
            self.unknown(field, text(error))
            return None

    def _cuda_version(self) -> str:
        version = self._nvml.nvmlSystemGetCudaDriverVersion_v2()
        return f"{version // 1000}.{version % 1000 // 10}"


class _Gpu:
    """One device: its handle, what it does not support, and the values last read."""

    def __init__(self, collector: NvmlCollector, nvml: Any, index: int) -> None:
        self.group = f"gpu{index}"
        self._collector = collector
        self._nvml = nvml
        self._index = index
        self._lost = (
            nvml.NVML_ERROR_GPU_IS_LOST,
            nvml.NVML_ERROR_RESET_REQUIRED,
            nvml.NVML_ERROR_GPU_NOT_FOUND,
        )
        self._never = (
            nvml.NVML_ERROR_NOT_SUPPORTED,
            nvml.NVML_ERROR_NO_PERMISSION,
            nvml.NVML_ERROR_FUNCTION_NOT_FOUND,
        )
        self._handle: Any = None
        self._gone = False
        self._samples = 0
        self._fields = list(FIELDS)
        self._values: Gauges = dict.fromkeys(GAUGES, NAN)

    def facts(self) -> dict[str, Any]:
        handle = self._collector.ask(self.group, self._nvml.nvmlDeviceGetHandleByIndex, self._index)
        if handle is None:
            self._gone = True
            return {"index": self._index}
        return {"index": self._index, **gpu_facts(self._nvml, handle, self._ask)}

    def sample(self) -> Gauges:
        try:
            if self._handle is None:
                self._handle = self._nvml.nvmlDeviceGetHandleByIndex(self._index)
            for field in self._fields:
                if self._samples % field.stride == 0:
                    self._read(field)
        except self._nvml.NVMLError as error:
            self._collector.unknown(self.group, text(error))
            self._forget()
        else:
            self._samples += 1
            if self._gone:
                self._gone = False
                self._collector.restored(self.group)
        return dict(self._values)

    def _read(self, field: Field) -> None:
        try:
            values = field.read(self._nvml, self._handle)
        except self._nvml.NVMLError as error:
            if error.value in self._lost:
                raise
            values = (NAN,) * len(field.gauges)
            for gauge in field.gauges:
                self._collector.unknown(f"{self.group}.{gauge}", text(error))
            if error.value in self._never:
                self._fields = [other for other in self._fields if other is not field]
        self._values.update(zip(field.gauges, values, strict=True))

    def _forget(self) -> None:
        """Nothing is known of the device (any more): its next answer is as good as its first."""
        self._gone = True
        self._handle = None
        self._samples = 0
        self._fields = list(FIELDS)
        self._values = dict.fromkeys(GAUGES, NAN)

    def _ask(self, field: str, call: Any, *arguments: Any) -> Any:
        return self._collector.ask(f"{self.group}.{field}", call, *arguments)


def text(error: Any) -> str:
    """Why NVML refused, in one clause."""
    return _REASONS.get(error.value) or f"NVML says: {error}"
