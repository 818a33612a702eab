"""The GPUs in the answer of ``tuiapp host`` for people: a row each, as many columns as fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuiapp.cli.host_gpus import Gpu, instances, number
from tuiapp.cli.host_unknown import all_unknown, gpu_words, unknown_cells

_SOURCE = "nvml"
_LONGEST_NAME = 32
_GAP = "  "
_GIB = 1 << 30
_FEW = 10
"""GiB below which a decimal is told."""
_UNKNOWN = "—"
_PATHS = {"vgpu": "vGPU", "unknown": ""}

Cells = dict[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table.

    Attributes:
        name: its head, with the unit.
        cell: what stands there of a GPU; empty for unknown.
        rank: the highest goes first where the terminal is narrow; 0 always stays.
        right: numbers stand to the right.
    """

    name: str
    cell: Callable[[Mapping[str, Any]], str]
    rank: int
    right: bool = True


def gpu_rows(
    gpus: Sequence[Gpu],
    host: Mapping[str, Any],
    reasons: Mapping[str, str],
    width: int,
    *,
    explain: bool = False,
) -> Iterator[tuple[str, str]]:
    """(label, text) of each line: a table under a header, why cells are unknown, the driver.

    Args:
        width: cells for the text.
        explain: tell every reason, not those of the table alone.
    """
    whole = [gpu for gpu in gpus if not gpu.get("trouble")]
    rows = {id(gpu): list(_rows(gpu)) for gpu in whole}
    shown, left = _fitting([cells for found in rows.values() for _, cells in found], width)
    head = {column.name: column.name for column in shown}
    sizes = [
        max(len(cells[column.name]) for cells in (head, *(c for r in rows.values() for _, c in r)))
        for column in shown
    ]
    if rows:
        yield "GPU", _line(head, shown, sizes)
    for gpu in gpus:
        if gpu.get("trouble"):
            words = " · ".join(filter(None, (_name(gpu), _bus(gpu), gpu["trouble"])))
            yield f"GPU {gpu.get('index', '?')}", words
        for label, cells in rows.get(id(gpu), ()):
            yield label, _line(cells, shown, sizes)
    if left:
        names = ", ".join(column.name for column in left)
        yield "", f"no room for {names} (a wider terminal, or --json, has them)"
    yield from _notes(gpus, host, reasons, explain=explain)


def _notes(
    gpus: Sequence[Gpu],
    host: Mapping[str, Any],
    reasons: Mapping[str, str],
    *,
    explain: bool,
) -> Iterator[tuple[str, str]]:
    """What the table does not tell, and the driver's version."""
    if explain:
        for line in all_unknown(gpus, reasons):
            yield "unknown", line
    elif line := "; ".join(unknown_cells(gpus, reasons)):
        yield "unknown", line
    driver, cuda = host.get("nvidia_driver"), host.get("cuda_driver")
    versions = (f"NVIDIA {driver}" if driver else "", f"CUDA {cuda}" if cuda else "")
    if any(versions):
        yield "driver", " · ".join(filter(None, versions))
    elif _SOURCE in reasons and not all(gpu.get("driver") for gpu in gpus):
        yield "driver", f"not asked: {reasons[_SOURCE]}"


def path_conflicts(gpus: Sequence[Gpu]) -> list[str]:
    """Sentences on GPUs whose driver contradicts the machine, each with the GPUs it is about."""
    told: dict[str, list[Gpu]] = {}
    for gpu in gpus:
        if conflict := gpu.get("path_conflict"):
            told.setdefault(str(conflict), []).append(gpu)
    return [f"{gpu_words(found, gpus)}: {conflict}" for conflict, found in told.items()]


def _rows(gpu: Gpu) -> Iterator[tuple[str, Cells]]:
    """The GPU, and its MIG instances below it."""
    cells = {column.name: column.cell(gpu) or _UNKNOWN for column in COLUMNS}
    yield f"GPU {gpu.get('index', '?')}", cells
    for at, part in enumerate(instances(gpu) or ()):
        own = dict.fromkeys(cells, "")
        own["name"] = f"MIG {str(part.get('name')).rpartition('MIG ')[2]}"[:_LONGEST_NAME]
        own["memory"] = _memory(part) or _UNKNOWN
        own["processes"] = _processes(part) or _UNKNOWN
        own["path"] = f"MIG slice{_passed(gpu)}"
        yield f"  slice {at}", own


def _line(cells: Cells, shown: Sequence[Column], sizes: Sequence[int]) -> str:
    words = (
        f"{cells[column.name]:>{size}}" if column.right else f"{cells[column.name]:<{size}}"
        for column, size in zip(shown, sizes, strict=True)
    )
    return _GAP.join(words).rstrip()


def _fitting(rows: Sequence[Cells], width: int) -> tuple[list[Column], list[Column]]:
    """Columns in which anything is known: (as many as there is room for, the others)."""
    known = [c for c in COLUMNS if any(row[c.name] not in (_UNKNOWN, "") for row in rows)]
    shown = list(known)
    for column in sorted(known, key=lambda column: -column.rank):
        sizes = [max(len(row[c.name]) for row in (*rows, {c.name: c.name})) for c in shown]
        if column.rank == 0 or sum(sizes) + len(_GAP) * (len(sizes) - 1) <= width:
            break
        shown.remove(column)
    return shown, [column for column in known if column not in shown]


def _name(gpu: Mapping[str, Any]) -> str:
    name = str(gpu.get("name") or "unknown GPU")
    short = name.removeprefix("NVIDIA ") if gpu.get("source") == _SOURCE else name
    return short if len(short) <= _LONGEST_NAME else short[: _LONGEST_NAME - 1] + "…"


def _bus(gpu: Mapping[str, Any]) -> str:
    """``0000:01:00.0``: NVML writes the domain with eight digits."""
    bus = str(gpu.get("pci_bus_id") or "")
    return bus[4:] if len(bus) == len("00000000:01:00.0") and bus.startswith("0000") else bus


def _memory(gpu: Mapping[str, Any]) -> str:
    """In use, of all there is; of a divided GPU at least what its instances have in use."""
    used = number(gpu, "mem_used_bytes")
    size = number(gpu, "mem_total_bytes") or number(gpu, "memory_total_bytes")
    parts = [number(part, "mem_used_bytes") for part in instances(gpu) or ()]
    inside = sum(part for part in parts if part is not None)
    if inside and (used is None or used < inside):
        used = inside
    whole = "" if size is None else f"{size / _GIB:.0f} GiB"
    return whole if used is None or not whole else f"{_gib(used)} of {whole}"


def _gib(amount: float) -> str:
    """GiB, with a decimal where they are few."""
    gib = amount / _GIB
    return f"{gib:.0f}" if gib >= _FEW or gib < 1 / _FEW / 2 else f"{gib:.1f}"


def _busy(gpu: Mapping[str, Any]) -> str:
    util = number(gpu, "util")
    return "" if util is None else f"{util * 100:.0f} %"


def _whole(gpu: Mapping[str, Any], name: str) -> str:
    value = number(gpu, name)
    return "" if value is None else f"{round(value)}"


def _power(gpu: Mapping[str, Any]) -> str:
    """Drawn, of the enforced limit, and the vendor's default where that is another."""
    drawn, limit, default = (
        _whole(gpu, name) for name in ("power_w", "power_limit_w", "power_default_w")
    )
    if not limit:
        return drawn
    usual = f" ({default})" if default and default != limit else ""
    return f"{drawn or _UNKNOWN} of {limit}{usual}"


def _clock(gpu: Mapping[str, Any]) -> str:
    now, most = _whole(gpu, "sm_clock_mhz"), _whole(gpu, "sm_clock_max_mhz")
    return f"{now} of {most}" if now and most else now


def _held(gpu: Mapping[str, Any]) -> str:
    """The gravest, and how many more."""
    words = gpu.get("throttled_by")
    if not isinstance(words, list):
        return ""
    more = f" +{len(words) - 1}" if len(words) > 1 else ""
    return f"{words[0]}{more}" if words else "not throttled"


def _pcie(gpu: Mapping[str, Any]) -> str:
    """Generation and lanes now, and the best where that is another."""
    now, best = (
        "×".join(_whole(gpu, name) for name in pair)
        for pair in (("pcie_gen", "pcie_width"), ("pcie_gen_max", "pcie_width_max"))
    )
    if now.startswith("×") or now.endswith("×"):
        return ""
    return now if now == best or best.startswith("×") or best.endswith("×") else f"{now} of {best}"


def _ecc(gpu: Mapping[str, Any]) -> str:
    """On or off; with errors that were not corrected and rows that were replaced, these."""
    ecc, health = gpu.get("ecc"), gpu.get("health") or {}
    mode = ecc.get("enabled") if isinstance(ecc, Mapping) else None
    rows = [number(health, f"rows_remapped_{kind}") or 0 for kind in ("corrected", "uncorrected")]
    counts = (
        (number(health, "ecc_uncorrected") or 0, "unc"),
        (sum(rows), "rows"),
        (number(health, "rows_remap_failed") or 0, "failed"),
    )
    told = ", ".join(f"{count:.0f} {word}" for count, word in counts if count)
    return told or ({True: "on", False: "off"}.get(mode, "") if isinstance(mode, bool) else "")


def _processes(gpu: Mapping[str, Any]) -> str:
    """How many, and their memory where the driver tells it."""
    count, used = number(gpu, "other_procs"), number(gpu, "other_bytes")
    if not count:
        return "" if count is None else "none"
    return f"{count:.0f}" if used is None else f"{count:.0f}, {_gib(used)} GiB"


def _path(gpu: Mapping[str, Any]) -> str:
    parts = instances(gpu)
    if parts is not None:
        return f"MIG × {len(parts)}" if parts else "MIG, no slice"
    path = str(gpu.get("path") or "")
    return _PATHS.get(path, path)


def _passed(gpu: Mapping[str, Any]) -> str:
    return ", passed through" if gpu.get("card_path") == "passthrough" else ""


COLUMNS = (
    Column("name", _name, 0, right=False),
    Column("memory", _memory, 1),
    Column("busy", _busy, 2),
    Column("°C", lambda gpu: _whole(gpu, "temp_c"), 3),
    Column("power W", _power, 4),
    Column("SM MHz", _clock, 8),
    Column("held back", _held, 5, right=False),
    Column("PCIe", _pcie, 7, right=False),
    Column("ECC", _ecc, 9, right=False),
    Column("processes", _processes, 10, right=False),
    Column("path", _path, 6, right=False),
    Column("bus", lambda gpu: _bus(gpu).removeprefix("0000:"), 11, right=False),
)
