"""How near decoding comes to what the memory's bandwidth allows.

To make one more token for each running sequence, a decode step reads every weight once. So a step
lasts at least *weight bytes / memory bandwidth*, however many sequences share it, and so does the
time per output token of any one stream. It is the memory side of the roofline model (Williams,
Waterman & Patterson, CACM 52(4), 2009); for decoding see Pope et al., "Efficiently Scaling
Transformer Inference" (MLSys 2023), section 2. Keys and values of the context are read as well and
are not counted, so that the bound stays a bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuiapp.session.columns import TICK_NS
from tuiapp.session.view import View

_NS = 1e9
_DTYPE_BYTES = {"float32": 4, "float16": 2, "half": 2, "bfloat16": 2, "float64": 8}
_GPU_CACHE_BYTES = 256 << 20
"""No GPU has a larger cache to this day."""
_ABOVE = 1.05
_SLICES = 8


@dataclass(frozen=True, slots=True)
class Roofline:
    """What is known of it; None where something is not.

    Attributes:
        device: ``cpu``, or ``gpu`` for every other kind.
        weight_bytes: what one device reads in a decode step.
        bandwidth_bytes_per_s: of that device's memory.
        floor_s: the shortest decode step, and so the shortest TPOT of one stream.
        step_s: the time of a decode step: the median of ITL.
        tpot_s: the median of TPOT.
        tokens_per_step: output tokens for each step of the engine, prefills included.
        share: floor_s / step_s; of the bandwidth, as much is used for weights at least.
        why: why there is no share; empty when there is one.
        caveats: what to know beside the share.
    """

    device: str
    weight_bytes: float | None
    bandwidth_bytes_per_s: float | None
    floor_s: float | None
    step_s: float | None
    tpot_s: float | None
    tokens_per_step: float | None
    share: float | None
    why: str
    caveats: tuple[str, ...]

    @property
    def words(self) -> str:
        """One line for a screen; empty without a share."""
        if self.share is None:
            return ""
        percent = f"{self.share * 100:.0f} %"
        return f"decode runs at {percent} of this {self.device.upper()}'s memory bandwidth"


def roofline(view: View, *, recent: bool = False) -> Roofline:
    """Of the run up to the view's cursor, or of its window when ``recent``."""
    engine, model, host = (_mapping(view.meta, name) for name in ("engine", "model", "host"))
    device = "cpu" if engine.get("device") == "cpu" else "gpu"
    read, why, caveats = _weights(model)
    if read is not None and device == "gpu":
        read /= _count(engine.get("tensor_parallel"))
    bandwidth, unknown, more = _cpu_bandwidth(host) if device == "cpu" else _gpu_bandwidth(view)
    why = why or _cached(device, read, host) or unknown
    caveats += more
    floor = read / bandwidth if read is not None and bandwidth is not None else None
    step, tpot = (_median_s(view, metric, recent=recent) for metric in ("itl", "tpot"))
    share = floor / step if floor is not None and step and not why else None
    if share is None:
        why = why or "no time between tokens has been measured yet"
    elif share > _ABOVE:
        caveats += (
            "steps are shorter than the bound: a part of the weights stays in a cache, or "
            "the bandwidth is higher than the one given",
        )
    return Roofline(
        device, read, bandwidth, floor, step, tpot, _tokens_per_step(view), share, why, caveats
    )


def _weights(model: Mapping[str, Any]) -> tuple[float | None, str, tuple[str, ...]]:
    """(bytes that a decode step reads over all ranks, why they are no bound, caveats)."""
    if _number(model.get("experts")):
        return None, "a mixture of experts: what a step reads depends on the experts it needs", ()
    files, parameters = _number(model.get("weight_bytes")), _number(model.get("parameters"))
    each, quantized = _DTYPE_BYTES.get(str(model.get("dtype"))), bool(model.get("quantization"))
    if quantized and parameters:
        # Files of plain floats: it is the engine that quantizes them.
        return None, "quantized while loading: their size in memory is unknown", ()
    caveats: tuple[str, ...] = ()
    if parameters and each:
        size = parameters * each
    elif files:
        size, each = files, None if quantized else each
        caveats = ("the weights' size is that of their files",)
    else:
        return None, "the size of the weights is unknown", ()
    if str(model.get("architecture", "")).endswith("ForConditionalGeneration"):
        caveats += ("weights of a multimodal encoder, which decoding does not read, are counted",)
    read = size - _embedding(model, each or 2)
    return (read, "", caveats) if read > 0 else (None, "the size of the weights makes no sense", ())


def _embedding(model: Mapping[str, Any], each: int) -> float:
    """Bytes of the input embedding, of which a step reads a few rows only.

    Tied to the output's, it is read whole.
    """
    if model.get("tied_embeddings") is True:
        return 0.0
    return _number(model.get("vocab_size")) * _number(model.get("hidden_size")) * each


def _cached(device: str, read: float | None, host: Mapping[str, Any]) -> str:
    """Why memory does not bound weights as small as these; empty when it does."""
    cache = _number(host.get("cpu_cache_bytes")) if device == "cpu" else _GPU_CACHE_BYTES
    if read is None or not cache or read > cache:
        return ""
    sizes = f"{read / (1 << 20):.0f} MiB) fit a cache ({cache / (1 << 20):.0f} MiB"
    return f"the weights ({sizes}): memory bandwidth does not bound them"


Bandwidth = tuple[float | None, str, tuple[str, ...]]
"""Bytes a second, why they are unknown, and what to know beside them."""


def _cpu_bandwidth(host: Mapping[str, Any]) -> Bandwidth:
    """As measured on this host."""
    found = _number(_mapping(host, "tax").get("memory_bandwidth_bytes_per_s"))
    return (found, "", ()) if found else (None, "the CPU's memory bandwidth was not measured", ())


def _gpu_bandwidth(view: View) -> Bandwidth:
    """That of the GPUs, when they all have the same: which of them the engine uses is not told."""
    gpus = _mapping(view.meta, "host").get("gpus")
    given = [
        gpu
        for gpu in (gpus if isinstance(gpus, list) else ())
        if isinstance(gpu, dict) and not gpu.get("integrated")
    ]
    known = {_number(gpu.get("mem_bandwidth_bytes_per_s")) for gpu in given}
    if len(known) != 1 or known == {0.0}:
        return None, "the GPU's memory bandwidth is unknown", ()
    whole = known.pop()
    shares = {share for gpu in given for share in _slices(view, gpu)}
    if len(shares) != 1:
        return None, "which MIG slice the engine has is not told, and they differ", ()
    if (share := shares.pop()) is None:
        return None, "the MIG slice's part of the GPU's memory is unknown", ()
    caveats: tuple[str, ...] = ()
    if share < 1:
        eighths = round(share * _SLICES)
        caveats = (f"a MIG slice with {eighths} of {_SLICES} parts of the GPU's memory",)
    if any(gpu.get("path") == "vgpu" for gpu in given):
        caveats = ("a vGPU: other guests may have turns on the same GPU",)
    return whole * share, "", caveats


def _slices(view: View, gpu: Mapping[str, Any]) -> set[float | None]:
    """Which part of the GPU's memory each of its MIG slices has; 1 for a whole GPU.

    Capacity and bandwidth are divided alike, into eight slices (NVIDIA MIG User Guide, "GPU memory
    slice").
    """
    mig = _mapping(gpu, "mig")
    if not mig.get("enabled"):
        return {1.0}
    row = view.last_row(f"gpu{gpu.get('index')}")
    total, listed = _number(row[1].get("mem_total_bytes") if row else None), mig.get("instances")
    sizes = [
        _number(one.get("memory_total_bytes"))
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict)
    ]
    if not total or not sizes or not all(sizes):
        return {None}
    return {max(round(size / total * _SLICES), 1) / _SLICES for size in sizes}


def _median_s(view: View, metric: str, *, recent: bool) -> float | None:
    found = (view.recent(metric) if recent else view.run(metric)).summary.p50
    return found / _NS if found is not None and 0 < found < float("inf") else None


def _tokens_per_step(view: View) -> float | None:
    window = view.measured
    if window is None:
        return None
    start, end = window.start_ns - 1, window.end_ns
    steps = view.session.ticks["steps"][window.start_ns // TICK_NS : end // TICK_NS + 1].sum()
    return float(view.tokens(start, end) / steps) if steps else None


def _mapping(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def _number(value: Any) -> float:
    """A positive, believable number from a file of unknown origin; 0 for anything else."""
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if plain and 0 < value < 1e18 else 0.0


def _count(value: Any) -> float:
    return max(_number(value), 1.0)
