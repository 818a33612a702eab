"""GPUs and accelerators on the PCI bus: where they are attached, and by which link."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from tuiapp.collectors.base import Host
from tuiapp.errors import Unavailable

_DEVICES = "/sys/bus/pci/devices"
_CLASSES = ("0x0300", "0x0302", "0x0380", "0x1200")
"""VGA, 3D and other display controllers; processing accelerators."""
_MOST = 64
_NO_GPU = {"0x1234", "0x1af4", "0x1b36", "0x15ad", "0x1414", "0x80ee", "0x1a03", "0x102b"}
"""Vendors of screens that compute nothing: those of hypervisors and management controllers."""


def gpus(host: Host) -> list[dict[str, Any]]:
    """PCI functions that may be GPUs, by address; None for what is unknown."""
    try:
        addresses = sorted(host.names(_DEVICES))
    except FileNotFoundError as error:
        raise Unavailable("no PCI bus is visible here") from error
    found = [_device(host, address) for address in addresses if _is_gpu(host, address)]
    return found[:_MOST]


def _is_gpu(host: Host, address: str) -> bool:
    kind = _text(host, address, "class") or ""
    return kind.startswith(_CLASSES) and _text(host, address, "vendor") not in _NO_GPU


def _device(host: Host, address: str) -> dict[str, Any]:
    node = _text(host, address, "numa_node") or ""
    return {
        "address": address,
        "vendor": _text(host, address, "vendor"),
        "device": _text(host, address, "device"),
        "numa_node": int(node) if node.isdigit() else None,  # -1 says that nobody knows
        "local_cpus": _text(host, address, "local_cpulist"),
        "link_gt_per_s": _speed(_text(host, address, "current_link_speed")),
        "link_max_gt_per_s": _speed(_text(host, address, "max_link_speed")),
        "link_width": _width(_text(host, address, "current_link_width")),
        "link_max_width": _width(_text(host, address, "max_link_width")),
    }


def _text(host: Host, address: str, name: str) -> str | None:
    with suppress(OSError):
        return host.text(f"{_DEVICES}/{address}/{name}") or None
    return None


def _speed(text: str | None) -> float | None:
    """``16.0 GT/s PCIe``; "Unknown" where the device has no link of its own."""
    with suppress(ValueError):
        return float((text or "").split(" ")[0])
    return None


def _width(text: str | None) -> int | None:
    """A device without a link of its own says 0 or 255."""
    return int(text) if text and text.isdigit() and 0 < int(text) < 255 else None
