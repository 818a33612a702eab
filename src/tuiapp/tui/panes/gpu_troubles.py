"""What is wrong with GPUs, the gravest first: one ranking for every line that sums them up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum, auto

from tuiapp.diagnosis.gpu_limits import LOWERED
from tuiapp.diagnosis.reading import Gpu, number
from tuiapp.session.view import View
from tuiapp.tui.panes.devices import (
    HELD_CELLS,
    Device,
    below,
    devices,
    link_words,
    mean,
    percent,
)
from tuiapp.tui.panes.devices import number as whole
from tuiapp.tui.renderables.canvas import fit
from tuiapp.tui.renderables.numbers import Field
from tuiapp.tui.renderables.palette import Ink
from tuiapp.words import plural

_MOST_NAMED = 2
"""GPUs of one trouble that are named one by one."""
_LEAST_WORDS = 8
_ONE_LINE = 30
"""Cells that words may take in a line with other numbers."""


class Grave(IntEnum):
    """Kinds of trouble, the gravest first."""

    GONE = auto()
    BROKEN = auto()
    HARDWARE = auto()
    HEAT = auto()
    LINK = auto()
    LIMIT = auto()
    SHARED = auto()
    HELD = auto()
    WORN = auto()


_HELD = {
    "hw thermal": Grave.HARDWARE,
    "power brake": Grave.HARDWARE,
    "hw slowdown": Grave.HARDWARE,
    "sw thermal": Grave.HEAT,
}
"""What holds clocks back; all else is ``HELD``."""
_FINE = ("not throttled", Ink.GOOD)
_BAD = (Grave.GONE, Grave.BROKEN, Grave.HARDWARE)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something wrong with a GPU.

    Attributes:
        words: without the GPU's name: ``lost at 01:31``.
        why: what may follow them, with its own sign in front.
    """

    grave: Grave
    words: str
    why: str = ""

    @property
    def ink(self) -> Ink:
        return Ink.BAD if self.grave in _BAD else Ink.WARN


def troubles(device: Device) -> list[Trouble]:
    """All that is wrong with a GPU, the gravest first; nothing of one that cannot be read."""
    if device.dim:
        return [Trouble(Grave.GONE, device.held[0][0], device.why)]
    found = [*_counted(device), *_held(device), *_lowered(device)]
    if device.neighbours:
        found.append(Trouble(Grave.SHARED, device.neighbours))
    return sorted(found, key=lambda trouble: trouble.grave)


def _counted(device: Device) -> Iterator[Trouble]:
    uncorrected, failed = device.health("ecc_uncorrected"), device.health("rows_remap_failed")
    if uncorrected:
        yield Trouble(Grave.BROKEN, f"{uncorrected:.0f} uncorrected ECC")
    if failed:
        yield Trouble(Grave.BROKEN, "row remap failed")
    if device.health("rows_remap_pending"):
        yield Trouble(Grave.WORN, "row remap pending")


def _held(device: Device) -> Iterator[Trouble]:
    for name, ink in device.held:
        if ink in (Ink.BAD, Ink.WARN):
            yield Trouble(_HELD.get(name, Grave.HELD), name)


def _lowered(device: Device) -> Iterator[Trouble]:
    link = (device.gauge("pcie_gen"), device.gauge("pcie_width"))
    best = (device.gauge("pcie_gen_max"), device.gauge("pcie_width_max"))
    # At rest a link slows down to save power, which means nothing.
    if (device.gauge("util") or 0.0) >= Gpu.BUSY_FROM and below(link, best):
        yield Trouble(Grave.LINK, f"PCIe {link_words(*link)} of {link_words(*best)}")
    limit, default = device.gauge("power_limit_w"), number(device.facts, "power_default_w")
    if limit is not None and default and limit < LOWERED * default:
        yield Trouble(Grave.LIMIT, f"limit {limit:.0f} of {default:.0f} W")


def worst_words(
    found: Sequence[Device], width: int, leave: Sequence[Grave] = ()
) -> tuple[str, Ink]:
    """The gravest trouble of all GPUs in ``width`` cells, and how many more GPUs have something.

    Args:
        leave: kinds that are told elsewhere.
    """
    every = [(device, [t for t in troubles(device) if t.grave not in leave]) for device in found]
    told = [(device, those[0]) for device, those in every if those]
    if not told:
        return _nothing(found)
    if len(found) == 1:
        return _of_one(every[0][1], width)
    grave = min(first.grave for _, first in told)
    first = next(first for _, first in told if first.grave == grave)
    alike = [device.group for device, other in told if other.words == first.words]
    more = f" · +{len(told) - len(alike)} more" if len(told) > len(alike) else ""
    names = ", ".join(alike) if len(alike) <= _MOST_NAMED else f"{len(alike)} GPUs"
    words = f"{names}{'' if grave == Grave.GONE else ':'} {first.words}"
    if len(words + more) > width:
        more = more.replace(" ·", "").replace(" more", "")
    room = width - len(more)
    if len(words + first.why) <= room:
        words += first.why
    if room < _LEAST_WORDS:
        return fit(words, width), first.ink
    return fit(words, room) + more, first.ink


def _of_one(those: Sequence[Trouble], width: int) -> tuple[str, Ink]:
    """All that is wrong with one GPU, or the gravest of it and how much more there is."""
    first, words = those[0], ", ".join(trouble.words for trouble in those)
    if len(words + first.why) <= width:
        return words + first.why, first.ink
    more = f" +{len(those) - 1}" if len(words) > width and len(those) > 1 else ""
    return fit(first.words if more else words, width - len(more)) + more, first.ink


def _nothing(found: Sequence[Device]) -> tuple[str, Ink]:
    """Where nothing is wrong, whether that is known."""
    unsure = next((device for device in found if device.held_unknown), None)
    if unsure is not None:
        return unsure.held_words(), Ink.DIM
    return next(((d.held_words(), d.held_ink) for d in found if d.held), _FINE)


def gpu_fields(view: View) -> tuple[Field, ...]:
    """All GPUs in one line: means, the hottest, and the gravest trouble."""
    found = devices(view)
    label = "GPU" if len(found) == 1 else f"{len(found)} GPU"
    alive = [device for device in found if not device.dim]  # what was last says nothing of now
    hottest = max((t for d in alive if (t := d.gauge("temp_c")) is not None), default=None)
    return (
        Field(label, percent(mean([d.gauge("util") for d in alive])), 4, "%", keep=9, gap=2),
        Field("mem", percent(mean([d.memory for d in alive])), 4, "%", keep=6, gap=2),
        Field("", whole(hottest), 3, "°C", ink=Ink.TEXT, keep=5, gap=2),
        words_field(found, _ONE_LINE),
    )


def words_field(found: Sequence[Device], most: int, leave: Sequence[Grave] = ()) -> Field:
    """The gravest trouble as the last field of a line; what is grave stays longest in it."""
    words, ink = worst_words(found, most, leave)
    keep = 9 if ink in (Ink.BAD, Ink.WARN) else 7
    return Field("", words, max(len(words), HELD_CELLS), ink=ink, keep=keep, gap=2, align="left")


def counted(found: Sequence[Device], known: int) -> str:
    """``7 of 8 GPUs``; empty where it is all of them."""
    return "" if known in (0, len(found)) else f"{known} of {plural(len(found), 'GPU')}"
