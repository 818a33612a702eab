"""What two machines have in common, and what not: ordered, comparable, without serial numbers.

Two machines of one kind and set-up have the same fingerprint; it tells kinds apart, not machines.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

FIELDS = (
    "machine", "hypervisor", "role", "nested", "container", "cloud", "confidential", "cpu_model",
    "cpu_signature", "sockets", "cores_physical", "cores_online", "cpu_quota_cores", "numa_nodes",
    "memory_gib", "gpus", "gpu_devices", "gpu_driver", "kernel", "os", "clocksource", "governor",
    "thp", "smt", "mitigations",
)  # fmt: skip
"""In the order of telling: what decides latency most comes first."""
_GIB = 1 << 30
_DIGITS = 12
_NVIDIA = "nvidia"
_LONGEST = 40


def fingerprint(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The fingerprint of a host from the facts about it; None for what is unknown.

    Args:
        facts: of the collectors ``host`` and ``tuning``, with the detected machine as ``machine``,
            and those of ``hardware_facts``.

    Returns:
        ``FIELDS`` in their order, and ``digest``: equal for equal fields.
    """
    machine = facts.get("machine")
    told = dict(machine) if isinstance(machine, Mapping) else {}
    found = {name: told.get(name, facts.get(name)) for name in FIELDS}
    found["machine"] = told.get("machine")
    # Those of the machine: how many we may run on changes with every taskset.
    found["cores_physical"] = facts.get("cores", facts.get("cores_physical"))
    found["numa_nodes"] = _count(facts.get("numa_nodes"))
    found["memory_gib"] = _gib(facts.get("memory_total_bytes"))
    found["gpus"] = _gpus(facts.get("pci_gpus"))
    found["gpu_devices"] = None
    return _signed(found)


def with_gpus(found: Mapping[str, Any], gpus: Any, nvidia: str | None = None) -> dict[str, Any]:
    """A fingerprint with what the GPUs' drivers told: models, how many, and how they are shared.

    Args:
        found: of ``fingerprint``.
        gpus: an object a GPU, as the collectors give them.
        nvidia: the driver's version as NVML told it, for where the kernel's module tells none.
    """
    fields = {name: found.get(name) for name in FIELDS}
    if nvidia and fields["gpu_driver"] in (None, _NVIDIA):
        fields["gpu_driver"] = f"{_NVIDIA} {nvidia[:_LONGEST]}"
    return _signed({**fields, "gpu_devices": _devices(gpus)})


def _signed(found: dict[str, Any]) -> dict[str, Any]:
    """With its digest, in which unknown ``gpu_devices`` do not count: earlier versions had none."""
    counted = {
        name: value for name, value in found.items() if name != "gpu_devices" or value is not None
    }
    text = json.dumps(counted, sort_keys=True, default=str)
    return {**found, "digest": hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]}


def _devices(gpus: Any) -> list[str] | None:
    """``2 × NVIDIA H100, passthrough``; None where a GPU does not tell what it is."""
    known = [gpu for gpu in gpus if isinstance(gpu, Mapping)] if isinstance(gpus, list) else []
    if not known or not all(gpu.get("name") for gpu in known):
        return None
    return [f"{count} × {name}" for name, count in sorted(Counter(map(_device, known)).items())]


def _device(gpu: Mapping[str, Any]) -> str:
    """Model and path, and the slices of one that MIG divides."""
    path = gpu.get("path")
    words = [str(gpu["name"]), "" if path == "unknown" else str(path or "")]
    mig = gpu.get("mig")
    slices = mig.get("instances") if isinstance(mig, Mapping) else None
    names = [str(part.get("name")) for part in slices or () if isinstance(part, Mapping)]
    words += [f"{count} × {name}" for name, count in sorted(Counter(names).items())]
    return ", ".join(filter(None, words))


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """(field, of A, of B) of what differs, most telling first; unknown is no difference."""
    return [
        (name, a[name], b[name])
        for name in FIELDS
        if a.get(name) is not None and b.get(name) is not None and a[name] != b[name]
    ]


def _count(found: Any) -> int | None:
    return (
        len(found) if isinstance(found, list | tuple) else found if isinstance(found, int) else None
    )


def _gib(found: Any) -> int | None:
    return round(found / _GIB) if isinstance(found, int | float) else None


def _gpus(found: Any) -> list[str] | None:
    """Vendor and device of each GPU, in the order of the bus; None when it was not looked for."""
    if not isinstance(found, list):
        return None
    return [
        f"{gpu.get('vendor', '?')}:{gpu.get('device', '?')}"
        for gpu in found
        if isinstance(gpu, Mapping)
    ]
