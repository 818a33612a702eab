"""What differs between the two hosts, most telling first; what is alike is not told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuiapp.compare.comparison import Comparison
from tuiapp.compare.gate import INTENDED, Difference
from tuiapp.compare.runs import Run
from tuiapp.machine.fingerprint import FIELDS, differences

_COVERED = {
    "virtualization": "machine",
    "cores_logical": "cores_online",
    "memory_total_bytes": "memory_gib",
    "nvidia_driver": "gpu_driver",
}
"""Facts of a header, and the field of a fingerprint that says the same."""
_LONGEST = 120


def host_differences(comparison: Comparison) -> tuple[Difference, ...]:
    """Confounders, then what is meant to differ: by the fingerprints, then by the headers."""
    found = comparison.gate
    told = _by_fingerprint(comparison.a[0], comparison.b[0])
    names = {difference.field for difference in told}
    rest = [
        difference
        for difference in found.differences
        if difference not in found.confounders and _name(difference.field) not in names
    ]
    return (*found.confounders, *told, *rest)


def _by_fingerprint(a: Run, b: Run) -> list[Difference]:
    sides = _fingerprint(a), _fingerprint(b)
    return [
        Difference(name, _text(in_a), _text(in_b), INTENDED)
        for name, in_a, in_b in differences(*sides)
    ]


def _fingerprint(run: Run) -> Mapping[str, Any]:
    host = run.meta.get("host")
    found = host.get("fingerprint") if isinstance(host, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _name(field: str) -> str:
    """The fingerprint's name of a header's fact."""
    name = field.rpartition(".")[2]
    name = _COVERED.get(name, name)
    return name if name in FIELDS and field.startswith("host.") else field


def _text(value: Any) -> str:
    parts = value if isinstance(value, list | tuple) else [value]
    return ", ".join(str(part) for part in parts[:16])[:_LONGEST]
