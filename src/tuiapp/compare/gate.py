"""What differs between the two sides besides the hosts: looked at before any number.

A difference in the model, the engine's settings or the load explains a latency as well as the
host does, and no statistics can tell them apart afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from tuiapp.compare.runs import Run

INTENDED, CONFOUNDER, CONTEXT = "intended", "confounder", "context"
UNKNOWN = "unknown"

_MODEL = (
    "name", "architecture", "dtype", "quantization", "layers", "hidden_size", "vocab_size",
    "parameters", "weight_bytes", "max_model_len",
)  # fmt: skip
_ENGINE = (
    "name", "version", "build", "torch", "device", "args", "enforce_eager", "max_num_seqs",
    "max_num_batched_tokens", "prefix_caching", "chunked_prefill", "speculative", "kv_cache_dtype",
    "tensor_parallel", "pipeline_parallel", "data_parallel", "kv_block_tokens",
)  # fmt: skip
_LOAD = (
    "digest", "arrival", "rate", "burstiness", "ramp_to", "concurrency", "prompt", "output",
    "prefix_groups", "prefix_tokens", "seed",
)  # fmt: skip
_HOST_CONFOUNDERS = ("nvidia_driver", "cuda_driver")
_GPU_CONFOUNDERS = ("power_limit_w", "clocks_locked_mhz")
_HOST = (
    "virtualization", "hostname", "cpu_model", "cores_logical", "cores_physical",
    "cpu_quota_cores", "memory_total_bytes", "memory_limit_bytes", "clocksource", "kernel", "os",
)  # fmt: skip
_GPU = ("name", "path", "virtualization", "pci_bus_id")
ESSENTIAL = ("model.name", "engine.version", "workload.digest", "host.cpu_model")
"""What every recording of this program tells; where a side does not, nothing can be checked."""
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same on both sides.

    Attributes:
        field: its name in the header, with dots.
        a, b: what each side says; several values where its runs disagree.
        kind: ``intended`` (it belongs to the hosts), ``confounder`` or ``context``.
    """

    field: str
    a: str
    b: str
    kind: str


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether the two sides may be compared at all.

    Attributes:
        differences: confounders first, then what belongs to the hosts, most telling first.
        unknown: facts that only one side tells: neither alike nor different.
        mixed: what differs among the runs of one side.
        missing: essential facts that a side does not tell, in words.
    """

    differences: tuple[Difference, ...]
    unknown: tuple[str, ...]
    mixed: tuple[str, ...]
    missing: tuple[str, ...] = ()

    @property
    def confounders(self) -> tuple[Difference, ...]:
        """What keeps every verdict at inconclusive."""
        return tuple(found for found in self.differences if found.kind == CONFOUNDER)

    @property
    def open(self) -> bool:
        """Nothing but the hosts differs, as far as the recordings tell."""
        return not self.reason

    @property
    def reason(self) -> str:
        """Why nothing can be concluded; empty when the gate is open."""
        if self.confounders or self.mixed:
            return "more than the hosts differs"
        return "what was compared is not known well enough" if self.missing else ""


def gate(a: Sequence[Run], b: Sequence[Run]) -> Gate:
    """Compare the headers of two sides; pure."""
    sides = _told(a), _told(b)
    differences, unknown, mixed = [], [], []
    for field, kind in _fields(sides):
        values = [side.get(field, [UNKNOWN]) for side in sides]
        several = [
            f"{field} differs among the runs of {name}: {', '.join(side)}"
            for name, side in zip("AB", values, strict=True)
            if kind == CONFOUNDER and len(side) > 1
        ]
        mixed += several
        if several or values[0] == values[1]:
            continue
        if [UNKNOWN] in values:
            if kind == CONFOUNDER:
                unknown.append(field)
            continue
        in_a, in_b = (", ".join(side) for side in values)
        differences.append(Difference(field, in_a, in_b, kind))
    order = (CONFOUNDER, INTENDED, CONTEXT)
    differences.sort(key=lambda found: order.index(found.kind))
    return Gate(tuple(differences), tuple(unknown), tuple(mixed), tuple(_missing((a, b))))


def _missing(sides: Sequence[Sequence[Run]]) -> Iterator[str]:
    """Essential facts that some run does not tell: imports never tell host and engine."""
    for name, runs in zip("AB", sides, strict=True):
        told = [dict(_flat(run.meta)) for run in runs]
        lacking = [field for field in ESSENTIAL if not all(field in facts for facts in told)]
        if lacking:
            yield f"{name} does not tell {', '.join(lacking)}"


def _fields(sides: Iterable[Mapping[str, list[str]]]) -> Iterator[tuple[str, str]]:
    for section, names in (("model", _MODEL), ("engine", _ENGINE), ("workload", _LOAD)):
        yield from ((f"{section}.{name}", CONFOUNDER) for name in names)
    yield from ((f"host.{name}", CONFOUNDER) for name in _HOST_CONFOUNDERS)
    yield from ((f"host.{name}", INTENDED) for name in _HOST)
    gpus = dict.fromkeys(field for side in sides for field in side if field.startswith("gpu"))
    for field in gpus:
        name = field.rpartition(".")[2]
        yield field, CONFOUNDER if name in _GPU_CONFOUNDERS else INTENDED


def _told(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Every distinct value of each field over the runs of a side."""
    told: dict[str, dict[str, None]] = {}
    for run in runs:
        for field, value in _flat(run.meta):
            told.setdefault(field, {})[value] = None
    return {field: sorted(values) for field, values in told.items()}


def _flat(meta: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    wanted = {"model": _MODEL, "engine": _ENGINE, "workload": _LOAD}
    for section, names in {**wanted, "host": (*_HOST, *_HOST_CONFOUNDERS)}.items():
        told = meta.get(section)
        if not isinstance(told, Mapping):
            continue
        for name in names:
            if told.get(name) is not None:
                yield f"{section}.{name}", _text(name, told[name])
    host = meta.get("host")
    gpus = host.get("gpus") if isinstance(host, Mapping) else None
    for at, gpu in enumerate(gpus[:64] if isinstance(gpus, list) else ()):
        if isinstance(gpu, Mapping):
            for name in (*_GPU, *_GPU_CONFOUNDERS):
                if gpu.get(name) is not None:
                    yield f"gpu{at}.{name}", _text(name, gpu[name])


def _text(name: str, value: Any) -> str:
    """A model that lies in another folder is the same model: only its own name counts."""
    text = str(value)
    if name == "name" and "/" in text:
        text = PurePath(text).name
    return text[:_LONGEST]
