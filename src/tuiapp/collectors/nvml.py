"""NVIDIA GPUs, through the driver's management library."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tuiapp.collectors.base import Collector, Gauges, Host
from tuiapp.errors import Unavailable

if TYPE_CHECKING:
    from tuiapp.collectors.nvml_gpu import Gpu
    from tuiapp.collectors.nvml_processes import Owners

LIBRARY = "libnvidia-ml.so.1"
DRIVER_GONE = (1, 9, 18)
"""nvmlReturn_t that mean that the driver itself has gone or was exchanged."""
_MOST_AT_ONCE = 4
"""With more devices, only every other one is asked at each sample."""
_REASONS = {  # by nvmlReturn_t
    1: "the NVIDIA driver was reset",
    2: "not known to this driver",
    3: "not supported by this GPU",
    4: "not permitted by the driver",
    6: "the GPU is gone",
    9: "the NVIDIA driver is not loaded",
    13: "not known to this driver",
    15: "the GPU is lost: it has fallen off the bus",
    16: "the GPU needs a reset",
    18: "the NVIDIA driver and its library differ in version",
    28: "the GPU is gone",
}


class NvmlCollector(Collector):
    """One group a device, ``gpu0`` on, with the gauges of ``nvml_gpu.GAUGES``.

    Beside it ``gpu0.health`` (error counters, every eight seconds), ``gpu0.procs`` (the largest
    processes, every four) and ``gpu0.mig0`` on, one for each MIG instance.

    What a device does not support, or does not let us read, is NaN there and said once. A device
    that is lost is NaN throughout, and read again as soon as it answers. Slow fields have their
    turn at different samples on different devices, so that no sample is long. Up to four devices
    are read at every sample, more at every other one.

    Orders: ``{"op": "watch", "pid": N}`` tells the engine's process; ``{"op": "once"}``, before it
    is opened, that this is a single look: then every device and every slow field has its turn at
    each sample.
    """

    name = "nvml"
    every = 1
    blocking = True

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.nvml: Any = None
        self.library: Any = None
        self.owners: Owners
        self._watched: int | None = None
        self.changed = False
        self.turns = 1
        self.once = False
        self._turn = 0
        self._gpus: list[Gpu] = []
        self._now_s = 0.0

    def open(self) -> None:
        try:
            # pynvml takes 50 ms and 6 MB to import: not where there is nothing to read. What reads
            # with it waits as well.
            self.library = ctypes.CDLL(LIBRARY)
        except OSError as error:
            missing = "cannot open shared object" in str(error)
            reason = f"{LIBRARY} not found" if missing else str(error)
            raise Unavailable(reason) from error
        nvml = import_module("pynvml")
        try:
            nvml.nvmlInit()
            self.nvml = nvml
            count = nvml.nvmlDeviceGetCount()
        except nvml.NVMLError as error:
            self.close()
            raise Unavailable(f"NVML does not start: {text(error)}") from error
        if not count:
            self.close()
            raise Unavailable("NVML sees no GPU")
        from tuiapp.collectors.nvml_gpu import Gpu
        from tuiapp.collectors.nvml_processes import Owners

        self.owners = Owners(self.host)
        if self._watched is not None:
            self.owners.watch(self._watched)
        self.turns, self._turn = 1 + (count > _MOST_AT_ONCE and not self.once), 0
        self._gpus = [Gpu(self, index) for index in range(count)]
        for gpu in self._gpus:
            self._open_gpu(gpu)
        self.groups = tuple(group for gpu in self._gpus for group in gpu.groups)

    def _open_gpu(self, gpu: Gpu) -> None:
        try:
            gpu.open()
        except self.nvml.NVMLError as error:
            self.unknown(gpu.group, text(error))
            gpu.gone = True
            gpu.forget()

    def command(self, message: Mapping[str, Any]) -> None:
        pid = message.get("pid")
        if message.get("op") == "watch" and isinstance(pid, int) and pid > 0:
            self._watched = pid
            if self._gpus:
                self.owners.watch(pid)
        self.once = self.once or message.get("op") == "once"

    def facts(self) -> dict[str, Any]:
        from tuiapp.collectors.nvml_facts import link_peers, system_facts

        self.changed = False
        handles = {gpu.index: gpu.handle for gpu in self._gpus if gpu.handle is not None}
        for gpu in self._gpus:
            if gpu.index in handles and len(handles) > 1:
                gpu.facts["p2p"] = link_peers(self.nvml, gpu.index, handles, self.ask)
        return system_facts(self.nvml, self.ask) | {"gpus": [gpu.facts for gpu in self._gpus]}

    def news(self) -> dict[str, Any]:
        return self.facts() if self.changed else {}

    def sample(self, dt_s: float) -> dict[str, Gauges]:
        self._now_s += dt_s
        turn, self._turn = self._turn, (self._turn + 1) % self.turns
        groups: dict[str, Gauges] = {}
        try:
            for gpu in self._gpus[turn :: self.turns]:
                groups |= gpu.sample(self._now_s)
        except self.nvml.NVMLError as error:
            raise Unavailable(f"NVML went away: {text(error)}") from error
        return groups

    def close(self) -> None:
        if self.nvml is not None:
            with suppress(self.nvml.NVMLError):
                self.nvml.nvmlShutdown()
        self.nvml, self._gpus = None, []

    def ask(self, field: str, call: Any, *arguments: Any) -> Any:
        """The call's result; None, and the reason on record, when the driver refuses."""
        try:
            return call(*arguments)
        except UnicodeDecodeError:
            self.unknown(field, "the driver's answer is no text")
        except self.nvml.NVMLError as error:
            if error.value in DRIVER_GONE:
                raise
            self.unknown(field, text(error))
        return None

    def words(self, error: int) -> str:
        """Why NVML refused, by nvmlReturn_t, in one clause."""
        return text(self.nvml.NVMLError(error))

    def is_unknown(self, field: str) -> bool:
        """A reason for this field is on record."""
        return any(told == field for told, _ in self._told)


def text(error: Any) -> str:
    """Why NVML refused, in one clause."""
    return _REASONS.get(error.value) or f"NVML says: {error}"
