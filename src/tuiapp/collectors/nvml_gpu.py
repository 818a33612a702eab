"""One NVIDIA GPU, and its MIG instances: what is asked when, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tuiapp.collectors.base import NAN, Gauges
from tuiapp.collectors.nvml import DRIVER_GONE
from tuiapp.collectors.nvml_counters import ERRORS, FAST, HEALTH, TRAFFIC, Counters, Value
from tuiapp.collectors.nvml_facts import gpu_facts, instances
from tuiapp.collectors.nvml_fields import FIELDS, INSTANCE_FIELDS, PCIE_FIELDS, Field
from tuiapp.collectors.nvml_processes import GAUGES as PROCESS_GAUGES
from tuiapp.collectors.nvml_processes import attribute, listed, others_share, running
from tuiapp.collectors.plausible import impossible

if TYPE_CHECKING:
    from tuiapp.collectors.nvml import NvmlCollector

PROCESSES = 8
"""Stride of the list of processes."""
_PCIE = ("pcie_tx_bytes_per_s", "pcie_rx_bytes_per_s")
GAUGES = (
    *(gauge for field in FIELDS for gauge in field.gauges),
    *(value.gauge for value in TRAFFIC),
    *PROCESS_GAUGES,
    "other_util",
)
_INSTANCE_GAUGES = (
    *(gauge for field in INSTANCE_FIELDS for gauge in field.gauges),
    *PROCESS_GAUGES,
)
# nvmlReturn_t: what a device will never give, and what means that it is gone.
_NOT_SUPPORTED = 3
_NEVER = (_NOT_SUPPORTED, 4, 13)
_LOST = (6, 15, 16, 28)
_FAN = ("fan",)
"""By NVML's own documentation it may run at more than its full speed."""
MIG_HIDES = "not given while MIG divides the GPU"


class Asked:
    """Something with an NVML handle: fields with their strides, and the values last read.

    Args:
        collector: whose library and whose records of reasons are used.
        group: name of its gauges.
        place: index of the device; shifts the turns of slow fields from device to device.
    """

    def __init__(
        self,
        collector: NvmlCollector,
        group: str,
        place: int,
        gauges: Sequence[str],
        fields: Sequence[Field],
    ) -> None:
        self.collector = collector
        self.group = group
        self.handle: Any = None
        self.samples = 0
        self.divided = False
        self._place = place
        self._all_fields = fields
        self.fields = list(fields)
        self.values: Gauges = dict.fromkeys(gauges, NAN)
        self._impossible: set[str] = set()

    def forget(self) -> None:
        """Nothing is known (any more): the next answer is as good as the first."""
        self.handle = None
        self.samples = 0
        self.fields = list(self._all_fields)
        self.values = dict.fromkeys(self.values, NAN)

    def due(self, stride: int, *, later: bool = False) -> bool:
        """Whether a call of that stride has its turn now."""
        if self.samples == 0:
            return not later
        if self.collector.once:
            return True
        turns = self.collector.turns
        return (self.samples + self._place // turns * FAST) % max(stride // turns, 1) == 0

    def read_fields(self) -> None:
        """Ask for the fields whose turn it is."""
        nvml, handle, values = self.collector.nvml, self.handle, self.values
        turns: dict[tuple[int, bool], bool] = {}
        for field in list(self.fields):
            stride = field.stride, field.later
            due = turns.get(stride)
            if due is None:
                due = turns[stride] = self.due(field.stride, later=field.later)
            if not due:
                continue
            try:
                told = dict(zip(field.gauges, field.read(nvml, handle), strict=True))
                values.update(told if field.gauges == _FAN else self._measured(told))
            except nvml.NVMLError as error:
                if self._refused(field.gauges, error):
                    self.fields.remove(field)
                values.update(dict.fromkeys(field.gauges, NAN))

    def _measured(self, told: Gauges) -> Gauges:
        """What was told; unknown, and the reason on record, where it cannot be."""
        reason = impossible(told, "NVML says")
        for gauge in told if reason or self._impossible else ():
            name = f"{self.group}.{gauge}"
            if reason:
                self.collector.unknown(name, reason)
                self._impossible.add(name)
            elif name in self._impossible:
                self._impossible.discard(name)
                self.collector.restored(name)
        return dict.fromkeys(told, NAN) if reason else told

    def try_read(self, gauges: Sequence[str], read: Callable[[], Any]) -> Any:
        """What ``read`` returns; None, or the error's number where asking again is no use.

        Raises:
            NVMLError: the device or the driver is gone.
        """
        try:
            return read()
        except self.collector.nvml.NVMLError as error:
            return error.value if self._refused(gauges, error) else None

    def _refused(self, gauges: Sequence[str], error: Any) -> bool:
        """Put on record why gauges are unknown; True where asking again is no use."""
        if error.value in (*_LOST, *DRIVER_GONE):
            raise error
        for gauge in gauges:
            self.refuse(gauge, error.value)
        return error.value in _NEVER

    def refuse(self, gauge: str, error: int) -> None:
        """Put on record why a gauge is unknown."""
        hidden = self.divided and error == _NOT_SUPPORTED
        reason = MIG_HIDES if hidden else self.collector.words(error)
        self.collector.unknown(f"{self.group}.{gauge}", reason)

    def read_processes(self) -> tuple[Gauges, set[int]] | None:
        """The processes one by one, and which are the engine's; None when they are unknown."""
        nvml, owners = self.collector.nvml, self.collector.owners
        found = self.try_read(PROCESS_GAUGES[:1], lambda: running(nvml, self.handle))
        if not isinstance(found, list):
            self.values.update(dict.fromkeys(PROCESS_GAUGES, NAN))
            return None
        own = owners.own({process.pid for process in found})
        used = self.values["mem_used_bytes"]
        gauges, reason = attribute(found, own, used, namespaced=owners.namespaced)
        self.values.update(gauges)
        name = f"{self.group}.processes"
        if reason:
            self.collector.unknown(name, reason)
        elif self.collector.is_unknown(name):
            self.collector.restored(name)
        return listed(found, own), own


class Instance(Asked):
    """A MIG instance."""

    def __init__(self, collector: NvmlCollector, group: str, place: int, handle: Any) -> None:
        super().__init__(collector, group, place, _INSTANCE_GAUGES, INSTANCE_FIELDS)
        self.handle = handle
        self.divided = True

    def sample(self) -> dict[str, Gauges]:
        self.read_fields()
        groups = {}
        if self.due(PROCESSES) and (found := self.read_processes()):
            groups[f"{self.group}.procs"] = found[0]
        self.samples += 1
        return groups | {self.group: dict(self.values)}


class Gpu(Asked):
    """A whole device."""

    def __init__(self, collector: NvmlCollector, index: int) -> None:
        super().__init__(collector, f"gpu{index}", index, GAUGES, FIELDS)
        self.index = index
        self.facts: dict[str, Any] = {"index": index, "source": collector.name}
        self.gone = False
        self._instances: list[Instance] = []
        self._since_us = 0
        self._util_known = True
        self.forget()

    def forget(self) -> None:
        super().forget()
        nvml, library = self.collector.nvml, self.collector.library
        self._traffic = Counters(library, nvml, TRAFFIC)
        self._errors = Counters(library, nvml, ERRORS)
        self._instances = []
        self._util_known = True

    def open(self) -> None:
        """Get the handle and the facts; NVMLError when the device is not there.

        Where the place on the bus is known the device is found by it: the numbering moves up when
        another one has gone.
        """
        nvml = self.collector.nvml
        bus_id = self.facts.get("pci_bus_id")
        if bus_id:
            self.handle = nvml.nvmlDeviceGetHandleByPciBusId(bus_id)
        else:
            self.handle = nvml.nvmlDeviceGetHandleByIndex(self.index)
        found = gpu_facts(nvml, self.handle, self._ask, self.collector.host)
        self.facts = {"index": self.index, "source": self.collector.name, **found}
        mig = found["mig"] or {}
        self.divided = bool(mig.get("enabled"))
        if self.divided:
            self._instances = [
                Instance(self.collector, f"{self.group}.mig{at}", self._place, handle)
                for at, handle in enumerate(instances(nvml, self.handle))
            ]

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of gauges it gives."""
        own = (self.group, f"{self.group}.health", f"{self.group}.procs")
        return (*own, *(instance.group for instance in self._instances))

    def sample(self, now_s: float) -> dict[str, Gauges]:
        """Gauges by group; all unknown while the device is lost.

        Raises:
            NVMLError: the driver itself is gone.
        """
        nvml = self.collector.nvml
        groups: dict[str, Gauges] = {}
        try:
            if self.handle is None:
                self.open()
            groups = self._sample(now_s)
        except nvml.NVMLError as error:
            if error.value in DRIVER_GONE:
                raise
            self.collector.unknown(self.group, self.collector.words(error.value))
            self.gone = True
            self.forget()
        else:
            self.samples += 1
            if self.gone:
                self.gone = False
                self.collector.restored(self.group)
                self.collector.changed = True
        return groups | {self.group: dict(self.values)}

    def _sample(self, now_s: float) -> dict[str, Gauges]:
        self.read_fields()
        groups: dict[str, Gauges] = {}
        if self.due(FAST):
            self.values.update(self._traffic.read(self.handle, now_s, self._no_traffic))
        if self.due(HEALTH):
            groups[f"{self.group}.health"] = self._errors.read(self.handle, now_s, self._no_value)
        if self.due(PROCESSES) and (found := self.read_processes()):
            groups[f"{self.group}.procs"], own = found
            self._read_others(own)
        for instance in self._instances:
            groups |= instance.sample()
        return groups

    def _read_others(self, own: set[int]) -> None:
        nvml = self.collector.nvml
        if self.values["other_procs"] != self.values["other_procs"]:
            self.values["other_util"] = NAN
        elif self.values["other_procs"] == 0:
            self.values["other_util"] = 0.0
        elif self._util_known:
            read = self.try_read(
                ("other_util",), lambda: others_share(nvml, self.handle, self._since_us, own)
            )
            self._util_known = not isinstance(read, int)
            share, self._since_us = read if isinstance(read, tuple) else (NAN, self._since_us)
            self.values["other_util"] = share

    def _no_traffic(self, value: Value, error: int) -> bool:
        never = self._no_value(value, error)
        if value.quiet and never:
            self.fields += [field for field in PCIE_FIELDS if value.gauge in field.gauges]
        return never

    def _no_value(self, value: Value, error: int) -> bool:
        if not value.quiet:
            self.refuse(value.gauge, error)
        return error in _NEVER or error == self.collector.nvml.NVML_ERROR_INVALID_ARGUMENT

    def _ask(self, field: str, call: Any, *arguments: Any) -> Any:
        return self.collector.ask(f"{self.group}.{field}", call, *arguments)
