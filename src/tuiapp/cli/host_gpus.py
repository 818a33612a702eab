"""The GPUs in the answer of ``tuiapp host``: an object each for scripts, a row each for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from tuiapp.collectors.nvml_path import is_virtual_function
from tuiapp.collectors.recorded import TreeHost
from tuiapp.machine.report import BARE_METAL

if TYPE_CHECKING:
    from tuiapp.diagnosis.moment import Moment
    from tuiapp.machine.looking import Look

_MAKERS = {"10de": "NVIDIA", "1002": "AMD", "8086": "Intel", "1da3": "Habana", "1ed5": "Moore"}
_GAUGES = (
    "util", "mem_used_bytes", "mem_total_bytes", "power_w", "power_limit_w", "temp_c",
    "pcie_gen", "pcie_width", "pcie_gen_max", "pcie_width_max",
)  # fmt: skip
_REFUSED = "not permitted"
_COLUMNS = ("name", "memory", "busy", "limit W", "PCIe", "ECC", "path", "bus")
_LEAVE_OUT = ("bus", "ECC", "limit W", "PCIe", "path", "busy", "memory")
"""The first to go where the terminal is narrow."""
_LONGEST_NAME = 32
_GAP = "  "
_GIB = 1 << 30
_SOURCE = "nvml"
_UNKNOWN = "—"

Gpu = dict[str, Any]


def gpu_objects(seen: Moment, found: Look, reasons: Mapping[str, str]) -> list[Gpu]:
    """Facts of each GPU, its gauges now (None for unknown), what ails it, and what was refused."""
    host = seen.meta.get("host") or {}
    told = host.get("gpus")
    if not told:
        return _on_the_bus(host, found)
    return [_object(seen, gpu, reasons) for gpu in told if isinstance(gpu, Mapping)]


def _object(seen: Moment, gpu: Mapping[str, Any], reasons: Mapping[str, str]) -> Gpu:
    group = f"gpu{gpu.get('index')}"
    refused = {
        field.removeprefix(f"{group}."): reason
        for field, reason in reasons.items()
        if field.startswith(f"{group}.") and _REFUSED in reason
    }
    source = str(gpu.get("source") or gpu.get("driver") or "")
    return {
        **gpu,
        **{name: _rounded(seen.gauge(group, name)) for name in _GAUGES},
        "trouble": reasons.get(group) or reasons.get(source) or None,
        "refused": refused,
    }


def _rounded(value: float | None) -> float | None:
    """Without the digits that its unit's conversion adds."""
    return None if value is None else round(value, 4)


def _on_the_bus(host: Mapping[str, Any], found: Look) -> list[Gpu]:
    """GPUs that no driver told of: what the PCI bus says, which is not how they are shared."""
    seen = host.get("pci_gpus")
    tree = TreeHost(found.tree)
    gpus: list[Gpu] = []
    for at, card in enumerate(seen if isinstance(seen, list) else ()):
        path = "bare" if found.machine.machine == BARE_METAL else "unknown"
        if is_virtual_function(tree, card.get("address")):
            path = "sriov-vf"
        vendor, device = (str(card.get(key)).removeprefix("0x") for key in ("vendor", "device"))
        name = f"{_MAKERS.get(vendor, 'maker')} {vendor}:{device}"
        told = {"index": at, "name": name, "pci_bus_id": card.get("address"), "path": path}
        gpus.append({**told, **dict.fromkeys(_GAUGES), "trouble": None, "refused": {}})
    return gpus


def gpu_rows(
    gpus: Sequence[Gpu], host: Mapping[str, Any], reasons: Mapping[str, str], width: int
) -> Iterator[tuple[str, str]]:
    """(label, text) of each line: a table under a header, the driver, and what was refused."""
    why = reasons.get(_SOURCE, "no GPU was recorded")
    if not gpus:
        yield "GPU", f"none: {why}"
        return
    rows = [_cells(gpu) for gpu in gpus if not gpu.get("trouble")]
    shown = _fitting(rows, width)
    widths = {name: max(len(row[name]) for row in (*rows, {name: name})) for name in shown}
    if rows:
        yield "GPU", _line({name: name for name in shown}, widths)
    for gpu in gpus:
        words = " · ".join(filter(None, (_name(gpu), _bus(gpu), gpu.get("trouble"))))
        row = words if gpu.get("trouble") else _line(_cells(gpu), widths)
        yield f"GPU {gpu.get('index', '?')}", row
    driver, cuda = host.get("nvidia_driver"), host.get("cuda_driver")
    versions = (f"NVIDIA {driver}" if driver else "", f"CUDA {cuda}" if cuda else "")
    if any(versions):
        yield "driver", " · ".join(filter(None, versions))
    elif _SOURCE in reasons:
        yield "driver", f"not asked: {why}"
    for gpu in gpus:
        for reason in sorted(set((gpu.get("refused") or {}).values())):
            fields = [field for field, told in gpu["refused"].items() if told == reason]
            yield "refused", f"GPU {gpu.get('index')} {', '.join(fields)}: {reason}"


def _line(row: Mapping[str, str], widths: Mapping[str, int]) -> str:
    return _GAP.join(f"{row[name]:<{size}}" for name, size in widths.items()).rstrip()


def _fitting(rows: Sequence[Mapping[str, str]], width: int) -> list[str]:
    """The columns in which anything is known, as many as there is room for."""
    shown = [name for name in _COLUMNS if any(row[name] != _UNKNOWN for row in rows)]
    for name in _LEAVE_OUT:
        sizes = [max(len(row[column]) for row in (*rows, {column: column})) for column in shown]
        if sum(sizes) + len(_GAP) * (len(sizes) - 1) <= width:
            break
        shown = [column for column in shown if column != name]
    return shown


def _cells(gpu: Gpu) -> dict[str, str]:
    ecc, util = gpu.get("ecc"), _number(gpu, "util")
    mode = ecc.get("enabled") if isinstance(ecc, Mapping) else None
    cells = {
        "name": _name(gpu),
        "memory": _memory(gpu),
        "busy": "" if util is None else f"{util * 100:.0f} %",
        "limit W": _limit(gpu),
        "PCIe": _pcie(gpu),
        "ECC": {True: "on", False: "off"}.get(mode, "") if isinstance(mode, bool) else "",
        "path": _path(gpu),
        "bus": _bus(gpu).removeprefix("0000:"),
    }
    return {name: text or _UNKNOWN for name, text in cells.items()}


def _number(gpu: Gpu, name: str) -> float | None:
    value = gpu.get(name)
    known = isinstance(value, int | float) and not isinstance(value, bool) and not isnan(value)
    return float(value) if known else None  # type: ignore[arg-type]


def _name(gpu: Gpu) -> str:
    name = str(gpu.get("name") or "unknown GPU")
    short = name.removeprefix("NVIDIA ") if gpu.get("source") == _SOURCE else name
    return short if len(short) <= _LONGEST_NAME else short[: _LONGEST_NAME - 1] + "…"


def _bus(gpu: Gpu) -> str:
    """``0000:01:00.0``: NVML writes the domain with eight digits."""
    bus = str(gpu.get("pci_bus_id") or "")
    return bus[4:] if len(bus) == len("00000000:01:00.0") and bus.startswith("0000") else bus


def _memory(gpu: Gpu) -> str:
    used, size = _number(gpu, "mem_used_bytes"), _number(gpu, "mem_total_bytes")
    whole = "" if size is None else f"{size / _GIB:.0f} GiB"
    return whole if used is None or not whole else f"{used / _GIB:.0f} of {whole}"


def _limit(gpu: Gpu) -> str:
    """Enforced, and the vendor's default where it is another."""
    limit, default = _number(gpu, "power_limit_w"), _number(gpu, "power_default_w")
    if limit is None:
        return ""
    return (
        f"{limit:.0f}" if default is None or limit == default else f"{limit:.0f} of {default:.0f}"
    )


def _pcie(gpu: Gpu) -> str:
    """Generation and lanes now, and the best where that is another."""
    now, best = (
        "×".join("" if value is None else f"{value:.0f}" for value in pair)
        for pair in (
            (_number(gpu, "pcie_gen"), _number(gpu, "pcie_width")),
            (_number(gpu, "pcie_gen_max"), _number(gpu, "pcie_width_max")),
        )
    )
    if now.startswith("×") or now.endswith("×"):
        return ""
    return now if now == best or best.startswith("×") or best.endswith("×") else f"{now} of {best}"


def _path(gpu: Gpu) -> str:
    mig = gpu.get("mig")
    if isinstance(mig, Mapping) and mig.get("enabled"):
        return f"MIG × {len(mig.get('instances') or ())}"
    path = str(gpu.get("path") or "")
    return {"vgpu": "vGPU", "unknown": ""}.get(path, path)
