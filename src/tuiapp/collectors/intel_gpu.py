"""Intel GPUs, from the files of the i915 and xe drivers.

Names and units of the files: Documentation/ABI/testing/sysfs-driver-intel-{i915,xe}-hwmon and
Documentation/gpu/xe/xe_gt_freq.rst of the kernel. Neither driver tells there how busy a GPU is or
how much of its memory is in use.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar

from tuiapp.collectors.base import NEXT_SAMPLE, Host
from tuiapp.collectors.card_path import path_by_files
from tuiapp.collectors.cards import SLOW, STATIC, Card, CardFiles, CardsCollector, Field
from tuiapp.collectors.pci_names import pci_name
from tuiapp.collectors.plausible import no_such
from tuiapp.collectors.throttle import INTEL
from tuiapp.errors import Unavailable

_INTEGRATED_AT = ":00:02.0"
"""Graphics inside a processor is always device 2 of the first bus."""

_MAY_BE_PART = "in a guest nothing in /sys tells an Intel GPU from a virtual function of one"


class IntelFiles(CardFiles):
    """The files of one Intel card."""

    def __init__(self, host: Host, card: Card) -> None:
        super().__init__(host, card)
        self._energy_uj: int | None = None
        xe = card.driver == "xe"
        own = f"drm/{card.node}"
        self._clocks = (
            {"now": ("tile0/gt0/freq0/act_freq",), "max": ("tile0/gt0/freq0/rp0_freq",)}
            if xe
            else {
                "now": (f"{own}/gt/gt0/rps_act_freq_mhz", f"{own}/gt_act_freq_mhz"),
                "max": (f"{own}/gt/gt0/rps_RP0_freq_mhz", f"{own}/gt_RP0_freq_mhz"),
            }
        )
        self._throttle = (
            "tile0/gt0/freq0/throttle/reason_" if xe else f"{own}/gt/gt0/throttle_reason_"
        )

    def forget(self) -> None:
        super().forget()
        self._energy_uj = None

    def clock(self, which: str) -> tuple[float, ...]:
        return (float(self.first_number(*self._clocks[which])),)

    def power(self) -> tuple[float, ...]:
        """From the energy used since the sample before."""
        paths = (self.monitor("energy1_input"), self.monitor("energy2_input"))
        before, self._energy_uj = self._energy_uj, self.first_number(*paths)
        if self._energy_uj < 0:
            raise Unavailable(no_such(self._energy_uj, "amount of energy", "µJ"))
        if before is None or self._energy_uj < before or not self.dt_s > 0:
            raise Unavailable(NEXT_SAMPLE)
        return ((self._energy_uj - before) / 1e6 / self.dt_s,)

    def power_limit(self) -> tuple[float, ...]:
        """The whole card's, else the chip's; 0 stands for one that is switched off."""
        answered = False
        for name in ("power1_max", "power2_max"):
            with suppress(FileNotFoundError):
                if watts := self.number(self.monitor(name)) / 1e6:
                    return (watts,)
                answered = True
        raise Unavailable("no power limit is set" if answered else "the driver tells no limit")

    def temperature(self) -> tuple[float, ...]:
        return (self.number(self.monitor(f"{self.sensor('pkg')}_input")) / 1e3,)

    def throttle(self) -> tuple[float, ...]:
        """The status file is not enough: it does not say why."""
        mask, answered = 0, False
        for name, reason in INTEL.items():
            try:
                on = self.number(f"{self._throttle}{name}")
                if on not in (0, 1):
                    raise Unavailable(no_such(on, "yes or no"))
                mask |= reason if on else 0
                answered = True
            except FileNotFoundError:
                continue
        if not answered:
            raise Unavailable("the driver gives no reasons for this GPU")
        return (float(mask),)


class IntelGpuCollector(CardsCollector):
    """Intel GPUs."""

    name = "intel_gpu"
    drivers = ("i915", "xe")
    fields = (
        Field(("sm_clock_mhz",), lambda card: card.clock("now")),
        Field(("sm_clock_max_mhz",), lambda card: card.clock("max"), STATIC),
        Field(("power_w",), IntelFiles.power),
        Field(("power_limit_w",), IntelFiles.power_limit, STATIC),
        Field(("temp_c",), IntelFiles.temperature, SLOW),
        Field(("throttle_reasons",), IntelFiles.throttle),
    )
    untold: ClassVar = {
        "util": "Intel's drivers do not tell in /sys how busy a GPU is",
        "mem_used_bytes": "Intel's drivers do not tell in /sys how much memory is in use",
        "pcie_gen": "not read: what /sys shows of an Intel card is a link inside it",
    }

    def files(self, card: Card) -> CardFiles:
        return IntelFiles(self.host, card)

    def describe(self, files: IntelFiles) -> dict[str, Any]:
        card = files.card
        name = pci_name(files.host, card.vendor, card.model)
        return {
            "name": name or f"Intel GPU {card.vendor}:{card.model}",
            **path_by_files(files.host, files.device, name, _MAY_BE_PART),
            "integrated": card.address.endswith(_INTEGRATED_AT),
        }
