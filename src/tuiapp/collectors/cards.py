"""GPUs that the kernel shows in /sys/class/drm: which there are, and how their files are read."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from dataclasses import dataclass
from posixpath import normpath
from typing import Any, ClassVar

from tuiapp.collectors.base import NAN, RARELY, Collector, Gauges, Host, why
from tuiapp.collectors.plausible import impossible
from tuiapp.errors import Unavailable

DRM = "/sys/class/drm"
PCI = "/sys/bus/pci/devices"
_MOST = 64
MAKERS = {"amdgpu": "AMD", "i915": "Intel", "xe": "Intel"}
"""Maker by driver, in the order in which cards are numbered."""
SLOW = 2
"""Stride of what changes slowly."""
STATIC = 20
"""Stride of limits, which hardly ever change."""
GAUGES = (
    *("util", "mem_util", "mem_used_bytes", "mem_total_bytes"),
    *("sm_clock_mhz", "mem_clock_mhz", "sm_clock_max_mhz"),
    *("power_w", "power_limit_w", "temp_c", "temp_slowdown_c", "throttle_reasons", "fan"),
    *("pcie_gen", "pcie_gen_max", "pcie_width", "pcie_width_max"),
    *("pcie_tx_bytes_per_s", "pcie_rx_bytes_per_s"),
)
"""Every GPU's group holds these, whatever its maker; those a maker does not tell are NaN."""
_CARD = re.compile(r"card(\d{1,6})")
_PCI = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", re.IGNORECASE)
_NUMBER = re.compile(rb"\s*(-?\d{1,19})\s*\Z")


@dataclass(frozen=True, slots=True)
class Card:
    """One GPU.

    Attributes:
        index: N of its group ``gpuN``, and of its facts.
        device: the directory of its PCI device, as it is reached.
        node: its name in /sys/class/drm, ``card0``; empty where that does not show it.
        driver: a key of ``MAKERS``.
        address: where it is on the PCI bus, ``0000:03:00.0``.
        vendor, model: four hex digits each, in lower case.
    """

    index: int
    device: str
    node: str
    driver: str
    address: str
    vendor: str
    model: str

    @property
    def group(self) -> str:
        return f"gpu{self.index}"


@dataclass(frozen=True, slots=True)
class Field:
    """Some gauges that are read together.

    Attributes:
        gauges: their names; reasons are told under the first.
        read: a card's files to the gauges' values; OSError or Unavailable.
        stride: read at every n-th sample, and hold the values in between.
    """

    gauges: tuple[str, ...]
    read: Callable[[Any], tuple[float, ...]]
    stride: int = 1


def cards(host: Host) -> list[Card]:
    """The GPUs of the drivers in ``MAKERS``, by driver and place on the bus.

    NVIDIA's come first and are numbered by NVML, which sees no more of them than the nvidia driver
    holds. So the number of a card follows from /sys alone, whichever probe asks, and no two probes
    give the same one.
    """
    nodes = [name for name in _names(host, DRM) if _CARD.fullmatch(name)]
    places = [(f"{DRM}/{name}/device", name) for name in nodes]
    if not places:  # some containers hide them, and what somebody copied may lack them
        places = [(f"{PCI}/{name}", "") for name in _names(host, PCI) if _shows(host, name)]
    found = [card for place in places[:_MOST] if (card := _card(host, *place)) is not None]
    order = list(MAKERS)
    found.sort(key=lambda card: (order.index(card[2]), card[3]))
    first = sum(1 for name in _names(host, "/sys/bus/pci/drivers/nvidia") if _PCI.fullmatch(name))
    return [Card(first + at, *card) for at, card in enumerate(found)]


def _shows(host: Host, address: str) -> bool:
    """A display controller or an accelerator."""
    try:
        return host.text(f"{PCI}/{address}/class").startswith(("0x03", "0x12"))
    except OSError:
        return False


def _card(host: Host, device: str, node: str) -> tuple[str, str, str, str, str, str] | None:
    """What ``Card`` holds but its index; None for what is no PCI device of a known driver.

    Partitions of an accelerator are cards without a PCI device: the whole one stands for them.
    """
    try:
        text = host.head(f"{device}/uevent").decode("utf-8", "replace")
    except OSError:
        return None
    event = dict(line.partition("=")[::2] for line in text.splitlines())
    driver, address = event.get("DRIVER", ""), event.get("PCI_SLOT_NAME", "")
    vendor, _, model = event.get("PCI_ID", "").lower().partition(":")
    if driver not in MAKERS or not _PCI.fullmatch(address):
        return None
    return device, node, driver, address, vendor[:4], model[:4]


def _names(host: Host, path: str) -> list[str]:
    try:
        return host.names(path)
    except OSError:
        return []


class CardFiles:
    """The files of one card.

    Args:
        host: the machine.
        card: which one.
    """

    def __init__(self, host: Host, card: Card) -> None:
        self.host = host
        self.card = card
        self.device = card.device
        self.dt_s = NAN
        """Seconds since the sample before."""
        self._monitor: str | None = None

    def present(self) -> bool:
        """The card is still there, and still the same one."""
        return _card(self.host, self.card.device, self.card.node) is not None

    def number(self, path: str) -> int:
        """The whole number in a file below the device's directory; OSError, Unavailable."""
        match = _NUMBER.match(self.host.head(self._place(path)))
        if match is None:
            raise Unavailable(f"{path} holds no number")
        return int(match[1])

    def first_number(self, *paths: str) -> int:
        """The number in the first of ``paths`` that can be read; the error of the first that is
        there, else the last one's."""
        errors: list[OSError | Unavailable] = []
        for path in paths:
            try:
                return self.number(path)
            except (OSError, Unavailable) as error:
                errors.append(error)
        raise next((e for e in errors if not isinstance(e, FileNotFoundError)), errors[-1])

    def text(self, path: str) -> str:
        """A file below the device's directory, as text; OSError when it cannot be read."""
        return self.host.head(self._place(path)).decode("utf-8", "replace").strip()

    def _place(self, path: str) -> str:
        return path if path.startswith("/") else f"{self.device}/{path}"

    def own_folder(self) -> str:
        """Where the device's directory is in the tree of devices, so that those above it are
        bridges; the way it is reached, where that link cannot be read."""
        try:
            target = self.host.link(f"{DRM}/{self.card.node}")
        except OSError:
            return self.device
        place = normpath(f"{DRM}/{target}")
        node = f"/drm/{self.card.node}"
        return place.removesuffix(node) if place.endswith(node) else self.device

    def monitor(self, name: str) -> str:
        """Path below the device's directory of a file of its hwmon; OSError without one."""
        if self._monitor is None:
            names = [one for one in self.host.names(f"{self.device}/hwmon") if one[:5] == "hwmon"]
            if not names:
                raise Unavailable("the driver gives no sensors")
            self._monitor = f"hwmon/{min(names)}"
        return f"{self._monitor}/{name}"

    def sensor(self, *labels: str) -> str:
        """``tempN`` of the first of ``labels`` there is, else the first sensor of all; OSError
        where there are labels and none can be read."""
        found: dict[str, str] = {}
        broken: OSError | None = None
        for at in range(1, 9):
            try:
                found.setdefault(self.text(self.monitor(f"temp{at}_label")), f"temp{at}")
            except FileNotFoundError:
                continue
            except OSError as error:
                broken = broken or error
        if broken is not None and not found:
            raise broken
        return next((found[label] for label in labels if label in found), "temp1")

    def forget(self) -> None:
        """The card went away: what was found out about it need not hold any more."""
        self._monitor = None


class CardsCollector(Collector):
    """One group a GPU with the gauges in ``GAUGES``, as for NVIDIA's.

    What a driver does not tell is NaN, and why is told once. A GPU that is gone is NaN throughout,
    and read again as soon as its files are back. A machine without such GPUs is nothing unknown:
    then there is nothing to tell, and no reason.

    Attributes:
        drivers: whose cards.
        fields: what is read of each.
        untold: gauges that these drivers never tell, and why.
    """

    every = 1
    blocking = True  # a GPU in trouble can keep whoever reads its files waiting
    drivers: ClassVar[tuple[str, ...]]
    fields: ClassVar[tuple[Field, ...]]
    untold: ClassVar[dict[str, str]]

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._found: list[Card] = []
        self._gpus: list[_Gpu] = []

    def open(self) -> None:
        # Numbers are given once: when a GPU is gone, those behind it keep theirs.
        self._found = self._found or [c for c in cards(self.host) if c.driver in self.drivers]
        self._gpus = [_Gpu(self, self.files(card)) for card in self._found]
        self.groups = tuple(card.group for card in self._found)
        self.every = type(self).every if self._found else RARELY

    def files(self, card: Card) -> CardFiles:
        """How this maker's files are read."""
        return CardFiles(self.host, card)

    def describe(self, files: Any) -> dict[str, Any]:
        """Facts of one card beside those that all have."""
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        return {"gpus": [self._facts(gpu.files) for gpu in self._gpus]} if self._gpus else {}

    def _facts(self, files: CardFiles) -> dict[str, Any]:
        card = files.card
        return {
            "index": card.index,
            "maker": MAKERS[card.driver],
            "driver": card.driver,
            "pci_bus_id": card.address,
            **self.describe(files),
        }

    def sample(self, dt_s: float) -> dict[str, Gauges]:
        return {gpu.files.card.group: gpu.sample(dt_s) for gpu in self._gpus}


class _Gpu:
    """One card: the values last read, and what could not be read."""

    def __init__(self, collector: CardsCollector, files: CardFiles) -> None:
        self.files = files
        self._collector = collector
        self._group = files.card.group
        self._gone = False
        self._samples = 0
        self._failing: set[str] = set()
        self._values: Gauges = dict.fromkeys(GAUGES, NAN)
        for gauge, reason in collector.untold.items():
            collector.unknown(f"{self._group}.{gauge}", reason)

    def sample(self, dt_s: float) -> Gauges:
        if not self.files.present():
            self._forget()
            return dict(self._values)
        if self._gone:
            self._gone = False
            self._collector.restored(self._group)
        self.files.dt_s = dt_s
        for field in self._collector.fields:
            if self._samples % field.stride == 0:
                self._read(field)
        self._samples += 1
        return dict(self._values)

    def _read(self, field: Field) -> None:
        name = f"{self._group}.{field.gauges[0]}"
        try:
            values = _measured(field, self.files)
        except (OSError, Unavailable) as error:
            self._collector.unknown(name, _reason(error))
            self._failing.add(name)
            values = (NAN,) * len(field.gauges)
        else:
            if name in self._failing:
                self._failing.discard(name)
                self._collector.restored(name)
        self._values.update(zip(field.gauges, values, strict=True))

    def _forget(self) -> None:
        if not self._gone:
            self._collector.unknown(self._group, "the GPU is gone: the kernel removed its device")
        self._gone = True
        self._samples = 0
        self._values = dict.fromkeys(GAUGES, NAN)
        self.files.forget()


def _measured(field: Field, files: CardFiles) -> tuple[float, ...]:
    """The values of a field; OSError, Unavailable where there are none, or none that can be."""
    values = field.read(files)
    if reason := impossible(dict(zip(field.gauges, values, strict=True))):
        raise Unavailable(reason)
    return values


_BROKEN = {
    errno.ENOENT: "the driver has no file for it",
    errno.EACCES: "the driver does not permit it now",
    errno.EPERM: "the driver does not permit it now",
    errno.EISDIR: "a folder stands where the driver's file should",
    errno.ELOOP: "the driver's file is a link that leads in a loop",
}


def _reason(error: OSError | Unavailable) -> str:
    if isinstance(error, Unavailable):
        return error.message
    if told := _BROKEN.get(error.errno or 0):
        return told
    text = error.strerror or ""
    return f"the driver's file {text}" if text.startswith("is ") else why(error)
