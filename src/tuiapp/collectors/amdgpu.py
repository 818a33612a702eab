"""AMD GPUs, from the files of the amdgpu driver alone.

Names and units of the files: Documentation/gpu/amdgpu/thermal.rst and driver-core.rst of the
kernel. What the files do not tell, AMD's own library may (``amd_library``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

from tuiapp.collectors.amd_library import Told, ask_library
from tuiapp.collectors.amd_metrics import Metrics, parse
from tuiapp.collectors.base import Host
from tuiapp.collectors.card_path import path_by_files, path_by_library
from tuiapp.collectors.cards import SLOW, STATIC, Card, CardFiles, CardsCollector, Field
from tuiapp.collectors.pci_names import amd_name, pci_name
from tuiapp.collectors.plausible import no_such
from tuiapp.errors import Unavailable

_LEVEL = re.compile(r"^\s*\w{1,4}:\s*(\d{1,6})Mhz\s*(\*?)", re.MULTILINE | re.IGNORECASE)
_SPEED = re.compile(r"(\d{1,3}(?:\.\d)?) ?GT/s")
_GENERATIONS = {2.5: 1, 5.0: 2, 8.0: 3, 16.0: 4, 32.0: 5, 64.0: 6}
_VENDOR, _BRIDGE = "0x1002", "0x0604"
_MOST_BRIDGES = 3
_METRICS_BYTES = 1 << 14


class AmdFiles(CardFiles):
    """The files of one AMD card."""

    def __init__(self, host: Host, card: Card) -> None:
        super().__init__(host, card)
        self._sensor: str | None = None
        self._link: str | None = None
        self._metrics: Metrics | None = None

    def forget(self) -> None:
        super().forget()
        self._sensor = self._link = self._metrics = None

    def metrics(self) -> Metrics:
        """The metrics as they are now; OSError, Unavailable."""
        return parse(self.host.head(f"{self.device}/gpu_metrics", _METRICS_BYTES))

    def integrated(self) -> bool | None:
        """Whether this is graphics inside a processor; None when unknown."""
        try:
            return self.metrics().integrated
        except (OSError, Unavailable):
            return None

    def share(self, name: str) -> tuple[float, ...]:
        """Per cent in a file, as 0..1."""
        percent = self.number(name)
        if not 0 <= percent <= 100:
            raise Unavailable(no_such(percent, "share of time", "%"))
        return (percent / 100,)

    def memory(self) -> tuple[float, ...]:
        """(used, size) in bytes. Without memory of its own a GPU uses the system's (GTT)."""
        used, size = self._amount("vram")
        if size < 1 << 20 or self.integrated():
            more = self._amount("gtt")
            used, size = used + more[0], size + more[1]
        return float(used), float(size)

    def _amount(self, kind: str) -> tuple[int, int]:
        used, size = self.number(f"mem_info_{kind}_used"), self.number(f"mem_info_{kind}_total")
        if min(used, size) < 0:
            raise Unavailable(no_such(min(used, size), "amount of memory", "bytes"))
        return used, size

    def clock(self, monitored: str, levels: str) -> tuple[float, ...]:
        """MHz now, from the sensors, else from the level in use."""
        with suppress(OSError, Unavailable):
            return (self.number(self.monitor(monitored)) / 1e6,)
        for mhz, star in _LEVEL.findall(self.text(levels)):
            if star:
                return (float(mhz),)
        raise Unavailable(f"{levels} marks no level")

    def clock_max(self) -> tuple[float, ...]:
        levels = [float(mhz) for mhz, _ in _LEVEL.findall(self.text("pp_dpm_sclk"))]
        if not levels:
            raise Unavailable("pp_dpm_sclk lists no level")
        return (max(levels),)

    def power(self) -> tuple[float, ...]:
        """Most chips tell one of the two. In a processor, the CPU's power is in it."""
        paths = (self.monitor("power1_average"), self.monitor("power1_input"))
        return (self.first_number(*paths) / 1e6,)

    def temperature(self, what: str) -> tuple[float, ...]:
        """Of the hottest spot, which is what the firmware limits, else of the edge."""
        if self._sensor is None:
            self._sensor = self.sensor("junction", "edge")
        return (self.number(self.monitor(f"{self._sensor}_{what}")) / 1e3,)

    def throttle(self) -> tuple[float, ...]:
        before, self._metrics = self._metrics, self.metrics()
        return (float(self._metrics.throttle_reasons(before)),)

    def fan(self) -> tuple[float, ...]:
        return (self.number(self.monitor("pwm1")) / 255,)

    def link(self, which: str) -> tuple[float, ...]:
        """(generation, lanes) of the card's link to the machine."""
        if self._link is None:
            self._link = self._outer_link()
        speed = self.text(f"{self._link}/{which}_link_speed")
        match = _SPEED.match(speed)
        generation = _GENERATIONS.get(float(match[1])) if match else None
        if generation is None:
            raise Unavailable(f"the link's speed is {speed[:20]!r}")
        return float(generation), float(self.number(f"{self._link}/{which}_link_width"))

    def _outer_link(self) -> str:
        """Many cards carry a switch of AMD's own, and the GPU's link is then the one inside.

        The card's link is that of the outermost bridge with the GPU's vendor; the machine's own
        bridges have other vendors (AMD's CPUs are 0x1022).
        """
        folder, at = self.own_folder(), self.device
        for _ in range(_MOST_BRIDGES):
            above = f"{folder}/.." if folder.startswith(self.device) else folder.rpartition("/")[0]
            try:
                vendor, kind = self.text(f"{above}/vendor"), self.text(f"{above}/class")
            except OSError:
                break
            if vendor != _VENDOR or not kind.startswith(_BRIDGE):
                break
            folder = at = above
        return at


class AmdgpuCollector(CardsCollector):
    """AMD GPUs."""

    name = "amdgpu"
    drivers = ("amdgpu",)
    fields = (
        Field(("util",), lambda card: card.share("gpu_busy_percent")),
        Field(("mem_util",), lambda card: card.share("mem_busy_percent")),
        Field(("mem_used_bytes", "mem_total_bytes"), AmdFiles.memory),
        Field(("sm_clock_mhz",), lambda card: card.clock("freq1_input", "pp_dpm_sclk")),
        Field(("mem_clock_mhz",), lambda card: card.clock("freq2_input", "pp_dpm_mclk"), SLOW),
        Field(("sm_clock_max_mhz",), AmdFiles.clock_max, STATIC),
        Field(("power_w",), AmdFiles.power),
        Field(
            ("power_limit_w",),
            lambda card: (card.number(card.monitor("power1_cap")) / 1e6,),
            STATIC,
        ),
        Field(("temp_c",), lambda card: card.temperature("input"), SLOW),
        Field(("temp_slowdown_c",), lambda card: card.temperature("crit"), STATIC),
        Field(("throttle_reasons",), AmdFiles.throttle),
        Field(("fan",), AmdFiles.fan, SLOW),
        Field(("pcie_gen", "pcie_width"), lambda card: card.link("current"), SLOW),
        Field(("pcie_gen_max", "pcie_width_max"), lambda card: card.link("max"), STATIC),
    )
    untold: ClassVar = {
        "pcie_tx_bytes_per_s": "not read: amdgpu counts for a second each time it is asked",
    }

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._library: Mapping[str, Told] = {}

    def files(self, card: Card) -> CardFiles:
        return AmdFiles(self.host, card)

    def facts(self) -> dict[str, Any]:
        if self._found:
            self._library = ask_library(self.host)
        return super().facts()

    def describe(self, files: AmdFiles) -> dict[str, Any]:
        told = self._library.get(files.card.address.lower(), Told())
        name = _name(files)
        return {
            "name": name or f"AMD GPU {files.card.vendor}:{files.card.model}",
            **_path(files, name, told.path),
            "integrated": files.integrated(),
            "mem_bandwidth_bytes_per_s": told.mem_bandwidth_bytes_per_s or _bandwidth(files),
        }


def _name(files: AmdFiles) -> str | None:
    """What the board calls itself, else what lists of names call it."""
    card, revision = files.card, ""
    with suppress(OSError):
        if name := files.text("product_name")[:80]:
            return name
    with suppress(OSError):
        revision = files.text("revision").removeprefix("0x").lower()
    named = amd_name(files.host, card.model, revision)
    return named or pci_name(files.host, card.vendor, card.model)


def _bandwidth(files: AmdFiles) -> float | None:
    try:
        return files.metrics().mem_bandwidth_bytes_per_s
    except (OSError, Unavailable):
        return None


def _path(files: AmdFiles, name: str | None, told: str | None) -> dict[str, Any]:
    """How the GPU reaches this system, as AMD's library has told or as far as its files tell."""
    found = path_by_files(files.host, files.device, name)
    return path_by_library(told, "AMD", found) if told else found
