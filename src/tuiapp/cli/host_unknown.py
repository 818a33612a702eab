"""Why values of GPUs are unknown: one clause a reason, with the GPUs and the fields it is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tuiapp.cli.host_gpus import Gpu, instances
from tuiapp.words import counted

_FIELD = re.compile(r"gpu(\d{1,4})\.(.+)")
_PROCESSES = ("processes", "own_bytes", "other_bytes", "other_procs")
_TABLE = (
    ("memory", ("mem_used_bytes", "mem_total_bytes")),
    ("busy", ("util",)),
    ("temperature", ("temp_c",)),
    ("power", ("power_w",)),
    ("power limit", ("power_limit_w",)),
    ("SM clock", ("sm_clock_mhz",)),
    ("highest SM clock", ("sm_clock_max_mhz",)),
    ("held back", ("throttle_reasons",)),
    ("PCIe", ("pcie_gen", "pcie_width")),
    ("best PCIe", ("pcie_gen_max", "pcie_width_max")),
    ("ECC", ("ecc",)),
    ("ECC errors", ("health.ecc_uncorrected",)),
    ("row remaps", ("health.rows_remapped_uncorrected",)),
    ("processes", _PROCESSES),
    ("path", ("path", "virtualization")),
)
"""What the table tells of a GPU in words, and the fields it is made of; reasons may be on record
under any of them."""
_NOT_READ = "not read for this driver"
_NOT_TOLD = "NVML tells nothing"
_NO_DRIVER = "no driver told of it"


def unknown_cells(gpus: Sequence[Gpu], reasons: Mapping[str, str]) -> list[str]:
    """Why values of the table are unknown; of GPUs in trouble that is told in their place."""
    told = [
        (gpu, words, _reason(gpu, fields, reasons))
        for gpu in gpus
        if not gpu.get("trouble")
        for words, fields in _TABLE
        if _is_unknown(gpu, fields[0])
    ]
    for gpu in gpus:
        told += [] if gpu.get("trouble") else _of_slices(gpu, reasons)
    return _grouped(told, gpus)


def _of_slices(gpu: Gpu, reasons: Mapping[str, str]) -> Iterator[tuple[Gpu, str, str]]:
    """Of the MIG instances: memory and processes are told of them."""
    for at, part in enumerate(instances(gpu) or ()):
        for words, fields in (("memory", _TABLE[0][1]), ("processes", _PROCESSES)):
            if part.get(fields[-1]) is None:
                names = (f"gpu{gpu.get('index')}.mig{at}.{field}" for field in fields)
                given = (reason for name in names if (reason := reasons.get(name)))
                yield gpu, f"slice {at} {words}", next(given, _NOT_TOLD)


def all_unknown(gpus: Sequence[Gpu], reasons: Mapping[str, str]) -> list[str]:
    """Every reason that the drivers gave, by the names of fields, and those of the table."""
    by_index = {gpu.get("index"): gpu for gpu in gpus}
    told = []
    for name, reason in reasons.items():
        found = _FIELD.fullmatch(name)
        if found and reason and (gpu := by_index.get(int(found[1]))) is not None:
            told.append((gpu, found[2], reason))
    given = {reason for _, _, reason in told}
    table = [line for line in unknown_cells(gpus, reasons) if line.rpartition(": ")[2] not in given]
    return _grouped(told, gpus) + table


def _grouped(told: Iterable[tuple[Gpu, str, str]], gpus: Sequence[Gpu]) -> list[str]:
    """``GPU 0-3 power, temperature: not permitted by the driver``."""
    fields: dict[tuple[str, str], list[Gpu]] = {}
    for gpu, field, reason in told:
        fields.setdefault((reason, field), []).append(gpu)
    groups: dict[tuple[str, str], list[str]] = {}
    for (reason, field), found in fields.items():
        groups.setdefault((reason, gpu_words(found, gpus)), []).append(field)
    return [f"{which} {', '.join(names)}: {why}" for (why, which), names in groups.items()]


def gpu_words(found: Sequence[Gpu], gpus: Sequence[Gpu]) -> str:
    """``GPU 0-3, 5``, or ``all GPUs``."""
    if len(found) == len(gpus) > 1:
        return "all GPUs"
    numbers = [gpu.get("index") for gpu in found]
    return f"GPU {counted(n for n in numbers if isinstance(n, int))}"


def _is_unknown(gpu: Gpu, field: str) -> bool:
    value = _value(gpu, field)
    return value is None or (field == "path" and value == "unknown")


def _value(gpu: Gpu, field: str) -> Any:
    part, _, name = field.rpartition(".")
    inner = gpu.get(part) if part else gpu
    return inner.get(name) if isinstance(inner, Mapping) else None


def _reason(gpu: Gpu, fields: Sequence[str], reasons: Mapping[str, str]) -> str:
    if fields[0] == "path" and gpu.get("path_because"):
        return str(gpu["path_because"])
    for field in fields:
        name = f"gpu{gpu.get('index')}.{field.rpartition('.')[2]}"
        if reason := reasons.get(name):
            return reason
    if gpu.get("source"):
        return _NOT_TOLD
    return _NOT_READ if gpu.get("driver") else _NO_DRIVER
